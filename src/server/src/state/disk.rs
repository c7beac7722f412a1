//! The steps that change files. A test can end them at any one, as a crash would.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The bytes of zeros that are written at once.
const BUFFER: usize = 16 << 10;

/// The unit in which a disk writes.
pub(super) const SECTOR: usize = 512;

/// Changes files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    /// The number of steps until all fail; `None` for never.
    remaining: Option<Arc<AtomicU64>>,
    /// Whether there is no room; `None` for never.
    full: Option<Arc<AtomicBool>>,
}

impl Disk {
    /// A disk whose steps fail after so many, the first of them after half of its bytes.
    #[cfg(test)]
    pub(crate) fn failing_after(steps: u64) -> Self {
        Self { remaining: Some(Arc::new(AtomicU64::new(steps))), ..Self::default() }
    }

    /// A disk that has no room while `full` is set.
    #[cfg(test)]
    pub(crate) fn filled_by(full: &Arc<AtomicBool>) -> Self {
        Self { full: Some(Arc::clone(full)), ..Self::default() }
    }

    /// Writes parts into a file from `at` on.
    pub(crate) fn write_at(
        &self,
        file: &mut File,
        at: u64,
        parts: &mut [IoSlice<'_>],
    ) -> io::Result<()> {
        let crash = self.step();
        file.seek(SeekFrom::Start(at))?;
        write_all(file, parts)?;
        if crash.is_err() {
            let end = file.stream_position()?;
            let half = u64::midpoint(at, end);
            let cut = (half - half % SECTOR as u64).max(at);
            file.seek(SeekFrom::Start(cut))?;
            io::copy(&mut io::repeat(0).take(end - cut), file)?;
            return crash;
        }
        self.step()
    }

    /// Adds zeros to a file from `end` on, as many as there is room for. Returns its size.
    pub(crate) fn add_zeros(&self, file: &mut File, end: u64, count: u64) -> u64 {
        let written = self.step().and_then(|()| write_zeros(file, end, count));
        if written.is_ok() {
            return end + count;
        }
        // Others need the room.
        file.set_len(end).ok();
        end
    }

    /// Creates a file with content, under its name only when it is complete.
    pub(crate) fn create(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.create_with(path, |file| file.write_all(content))
    }

    /// Creates a file with what `write` writes, under its name only when it is complete.
    pub(crate) fn create_with(
        &self,
        path: &Path,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let temporary = path.with_extension(INCOMPLETE);
        let mut file = private().truncate(true).open(&temporary)?;
        if let Err(error) = self.write(&mut file, write) {
            if error.kind() == io::ErrorKind::StorageFull {
                // Others need the room that it takes.
                fs::remove_file(&temporary).ok();
            }
            return Err(error);
        }
        file.sync_all()?;
        self.step()?;
        fs::rename(&temporary, path)?;
        self.step()?;
        sync_parent(path)
    }

    /// Writes to the end of a file. A crash leaves half of it there.
    fn write(
        &self,
        file: &mut File,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let crash = self.step();
        let length = file.metadata()?.len();
        write(file)?;
        if crash.is_err() {
            file.set_len(u64::midpoint(length, file.metadata()?.len()))?;
            return crash;
        }
        self.step()
    }

    /// Creates a file of so many zeros, which are on disk.
    pub(crate) fn create_zeros(&self, path: &Path, count: u64) -> io::Result<File> {
        self.step()?;
        let mut file = private().truncate(true).open(path)?;
        if let Err(error) = write_zeros(&mut file, 0, count).and_then(|()| file.sync_all()) {
            fs::remove_file(path).ok();
            return Err(error);
        }
        sync_parent(path)?;
        Ok(file)
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        fs::remove_file(path)
    }

    /// Renames a file.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::rename(from, to)?;
        sync_parent(to)
    }

    fn step(&self) -> io::Result<()> {
        if self.full.as_ref().is_some_and(|full| full.load(Ordering::SeqCst)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let Some(remaining) = &self.remaining else { return Ok(()) };
        let less = |left: u64| left.checked_sub(1);
        let left = remaining.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        left.map(|_| ()).map_err(|_| io::Error::other("the disk has crashed"))
    }
}

/// Writes zeros into a file from `at` on.
fn write_zeros(file: &mut File, at: u64, count: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    let zeros = [0; BUFFER];
    let mut left = count;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
        file.write_all(&zeros[..part])?;
        left -= part as u64;
    }
    Ok(())
}

/// Writes all parts. `write_all_vectored` is not stable.
fn write_all(file: &mut File, mut parts: &mut [IoSlice<'_>]) -> io::Result<()> {
    while parts.iter().any(|part| !part.is_empty()) {
        match file.write_vectored(parts) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut parts, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The extension of files that are not complete.
const INCOMPLETE: &str = "tmp";

/// Whether a file was never completed.
pub(super) fn is_incomplete(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == INCOMPLETE)
}

/// Opens or creates files that only their owner can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Opens the lock file of a folder.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    private().open(path)
}

/// Creates a folder that only its owner can read.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    set_mode(path, 0o700)
}

/// Makes a file readable for its owner only.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    set_mode(path, 0o600)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Other systems have no modes: files inherit the rights of their folder.
#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Makes the names in a folder durable. Windows has no such call and needs none.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(parent)?.sync_all() } else { Ok(()) }
}
