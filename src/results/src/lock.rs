//! The lock of a folder: only one run writes to it at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::destination::Destination;
use super::error::CreateError;
use super::files::file_stem;

/// The name of the lock in a folder that is being written.
const LOCK: &str = ".lock";

/// A folder that is locked: no other run writes to it.
pub(super) struct FolderLock {
    pub folder: PathBuf,
    file: File,
}

impl FolderLock {
    /// Creates the folder, which must be empty, and locks it.
    pub(crate) fn acquire(destination: &Destination, scenario: &str) -> Result<Self, CreateError> {
        let folder = match destination {
            Destination::Under { root, run } => make_new(&root.join(file_stem(scenario)), run)?,
            Destination::At(folder) => {
                fs::create_dir_all(folder).map_err(failed(folder))?;
                folder.clone()
            }
        };
        let lock = Self { file: lock_file(&folder)?, folder };
        lock.check_empty()?;
        Ok(lock)
    }

    /// Locks the folder of a run that ended.
    pub(crate) fn relock(folder: &Path) -> Result<Self, CreateError> {
        Ok(Self { file: lock_file(folder)?, folder: folder.to_owned() })
    }

    /// Locks the folder of a run whose process was killed, if it left its lock.
    pub(crate) fn of_killed(folder: &Path) -> Result<Option<Self>, CreateError> {
        folder.join(LOCK).exists().then(|| Self::relock(folder)).transpose()
    }

    fn check_empty(&self) -> Result<(), CreateError> {
        for entry in fs::read_dir(&self.folder).map_err(failed(&self.folder))? {
            if entry.map_err(failed(&self.folder))?.file_name() != LOCK {
                self.remove_lock().map_err(failed(&self.folder))?;
                return Err(CreateError::NotEmpty(self.folder.clone()));
            }
        }
        Ok(())
    }

    /// Unlocks the folder, and removes the lock file.
    pub(crate) fn release(self) -> io::Result<()> {
        self.remove_lock()?;
        self.file.unlock()
    }

    fn remove_lock(&self) -> io::Result<()> {
        fs::remove_file(self.folder.join(LOCK))
    }
}

/// Creates `<parent>/<run>`, or the first of `<run>-2`, `<run>-3` … that is free. Creating it
/// is the test: of two concurrent runs, one gets the next number.
fn make_new(parent: &Path, run: &str) -> Result<PathBuf, CreateError> {
    fs::create_dir_all(parent).map_err(failed(parent))?;
    let run = file_stem(run);
    let mut names = std::iter::once(run.clone()).chain((2_u64..).map(|n| format!("{run}-{n}")));
    loop {
        let folder = parent.join(names.next().unwrap_or_default());
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(CreateError::Io { path: folder, source }),
            Ok(()) => return Ok(folder),
        }
    }
}

fn lock_file(folder: &Path) -> Result<File, CreateError> {
    let path = folder.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(failed(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CreateError::Locked(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(CreateError::Io { path, source }),
    }
}

/// Whether a run is writing to the folder now. Without a lock file none is.
pub fn is_locked(folder: &Path) -> bool {
    let file = File::open(folder.join(LOCK));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CreateError + '_ {
    |source| CreateError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_gets_a_new_folder() {
        let root = tempfile::tempdir().unwrap();
        let destination =
            Destination::Under { root: root.path().to_owned(), run: "seed-42".to_owned() };
        let folders: Vec<_> = (0..3)
            .map(|_| FolderLock::acquire(&destination, "../news").unwrap().folder)
            .map(|folder| folder.strip_prefix(root.path()).unwrap().to_owned())
            .collect();
        let expected = ["_news/seed-42", "_news/seed-42-2", "_news/seed-42-3"];
        assert_eq!(folders, expected.map(PathBuf::from));
    }

    #[test]
    fn a_folder_that_is_not_empty_is_refused_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        let error =
            FolderLock::acquire(&Destination::At(folder.path().to_owned()), "news").err().unwrap();
        assert!(matches!(error, CreateError::NotEmpty(_)), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_locked_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let destination = Destination::At(folder.path().to_owned());
        let first = FolderLock::acquire(&destination, "news").unwrap();
        assert!(is_locked(folder.path()));
        let second = FolderLock::acquire(&destination, "news").err().unwrap();
        assert!(matches!(second, CreateError::Locked(_)), "{second}");
        first.release().unwrap();
        assert!(!is_locked(folder.path()));
        assert!(FolderLock::acquire(&destination, "news").is_ok());
    }
}
