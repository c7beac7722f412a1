//! Folders in an object store.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::exit::Exit;
use results::{EXPERIMENT, MANIFEST};
use store::{Ended, Mirror, Remote, StoreError, is_address};

/// The files that say what a folder holds.
const CLAIMS: &[&str] = &[MANIFEST, EXPERIMENT];

/// Works on a folder: the folder itself, or, if it is an address in a store, its mirror on
/// this machine.
pub fn with_local(
    folder: &Path,
    work: impl FnOnce(&Path) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let Some(address) = address(folder) else { return work(folder) };
    let remote = Remote::at(address)?;
    let mirror = Mirror::open(remote, &std::env::temp_dir(), CLAIMS)?;
    let result = work(mirror.folder()).map_err(|error| match error.exit() {
        Exit::Usage => {
            let here = mirror.folder().display();
            error.note(format!("`{here}` is `{address}` on this machine"))
        }
        _ => error,
    });
    conclude(address, mirror.end(), result)
}

/// What could not be sent is an error, whatever the result of the work.
fn conclude(address: &str, ended: Ended, result: Result<Exit, Error>) -> Result<Exit, Error> {
    let Some(error) = ended.error else { return result };
    if let Err(earlier) = result {
        earlier.report();
    }
    let folder = ended.folder.display();
    let note = format!("all results are in `{folder}`; the same command sends them to `{address}`");
    Err(Error::from(error).note(note))
}

/// Folders, of which those in a store were fetched.
pub struct Fetched {
    /// Where they are now, in the order given.
    pub folders: Vec<PathBuf>,
    /// The copies of those in a store; they are deleted with this.
    _copies: Vec<tempfile::TempDir>,
}

/// Fetches the folders that are in a store.
pub fn fetched(folders: &[PathBuf]) -> Result<Fetched, Error> {
    let (mut here, mut copies) = (Vec::new(), Vec::new());
    for folder in folders {
        match address(folder) {
            None => here.push(folder.clone()),
            Some(address) => {
                let (root, folder) = fetch(address)?;
                here.push(folder);
                copies.push(root);
            }
        }
    }
    Ok(Fetched { folders: here, _copies: copies })
}

/// The folder has the name that it has in the store.
fn fetch(address: &str) -> Result<(tempfile::TempDir, PathBuf), StoreError> {
    let remote = Remote::at(address)?;
    let root =
        tempfile::tempdir().map_err(|error| StoreError::of_file(&std::env::temp_dir(), &error))?;
    let name = address.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let folder = root.path().join(name);
    remote.fetch(&folder)?;
    Ok((root, folder))
}

fn address(folder: &Path) -> Option<&str> {
    folder.to_str().filter(|text| is_address(text))
}
