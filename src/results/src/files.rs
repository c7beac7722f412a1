use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use record::ObserveError;

/// The length and digest of a file, for the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChecksum {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, 64 hex digits.
    pub sha256: String,
}

impl FileChecksum {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Names the file in an error.
pub(super) fn naming<E: Into<io::Error>>(path: &Path) -> impl FnOnce(E) -> ObserveError + '_ {
    |error| ObserveError { path: path.display().to_string(), source: error.into() }
}

/// A file to which whole rows are appended: a killed process leaves whole rows and at
/// most one torn row behind them.
pub(super) struct AppendFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    digest: Sha256,
    /// The content that is still to be verified.
    expected: Vec<u8>,
}

/// How to open a file that may exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnExisting {
    /// It must not exist.
    Fail,
    /// Its content is replaced.
    Truncate,
    /// Rows are appended behind its whole rows.
    Append,
    /// Its rows will be written again, and must be the same.
    Verify,
}

impl AppendFile {
    /// Opens a file, or creates it.
    pub(crate) fn open(path: PathBuf, existing: OnExisting) -> Result<Self, ObserveError> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).create_new(existing == OnExisting::Fail);
        let file = options.open(&path).map_err(naming(&path))?;
        let mut opened = Self { path, file, bytes: 0, digest: Sha256::new(), expected: Vec::new() };
        match existing {
            OnExisting::Fail => {}
            OnExisting::Truncate => opened.file.set_len(0).map_err(naming(&opened.path))?,
            OnExisting::Append => opened.keep_whole_rows()?,
            OnExisting::Verify => {
                opened.expected = fs::read(&opened.path).map_err(naming(&opened.path))?;
            }
        }
        Ok(opened)
    }

    /// Whether it is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    fn keep_whole_rows(&mut self) -> Result<(), ObserveError> {
        let mut rows = fs::read(&self.path).map_err(naming(&self.path))?;
        rows.truncate(end_of_whole_rows(&rows));
        self.bytes = rows.len() as u64;
        self.digest.update(&rows);
        self.file.set_len(self.bytes).map_err(naming(&self.path))
    }

    /// Appends whole rows.
    pub(crate) fn append(&mut self, rows: &[u8]) -> Result<(), ObserveError> {
        if rows.is_empty() {
            return Ok(());
        }
        let repeated = rows.len().min(self.expected.len());
        if rows[..repeated] != self.expected[..repeated] {
            return Err(self.repetition_differs());
        }
        self.expected.drain(..repeated);
        self.file.write_all(&rows[repeated..]).map_err(naming(&self.path))?;
        self.bytes += rows.len() as u64;
        self.digest.update(rows);
        Ok(())
    }

    /// Syncs the file, and returns its digest.
    pub(crate) fn seal(self) -> Result<FileChecksum, ObserveError> {
        if !self.expected.is_empty() {
            return Err(self.repetition_differs());
        }
        self.file.sync_all().map_err(naming(&self.path))?;
        Ok(FileChecksum { bytes: self.bytes, sha256: hex(&self.digest.finalize()) })
    }
}

impl AppendFile {
    fn repetition_differs(&self) -> ObserveError {
        let why = "the repeated run differs from the recorded one: another version of the \
            program or other data made it, or the file was changed";
        naming(&self.path)(io::Error::other(why))
    }
}

/// The end of the last whole row: behind its line break, which counts only outside quotes.
pub(super) fn end_of_whole_rows(bytes: &[u8]) -> usize {
    let (mut end, mut quoted) = (0, false);
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => end = index + 1,
            _ => {}
        }
    }
    end
}

/// How the names of files start that are not renamed to their final name yet.
pub(super) const TEMPORARY_PREFIX: &str = ".writing-";

/// Whether a replaced file must survive a crash of the machine, or only of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    Process,
    Machine,
}

/// Replaces a file atomically: a reader sees the old one or the new one.
pub(super) fn replace(
    path: &Path,
    bytes: &[u8],
    durability: Durability,
) -> Result<(), ObserveError> {
    write_and_rename(path, bytes, durability).map_err(naming(path))
}

fn write_and_rename(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = temporary_file(folder)?;
    file.write_all(bytes)?;
    if durability == Durability::Machine {
        file.as_file().sync_all()?;
    }
    file.persist(path).map_err(|error| error.error)?;
    if durability == Durability::Machine {
        sync_folder(folder)?;
    }
    Ok(())
}

/// A temporary file keeps its mode when it is renamed, and its default is that only its
/// owner may read it.
fn temporary_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder)
}

/// A rename is durable once its folder is synced. Only Unix can sync a folder.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A name as part of a file name: letters, digits, `-`, `_` and inner dots stay, everything
/// else becomes `_`.
pub(super) fn file_stem(name: &str) -> String {
    let fit = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let stem: String = name.chars().map(fit).collect();
    match stem.trim_start_matches('.') {
        "" => "_".to_owned(),
        stem => stem.to_owned(),
    }
}

/// Names as parts of file names, each of them unique.
#[must_use]
pub fn file_stems<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut stems: Vec<String> = Vec::new();
    for name in names {
        let stem = file_stem(name);
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut candidates = std::iter::once(stem.clone()).chain(numbered);
        let free = candidates.find(|candidate| !stems.contains(candidate));
        stems.extend(free);
    }
    stems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_file_names_and_stay_different() {
        let stems = file_stems(["baseline", "a b", "a_b", "../../etc/passwd", "..", "über"]);
        assert_eq!(stems, ["baseline", "a_b", "a_b-2", "_.._etc_passwd", "_", "über"]);
    }

    #[test]
    fn a_replaced_file_is_readable_by_others_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        replace(&path, b"old", Durability::Machine).unwrap();
        replace(&path, b"new", Durability::Process).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        }
    }

    #[test]
    fn digests_are_as_sha256sum_prints_them() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(FileChecksum::of(b""), FileChecksum { bytes: 0, sha256: empty.to_owned() });
    }

    #[test]
    fn a_sealed_file_has_its_own_digest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.csv");
        let mut file = AppendFile::open(path.clone(), OnExisting::Fail).unwrap();
        file.append(b"a\n").unwrap();
        file.append(b"b\n").unwrap();
        assert_eq!(file.seal().unwrap(), FileChecksum::of(&fs::read(&path).unwrap()));
    }

    #[test]
    fn repeated_rows_are_verified_and_not_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.csv");
        fs::write(&path, "a\nb\nc").unwrap();
        let mut file = AppendFile::open(path.clone(), OnExisting::Verify).unwrap();
        file.append(b"a\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a\nb\nc", "nothing is lost meanwhile");
        file.append(b"b\ncd\n").unwrap();
        assert_eq!(file.seal().unwrap(), FileChecksum::of(b"a\nb\ncd\n"));
        assert_eq!(fs::read(&path).unwrap(), b"a\nb\ncd\n");
        let mut file = AppendFile::open(path.clone(), OnExisting::Verify).unwrap();
        assert!(file.append(b"a\nB\n").unwrap_err().to_string().contains("repeated run differs"));
        let file = AppendFile::open(path, OnExisting::Verify).unwrap();
        assert!(file.seal().is_err(), "a run that ends sooner does not repeat either");
    }

    #[test]
    fn whole_rows_are_kept_and_a_torn_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model_checks.csv");
        fs::write(&path, "a\n\"b\nc\"\nto").unwrap();
        let mut file = AppendFile::open(path.clone(), OnExisting::Append).unwrap();
        file.append(b"d\n").unwrap();
        assert_eq!(file.seal().unwrap(), FileChecksum::of(b"a\n\"b\nc\"\nd\n"));
        assert_eq!(fs::read(&path).unwrap(), b"a\n\"b\nc\"\nd\n");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_that_names_the_file() {
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        let mut full =
            AppendFile { path, file, bytes: 0, digest: Sha256::new(), expected: Vec::new() };
        let error = full.append(b"row\n").unwrap_err();
        assert_eq!(error.path, "/dev/full");
        assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
    }
}
