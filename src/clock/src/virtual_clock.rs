use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::{Clock, Task, Tasks, Timestamp};

/// A clock that moves only when nothing else can.
///
/// It comes with its executor, [`VirtualClock::run`]: tasks run in the order in which they
/// were woken, and when all of them wait, time jumps to the earliest deadline. Sleepers of
/// one moment wake in the order in which they went to sleep. tokio's paused clock was not
/// enough: it rounds to a millisecond and wakes the timers of one millisecond in
/// registration order.
///
/// Nobody else wakes anybody in a virtual world, so a sleeper is a number and not a
/// [`Waker`]: what runs at the same time runs in the clock's [`Tasks`].
#[derive(Clone)]
pub struct VirtualClock {
    timeline: Rc<RefCell<Timeline>>,
}

#[derive(Default)]
struct Timeline {
    now: Duration,
    sleeps: u64,
    sleepers: BinaryHeap<Reverse<Sleeper>>,
    /// The task that is being polled, if it is not the future that runs.
    polled: Option<Place>,
}

/// Ordered by deadline, then by the order of going to sleep.
struct Sleeper {
    deadline: Duration,
    sequence: u64,
    task: Option<Place>,
}

/// The place of a task among others.
#[derive(Clone)]
struct Place {
    woken: Rc<RefCell<VecDeque<usize>>>,
    place: usize,
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
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            if woken.0.load(Ordering::Acquire) {
                woken.0.store(false, Ordering::Release);
                continue;
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
        if let Some(task) = next.task {
            task.wake();
        }
        true
    }
}

impl Clock for VirtualClock {
    type Tasks<'f, T: 'f> = VirtualTasks<'f, T>;

    fn now(&self) -> Duration {
        self.timeline.borrow().now
    }

    fn start(&self) -> Timestamp {
        Timestamp::VIRTUAL_START
    }

    async fn sleep_until(&self, deadline: Duration) {
        let mut registered = false;
        poll_fn(|_| {
            let mut timeline = self.timeline.borrow_mut();
            if deadline <= timeline.now {
                return Poll::Ready(());
            }
            if !registered {
                registered = true;
                timeline.put_to_sleep(deadline);
            }
            Poll::Pending
        })
        .await;
    }

    fn resolution(&self) -> Duration {
        Duration::ZERO
    }

    fn tasks<'f, T: 'f>(&self) -> VirtualTasks<'f, T> {
        VirtualTasks {
            clock: self.clone(),
            woken: Rc::default(),
            tasks: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl Timeline {
    /// Puts to sleep what is being polled.
    fn put_to_sleep(&mut self, deadline: Duration) {
        self.sleeps += 1;
        let (sequence, task) = (self.sleeps, self.polled.clone());
        self.sleepers.push(Reverse(Sleeper { deadline, sequence, task }));
    }
}

/// The tasks of a virtual world. They wait for its clock, and for nothing else.
pub struct VirtualTasks<'f, T> {
    clock: VirtualClock,
    /// The places of those that are to be polled, in their order.
    woken: Rc<RefCell<VecDeque<usize>>>,
    tasks: Vec<Option<Task<'f, T>>>,
    free: Vec<usize>,
}

impl<T> VirtualTasks<'_, T> {
    fn poll(&mut self, place: usize, context: &mut Context<'_>) -> Poll<T> {
        // A task that is done may have left a sleeper behind.
        let Some(task) = &mut self.tasks[place] else { return Poll::Pending };
        let polled = Place { woken: Rc::clone(&self.woken), place };
        let around = self.clock.timeline.borrow_mut().polled.replace(polled);
        let outcome = task.as_mut().poll(context);
        self.clock.timeline.borrow_mut().polled = around;
        outcome
    }
}

impl<'f, T> Tasks<'f, T> for VirtualTasks<'f, T> {
    fn push(&mut self, task: Task<'f, T>) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.tasks.push(None);
            self.tasks.len() - 1
        });
        self.tasks[place] = Some(task);
        self.woken.borrow_mut().push_back(place);
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        loop {
            let next = self.woken.borrow_mut().pop_front();
            let Some(place) = next else {
                let is_empty = self.free.len() == self.tasks.len();
                return if is_empty { Poll::Ready(None) } else { Poll::Pending };
            };
            if let Poll::Ready(output) = self.poll(place, context) {
                self.tasks[place] = None;
                self.free.push(place);
                return Poll::Ready(Some(output));
            }
        }
    }
}

impl Place {
    fn wake(&self) {
        self.woken.borrow_mut().push_back(self.place);
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
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
            let mut sleepers = clock.tasks();
            deadlines.iter().enumerate().for_each(|each| sleepers.push(Box::pin(sleeper(each))));
            let mut woken = Vec::new();
            while let Some(sleeper) = poll_fn(|context| sleepers.poll_next(context)).await {
                woken.push(sleeper);
            }
            woken
        });
        let expected = [(4, 0), (1, 10), (3, 10), (2, 20), (0, 30)]
            .map(|(index, nanos)| (index, Duration::from_nanos(nanos)));
        assert_eq!(woken, expected);
    }

    #[test]
    fn a_sleep_that_was_given_up_wakes_nobody_early() {
        let ended = VirtualClock::run(|clock| async move {
            let at = |seconds| clock.sleep_until(Duration::from_secs(seconds));
            let mut tasks = clock.tasks();
            tasks.push(Box::pin(async {
                tokio::select! { () = at(10) => {}, () = at(5) => {} }
                clock.now()
            }));
            let first = poll_fn(|context| tasks.poll_next(context)).await;
            tasks.push(Box::pin(async {
                at(20).await;
                clock.now()
            }));
            let second = poll_fn(|context| tasks.poll_next(context)).await;
            let none = poll_fn(|context| tasks.poll_next(context)).await;
            [first, second, none].map(|ended| ended.map(|at| at.as_secs()))
        });
        assert_eq!(ended, [Some(5), Some(20), None]);
    }

    #[test]
    #[should_panic(expected = "nothing in the virtual world can move on")]
    fn a_world_that_cannot_move_on_says_so() {
        VirtualClock::run(|_| std::future::pending::<()>());
    }
}
