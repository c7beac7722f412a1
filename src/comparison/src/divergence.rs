use std::fmt;

use super::{RunTrace, Sample};
use results::ReadError;
use results::experiment::Trace;

/// The first iteration in which two runs of one seed are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The phase.
    pub phase: String,
    /// The index of the iteration within it.
    pub iteration: u64,
    /// The context in each run; none where a run had ended.
    pub contexts: [Option<Vec<String>>; 2],
    /// The chosen action in each run.
    pub chosen: [Option<String>; 2],
}

/// How the traces of two runs of one seed compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceComparison {
    /// Every context and every choice is the same.
    Same,
    /// They first differ here.
    DivergesAt(Divergence),
    /// They differ, and where is unknown: a side has only the digest of its trace.
    Differs,
    /// They may differ: the file of a cell cannot be read again.
    Unreadable(String),
}

impl From<ReadError> for TraceComparison {
    fn from(error: ReadError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Whether every context and every choice of two runs is the same.
#[must_use]
pub fn is_same_trace(base: &Sample, candidate: &Sample) -> bool {
    match (&base.trace, &candidate.trace) {
        (RunTrace::Stored(base), RunTrace::Stored(candidate)) => base.has_trace_of(candidate),
        _ => compare_traces(base, candidate) == TraceComparison::Same,
    }
}

/// Compares the traces of two runs.
#[must_use]
pub fn compare_traces(base: &Sample, candidate: &Sample) -> TraceComparison {
    compare(&base.trace, &candidate.trace).unwrap_or_else(TraceComparison::from)
}

fn compare(base: &RunTrace, candidate: &RunTrace) -> Result<TraceComparison, ReadError> {
    if let (RunTrace::Stored(base), RunTrace::Stored(candidate)) = (base, candidate)
        && base.has_trace_of(candidate)
    {
        return Ok(TraceComparison::Same);
    }
    if let (Some(base), Some(candidate)) = (base.whole()?, candidate.whole()?) {
        let divergence = divergence(&base, &candidate);
        return Ok(divergence.map_or(TraceComparison::Same, TraceComparison::DivergesAt));
    }
    let is_same = base.digest()? == candidate.digest()?;
    Ok(if is_same { TraceComparison::Same } else { TraceComparison::Differs })
}

/// The first iteration in which two traces are not the same.
#[must_use]
pub fn divergence(base: &Trace, candidate: &Trace) -> Option<Divergence> {
    let (mut left, mut right) = (base.iterations(), candidate.iterations());
    loop {
        let pair = [left.next(), right.next()];
        let some = pair[0].or(pair[1])?;
        if pair[0] != pair[1] {
            return Some(Divergence {
                phase: some.phase.to_owned(),
                iteration: some.iteration,
                contexts: pair.map(|at| at.map(|at| at.context.to_vec())),
                chosen: pair.map(|at| at.and_then(|at| at.chosen).map(str::to_owned)),
            });
        }
    }
}

/// `at iteration 3 of `baseline` (Sam, rainy): `latte` against `mocha``, the candidate first.
impl fmt::Display for Divergence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { phase, iteration, contexts: [base, candidate], chosen } = self;
        let who = |context: &Option<Vec<String>>| {
            context.as_ref().map_or("nobody".to_owned(), |context| context.join(", "))
        };
        write!(formatter, "at iteration {iteration} of `{phase}`")?;
        if base != candidate {
            return write!(formatter, ": {} turns up against {}", who(candidate), who(base));
        }
        let [left, right] = [1, 0].map(|side: usize| chosen[side].as_deref().unwrap_or("nothing"));
        write!(formatter, " ({}): `{left}` against `{right}`", who(base))
    }
}
