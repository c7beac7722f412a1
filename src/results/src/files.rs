use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use record::ObserveError;
use zstd_frames::whole_frames;

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
/// most one torn row, or one torn frame of rows, behind them.
pub(super) struct AppendFile {
    path: PathBuf,
    file: File,
    encoding: Encoding,
    bytes: u64,
    digest: Sha256,
    /// The rows that are still to be verified.
    expected: Vec<u8>,
}

/// How rows stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As they are.
    Plain,
    /// Those that are appended together as one frame of Zstandard.
    Zstd,
}

impl Encoding {
    /// The path of a file in this form.
    pub(super) fn path(self, plain: &Path) -> PathBuf {
        match self {
            Self::Plain => plain.to_owned(),
            Self::Zstd => {
                let mut path = plain.as_os_str().to_owned();
                path.push(".zst");
                path.into()
            }
        }
    }
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
    pub(crate) fn open(
        path: PathBuf,
        encoding: Encoding,
        existing: OnExisting,
    ) -> Result<Self, ObserveError> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).create_new(existing == OnExisting::Fail);
        let file = options.open(&path).map_err(naming(&path))?;
        let (bytes, digest, expected) = (0, Sha256::new(), Vec::new());
        let mut opened = Self { path, file, encoding, bytes, digest, expected };
        match existing {
            OnExisting::Fail => {}
            OnExisting::Truncate => opened.file.set_len(0).map_err(naming(&opened.path))?,
            OnExisting::Append => opened.keep_whole_rows()?,
            OnExisting::Verify => opened.expect_what_it_holds()?,
        }
        Ok(opened)
    }

    /// Whether the next row is the first one.
    pub(crate) fn is_at_start(&self) -> bool {
        self.bytes == 0 || !self.expected.is_empty()
    }

    fn expect_what_it_holds(&mut self) -> Result<(), ObserveError> {
        let mut content = fs::read(&self.path).map_err(naming(&self.path))?;
        self.expected = match self.encoding {
            Encoding::Plain => content,
            Encoding::Zstd => {
                let whole = whole_frames(&content).map_err(naming(&self.path))?;
                content.truncate(whole.end);
                self.keep(&content)?;
                whole.content
            }
        };
        Ok(())
    }

    fn keep_whole_rows(&mut self) -> Result<(), ObserveError> {
        let mut content = fs::read(&self.path).map_err(naming(&self.path))?;
        content.truncate(match self.encoding {
            Encoding::Plain => end_of_whole_rows(&content),
            Encoding::Zstd => whole_frames(&content).map_err(naming(&self.path))?.end,
        });
        self.keep(&content)
    }

    /// Cuts the file behind `content`, with which it begins.
    fn keep(&mut self, content: &[u8]) -> Result<(), ObserveError> {
        self.bytes = content.len() as u64;
        self.digest.update(content);
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
        let new = &rows[repeated..];
        match self.encoding {
            Encoding::Plain => {
                self.note(&rows[..repeated]);
                self.write(new)
            }
            Encoding::Zstd if new.is_empty() => Ok(()),
            Encoding::Zstd => self.write(&zstd_frames::frame(new)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ObserveError> {
        self.file.write_all(bytes).map_err(naming(&self.path))?;
        self.note(bytes);
        Ok(())
    }

    /// Counts bytes that the file has.
    fn note(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.digest.update(bytes);
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

/// Replaces a file with what is written in parts: durably, and atomically.
#[cfg(feature = "parquet")]
pub(super) fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut SummedFile) -> io::Result<()>,
) -> Result<FileChecksum, ObserveError> {
    let replace = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = io::BufWriter::new(temporary_file(folder)?);
        let mut summed = SummedFile { file, bytes: 0, digest: Sha256::new() };
        write(&mut summed)?;
        let SummedFile { file, bytes, digest } = summed;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync_folder(folder)?;
        Ok(FileChecksum { bytes, sha256: hex(&digest.finalize()) })
    };
    replace().map_err(naming::<io::Error>(path))
}

/// A file with the checksum of what was written.
#[cfg(feature = "parquet")]
pub(super) struct SummedFile {
    file: io::BufWriter<tempfile::NamedTempFile>,
    bytes: u64,
    digest: Sha256,
}

#[cfg(feature = "parquet")]
impl Write for SummedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
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

/// The last part of a path.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
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
        let mut file = AppendFile::open(path.clone(), Encoding::Plain, OnExisting::Fail).unwrap();
        file.append(b"a\n").unwrap();
        file.append(b"b\n").unwrap();
        assert_eq!(file.seal().unwrap(), FileChecksum::of(&fs::read(&path).unwrap()));
    }

    #[test]
    fn repeated_rows_are_verified_and_not_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.csv");
        fs::write(&path, "a\nb\nc").unwrap();
        let mut file = AppendFile::open(path.clone(), Encoding::Plain, OnExisting::Verify).unwrap();
        file.append(b"a\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a\nb\nc", "nothing is lost meanwhile");
        file.append(b"b\ncd\n").unwrap();
        assert_eq!(file.seal().unwrap(), FileChecksum::of(b"a\nb\ncd\n"));
        assert_eq!(fs::read(&path).unwrap(), b"a\nb\ncd\n");
        let mut file = AppendFile::open(path.clone(), Encoding::Plain, OnExisting::Verify).unwrap();
        assert!(file.append(b"a\nB\n").unwrap_err().to_string().contains("repeated run differs"));
        let file = AppendFile::open(path, Encoding::Plain, OnExisting::Verify).unwrap();
        assert!(file.seal().is_err(), "a run that ends sooner does not repeat either");
    }

    /// A compressed file that is cut anywhere, and whose rows are written again, has the bytes
    /// of one that was never cut.
    #[test]
    fn a_compressed_file_is_repeated_to_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            let mut file = AppendFile::open(path.clone(), Encoding::Zstd, OnExisting::Verify)?;
            ["head\n", "1\n2\n", "3\n"].iter().try_for_each(|rows| file.append(rows.as_bytes()))?;
            let sealed = file.seal()?;
            assert_eq!(sealed, FileChecksum::of(&fs::read(&path).unwrap()));
            Ok::<_, ObserveError>(fs::read(&path).unwrap())
        };
        let whole = write("whole").unwrap();
        for cut in 0..whole.len() {
            fs::write(folder.path().join("cut"), &whole[..cut]).unwrap();
            assert_eq!(write("cut").unwrap(), whole, "{cut}");
        }
        fs::write(folder.path().join("other"), zstd_frames::frame(b"tail\n")).unwrap();
        assert!(write("other").unwrap_err().to_string().contains("repeated run differs"));
    }

    #[test]
    fn whole_rows_are_kept_and_a_torn_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model_checks.csv");
        fs::write(&path, "a\n\"b\nc\"\nto").unwrap();
        let mut file = AppendFile::open(path.clone(), Encoding::Plain, OnExisting::Append).unwrap();
        file.append(b"d\n").unwrap();
        assert_eq!(file.seal().unwrap(), FileChecksum::of(b"a\n\"b\nc\"\nd\n"));
        assert_eq!(fs::read(&path).unwrap(), b"a\n\"b\nc\"\nd\n");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_that_names_the_file() {
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        let (encoding, digest, expected) = (Encoding::Plain, Sha256::new(), Vec::new());
        let mut full = AppendFile { path, file, encoding, bytes: 0, digest, expected };
        let error = full.append(b"row\n").unwrap_err();
        assert_eq!(error.path, "/dev/full");
        assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
    }
}
