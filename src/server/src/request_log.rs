//! The requests that failed or were slow, in the log in JSON.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};

use super::Time;
use super::log::{self, Bounded};

/// The number of requests that are recorded a minute; the others are counted.
const MOST: u32 = 60;

pub(crate) struct RequestLog {
    bounded: Mutex<Bounded>,
    time: Time,
}

impl RequestLog {
    pub(crate) fn new(time: Time) -> Self {
        Self { bounded: Mutex::new(Bounded::new(MOST)), time }
    }

    /// Records a request.
    pub(crate) fn record(
        &self,
        operation: &str,
        status: StatusCode,
        took: Duration,
        request_id: &HeaderValue,
    ) {
        let now = (self.time)();
        let due = self.bounded.lock().unwrap_or_else(PoisonError::into_inner).due(now);
        let Some(count) = due else { return };
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let fields = [
            ("operation", operation.into()),
            ("status", status.as_u16().into()),
            ("milliseconds", milliseconds.into()),
            ("requestId", request_id.to_str().unwrap_or_default().into()),
            ("requests", count.into()),
        ];
        log::record("a request failed or was slow", &fields);
    }
}
