//! What is said of two folders before any figure: what differs in what they were asked to
//! do, and where what they did parts.

use super::subject::Subject;
use comparison::{self, Group, Parting};

type Side<'a> = (&'a Subject, &'a Group);

/// What differs between two sides, a line each.
pub fn remarks(base: Side<'_>, candidate: Side<'_>) -> Vec<String> {
    let mut remarks = vec![format!("{} against {}", candidate.0.name(), base.0.name())];
    remarks.extend(versions(base, candidate));
    let different = base.1.differs_in(candidate.1);
    remarks.push(match &different[..] {
        [] => "  they were asked to do the same".to_owned(),
        _ => format!("  they differ in {}", different.join(", ")),
    });
    remarks.push(format!("  {}", parting(base.1, candidate.1)));
    remarks
}

fn versions(base: Side<'_>, candidate: Side<'_>) -> Option<String> {
    let (left, right) = (&base.0.version, &candidate.0.version);
    (left != right).then(|| format!("  by runner {right} against {left}"))
}

/// Whether the runs of one seed are the same, and where the first pair parts.
fn parting(base: &Group, candidate: &Group) -> String {
    let mut pairs = 0;
    let mut same = 0;
    let mut first = None;
    for sample in &candidate.samples {
        let Some(other) = base.sample(sample.seed) else { continue };
        pairs += 1;
        match comparison::parting(other, sample) {
            Parting::Never => same += 1,
            parting => drop(first.get_or_insert((sample.seed, parting))),
        }
    }
    match (pairs, first) {
        (0, _) => "no seed is common: the runs saw other visitors".to_owned(),
        (1, None) => "every visitor and every choice is the same".to_owned(),
        (_, None) => format!("every visitor and every choice of {pairs} seeds is the same"),
        (1, Some((_, parting))) => format!("they part {}", place(&parting)),
        (_, Some((seed, parting))) => {
            format!("{same} of {pairs} seeds are the same; seed {seed} parts {}", place(&parting))
        }
    }
}

fn place(parting: &Parting) -> String {
    match parting {
        Parting::At(divergence) => divergence.to_string(),
        Parting::Never | Parting::Somewhere => "somewhere: a baseline keeps no traces".to_owned(),
    }
}
