use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The last bytes of a stream, read by a thread so that the writer never waits.
#[derive(Debug)]
pub(crate) struct Tail {
    bytes: Arc<Mutex<VecDeque<u8>>>,
    /// Closed when the stream has ended.
    ended: Receiver<()>,
}

/// So much of it is kept.
const KEPT: usize = 64 << 10;

/// A process that left its group may hold the stream open.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl Tail {
    pub fn of(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&bytes);
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut chunk) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&chunk[..length]);
                let excess = kept.len().saturating_sub(KEPT);
                kept.drain(..excess);
            }
            drop(sender);
        });
        Self { bytes, ended }
    }

    /// Waits for the end of the stream, and returns its last bytes as text.
    pub fn finish(&self) -> String {
        // Nothing is ever sent: the end of the thread ends the wait.
        _ = self.ended.recv_timeout(LONGEST_WAIT);
        let kept = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
