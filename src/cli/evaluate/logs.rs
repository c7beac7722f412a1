use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use diagnostic::{Diagnostic, Report};

/// Logs to be read one after the other, gzip or plain.
pub struct Logs {
    paths: Vec<PathBuf>,
    /// Their size in bytes; zero for stdin.
    pub bytes: u64,
    read: Arc<AtomicU64>,
}

/// How much is read at a time.
const BUFFER: usize = 1 << 18;

/// What gzip begins with (RFC 1952, 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

impl Logs {
    /// The logs at `paths`; those that are not there are reported.
    pub fn find(paths: &[PathBuf], report: &mut Report) -> Self {
        let mut bytes = 0;
        for path in paths.iter().filter(|path| path.as_os_str() != "-") {
            match readable(path) {
                Ok(size) => bytes += size,
                Err(error) => {
                    let message = format!("log `{}` cannot be read: {error}", path.display());
                    let help = "expected a file of DSJSON lines, plain or gzip, or `-` for stdin";
                    report.push(Diagnostic::error(message).help(help));
                }
            }
        }
        Self { paths: paths.to_vec(), bytes, read: Arc::default() }
    }

    /// How many bytes were read so far.
    pub fn read(&self) -> Arc<AtomicU64> {
        self.read.clone()
    }

    /// Opens each log in turn, and hands it over with its name.
    pub fn each(
        &self,
        mut with: impl FnMut(&str, Box<dyn BufRead + Send>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.read.store(0, Ordering::Relaxed);
        for path in &self.paths {
            let name = path.display().to_string();
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
            let input = self.open(path).map_err(named)?;
            with(&name, input).map_err(named)?;
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
        let source: Box<dyn Read + Send> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path)?)
        };
        let counted = Counted { source, bytes: self.read.clone() };
        let mut plain = BufReader::with_capacity(BUFFER, counted);
        if plain.fill_buf()?.starts_with(GZIP) {
            let decoded = MultiGzDecoder::new(plain);
            return Ok(Box::new(BufReader::with_capacity(BUFFER, decoded)));
        }
        Ok(Box::new(plain))
    }
}

fn readable(path: &Path) -> io::Result<u64> {
    let metadata = File::open(path)?.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    Ok(metadata.len())
}

/// A reader that counts what went through it.
struct Counted {
    source: Box<dyn Read + Send>,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
