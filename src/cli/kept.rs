//! Folders that are kept in an object store.

use std::path::{Path, PathBuf};

use super::Exit;
use results::MANIFEST;
use results::experiment::EXPERIMENT;
use store::{Ended, Mirror, Remote, StoreError, is_address};

/// The files that say what a folder holds.
const CLAIMS: &[&str] = &[MANIFEST, EXPERIMENT];

/// Does work on a folder: on itself, or, if it is an address, on one of this machine that is
/// kept in step with it.
pub fn on(folder: &Path, work: impl FnOnce(&Path) -> Exit) -> Exit {
    let Some(address) = address(folder) else { return work(folder) };
    let opened =
        Remote::at(address).and_then(|remote| Mirror::open(remote, &std::env::temp_dir(), CLAIMS));
    match opened {
        Ok(mirror) => {
            let exit = work(mirror.folder());
            if exit == Exit::Usage {
                eprintln!("note: `{}` is `{address}` on this machine", mirror.folder().display());
            }
            conclude(address, mirror.end(), exit)
        }
        Err(error) => fail(&error),
    }
}

fn conclude(address: &str, ended: Ended, exit: Exit) -> Exit {
    let Some(error) = ended.error else { return exit };
    let failed = fail(&error);
    let folder = ended.folder.display();
    eprintln!("  all of it is in `{folder}`; the same command sends it to `{address}`");
    failed
}

/// Folders, of which those in a store were fetched.
pub struct Fetched {
    /// Where they are now, in the order given.
    pub folders: Vec<PathBuf>,
    /// Where those of a store are; they go with it.
    _kept: Vec<tempfile::TempDir>,
}

/// Fetches the folders that are in a store. What is wrong goes to stderr.
pub fn fetched(folders: &[PathBuf]) -> Result<Fetched, Exit> {
    let (mut here, mut kept) = (Vec::new(), Vec::new());
    for folder in folders {
        match address(folder) {
            None => here.push(folder.clone()),
            Some(address) => {
                let (root, folder) = fetch(address).map_err(|error| fail(&error))?;
                here.push(folder);
                kept.push(root);
            }
        }
    }
    Ok(Fetched { folders: here, _kept: kept })
}

/// The folder has the name that it has in the store.
fn fetch(address: &str) -> Result<(tempfile::TempDir, PathBuf), StoreError> {
    let remote = Remote::at(address)?;
    let kept =
        tempfile::tempdir().map_err(|error| StoreError::of_file(&std::env::temp_dir(), &error))?;
    let name = address.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let folder = kept.path().join(name);
    remote.fetch(&folder)?;
    Ok((kept, folder))
}

fn address(folder: &Path) -> Option<&str> {
    folder.to_str().filter(|text| is_address(text))
}

fn fail(error: &StoreError) -> Exit {
    eprintln!("error: {error}\nhelp: {}", error.help);
    if error.is_usage { Exit::Usage } else { Exit::Results }
}
