//! A results folder, read as plain files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file of a folder by its name. The manifest's `wall_clock`, the one thing in it
/// that may differ between equal runs, is left out.
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(&path).unwrap();
        let bytes = if name == "manifest.json" { without_wall_clock(&bytes) } else { bytes };
        files.insert(name, bytes);
    }
    files
}

fn without_wall_clock(manifest: &[u8]) -> Vec<u8> {
    let mut manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
    let removed = manifest.as_object_mut().unwrap().remove("wall_clock");
    assert!(removed.is_some(), "the manifest has its wall-clock fields in one place");
    serde_json::to_vec(&manifest).unwrap()
}

/// The rows of a CSV file, by column.
pub fn rows(folder: &Path, file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join(file)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// A JSON file.
pub fn json(folder: &Path, file: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()
}
