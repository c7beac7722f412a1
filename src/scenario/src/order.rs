//! Phases that can never do what they say, where they stand.

use super::document::Node;
use super::phase::Item;
use super::policy::is_discovered;
use super::target::{is_embedded, is_served};
use diagnostic::{Diagnostic, Report, nearest};

/// What is certain about the loop when a phase begins.
struct Known {
    loop_is: Whose,
    /// Whether something was logged since the start or the last reset.
    logged: bool,
    /// Whether a reset cleared the loop.
    cleared: bool,
}

/// Whose the loop is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// It starts without data of earlier runs, and nobody else reaches it.
    TheRuns,
    /// It starts without data of earlier runs.
    Served,
    /// A service's.
    Anybodys,
}

/// Says which phases can never run.
pub(super) fn check_order(scenario: &Node, items: &[Item<'_>], report: &mut Report) {
    let loop_is = match (is_served(scenario), is_embedded(scenario)) {
        (true, _) => Whose::Served,
        (false, true) => Whose::TheRuns,
        (false, false) => Whose::Anybodys,
    };
    let mut known = Known { loop_is, logged: false, cleared: false };
    for (index, item) in items.iter().enumerate() {
        refuse_same_name(&items[..index], item, report);
        match item.kind {
            "iterate" => known.logged = true,
            "reset" => (known.logged, known.cleared) = (false, true),
            "evaluate" => check_evaluate(&known, item, report),
            "pause" => check_pause(&known, item, report),
            _ => {}
        }
    }
}

fn refuse_same_name(earlier: &[Item<'_>], item: &Item<'_>, report: &mut Report) {
    let Some(first) = earlier.iter().find(|first| first.name == item.name) else {
        return;
    };
    let place = |item: &Item<'_>| {
        let name = item.body.and_then(|body| body.get("name"));
        name.map_or_else(|| item.place.clone(), |name| name.place.clone())
    };
    let diagnostic = Diagnostic::error(format!("two phases are called `{}`", item.name));
    report.push(
        diagnostic
            .at(&place(item))
            .label("again")
            .context(&place(first), "first")
            .help("results and expectations tell phases by their names"),
    );
}

fn check_evaluate(known: &Known, item: &Item<'_>, report: &mut Report) {
    if !known.logged && (known.loop_is != Whose::Anybodys || known.cleared) {
        let reason = if known.cleared { "since the reset" } else { "before it" };
        let message = format!("`{}` can never run: nothing is logged {reason}", item.name);
        let diagnostic = Diagnostic::error(message).at(item.place);
        report.push(diagnostic.help("an evaluation needs a phase `iterate` before it"));
    }
    check_apply(item, report);
}

/// What is applied must be a row of the evaluation.
fn check_apply(item: &Item<'_>, report: &mut Report) {
    let get = |key: &str| item.body.and_then(|body| body.get(key));
    let Some((node, name)) = get("apply").and_then(|node| Some((node, node.text()?))) else {
        return;
    };
    let discover = get("discover").and_then(Node::boolean).unwrap_or(false);
    let policies = get("policies").map_or(&[][..], Node::entries);
    let mut names: Vec<&str> = policies.iter().map(|entry| entry.key.as_str()).collect();
    let words = ["none", "best", "optimal", "online"];
    let known = words.contains(&name)
        || names.iter().any(|policy| policy.eq_ignore_ascii_case(name))
        || (discover && is_discovered(name));
    if known {
        return warn_of_nothing(name, node, discover || !policies.is_empty(), report);
    }
    names.extend(words);
    let message = format!("the evaluation will have no policy `{name}` to apply");
    let help = match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None if is_discovered(name) => "add `discover: true`".to_owned(),
        None => "use `best`, `optimal`, `none`, or a name from its `policies`".to_owned(),
    };
    report.push(Diagnostic::error(message).at(&node.place).help(help));
}

/// The baselines are never applied, so without others the online policy is alone.
fn warn_of_nothing(name: &str, node: &Node, compares: bool, report: &mut Report) {
    if !compares && ["best", "optimal"].contains(&name) {
        let message = format!("`{name}` can only be the online policy: nothing else is compared");
        let diagnostic = Diagnostic::warning(message).at(&node.place);
        report.push(diagnostic.help("add `discover: true`, or `policies` to compare"));
    }
}

/// Nobody but the run changes the embedded loop.
fn check_pause(known: &Known, item: &Item<'_>, report: &mut Report) {
    let Some(until) = item.body.and_then(|body| body.get("until")) else {
        return;
    };
    let never = match until.text() {
        Some("policy_changes") => known.loop_is == Whose::TheRuns,
        Some("model_changes") => known.loop_is == Whose::TheRuns && !known.logged,
        _ => false,
    };
    if never {
        let message =
            format!("`{}` can never end: nobody else changes the embedded loop", item.name);
        let diagnostic = Diagnostic::error(message).at(&until.place);
        report.push(
            diagnostic.help(
                "use `evaluate`, `apply_policy` or `configure` for what an operator would do",
            ),
        );
    }
}
