//! Which features matter to a policy: what it would have earned without each of them.

use super::evaluation_log::EvaluationLog;
use evaluation::{Ablated, Log, View};
use policy::Policy;

/// A pass for each of more features would take too long.
const MOST_FEATURES: usize = 32;

/// The names of features of high, medium and low importance to a policy, of each what matters
/// most first: those without which it is shown to earn less, at 95 %; those without which it
/// earned less, which may be chance; and the others. Nothing is told of policies for slots and of
/// programs.
pub(crate) fn lists(log: &EvaluationLog, policy: &Policy, threads: usize) -> Vec<Vec<String>> {
    let mut lists = vec![Vec::new(); 3];
    if log.is_empty() || policy.is_multi_slot() || policy.is_program() {
        return lists;
    }
    let mut features = log.feature_names();
    features.truncate(MOST_FEATURES);
    let whole = (policy.clone(), View::of(policy));
    let Some(Ok(whole)) = evaluation::validate_views(log, &[whole], threads).pop() else {
        return lists;
    };
    let mut changes = Vec::new();
    for some in features.chunks(threads.max(1)) {
        let less = |feature: &evaluation::FeatureName| {
            let without = Some(feature.clone());
            (policy.clone(), View { without, ..View::of(policy) })
        };
        let less: Vec<_> = some.iter().map(less).collect();
        let traces = evaluation::validate_views(log, &less, threads);
        for (feature, trace) in some.iter().zip(traces) {
            log.forget(feature);
            if let Ok(trace) = trace {
                changes.push((feature.to_string(), Ablated::of(log, &whole, &trace)));
            }
        }
    }
    changes.sort_by(|(_, one), (_, other)| one.change.total_cmp(&other.change));
    for (name, ablated) in changes {
        let list = match ablated {
            Ablated { change, half_width } if change + half_width < 0.0 => 0,
            Ablated { change, .. } if change < 0.0 => 1,
            Ablated { .. } => 2,
        };
        lists[list].push(name);
    }
    lists
}
