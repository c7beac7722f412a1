//! What is called.

use std::time::Duration;

use super::hint;
use super::notation::DURATION;
use super::preset::Completed;
use super::service::ServiceFile;
use crate::format::{
    Either, Form, Placed, Read, Reading, Spot, by_default, either, object, or, or_empty, required,
    word,
};
use diagnostic::{Diagnostic, Place};
use metrics::Tags;
use plan::Delay;

/// What is called.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The learning loop, called as a function.
    Embedded(Latencies),
    /// The learning loop, served on the loopback.
    Served,
    /// A service by its address.
    Service {
        /// Where its address is.
        place: Place,
        file: Read<Box<ServiceFile>>,
    },
}

impl Target {
    /// Whether a service could be read.
    pub fn is_sound(&self) -> bool {
        !matches!(self, Self::Service { file: Err(_), .. })
    }

    /// The tags of what calls a service.
    pub fn tags(&self) -> Option<&Tags> {
        match self {
            Self::Service { file, .. } => file.as_ref().ok()?.tags.as_ref(),
            Self::Embedded(_) | Self::Served => None,
        }
    }
}

pub(super) fn target() -> Either<Target> {
    let words = word(&[
        ("embedded", false, "The learning loop inside."),
        (
            "served",
            true,
            "The learning loop inside, served over HTTP on the loopback for as long as the run \
             lasts.",
        ),
    ])
    .or_hint(hint::service);
    let word = |is_served| if is_served { Target::Served } else { Target::Embedded(by_default()) };
    either([
        words.map(word).boxed(),
        service().boxed(),
        object().map(|target: EmbeddedTarget| Target::Embedded(target.embedded.latency)).boxed(),
    ])
}

/// That it is a service is known also where the rest cannot be read.
fn service() -> impl Form<Value = Target> {
    Completed(object())
        .map(Box::new)
        .attempt()
        .and_then(|file, spot, _| Some(Target::Service { place: spot.key("url").clone(), file }))
}

keyed! {
    /// The learning loop inside.
    struct EmbeddedTarget marked "embedded" {
        /// How the learning loop inside behaves as a service.
        embedded: Behaviour = required(object()),
    }
}

keyed! {
    /// How the learning loop inside behaves as a service.
    struct Behaviour {
        /// How long calls seem to take: a duration, or log-normal by `median` and `p99`.
        latency: Latencies = or_empty(object()),
    }
}

keyed! {
    /// The latencies of the simulated service.
    pub(crate) struct Latencies {
        /// How long Rank seems to take.
        rank: Delay = or(delay(), r#"{"median": "8ms", "p99": "40ms"}"#),
        /// How long Reward seems to take.
        reward: Delay = or(delay(), r#"{"median": "4ms", "p99": "20ms"}"#),
    }
}

keyed! {
    /// A log-normal delay.
    struct LogNormal {
        /// Half of the delays are below.
        median: Duration = required(DURATION),
        /// 99 in 100 are below.
        p99: Placed<Duration> = required(DURATION.at()),
    }
}

/// A duration, or log-normal by median and 99th percentile.
pub(super) fn delay() -> Either<Delay> {
    let log_normal = |delay: LogNormal, _: Spot<'_>, reading: &mut Reading<'_>| {
        let LogNormal { median, p99 } = delay;
        if median > *p99 || median.is_zero() {
            let message = "`p99` must be at least `median`, and both above zero";
            reading.report.push(Diagnostic::error(message).at(&p99.place));
            return None;
        }
        Some(Delay::LogNormal { median, p99: *p99 })
    };
    either([DURATION.map(Delay::Constant).boxed(), object().and_then(log_normal).boxed()])
}

/// A duration above zero.
pub(super) fn positive() -> impl Form<Value = Duration> {
    DURATION.and_then(|time, spot, reading| {
        if time.is_zero() {
            let message = format!("`{}` must be above zero", spot.owner.name);
            reading.report.push(Diagnostic::error(message).at(&spot.node.place));
            return None;
        }
        Some(time)
    })
}
