use std::ops::Range;

use comparison::{Group, Sample};
use metrics::{Definition, Metric, PhaseTally, REGISTRY, Takes};
use results::ReadError;

/// One metric of one run, over some iterations of a phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation<'a> {
    /// The name of the policy, or of the combination of values of an experiment's axes.
    pub policy: &'a str,
    /// The seed of the run.
    pub seed: u64,
    /// The phase.
    pub phase: &'a str,
    /// What the iterations are.
    pub scope: Scope,
    /// The iterations, from 0; at least one.
    pub iterations: Range<u64>,
    /// The name of the metric, as in expectations.
    pub metric: &'static str,
    /// Its value; a latency is in microseconds.
    pub value: f64,
}

/// The iterations that an observation is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of the whole phase.
    Phase,
    /// Those of one of the windows that the phase is cut into.
    Window,
}

impl Scope {
    /// Its name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phase => "phase",
            Self::Window => "window",
        }
    }
}

impl Observation<'_> {
    /// The last of its iterations.
    #[must_use]
    pub fn last_iteration(&self) -> u64 {
        self.iterations.end - 1
    }
}

/// Every metric of every run that has a value: of each phase as a whole, then of its windows of
/// `window` iterations. The last window of a phase may be shorter. One run is in memory at once;
/// one that cannot be read again is an error.
pub fn observations(
    groups: &[Group],
    window: u64,
) -> impl Iterator<Item = Result<Observation<'_>, ReadError>> {
    groups.iter().flat_map(move |group| {
        group.samples.iter().flat_map(move |sample| match of_run(group, sample, window) {
            Ok(observations) => observations.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    })
}

/// The observations of one run.
pub(crate) fn of_run<'a>(
    group: &'a Group,
    sample: &'a Sample,
    window: u64,
) -> Result<Vec<Observation<'a>>, ReadError> {
    let whole = sample.whole_phases()?;
    let mut observations = Vec::new();
    for (phase, named) in whole.iter().zip(sample.phases.iter()) {
        let iterations = phase.iterations();
        let all = (iterations > 0).then_some((Scope::Phase, 0..iterations));
        let windows = windows(iterations, window).map(|window| (Scope::Window, window));
        for (scope, iterations) in all.into_iter().chain(windows) {
            observations.extend(REGISTRY.iter().filter_map(|definition| {
                let value = measured(phase, definition, scope, &iterations)?;
                Some(Observation {
                    policy: &group.name,
                    seed: sample.seed.0,
                    phase: named.name(),
                    scope,
                    iterations: iterations.clone(),
                    metric: &definition.name,
                    value,
                })
            }));
        }
    }
    Ok(observations)
}

fn windows(iterations: u64, window: u64) -> impl Iterator<Item = Range<u64>> {
    let window = window.max(1);
    (0..iterations.div_ceil(window)).map(move |index| {
        let first = index * window;
        first..first.saturating_add(window).min(iterations)
    })
}

/// A metric of these iterations; nothing, if it has no value or is of whole phases only.
fn measured(
    phase: &PhaseTally,
    definition: &'static Definition,
    scope: Scope,
    iterations: &Range<u64>,
) -> Option<f64> {
    match (scope, definition.takes) {
        // It is of a success rate that somebody names.
        (_, Takes::Threshold) | (Scope::Window, Takes::Nothing) => None,
        // The number of a window's iterations is the window.
        (Scope::Window, _) if definition.metric == Metric::Iterations => None,
        (Scope::Window, Takes::Window) => {
            phase.measure(definition.metric, Some(iterations.clone()))
        }
        (Scope::Phase, _) => phase.measure(definition.metric, None),
    }
}
