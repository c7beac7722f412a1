use std::collections::BTreeMap;

use super::{Work, WorkPlan};

impl WorkPlan {
    /// What differs between a plan that was kept and this one, a line each; nothing, if
    /// they ask for the same work.
    #[must_use]
    pub fn differences(&self, kept: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut compare = |what: &str, now: &str, then: &str| {
            if now != then {
                lines.push(format!("  {what}: `{now}`, and `{then}` in the plan"));
            }
        };
        compare("the program", &self.tool, &kept.tool);
        compare("the scenario", &self.scenario, &kept.scenario);
        lines.extend(work(&self.work, &kept.work));
        if lines.is_empty() && self.digest != kept.digest {
            lines.push(format!(
                "  the digest: `{}`, and `{}` in the plan",
                self.digest, kept.digest
            ));
        }
        lines
    }
}

fn work(now: &Work, then: &Work) -> Vec<String> {
    match (now, then) {
        (Work::Experiment { .. }, Work::Experiment { .. }) => {
            let (now, then) = (named(now), named(then));
            parts(&now, &then)
        }
        (
            Work::Load { parts: now, .. } | Work::World { parts: now },
            Work::Load { parts: then, .. } | Work::World { parts: then },
        ) => parts(now, then),
        _ => vec!["  one has a `matrix`, the other has none".to_owned()],
    }
}

/// Everything that decides what the cells are, by a name for people.
fn named(work: &Work) -> BTreeMap<String, String> {
    let Work::Experiment { variants, cells } = work else { return BTreeMap::new() };
    let name = |index: usize| {
        let labels = variants.get(index).map(|variant| variant.labels.values().cloned());
        labels.map_or_else(String::new, |labels| labels.collect::<Vec<_>>().join(" · "))
    };
    let part = |(index, (part, digest)): (usize, (&String, &String))| {
        (format!("{part} of `{}`", name(index)), digest.clone())
    };
    let all = variants
        .iter()
        .enumerate()
        .flat_map(|(index, variant)| variant.parts.iter().map(move |part| (index, part)).map(part));
    let cell = cells.iter().map(|cell| {
        (format!("the cell of seed {} of `{}`", cell.seed, name(cell.variant)), String::new())
    });
    all.chain(cell).collect()
}

fn parts(now: &BTreeMap<String, String>, then: &BTreeMap<String, String>) -> Vec<String> {
    let gone = then.keys().filter(|name| !now.contains_key(*name));
    let new = now.keys().filter(|name| !then.contains_key(*name));
    let changed =
        now.iter().filter(|(name, digest)| then.get(*name).is_some_and(|before| before != *digest));
    let gone = gone.map(|name| format!("  {name} is in the plan only"));
    let new = new.map(|name| format!("  {name} is not in the plan"));
    let changed = changed.map(|(name, _)| format!("  {name} differs"));
    changed.chain(gone).chain(new).collect()
}
