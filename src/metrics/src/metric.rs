use std::borrow::Cow;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::rounded::rounded;
use timestamp::elapsed;

/// One of the two calls of an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Rank.
    Rank,
    /// Reward.
    Reward,
}

impl Operation {
    /// Both, in the order in which an iteration makes them.
    pub const ALL: [Self; 2] = [Self::Rank, Self::Reward];

    /// The name in expectations and results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rank => "rank",
            Self::Reward => "reward",
        }
    }
}

/// A number that sums up many latencies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// This share of the calls took at most as long, in `(0, 1)`.
    Quantile(f64),
    /// The longest, exact.
    Max,
    /// The mean, exact.
    Mean,
}

/// Something that can be said of a phase in one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// Iterations made.
    Iterations,
    /// Iterations of which a call failed.
    Errors,
    /// Iterations that could not start when they were due.
    Dropped,
    /// Answers that broke the contract.
    Violations,
    /// Errors per iteration.
    ErrorRate,
    /// Iterations with the preferred action, of those that got an action.
    SuccessRate,
    /// The mean of the rewards that were sent.
    MeanReward,
    /// Expected reward lost against the best choices, summed up.
    Regret,
    /// Expected reward lost against the choices that the service thought best, summed up.
    ExplorationCost,
    /// After how many iterations a success rate is reached.
    IterationsTo,
    /// Calls per second.
    Rate,
    /// How long calls took; Rank from when it was due.
    Latency(Operation, Statistic),
    /// How long Rank took, from when it was sent.
    Service(Statistic),
    /// How late Rank was sent.
    Lag(Statistic),
    /// Choices that a log has nothing like, of those in its twin.
    Extrapolation,
    /// A metric of one slot, by its number from 1.
    Slot(u8, SlotMetric),
}

/// Something that can be said of one slot of the iterations of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotMetric {
    /// Iterations in which no better action was left for it, of those that got one.
    SuccessRate,
    /// The mean of its rewards.
    MeanReward,
    /// Expected reward lost against the best actions that were left for it, summed up.
    Regret,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More of it.
    Up,
    /// Less of it.
    Down,
    /// Neither.
    None,
}

impl Metric {
    /// Which way of it is better.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::SuccessRate
            | Self::MeanReward
            | Self::Slot(_, SlotMetric::SuccessRate | SlotMetric::MeanReward) => Direction::Up,
            Self::Errors
            | Self::Dropped
            | Self::Violations
            | Self::ErrorRate
            | Self::Latency(..)
            | Self::Service(_)
            | Self::Regret
            | Self::ExplorationCost
            | Self::IterationsTo
            | Self::Lag(_)
            | Self::Slot(_, SlotMetric::Regret)
            | Self::Extrapolation => Direction::Down,
            Self::Iterations | Self::Rate => Direction::None,
        }
    }
}

/// What a metric measures; only like can be compared with like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// A share, in `[0, 1]`.
    Share,
    /// A reward.
    Reward,
    /// A whole number.
    Count,
    /// Something per second.
    PerSecond,
    /// A time, in microseconds.
    Latency,
}

impl Dimension {
    /// The dimension with its article, for sentences.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Share => "a share",
            Self::Reward => "a reward",
            Self::Count => "a count",
            Self::PerSecond => "a rate",
            Self::Latency => "a latency",
        }
    }

    /// The values that one metric of this dimension can have, in its unit.
    #[must_use]
    pub fn range(self) -> RangeInclusive<f64> {
        match self {
            Self::Share => 0.0..=1.0,
            Self::Reward => f64::NEG_INFINITY..=f64::INFINITY,
            Self::Count | Self::PerSecond | Self::Latency => 0.0..=f64::INFINITY,
        }
    }
}

/// A metric with its name.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The name, as it is written after the phase.
    pub name: Cow<'static, str>,
    /// The metric.
    pub metric: Metric,
    /// What it measures.
    pub dimension: Dimension,
    /// What may or must stand in brackets behind it.
    pub takes: Takes,
    /// What it is, in a few words.
    pub doc: &'static str,
}

/// What stands in brackets behind a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: what is kept as a histogram is known for a whole phase only.
    Nothing,
    /// The iterations that are meant, if not all.
    Window,
    /// The success rate to be reached.
    Threshold,
}

/// Every metric, in the order in which help lists them.
pub static REGISTRY: [Definition; 32] = [
    windowed("success_rate", Metric::SuccessRate, Dimension::Share, "chosen equals preferred"),
    windowed("mean_reward", Metric::MeanReward, Dimension::Reward, "mean of the rewards sent"),
    windowed(
        "regret",
        Metric::Regret,
        Dimension::Reward,
        "expected reward lost against the best choices",
    ),
    windowed(
        "exploration_cost",
        Metric::ExplorationCost,
        Dimension::Reward,
        "expected reward lost against the choices that the service thought best",
    ),
    Definition {
        name: Cow::Borrowed("iterations_to"),
        metric: Metric::IterationsTo,
        dimension: Dimension::Count,
        takes: Takes::Threshold,
        doc: "iterations until a success rate, as in `iterations_to[70%]`",
    },
    windowed("iterations", Metric::Iterations, Dimension::Count, "iterations made"),
    windowed("errors", Metric::Errors, Dimension::Count, "iterations of which a call failed"),
    windowed("error_rate", Metric::ErrorRate, Dimension::Share, "errors per iteration"),
    windowed("dropped", Metric::Dropped, Dimension::Count, "iterations that could not start"),
    whole("violations", Metric::Violations, Dimension::Count, "answers that broke the contract"),
    whole("rate", Metric::Rate, Dimension::PerSecond, "calls per second"),
    latency("rank.p50", Operation::Rank, Statistic::Quantile(0.5), "median of Rank"),
    latency("rank.p90", Operation::Rank, Statistic::Quantile(0.9), "90th percentile of Rank"),
    latency("rank.p95", Operation::Rank, Statistic::Quantile(0.95), "95th percentile of Rank"),
    latency("rank.p99", Operation::Rank, Statistic::Quantile(0.99), "99th percentile of Rank"),
    latency("rank.p99.9", Operation::Rank, Statistic::Quantile(0.999), "99.9th percentile of Rank"),
    latency("rank.max", Operation::Rank, Statistic::Max, "slowest Rank"),
    latency("rank.mean", Operation::Rank, Statistic::Mean, "mean of Rank"),
    latency("reward.p50", Operation::Reward, Statistic::Quantile(0.5), "median of Reward"),
    latency("reward.p90", Operation::Reward, Statistic::Quantile(0.9), "90th percentile of Reward"),
    latency(
        "reward.p95",
        Operation::Reward,
        Statistic::Quantile(0.95),
        "95th percentile of Reward",
    ),
    latency(
        "reward.p99",
        Operation::Reward,
        Statistic::Quantile(0.99),
        "99th percentile of Reward",
    ),
    latency(
        "reward.p99.9",
        Operation::Reward,
        Statistic::Quantile(0.999),
        "99.9th percentile of Reward",
    ),
    latency("reward.max", Operation::Reward, Statistic::Max, "slowest Reward"),
    latency("reward.mean", Operation::Reward, Statistic::Mean, "mean of Reward"),
    service("rank.service.p50", Statistic::Quantile(0.5), "median of Rank from when it was sent"),
    service("rank.service.p90", Statistic::Quantile(0.9), "its 90th percentile"),
    service("rank.service.p99", Statistic::Quantile(0.99), "its 99th percentile"),
    service("rank.service.max", Statistic::Max, "its maximum"),
    lag("lag.p99", Statistic::Quantile(0.99), "99th percentile of how late Rank was sent"),
    lag("lag.max", Statistic::Max, "how late Rank was sent at worst"),
    whole(
        "extrapolation",
        Metric::Extrapolation,
        Dimension::Share,
        "choices in the twin of a log that the log has nothing like",
    ),
];

/// The metric of this name: one of the registry, any other percentile of a latency, or a metric
/// of a slot.
#[must_use]
pub fn definition(name: &str) -> Option<Definition> {
    let known = REGISTRY.iter().find(|definition| definition.name == name).cloned();
    known.or_else(|| percentile(name)).or_else(|| of_slot(name))
}

/// A metric of a slot such as `slot_2.success_rate`.
fn of_slot(name: &str) -> Option<Definition> {
    let (slot, metric) = name.strip_prefix("slot_")?.split_once('.')?;
    let number = slot.parse().ok().filter(|number| *number > 0 && !slot.starts_with(['0', '+']))?;
    let (metric, dimension, doc) = match metric {
        "success_rate" => {
            (SlotMetric::SuccessRate, Dimension::Share, "chosen is the best that was left")
        }
        "mean_reward" => (SlotMetric::MeanReward, Dimension::Reward, "mean of its rewards"),
        "regret" => (
            SlotMetric::Regret,
            Dimension::Reward,
            "expected reward lost against the best actions that were left",
        ),
        _ => return None,
    };
    let (name, metric) = (Cow::Owned(name.to_owned()), Metric::Slot(number, metric));
    Some(Definition { name, metric, dimension, takes: Takes::Window, doc })
}

/// A percentile such as `rank.p99.99`; `p100` is the maximum.
fn percentile(name: &str) -> Option<Definition> {
    let (operation, percent) = name.rsplit_once(".p").filter(|(of, _)| !of.contains(".p"))?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let percent = Some(percent).filter(|text| is_number(text))?.parse::<f64>().ok()?;
    if !(percent > 0.0 && percent <= 100.0) {
        return None;
    }
    let statistic =
        if percent < 100.0 { Statistic::Quantile(percent / 100.0) } else { Statistic::Max };
    let metric = match operation {
        "rank" => Metric::Latency(Operation::Rank, statistic),
        "reward" => Metric::Latency(Operation::Reward, statistic),
        "rank.service" => Metric::Service(statistic),
        "lag" => Metric::Lag(statistic),
        _ => return None,
    };
    let name = Cow::Owned(name.to_owned());
    let (dimension, takes) = (Dimension::Latency, Takes::Nothing);
    Some(Definition { name, metric, dimension, takes, doc: "a percentile" })
}

const fn windowed(
    name: &'static str,
    metric: Metric,
    dimension: Dimension,
    doc: &'static str,
) -> Definition {
    Definition { name: Cow::Borrowed(name), metric, dimension, takes: Takes::Window, doc }
}

const fn whole(
    name: &'static str,
    metric: Metric,
    dimension: Dimension,
    doc: &'static str,
) -> Definition {
    Definition { name: Cow::Borrowed(name), metric, dimension, takes: Takes::Nothing, doc }
}

const fn latency(
    name: &'static str,
    operation: Operation,
    statistic: Statistic,
    doc: &'static str,
) -> Definition {
    whole(name, Metric::Latency(operation, statistic), Dimension::Latency, doc)
}

const fn service(name: &'static str, statistic: Statistic, doc: &'static str) -> Definition {
    whole(name, Metric::Service(statistic), Dimension::Latency, doc)
}

const fn lag(name: &'static str, statistic: Statistic, doc: &'static str) -> Definition {
    whole(name, Metric::Lag(statistic), Dimension::Latency, doc)
}

/// A number with what it measures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// The number; a latency is in microseconds.
    pub value: f64,
    /// What it measures.
    pub dimension: Dimension,
}

impl Quantity {
    /// The number as it was written, which is not rounded.
    #[must_use]
    pub fn written(self) -> String {
        match self.dimension {
            Dimension::Latency => format!("{} ms", self.value / 1000.0),
            _ => self.to_string(),
        }
    }
}

/// Rounded, for people.
impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.dimension {
            Dimension::Share | Dimension::Reward => f.write_str(&rounded(self.value, 4)),
            Dimension::Count => write!(f, "{}", self.value),
            Dimension::PerSecond => write!(f, "{:.1}/s", self.value),
            Dimension::Latency => f.write_str(&elapsed(self.value)),
        }
    }
}
