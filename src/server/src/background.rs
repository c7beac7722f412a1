//! Threads of a lower priority, for work that must not keep small requests waiting: evaluations,
//! bodies of megabytes, and answers with the whole log. The scheduler gives a core to a thread of
//! the usual priority as soon as one needs it; at equal priority it would wait for a time slice.
//!
//! A thread of a lower priority that holds a lock may wait long for a core, and whoever wants the
//! lock waits with it. So work given to [`run`] takes no lock that small requests take: what it
//! needs of theirs it is given, and what it has made is handed over where it was awaited.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

use super::response::ErrorResponse;
use protocol::ErrorCode;

/// The niceness of background threads. A busy machine gives them a tenth of what a thread of the
/// usual priority gets: they must not hold what small requests wait for, but not starve either.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// The threads: half of the cores, since they also take memory bandwidth. The runtime has no tasks.
static THREADS: LazyLock<Runtime> = LazyLock::new(|| {
    let threads = Builder::new_current_thread()
        .thread_name("background")
        .max_blocking_threads(half_of_cores())
        .on_thread_start(lower_priority)
        .build();
    threads.expect("a runtime without drivers needs nothing of the system")
});

/// Half of the cores, but one at least.
pub(crate) fn half_of_cores() -> usize {
    let cores = available_parallelism().map_or(1, NonZero::get);
    (cores / 2).max(1)
}

/// Lowers the priority of this thread and of those that it starts. On other systems than Linux, it
/// would be that of the process.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    rustix::process::nice(NICENESS).ok();
}

/// Runs `work` on a thread of its own at a lower priority; none, if it panics.
pub(crate) fn on_a_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let work = move || {
        lower_priority();
        work()
    };
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.expect("cannot start a thread").join().ok()
}

/// Runs `work` on a background thread.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorResponse> + Send + 'static,
) -> Result<T, ErrorResponse> {
    let failed = |_| ErrorResponse::from((ErrorCode::InternalServerError, "it failed".to_owned()));
    THREADS.spawn_blocking(work).await.map_err(failed)?
}
