use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::http::HeaderValue;
use uuid::Uuid;

use super::access::Access;
use super::action_cache::ActionCache;
use super::body::UploadBudget;
use super::connections::Connections;
use super::evaluations;
use super::metrics::Metrics;
use super::model_signature::ModelSigner;
use super::response::ErrorResponse;
use super::store::{self, Store, StoreError};
use learning_loop::{EvaluationJob, LearningLoop, LoopOptions, Retention};
use protocol::{ErrorCode, ServiceError};
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
    learning_loop: Mutex<LearningLoop>,
    store: Option<Store>,
    /// Evaluations that were pending when the state was closed.
    unfinished: Mutex<Vec<EvaluationJob>>,
    time: Time,
    access: Access,
    edge: OnceLock<Edge>,
    connections: Arc<Connections>,
    model_signer: ModelSigner,
    metrics: Metrics,
    action_cache: Arc<ActionCache>,
    started: Timestamp,
    requests: AtomicU64,
}

impl Service {
    /// A new loop in memory.
    pub fn new(options: LoopOptions, access: impl Into<Access>, time: Time) -> Self {
        let options = LoopOptions { retention: Retention::Log, ..options };
        let learning_loop = LearningLoop::new(options, time());
        Self::of(learning_loop, None, Vec::new(), access.into(), time)
    }

    /// The loop with the state in the file at `path`, or a new one if the file does not exist;
    /// and whether it existed: then its settings replace those of the options.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn open(
        path: &Path,
        options: LoopOptions,
        access: impl Into<Access>,
        time: Time,
    ) -> Result<(Self, bool), StoreError> {
        let options = LoopOptions { retention: Retention::Log, ..options };
        let restored = store::open(path, &options, time())?;
        let (learning_loop, store) = (restored.learning_loop, Some(restored.store));
        Ok((Self::of(learning_loop, store, restored.jobs, access.into(), time), restored.is_old))
    }

    fn of(
        learning_loop: LearningLoop,
        store: Option<Store>,
        unfinished: Vec<EvaluationJob>,
        access: Access,
        time: Time,
    ) -> Self {
        let (learning_loop, unfinished) = (Mutex::new(learning_loop), Mutex::new(unfinished));
        let started = time();
        Self(Arc::new(Shared {
            learning_loop,
            store,
            unfinished,
            time,
            model_signer: ModelSigner::new(access.keys.signing_seed()),
            access,
            edge: OnceLock::new(),
            connections: Arc::default(),
            metrics: Metrics::default(),
            action_cache: Arc::default(),
            started,
            requests: AtomicU64::new(0),
        }))
    }

    /// Restarts the evaluations that were pending when the state was closed.
    pub(crate) fn resume(&self) {
        let jobs = self.0.unfinished.lock().map(|mut jobs| std::mem::take(&mut *jobs));
        for job in jobs.unwrap_or_default() {
            tokio::spawn(evaluations::work(self.clone(), job));
        }
    }

    /// The signer of models.
    pub(crate) fn model_signer(&self) -> &ModelSigner {
        &self.0.model_signer
    }

    /// The cache of parsed actions.
    pub(crate) fn action_cache(&self) -> Arc<ActionCache> {
        Arc::clone(&self.0.action_cache)
    }

    /// The metrics.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
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
        (self.0.time)()
    }

    /// Calls the loop, and starts an automatic evaluation if one is due.
    pub(crate) async fn call<A>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<A, ErrorResponse> {
        let (answer, due) = self
            .apply(|inner, now| Ok((operation(inner, now)?, inner.begin_optimization(now))))
            .await?;
        if let Some(job) = due {
            tokio::spawn(evaluations::work(self.clone(), job));
        }
        Ok(answer)
    }

    /// Calls the loop. The time is read under the lock, so that calls are in the order of time.
    pub(crate) async fn apply<A>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<A, ErrorResponse> {
        let (answer, number) = self.locked(operation)?;
        // A response must not report what a restart would lose.
        if let (Some(store), Some(number)) = (&self.0.store, number) {
            store.wait(number).await?;
        }
        Ok(answer?)
    }

    /// Calls the loop under its lock. A panic is a bug that may leave the loop inconsistent: it
    /// poisons the lock, and every later call fails too.
    fn locked<A>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<(Result<A, ServiceError>, Option<u64>), ServiceError> {
        let broken = || {
            ServiceError::new(
                ErrorCode::InternalServerError,
                "the learning loop failed and must be restarted",
            )
        };
        let call = || {
            let mut learning_loop = self.0.learning_loop.lock().map_err(|_| broken())?;
            let store = self.0.store.as_ref();
            store.map_or(Ok(()), Store::check)?;
            let answer = operation(&mut learning_loop, self.now());
            let number = store.map(|store| store.append(&learning_loop.take_entries()));
            Ok((answer, number))
        };
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(broken()))
    }
}
