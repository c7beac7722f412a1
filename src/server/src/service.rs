use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::access::Access;
use super::action_cache::ActionCache;
use super::body::{self, UploadBudget};
use super::connections::Connections;
use super::core::{Core, Rankers};
use super::log;
use super::metrics::Metrics;
use super::model_signature::ModelSigner;
use super::request_log::RequestLog;
use super::response::ErrorResponse;
use super::state::{self, Disk, Folder, StateError, Store};
use super::worker::{self, Worker};
use learning_loop::{
    EvaluationJob, EventBytes, LearningLoop, LogEntry, LoopOptions, LoopState, Ranker, Retention,
};
use protocol::ServiceError;
use timestamp::Timestamp;

/// The clock of the service.
pub type Time = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A learning loop that is shared by all requests.
#[derive(Clone)]
pub struct Service(Arc<Shared>);

/// Where the service listens, and what it takes in.
struct Edge {
    is_loopback: bool,
    uploads: UploadBudget,
}

struct Shared {
    core: Arc<Core>,
    /// Receives a message when the worker has ended.
    worker_ended: Mutex<Receiver<()>>,
    /// Evaluations that were pending when the state was closed.
    unfinished: Mutex<Vec<EvaluationJob>>,
    access: Access,
    edge: OnceLock<Edge>,
    connections: Arc<Connections>,
    model_signer: ModelSigner,
    action_cache: Arc<ActionCache>,
    request_log: RequestLog,
    /// One for each download of the log.
    downloads: Arc<Semaphore>,
    started: Timestamp,
    requests: AtomicU64,
    is_closed: AtomicBool,
}

/// The deadline for the worker at shutdown. Everything that was answered is on disk by then.
const GRACE: Duration = Duration::from_secs(10);

/// The number of downloads of the log at once: each holds the events of its beginning.
const DOWNLOADS: usize = 32;

/// How long the counters of the loop are waited for before older ones are reported.
const STATE_DEADLINE: Duration = Duration::from_millis(250);

impl Service {
    /// A new loop in memory.
    pub fn new(options: LoopOptions, access: impl Into<Access>, time: Time) -> Self {
        let options = LoopOptions { retention: Retention::Log, ..options };
        let bounds = (options.threads, options.limits.event_bytes);
        let learning_loop = LearningLoop::new(options, time());
        Self::start(learning_loop, (None, 0), bounds, Vec::new(), access.into(), time)
    }

    /// The loop with the state in the folder at `path`, or a new one if the folder has none; and
    /// whether it had: then its settings replace those of the options. With `repair`, damaged
    /// files are set aside.
    ///
    /// # Errors
    /// If the state is in use, damaged or cannot be read.
    pub fn open(
        path: &Path,
        options: &LoopOptions,
        access: impl Into<Access>,
        time: Time,
        repair: bool,
    ) -> Result<(Self, bool), StateError> {
        Self::open_on(path, options, access.into(), time, repair, Disk::default())
    }

    pub(crate) fn open_on(
        path: &Path,
        options: &LoopOptions,
        access: Access,
        time: Time,
        repair: bool,
        disk: Disk,
    ) -> Result<(Self, bool), StateError> {
        let options = LoopOptions { retention: Retention::Archive, ..options.clone() };
        let bounds = (options.threads, options.limits.event_bytes);
        let opened = state::open(path, &options, &time, repair, disk)?;
        let state = (Some((opened.store, opened.folder)), opened.next);
        let (learning_loop, jobs) = (opened.learning_loop, opened.jobs);
        let time = not_before(learning_loop.latest(), time);
        let service = Self::start(learning_loop, state, bounds, jobs, access, time);
        Ok((service, opened.is_old))
    }

    /// Starts the threads of a loop.
    fn start(
        mut learning_loop: LearningLoop,
        (state, next): (Option<(Store, Folder)>, u64),
        (threads, event_bytes): (usize, u64),
        unfinished: Vec<EvaluationJob>,
        access: Access,
        time: Time,
    ) -> Self {
        let started = time();
        let [connection_time, request_time] = [0; 2].map(|_| Arc::clone(&time));
        let (store, folder) = state.unzip();
        let (jobs, queued_jobs) = mpsc::channel();
        let (ended, worker_ended) = mpsc::channel();
        learning_loop.start_recording();
        let state = learning_loop.state(started);
        let rankers = Rankers::new(&learning_loop.ranker(), threads);
        let state = (state, event_bytes);
        let core = Arc::new(Core::new(time, (store, next), jobs, rankers, state));
        let worker = Worker::new(learning_loop, Arc::clone(&core), threads, (folder, next));
        let weak = Arc::downgrade(&core);
        spawn("loop", move || {
            worker.run();
            // The service may have ended its wait.
            ended.send(()).ok();
        });
        spawn("evaluations", move || worker::evaluate(&weak, &queued_jobs));
        Self(Arc::new(Shared {
            core,
            worker_ended: Mutex::new(worker_ended),
            unfinished: Mutex::new(unfinished),
            model_signer: ModelSigner::new(access.keys.signing_seed()),
            access,
            edge: OnceLock::new(),
            connections: Arc::new(Connections::new(connection_time)),
            action_cache: Arc::default(),
            request_log: RequestLog::new(request_time),
            downloads: Arc::new(Semaphore::new(DOWNLOADS)),
            started,
            requests: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
        }))
    }

    /// Why the learning policy cannot decide, if it cannot.
    ///
    /// # Errors
    /// If the service has failed.
    pub async fn policy_failure(&self) -> Option<String> {
        self.call(|inner, _| Ok(inner.policy_failure())).await.ok().flatten()
    }

    /// Ends the loop, and closes its state.
    ///
    /// # Errors
    /// If entries could not be written. None of them was acknowledged.
    pub(crate) fn close(&self) -> Result<(), String> {
        self.0.close()
    }

    /// Restarts the evaluations that were pending when the state was closed.
    pub(crate) fn resume(&self) {
        let jobs = self.0.unfinished.lock().map(|mut jobs| std::mem::take(&mut *jobs));
        jobs.unwrap_or_default().into_iter().for_each(|job| self.0.core.evaluate(job));
    }

    /// The signer of models.
    pub(crate) fn model_signer(&self) -> &ModelSigner {
        &self.0.model_signer
    }

    /// The cache of parsed actions.
    pub(crate) fn action_cache(&self) -> Arc<ActionCache> {
        Arc::clone(&self.0.action_cache)
    }

    /// The log of requests that failed or were slow.
    pub(crate) fn request_log(&self) -> &RequestLog {
        &self.0.request_log
    }

    /// Begins a download of the log, which ends when the permit is dropped.
    pub(crate) fn begin_download(&self) -> Result<OwnedSemaphorePermit, ErrorResponse> {
        Arc::clone(&self.0.downloads).try_acquire_owned().map_err(|_| {
            let message = format!("{DOWNLOADS} downloads of the log are under way; try again");
            ErrorResponse::gateway(StatusCode::SERVICE_UNAVAILABLE, message)
        })
    }

    /// The metrics.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.core.metrics
    }

    /// The rules of admission.
    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    /// Sets what is known once there is a listener.
    pub(crate) fn set_edge(&self, is_loopback: bool, upload_bytes: usize) {
        let edge = Edge { is_loopback, uploads: UploadBudget::new(upload_bytes) };
        assert!(self.0.edge.set(edge).is_ok(), "a service is served once");
    }

    fn edge(&self) -> &Edge {
        self.0.edge.get().expect("requests come through a listener")
    }

    /// Whether the service listens on a loopback address.
    pub(crate) fn is_loopback(&self) -> bool {
        self.edge().is_loopback
    }

    /// The budget of request bodies.
    pub(crate) fn uploads(&self) -> &UploadBudget {
        &self.edge().uploads
    }

    /// The open connections.
    pub(crate) fn connections(&self) -> &Arc<Connections> {
        &self.0.connections
    }

    /// The id of the next request, made of the start of the service and a counter.
    pub(crate) fn request_id(&self) -> HeaderValue {
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        let id = Uuid::from_u64_pair(self.0.started.unix_micros().cast_unsigned(), number);
        HeaderValue::from_str(&id.to_string()).expect("digits and hyphens")
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.core.now()
    }

    /// Decides on a request of `size` bytes with a ranker.
    pub(crate) async fn decide<A: Send + 'static>(
        &self,
        size: usize,
        decide: impl FnOnce(&mut Ranker, u64, Timestamp) -> Result<A, ServiceError> + Send + 'static,
    ) -> Result<A, ErrorResponse> {
        self.0.core.check_room()?;
        let core = Arc::clone(&self.0.core);
        let asks_program = core.asks_program();
        let rankers = core.rankers();
        let decide = move || core.decide(&rankers, size, decide);
        if asks_program { body::block(decide).await } else { body::offload(size, decide).await }
    }

    /// Logs the entries of a request of `size` bytes; returns when they are on disk.
    pub(crate) async fn log(
        &self,
        entries: Vec<LogEntry>,
        size: usize,
    ) -> Result<(), ErrorResponse> {
        self.0.core.log(entries, size).await
    }

    /// Runs an operation on the loop, in its turn.
    pub(crate) async fn call<A: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError> + Send + 'static,
    ) -> Result<A, ErrorResponse> {
        self.0.core.call(operation).await
    }

    /// Queues an evaluation.
    pub(crate) fn evaluate(&self, job: EvaluationJob) {
        self.0.core.evaluate(job);
    }

    /// The number of entries that wait for the worker.
    pub(crate) fn waiting(&self) -> usize {
        self.0.core.backlog.entries()
    }

    /// The memory of events.
    pub(crate) fn event_bytes(&self) -> EventBytes {
        self.0.core.event_bytes()
    }

    /// The counters of the loop; older ones while it is busy.
    pub(crate) async fn state(&self) -> Result<LoopState, ErrorResponse> {
        let current = self.call(|inner, now| Ok(inner.state(now)));
        tokio::time::timeout(STATE_DEADLINE, current)
            .await
            .unwrap_or_else(|_busy| Ok(self.0.core.state()))
    }
}

impl Shared {
    fn close(&self) -> Result<(), String> {
        if self.is_closed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        self.core.stop();
        let ended = self.worker_ended.lock().map(|ended| ended.recv_timeout(GRACE));
        if !matches!(ended, Ok(Ok(()))) {
            let message = "training was stopped; the journal has everything that was answered";
            log::note(message, &[]);
        }
        self.core.store.as_ref().map_or(Ok(()), Store::close)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Err(why) = self.close() {
            log::error(format!("the state is incomplete: {why}"), &[]);
        }
    }
}

/// The time of a service whose state has seen `latest`. Time never goes back: without this, no
/// reward window would close until a clock that was set back has caught up.
fn not_before(latest: Timestamp, time: Time) -> Time {
    let behind = latest.since(time());
    if behind.is_zero() {
        return time;
    }
    let message = format!(
        "the clock is {behind:?} behind the state, whose last entry is of {latest}: time goes on \
         from there"
    );
    log::warning(message, &[("behind_seconds", behind.as_secs_f64().into())]);
    Arc::new(move || time() + behind)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    drop(thread.expect("cannot start a thread"));
}
