use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::remote::Remote;

/// The object that names the process that writes to a folder. It also tests the permissions:
/// a process that can write it and read it back can write the rest.
const WRITER: &str = ".writer";

/// How long what changed waits before it is sent, at first.
const FIRST_INTERVAL: Duration = Duration::from_secs(1);
/// And later.
const INTERVAL: Duration = Duration::from_secs(5);
/// So many bytes sent at once make the next wait a second longer, so that a folder that
/// grows is not sent over and over.
const BYTES_A_SECOND: u64 = 10 << 20;

/// A local folder that is synchronized with one in a store.
///
/// A process that was killed left a local folder newer than what it had sent. That folder is
/// used again, unless another process wrote to the store since.
pub struct Mirror {
    uploader: Arc<Uploader>,
    stop: Sender<()>,
    sender: Option<JoinHandle<()>>,
    lock: File,
}

/// What became of a mirror.
#[derive(Debug)]
pub struct Ended {
    /// Why not all is in the store, if so.
    pub error: Option<StoreError>,
    /// Where all of it is on this machine then.
    pub folder: PathBuf,
}

/// Sends the changes of a local folder to the store.
struct Uploader {
    remote: Remote,
    /// The local folder.
    folder: PathBuf,
    /// The name of this process as a writer, which is also in a file beside the folder.
    writer: String,
    writer_file: PathBuf,
    /// The files that say what the folder holds.
    claims: &'static [&'static str],
    sent: Mutex<BTreeMap<String, Stamp>>,
}

/// A file as it was when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self { bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl Mirror {
    /// Takes a folder of a store, below a folder of this machine for such things; the files
    /// named `claims` say what it holds.
    ///
    /// # Errors
    /// When it cannot be written to or read, or another process of this machine has it.
    pub fn open(
        remote: Remote,
        below: &Path,
        claims: &'static [&'static str],
    ) -> Result<Self, StoreError> {
        let copy = LocalCopy::of(&remote, below)?;
        let writer = copy.new_writer()?;
        let left = fs::read_to_string(&copy.writer_file).ok();
        let is_newest_here = left.is_some() && left == remote.get(WRITER)?;
        if !is_newest_here {
            copy.clear()?;
            remote.fetch(&copy.folder)?;
        }
        remote.put(WRITER, &writer)?;
        if remote.get(WRITER)?.as_deref() != Some(&*writer) {
            return Err(StoreError::taken(remote.address()));
        }
        let LocalCopy { folder, writer_file, lock } = copy;
        fs::write(&writer_file, &writer)
            .map_err(|error| StoreError::of_file(&writer_file, &error))?;
        let sent = if is_newest_here { BTreeMap::new() } else { stamps(&folder)? };
        let sent = Mutex::new(sent);
        let uploader = Arc::new(Uploader { remote, folder, writer, writer_file, claims, sent });
        let (stop, stopped) = mpsc::channel();
        let behind = Arc::clone(&uploader);
        let sender = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || behind.send_until(&stopped))
            .map_err(|error| StoreError::of_file(&uploader.folder, &error))?;
        Ok(Self { uploader, stop, sender: Some(sender), lock })
    }

    /// The folder on this machine.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.uploader.folder
    }

    /// Sends what was not sent yet, and deletes the local folder. It stays only if not all
    /// could be sent.
    pub fn end(mut self) -> Ended {
        // A thread that has ended needs no message.
        _ = self.stop.send(());
        if let Some(sender) = self.sender.take() {
            // It sends what it can; what it could not is tried again here.
            _ = sender.join();
        }
        let error = self.uploader.conclude().err();
        if error.is_none()
            && let Some(root) = self.uploader.writer_file.parent()
        {
            // It holds only the lock; a process that waits for the lock creates a new one.
            _ = fs::remove_dir_all(root);
        }
        _ = self.lock.unlock();
        Ended { error, folder: self.uploader.folder.clone() }
    }
}

impl Uploader {
    /// Sends what changed again and again, until told to stop.
    fn send_until(&self, stopped: &mpsc::Receiver<()>) {
        let (mut wait, mut complained) = (FIRST_INTERVAL, false);
        while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            match self.send_changes() {
                Ok(bytes) => {
                    let more = Duration::from_secs(bytes / BYTES_A_SECOND);
                    wait = (2 * wait).min(INTERVAL) + more;
                }
                Err(error) if !complained => {
                    eprintln!("warning: {error}\n  it is tried again until the end");
                    complained = true;
                }
                Err(_) => {}
            }
        }
    }

    /// Sends every file that changed, and removes those that are gone. Returns the number of
    /// bytes sent.
    fn send_changes(&self) -> Result<u64, StoreError> {
        if self.remote.get(WRITER)?.as_deref() != Some(&*self.writer) {
            return Err(StoreError::taken(self.remote.address()));
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&self.folder)?;
        let changed = now.iter().filter(|(name, stamp)| sent.get(*name) != Some(stamp));
        let mut bytes = 0;
        for (name, stamp) in self.in_order(changed.collect()) {
            let Some(file) = self.opened(name, *stamp)? else { continue };
            self.remote.send(name, file)?;
            bytes += stamp.bytes;
            sent.insert(name.clone(), *stamp);
        }
        let gone: Vec<String> =
            sent.keys().filter(|name| !now.contains_key(*name)).cloned().collect();
        for name in gone {
            self.remote.remove(&name)?;
            sent.remove(&name);
        }
        Ok(bytes)
    }

    /// In the order in which they were written: what was written later may claim that what was
    /// written before is there. Clocks are coarse, so those that claim most come last of equals.
    fn in_order<'a>(
        &self,
        mut changed: Vec<(&'a String, &'a Stamp)>,
    ) -> Vec<(&'a String, &'a Stamp)> {
        changed.sort_by_key(|(name, stamp)| (stamp.modified, self.claims(name), *name));
        changed
    }

    /// A file to be sent; none, if it claims more by now than when it was looked at, or is gone.
    /// The next round has it.
    fn opened(&self, name: &str, stamp: Stamp) -> Result<Option<File>, StoreError> {
        let path = self.folder.join(name);
        let named = |error: io::Error| StoreError::of_file(&path, &error);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(named)?,
        };
        let is_as_it_was = Stamp::of(&file.metadata().map_err(named)?) == stamp;
        Ok((is_as_it_was || !self.claims(name)).then_some(file))
    }

    /// Whether a file says what the folder holds.
    fn claims(&self, name: &str) -> bool {
        self.claims.contains(&name)
    }

    fn conclude(&self) -> Result<(), StoreError> {
        self.send_changes()?;
        self.remote.remove(WRITER)?;
        let removed =
            fs::remove_dir_all(&self.folder).and_then(|()| fs::remove_file(&self.writer_file));
        removed.map_err(|error| StoreError::of_file(&self.folder, &error))
    }
}

/// The local copy of a folder of a store, locked by this process.
struct LocalCopy {
    folder: PathBuf,
    writer_file: PathBuf,
    lock: File,
}

impl LocalCopy {
    fn of(remote: &Remote, below: &Path) -> Result<Self, StoreError> {
        let digest = Sha256::digest(remote.address());
        let bytes = digest.first_chunk().copied().unwrap_or_default();
        let root = below.join(format!("runner-{:016x}", u64::from_be_bytes(bytes)));
        make_own(&root)?;
        let lock_file = root.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_file);
        let lock = lock.map_err(|error| StoreError::of_file(&lock_file, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::locked(remote.address())),
            Err(TryLockError::Error(error)) => return Err(StoreError::of_file(&lock_file, &error)),
        }
        let folder = root.join("folder");
        fs::create_dir_all(&folder).map_err(|error| StoreError::of_file(&folder, &error))?;
        Ok(Self { folder, writer_file: root.join("writer"), lock })
    }

    /// A name that no other process has.
    fn new_writer(&self) -> Result<String, StoreError> {
        let mut builder = tempfile::Builder::new();
        let named = builder.prefix("writer-").rand_bytes(24).tempfile_in(self.root());
        let named = named.map_err(|error| StoreError::of_file(self.root(), &error))?;
        Ok(named.path().file_name().unwrap_or_default().to_string_lossy().into_owned())
    }

    fn root(&self) -> &Path {
        self.writer_file.parent().unwrap_or(&self.folder)
    }

    fn clear(&self) -> Result<(), StoreError> {
        let cleared = fs::remove_dir_all(&self.folder).and_then(|()| fs::create_dir(&self.folder));
        cleared.map_err(|error| StoreError::of_file(&self.folder, &error))
    }
}

/// Makes a folder that only this user can look into, where others may have folders, too.
fn make_own(folder: &Path) -> Result<(), StoreError> {
    let named = |error: io::Error| StoreError::of_file(folder, &error);
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => return created.map_err(named),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let below = folder.parent().unwrap_or(folder);
        let own = tempfile::tempfile_in(below).and_then(|file| file.metadata()).map_err(named)?;
        let found = fs::symlink_metadata(folder).map_err(named)?;
        if !found.is_dir() || found.uid() != own.uid() {
            return Err(StoreError::foreign(folder));
        }
    }
    Ok(())
}

/// Every file below a folder by its path, but for those that begin with a dot.
fn stamps(folder: &Path) -> Result<BTreeMap<String, Stamp>, StoreError> {
    let mut found = BTreeMap::new();
    collect(folder, "", &mut found).map_err(|error| StoreError::of_file(folder, &error))?;
    Ok(found)
}

fn collect(folder: &Path, within: &str, found: &mut BTreeMap<String, Stamp>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let metadata = match entry.metadata() {
            // It was there a moment ago.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        if metadata.is_dir() {
            collect(&entry.path(), &format!("{within}{name}/"), found)?;
        } else {
            found.insert(format!("{within}{name}"), Stamp::of(&metadata));
        }
    }
    Ok(())
}
