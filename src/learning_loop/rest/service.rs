use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::HeaderValue;
use uuid::Uuid;

use super::Keys;
use super::answer::Refusal;
use super::evaluations;
use super::meters::Meters;
use super::seal::Seal;
use crate::clock::Timestamp;
use crate::learning_loop::{LearningLoop, LoopOptions};
use crate::protocol::{ErrorCode, ServiceError};

/// What time it is.
pub type Time = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The loop that many callers share.
#[derive(Clone)]
pub struct Service(Arc<Shared>);

struct Shared {
    learning_loop: Mutex<LearningLoop>,
    time: Time,
    keys: Keys,
    seal: Seal,
    meters: Meters,
    started: Timestamp,
    requests: AtomicU64,
}

impl Service {
    /// A fresh loop, in memory. Nobody will take its joined lines.
    pub fn new(options: LoopOptions, keys: Keys, time: Time) -> Self {
        let options = LoopOptions { keeps_lines: false, ..options };
        let started = time();
        let learning_loop = Mutex::new(LearningLoop::new(options, started));
        Self(Arc::new(Shared {
            learning_loop,
            time,
            seal: Seal::new(keys.sealing()),
            keys,
            meters: Meters::default(),
            started,
            requests: AtomicU64::new(0),
        }))
    }

    /// What models are signed with.
    pub(super) fn seal(&self) -> &Seal {
        &self.0.seal
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
    #[expect(clippy::unused_async, reason = "a loop on disk will be waited for")]
    pub(super) async fn apply<A>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<A, Refusal> {
        Ok(self.locked(operation)?)
    }

    /// A panic is a bug in the loop, whose state is not to be trusted from then on: the
    /// lock is poisoned, and every later call is refused too.
    fn locked<A>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<A, ServiceError> {
        let broken = || ServiceError::new(ErrorCode::InternalServerError, "the loop is broken");
        let call = || {
            let mut learning_loop = self.0.learning_loop.lock().map_err(|_| broken())?;
            operation(&mut learning_loop, self.now())
        };
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(broken()))
    }
}
