use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::files::file_stem;
use seed::Seed;
use shard::Shard;

/// The name of the lock in a folder that is being written.
const LOCK: &str = ".lock";

/// Where the results of a run go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// To `<root>/<scenario>/<run>`, or, where that is taken, to `<run>-2`, `<run>-3` …
    Under {
        /// The folder of all results, `results` by custom.
        root: PathBuf,
        /// What to call the run, `seed-42` for example.
        run: String,
    },
    /// To this folder, which must be empty or not exist.
    At(PathBuf),
}

/// Where a shard goes that is not told where.
#[must_use]
pub fn shard_folder(root: &Path, scenario: &str, shard: Shard) -> PathBuf {
    scenario_folder(root, scenario).join(shard_name(shard))
}

/// Where all that comes of a scenario goes that is not told where.
#[must_use]
pub fn scenario_folder(root: &Path, scenario: &str) -> PathBuf {
    root.join(file_stem(scenario))
}

/// What the folder of a shard is called.
#[must_use]
pub fn shard_name(shard: Shard) -> String {
    format!("shard-{}-of-{}", shard.number(), shard.count())
}

/// Where the whole of a cell goes, below `root`.
#[must_use]
pub fn cell_folder(root: &Path, variant: &str, seed: Seed) -> PathBuf {
    root.join(file_stem(variant)).join(format!("seed-{seed}"))
}

/// Why a folder cannot be used for results.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Results are never overwritten.
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// Another run writes there.
    #[error("another run is writing to `{}`", .0.display())]
    Locked(PathBuf),
    /// It cannot be made, or not written to.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A folder that no other run writes to.
pub(super) struct Claim {
    pub folder: PathBuf,
    lock: File,
}

impl Claim {
    /// Makes the folder, and takes it.
    pub fn take(place: &Place, scenario: &str) -> Result<Self, CreateError> {
        let folder = match place {
            Place::Under { root, run } => make_new(&root.join(file_stem(scenario)), run)?,
            Place::At(folder) => {
                fs::create_dir_all(folder).map_err(failed(folder))?;
                folder.clone()
            }
        };
        let lock = lock(&folder)?;
        let claim = Self { folder, lock };
        claim.check_empty()?;
        Ok(claim)
    }

    /// Takes the folder of a run that ended.
    pub fn take_back(folder: &Path) -> Result<Self, CreateError> {
        let lock = lock(folder)?;
        Ok(Self { folder: folder.to_owned(), lock })
    }

    fn check_empty(&self) -> Result<(), CreateError> {
        let mut entries = fs::read_dir(&self.folder).map_err(failed(&self.folder))?;
        if entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() != LOCK)) {
            self.remove_lock().map_err(failed(&self.folder))?;
            return Err(CreateError::NotEmpty(self.folder.clone()));
        }
        Ok(())
    }

    /// Gives the folder up, and leaves no trace of having had it.
    pub fn release(self) -> io::Result<()> {
        self.remove_lock()?;
        self.lock.unlock()
    }

    fn remove_lock(&self) -> io::Result<()> {
        fs::remove_file(self.folder.join(LOCK))
    }
}

/// Makes `<parent>/<run>`, or the first of `<run>-2`, `<run>-3` … that is free. Making
/// is the test: of two runs that ask at once, one gets the next number.
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

fn lock(folder: &Path) -> Result<File, CreateError> {
    let path = folder.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(failed(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CreateError::Locked(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(CreateError::Io { path, source }),
    }
}

/// Whether there is no folder, or one in which no run wrote anything yet.
#[must_use]
pub fn is_unwritten(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            let is_hidden =
                |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
            entries.all(|entry| entry.is_ok_and(is_hidden))
        }
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Whether a run is writing to the folder now.
pub(super) fn is_locked(folder: &Path) -> bool {
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
    fn a_run_never_gets_the_folder_of_another() {
        let root = tempfile::tempdir().unwrap();
        let place = Place::Under { root: root.path().to_owned(), run: "seed-42".to_owned() };
        let folders: Vec<_> = (0..3)
            .map(|_| Claim::take(&place, "../news").unwrap().folder)
            .map(|folder| folder.strip_prefix(root.path()).unwrap().to_owned())
            .collect();
        let expected = ["_news/seed-42", "_news/seed-42-2", "_news/seed-42-3"];
        assert_eq!(folders, expected.map(PathBuf::from));
    }

    #[test]
    fn a_folder_with_something_in_it_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        let error = Claim::take(&Place::At(folder.path().to_owned()), "news").err().unwrap();
        assert!(matches!(error, CreateError::NotEmpty(_)), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_runs_cannot_have_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::At(folder.path().to_owned());
        let first = Claim::take(&place, "news").unwrap();
        assert!(is_locked(folder.path()));
        let second = Claim::take(&place, "news").err().unwrap();
        assert!(matches!(second, CreateError::Locked(_)), "{second}");
        first.release().unwrap();
        assert!(!is_locked(folder.path()));
        assert!(Claim::take(&place, "news").is_ok());
    }
}
