use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::error::Error;
use super::exit::Exit;
use super::streams;
use engine::{Stop, Stopper};

/// Turns SIGINT and SIGTERM into a stop: the first finishes what is under way and seals
/// the results, the second ends the program at once.
pub struct Interrupt {
    asked: Arc<AtomicU8>,
    stopper: Stopper,
}

impl Interrupt {
    /// Listens from now on, on a separate thread: the virtual clock does not wait for signals.
    pub fn listen() -> Result<(Self, Stop), Error> {
        Self::listen_saying(streams::note)
    }

    /// The same; `say` tells the user that the first signal was heard.
    pub fn listen_saying(say: impl Fn(&str) + Send + 'static) -> Result<(Self, Stop), Error> {
        Self::start(say)
            .map_err(|error| Error::new(Exit::Bug, format!("cannot listen for signals: {error}")))
    }

    fn start(say: impl Fn(&str) + Send + 'static) -> std::io::Result<(Self, Stop)> {
        let (stopper, stop) = Stopper::new();
        let asked = Arc::new(AtomicU8::new(Exit::Done.code()));
        let seen = Arc::clone(&asked);
        let own = stopper.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Not on the thread: a signal that came before it ran would end the program.
        let signals = {
            let _within = runtime.enter();
            Signals::new()?
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(heed(signals, &seen, &stopper, &say)))?;
        Ok((Self { asked, stopper: own }, stop))
    }

    /// What stops the run as a signal does.
    pub fn stopper(&self) -> &Stopper {
        &self.stopper
    }

    /// How a stopped run ends.
    pub fn exit(&self) -> Exit {
        let code = self.asked.load(Ordering::SeqCst);
        if code == Exit::Terminated.code() { Exit::Terminated } else { Exit::Interrupted }
    }
}

async fn heed(mut signals: Signals, seen: &AtomicU8, stopper: &Stopper, say: &impl Fn(&str)) {
    seen.store(signals.next().await.code(), Ordering::SeqCst);
    say("stopping: finishing what is under way (again to stop at once)");
    stopper.stop();
    std::process::exit(i32::from(signals.next().await.code()));
}

/// SIGINT and SIGTERM, which no longer end the process while this exists.
#[cfg(unix)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on; within a runtime.
    pub fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// The next signal, as the exit code that it asks for.
    pub async fn next(&mut self) -> Exit {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}

/// Ctrl-C, which no longer ends the process while this exists.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    pub fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub async fn next(&mut self) -> Exit {
        let _unlikely = tokio::signal::ctrl_c().await;
        Exit::Interrupted
    }
}
