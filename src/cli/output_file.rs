//! The writer of every file that is put where the user says.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Stdout, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::{Error, not_written};
use super::streams;

/// Stands for stdout.
const STDOUT: &str = "-";

/// Whether a path stands for stdout.
pub fn is_stdout(path: &Path) -> bool {
    path == Path::new(STDOUT)
}

/// Writes a file: `-` is stdout, a link is followed, and a device or a pipe is written to.
/// A regular file is replaced as a whole and keeps its mode; a new one has the mode that the
/// umask leaves, and the folders above it are made.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    if is_stdout(path) {
        return streams::print(text);
    }
    write_with(path, |file| file.write_all(text.as_bytes()))
}

/// The same of what `content` writes, in parts.
///
/// # Errors
/// When it cannot be written.
pub fn write_with(
    path: &Path,
    content: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<(), Error> {
    if is_stdout(path) {
        return streams::write(content);
    }
    let write = || {
        let mut file = OutputFile::create(path)?;
        content(&mut file)?;
        file.finish()
    };
    write().map_err(|error| not_written(path, &error))
}

/// Appends to a file: `-` is stdout.
///
/// # Errors
/// When it cannot be written.
pub fn append(path: &Path, text: &str) -> Result<(), Error> {
    if is_stdout(path) {
        return streams::print(text);
    }
    let append = || {
        make_folder_of(path)?;
        OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
    };
    append().map_err(|error| not_written(path, &error))
}

/// A file that is being written as [`write()`] does it, in parts. A regular file is as it was
/// until [`Self::finish`].
pub enum OutputFile {
    Stdout(Stdout),
    /// A device or a pipe.
    Open(File),
    /// A file that will take the place of another.
    Temporary {
        file: NamedTempFile,
        target: PathBuf,
    },
}

impl OutputFile {
    pub fn create(path: &Path) -> io::Result<Self> {
        if is_stdout(path) {
            return Ok(Self::Stdout(io::stdout()));
        }
        let target = followed(path)?;
        let mode = match fs::metadata(&target) {
            Ok(metadata) if !metadata.is_file() => {
                return Ok(Self::Open(OpenOptions::new().write(true).open(&target)?));
            }
            Ok(metadata) => Some(metadata.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let file = temporary_file(make_folder_of(&target)?)?;
        if let Some(mode) = mode {
            file.as_file().set_permissions(mode)?;
        }
        Ok(Self::Temporary { file, target })
    }

    /// Puts the file where it belongs.
    pub fn finish(self) -> io::Result<()> {
        if let Self::Temporary { file, target } = self {
            file.persist(target).map_err(|error| error.error)?;
        }
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::Open(file) => file.write(bytes),
            Self::Temporary { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::Open(file) => file.flush(),
            Self::Temporary { file, .. } => file.flush(),
        }
    }
}

/// Makes the folder that a file is in, unless it exists; returns it.
fn make_folder_of(path: &Path) -> io::Result<&Path> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    Ok(folder)
}

/// The path behind links, also behind one that leads to no file yet.
fn followed(path: &Path) -> io::Result<PathBuf> {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(link) => path = path.parent().unwrap_or(Path::new("")).join(link),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// A temporary file is its owner's alone by default; this one has the mode of any new file.
fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".writing-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        for text in ["old", "new"] {
            write(&path, text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn missing_folders_are_made_and_a_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(folder.path(), "text").is_err());
        let path = folder.path().join("missing/too/report.html");
        write(&path, "text").unwrap();
        append(&path, " and more").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "text and more");
        append(&folder.path().join("other/report.md"), "text").unwrap();
        assert!(write(&path.join("below-a-file"), "text").is_err());
    }

    #[cfg(unix)]
    mod unix {
        use std::io::Read as _;
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        use std::process::Command;

        use super::super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        }

        #[test]
        fn a_new_file_has_the_mode_that_the_umask_leaves() {
            let folder = tempfile::tempdir().unwrap();
            let [ours, plain] = ["ours", "plain"].map(|name| folder.path().join(name));
            write(&ours, "text").unwrap();
            fs::write(&plain, "text").unwrap();
            assert_eq!(mode(&ours), mode(&plain));
        }

        #[test]
        fn a_replaced_file_keeps_its_mode() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("secret");
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            write(&path, "new").unwrap();
            assert_eq!(mode(&path), 0o600);
        }

        #[test]
        fn links_are_written_through() {
            let folder = tempfile::tempdir().unwrap();
            for target in ["there", "not-yet"] {
                let link = folder.path().join(format!("to-{target}"));
                let outer = folder.path().join(format!("to-to-{target}"));
                symlink(target, &link).unwrap();
                symlink(&link, &outer).unwrap();
                write(&outer, "text").unwrap();
                assert_eq!(fs::read_to_string(folder.path().join(target)).unwrap(), "text");
                assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            }
            symlink("round", folder.path().join("round")).unwrap();
            assert!(write(&folder.path().join("round"), "text").is_err());
        }

        #[test]
        fn a_pipe_is_written_to_and_a_device_stays() {
            let folder = tempfile::tempdir().unwrap();
            let pipe = folder.path().join("pipe");
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || {
                    let mut text = String::new();
                    fs::File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
                    text
                }
            });
            write(&pipe, "text").unwrap();
            assert_eq!(reader.join().unwrap(), "text");
            assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
            write(Path::new("/dev/null"), "text").unwrap();
            assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        }
    }
}
