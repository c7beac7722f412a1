use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use tokio::sync::watch;

/// Asks a run to stop; may be used from any thread.
#[derive(Debug, Clone)]
pub struct Stopper {
    asked: Arc<AtomicBool>,
    wake: watch::Sender<()>,
}

/// The receiving side of a [`Stopper`].
#[derive(Debug, Clone)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    wake: watch::Receiver<()>,
}

impl Stopper {
    /// A stopper and what it stops.
    #[must_use]
    pub fn new() -> (Self, Stop) {
        let asked = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = watch::channel(());
        let stop = Stop { asked: Arc::clone(&asked), wake: receiver };
        (Self { asked, wake: sender }, stop)
    }

    /// Asks the run to stop: nothing new starts, what is under way is finished.
    pub fn stop(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.wake.send_replace(());
    }
}

impl Stop {
    /// Whether the run was asked to stop.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits until the run is asked to stop; forever, if no stopper is left.
    pub async fn asked(&self) {
        let mut receiver = self.wake.clone();
        let mut changed = pin!(receiver.changed());
        let (mut registered, mut is_over): (Option<Waker>, bool) = (None, false);
        poll_fn(|context| {
            // A dispatcher polls this for every call: it registers with each waker once.
            let waker = context.waker();
            if !is_over && registered.as_ref().is_none_or(|known| !known.will_wake(waker)) {
                registered = Some(waker.clone());
                is_over = changed.as_mut().poll(context).is_ready();
            }
            if self.is_asked() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_waiter_is_woken_from_another_thread() {
        let (stopper, stop) = Stopper::new();
        assert!(!stop.is_asked());
        let asks = std::thread::spawn(move || stopper.stop());
        stop.asked().await;
        assert!(stop.is_asked());
        asks.join().unwrap();
        stop.asked().await;
    }
}
