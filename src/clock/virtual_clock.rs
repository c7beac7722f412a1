use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::{Clock, Timestamp};

/// A clock that moves only when nothing else can.
///
/// It comes with its executor, [`VirtualClock::run`]: futures run in the order in
/// which they were woken, and when all of them wait, time jumps to the earliest
/// deadline. Sleepers of one moment wake in the order in which they went to sleep.
/// tokio's paused clock was not enough: it rounds to a millisecond and wakes the
/// timers of one millisecond in registration order.
#[derive(Clone)]
pub struct VirtualClock {
    timeline: Rc<RefCell<Timeline>>,
}

#[derive(Default)]
struct Timeline {
    now: Duration,
    sleeps: u64,
    sleepers: BinaryHeap<Reverse<Sleeper>>,
}

/// Ordered by deadline, then by the order of going to sleep.
struct Sleeper {
    deadline: Duration,
    sequence: u64,
    waker: Waker,
}

struct Woken(AtomicBool);

impl VirtualClock {
    /// Runs `make(clock)` to its end in a virtual world of its own.
    ///
    /// # Panics
    /// If the future waits for something that no sleeper will bring about: in a
    /// virtual world nothing may wait for a thread, a file or a socket.
    pub fn run<F: Future>(make: impl FnOnce(Self) -> F) -> F::Output {
        let clock = Self { timeline: Rc::default() };
        let mut future = pin!(make(clock.clone()));
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            while woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return output;
                }
            }
            assert!(clock.advance(), "nothing in the virtual world can move on");
        }
    }

    /// Moves time to the earliest deadline and wakes the first sleeper of it.
    fn advance(&self) -> bool {
        let mut timeline = self.timeline.borrow_mut();
        let Some(Reverse(next)) = timeline.sleepers.pop() else {
            return false;
        };
        timeline.now = next.deadline;
        drop(timeline);
        next.waker.wake();
        true
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        self.timeline.borrow().now
    }

    fn start(&self) -> Timestamp {
        Timestamp::VIRTUAL_START
    }

    async fn sleep_until(&self, deadline: Duration) {
        let mut registered = false;
        poll_fn(|context| {
            let mut timeline = self.timeline.borrow_mut();
            if deadline <= timeline.now {
                return Poll::Ready(());
            }
            if !registered {
                registered = true;
                timeline.sleeps += 1;
                let sequence = timeline.sleeps;
                let waker = context.waker().clone();
                timeline.sleepers.push(Reverse(Sleeper { deadline, sequence, waker }));
            }
            Poll::Pending
        })
        .await;
    }

    fn resolution(&self) -> Duration {
        Duration::ZERO
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Sleeper {
    fn key(&self) -> (Duration, u64) {
        (self.deadline, self.sequence)
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use futures_util::stream::FuturesUnordered;

    use super::*;

    #[test]
    fn sleepers_wake_by_deadline_then_by_order_of_going_to_sleep() {
        let deadlines = [30_u64, 10, 20, 10, 0];
        let woken = VirtualClock::run(|clock| async move {
            let sleeper = |(index, nanos): (usize, &u64)| {
                let (clock, nanos) = (clock.clone(), *nanos);
                async move {
                    clock.sleep_until(Duration::from_nanos(nanos)).await;
                    (index, clock.now())
                }
            };
            let sleepers: FuturesUnordered<_> = deadlines.iter().enumerate().map(sleeper).collect();
            sleepers.collect::<Vec<_>>().await
        });
        let expected = [(4, 0), (1, 10), (3, 10), (2, 20), (0, 30)]
            .map(|(index, nanos)| (index, Duration::from_nanos(nanos)));
        assert_eq!(woken, expected);
    }

    #[test]
    #[should_panic(expected = "nothing in the virtual world can move on")]
    fn a_world_that_cannot_move_on_says_so() {
        VirtualClock::run(|_| std::future::pending::<()>());
    }
}
