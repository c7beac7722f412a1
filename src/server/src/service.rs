use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::HeaderValue;
use uuid::Uuid;

use super::Keys;
use super::answer::Refusal;
use super::evaluations;
use super::meters::Meters;
use super::offers::Offers;
use super::seal::Seal;
use super::store::{self, StateError, Store};
use learning_loop::{EvaluationJob, Keeps, LearningLoop, LoopOptions};
use protocol::{ErrorCode, ServiceError};
use timestamp::Timestamp;

/// What time it is.
pub type Time = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The loop that many callers share.
#[derive(Clone)]
pub struct Service(Arc<Shared>);

struct Shared {
    learning_loop: Mutex<LearningLoop>,
    store: Option<Store>,
    /// Evaluations that had not ended when the state was left.
    unfinished: Mutex<Vec<EvaluationJob>>,
    time: Time,
    keys: Keys,
    seal: Seal,
    meters: Meters,
    offers: Offers,
    started: Timestamp,
    requests: AtomicU64,
}

impl Service {
    /// A fresh loop, in memory. Nobody will take its joined lines.
    pub fn new(options: LoopOptions, keys: Keys, time: Time) -> Self {
        let options = LoopOptions { keeps: Keeps::Log, ..options };
        let learning_loop = LearningLoop::new(options, time());
        Self::of(learning_loop, None, Vec::new(), keys, time)
    }

    /// The loop whose state is in the file at `path`; a new one, if there is none. Also,
    /// whether it was there: then it goes on as it was, whatever the options say.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(
        path: &Path,
        options: LoopOptions,
        keys: Keys,
        time: Time,
    ) -> Result<(Self, bool), StateError> {
        let options = LoopOptions { keeps: Keeps::Log, ..options };
        let restored = store::open(path, options, time())?;
        let (learning_loop, store) = (restored.learning_loop, Some(restored.store));
        Ok((Self::of(learning_loop, store, restored.jobs, keys, time), restored.is_old))
    }

    fn of(
        learning_loop: LearningLoop,
        store: Option<Store>,
        unfinished: Vec<EvaluationJob>,
        keys: Keys,
        time: Time,
    ) -> Self {
        let (learning_loop, unfinished) = (Mutex::new(learning_loop), Mutex::new(unfinished));
        let started = time();
        Self(Arc::new(Shared {
            learning_loop,
            store,
            unfinished,
            time,
            seal: Seal::new(keys.sealing()),
            keys,
            meters: Meters::default(),
            offers: Offers::default(),
            started,
            requests: AtomicU64::new(0),
        }))
    }

    /// Runs the evaluations that had not ended when the state was left.
    pub(super) fn resume(&self) {
        let jobs = self.0.unfinished.lock().map(|mut jobs| std::mem::take(&mut *jobs));
        for job in jobs.unwrap_or_default() {
            tokio::spawn(evaluations::work(self.clone(), job));
        }
    }

    /// What models are signed with.
    pub(super) fn seal(&self) -> &Seal {
        &self.0.seal
    }

    /// What callers offer to choose from.
    pub(super) fn offers(&self) -> &Offers {
        &self.0.offers
    }

    /// Figures for monitors.
    pub(super) fn meters(&self) -> &Meters {
        &self.0.meters
    }

    /// The keys that open it.
    pub(super) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// A name for the next request: when the service started, and the request's number.
    pub(super) fn request_id(&self) -> HeaderValue {
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        let id = Uuid::from_u64_pair(self.0.started.unix_micros().cast_unsigned(), number);
        HeaderValue::from_str(&id.to_string()).expect("digits and hyphens")
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        (self.0.time)()
    }

    /// Calls the loop now, and begins the evaluation that the loop is due to make by
    /// itself.
    pub(super) async fn call<A>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<A, Refusal> {
        let (answer, due) = self
            .apply(|inner, now| Ok((operation(inner, now)?, inner.begin_optimization(now))))
            .await?;
        if let Some(job) = due {
            tokio::spawn(evaluations::work(self.clone(), job));
        }
        Ok(answer)
    }

    /// Calls the loop now. The time is read while no other call can come between: the
    /// loop's calls come in the order of time.
    pub(super) async fn apply<A>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<A, Refusal> {
        let (answer, number) = self.locked(operation)?;
        // Nobody is told of what a restart would not know.
        if let (Some(store), Some(number)) = (&self.0.store, number) {
            store.wait(number).await?;
        }
        Ok(answer?)
    }

    /// A panic is a bug in the loop, whose state is not to be trusted from then on: the
    /// lock is poisoned, and every later call is refused too.
    fn locked<A>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<(Result<A, ServiceError>, Option<u64>), ServiceError> {
        let broken = || ServiceError::new(ErrorCode::InternalServerError, "the loop is broken");
        let call = || {
            let mut learning_loop = self.0.learning_loop.lock().map_err(|_| broken())?;
            let store = self.0.store.as_ref();
            store.map_or(Ok(()), Store::check)?;
            let answer = operation(&mut learning_loop, self.now());
            let number = store.map(|store| store.append(&learning_loop.take_facts()));
            Ok((answer, number))
        };
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(broken()))
    }
}
