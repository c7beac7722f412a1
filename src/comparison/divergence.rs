use super::Sample;

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

/// Where two runs part; `None`, if everyone who turned up and everything that was chosen
/// is the same.
#[must_use]
pub fn divergence(base: &Sample, candidate: &Sample) -> Option<Divergence> {
    let (mut left, mut right) = (base.trace.iterations(), candidate.trace.iterations());
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
