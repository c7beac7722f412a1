use std::fmt;

use super::{Footprint, Sample};
use results::experiment::Trace;

/// The first iteration in which two runs of one seed are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The phase.
    pub phase: String,
    /// The index of the iteration within it.
    pub iteration: u64,
    /// Who turned up, in each of the runs; nobody where a run had ended.
    pub contexts: [Option<Vec<String>>; 2],
    /// What was chosen in each of them.
    pub chosen: [Option<String>; 2],
}

/// Whether two runs part, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parting {
    /// Everyone who turned up and everything that was chosen is the same.
    Never,
    /// Here.
    At(Divergence),
    /// Somewhere: one of them keeps no trace.
    Somewhere,
}

/// Where two runs part.
#[must_use]
pub fn parting(base: &Sample, candidate: &Sample) -> Parting {
    match (&base.footprint, &candidate.footprint) {
        (Footprint::Trace(base), Footprint::Trace(candidate)) => {
            divergence(base, candidate).map_or(Parting::Never, Parting::At)
        }
        (base, candidate) if base.digest() == candidate.digest() => Parting::Never,
        _ => Parting::Somewhere,
    }
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
