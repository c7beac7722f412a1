//! The remarks above the tables of two folders: which parts of their plans differ, and
//! the first iteration in which their runs differ.

use super::subject::Subject;
use comparison::{self, Group, TraceComparison};

type Side<'a> = (&'a Subject, &'a Group);

/// What differs between two sides, one line each.
pub fn remarks(base: Side<'_>, candidate: Side<'_>) -> Vec<String> {
    let mut remarks = vec![format!("{} against {}", candidate.0.name(), base.0.name())];
    remarks.extend(versions(base, candidate));
    let different = base.1.differing_parts(candidate.1);
    remarks.push(match &different[..] {
        [] => "  their plans are the same".to_owned(),
        _ => format!("  their plans differ in {}", different.join(", ")),
    });
    remarks.push(format!("  {}", traces(base.1, candidate.1)));
    remarks
}

fn versions(base: Side<'_>, candidate: Side<'_>) -> Option<String> {
    let (left, right) = (&base.0.version, &candidate.0.version);
    (left != right).then(|| format!("  by runner {right} against {left}"))
}

/// Whether the runs of one seed are the same, and where the first pair parts.
fn traces(base: &Group, candidate: &Group) -> String {
    let mut pairs = 0;
    let mut same = 0;
    let mut first = None;
    for sample in &candidate.samples {
        let Some(other) = base.sample(sample.seed) else { continue };
        pairs += 1;
        if comparison::is_same_trace(other, sample) {
            same += 1;
        } else {
            first.get_or_insert_with(|| (sample.seed, comparison::compare_traces(other, sample)));
        }
    }
    match (pairs, first) {
        (0, _) => "they have no seed in common".to_owned(),
        (1, None) => "every context and every choice is the same".to_owned(),
        (_, None) => format!("every context and every choice of {pairs} seeds is the same"),
        (1, Some((_, differing))) => format!("they differ {}", place(&differing)),
        (_, Some((seed, differing))) => format!(
            "{same} of {pairs} seeds are the same; seed {seed} differs {}",
            place(&differing)
        ),
    }
}

fn place(differing: &TraceComparison) -> String {
    match differing {
        TraceComparison::Unreadable(why) => format!("at an unknown iteration: {why}"),
        TraceComparison::DivergesAt(divergence) => divergence.to_string(),
        TraceComparison::Same | TraceComparison::Differs => {
            "at an unknown iteration: a baseline file has no traces".to_owned()
        }
    }
}
