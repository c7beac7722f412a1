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

use super::{Alarm, Clock, Task, Tasks, Timestamp};

/// A clock that moves only when nothing else can.
///
/// It comes with its executor, [`VirtualClock::run`]: tasks run in the order in which they
/// were woken, and when all of them wait, time jumps to the earliest deadline. Sleepers of
/// one moment wake in the order in which they went to sleep. tokio's paused clock was not
/// enough: it rounds to a millisecond and wakes the timers of one millisecond in
/// registration order.
///
/// Nothing outside the executor wakes a task, so a sleeper is a number and not a [`Waker`]:
/// concurrent futures run in the clock's [`Tasks`]. Wakers of any thread would cost a sixth of
/// an iteration.
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
    polled: Option<TaskHandle>,
}

/// Ordered by deadline, then by the order of going to sleep.
struct Sleeper {
    deadline: Duration,
    sequence: u64,
    task: Option<TaskHandle>,
}

/// Wakes a task by its index.
#[derive(Clone)]
struct TaskHandle {
    woken: Rc<RefCell<VecDeque<usize>>>,
    index: usize,
}

struct Woken(AtomicBool);

impl VirtualClock {
    /// Runs `make(clock)` to its end on a new virtual clock.
    ///
    /// # Panics
    /// If the future waits and no sleeper is left: on a virtual clock nothing may wait for a
    /// thread, a file or a socket.
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
            assert!(
                clock.advance(),
                "deadlock on the virtual clock: no task is ready, and none sleeps"
            );
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
    /// Simulated time is exact.
    type Alarm = Self;

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

    fn alarm(&self, _is_exact: bool) -> Self {
        self.clone()
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

impl Alarm for VirtualClock {
    fn until(&self, deadline: Duration) -> impl Future<Output = ()> {
        self.sleep_until(deadline)
    }
}

impl Timeline {
    /// Puts the task that is being polled to sleep.
    fn put_to_sleep(&mut self, deadline: Duration) {
        self.sleeps += 1;
        let (sequence, task) = (self.sleeps, self.polled.clone());
        self.sleepers.push(Reverse(Sleeper { deadline, sequence, task }));
    }
}

/// Tasks on a virtual clock. They wait for it, and for nothing else.
pub struct VirtualTasks<'f, T> {
    clock: VirtualClock,
    /// The indices of the tasks to poll, in their order.
    woken: Rc<RefCell<VecDeque<usize>>>,
    tasks: Vec<Option<Task<'f, T>>>,
    free: Vec<usize>,
}

impl<T> VirtualTasks<'_, T> {
    fn poll_task(&mut self, index: usize, context: &mut Context<'_>) -> Poll<T> {
        // A task that is done may have left a sleeper.
        let Some(task) = &mut self.tasks[index] else { return Poll::Pending };
        let handle = TaskHandle { woken: Rc::clone(&self.woken), index };
        let outer = self.clock.timeline.borrow_mut().polled.replace(handle);
        let polled = task.as_mut().poll(context);
        self.clock.timeline.borrow_mut().polled = outer;
        polled
    }
}

impl<'f, T> Tasks<'f, T> for VirtualTasks<'f, T> {
    fn push(&mut self, task: Task<'f, T>) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.tasks.push(None);
            self.tasks.len() - 1
        });
        self.tasks[index] = Some(task);
        self.woken.borrow_mut().push_back(index);
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        loop {
            let next = self.woken.borrow_mut().pop_front();
            let Some(index) = next else {
                let is_empty = self.free.len() == self.tasks.len();
                return if is_empty { Poll::Ready(None) } else { Poll::Pending };
            };
            if let Poll::Ready(output) = self.poll_task(index, context) {
                self.tasks[index] = None;
                self.free.push(index);
                return Poll::Ready(Some(output));
            }
        }
    }
}

impl TaskHandle {
    fn wake(&self) {
        self.woken.borrow_mut().push_back(self.index);
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
    fn a_cancelled_sleep_wakes_no_task_early() {
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
    #[should_panic(expected = "deadlock on the virtual clock: no task is ready, and none sleeps")]
    fn a_deadlock_panics() {
        VirtualClock::run(|_| std::future::pending::<()>());
    }
}
