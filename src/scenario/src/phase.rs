//! The phases of a scenario.

use std::time::Duration;

use super::arrival::arrival;
use super::document::{Entry, Node, Value, item_names};
use super::model::{Share, as_count, duration, share};
use super::plan::{
    Apply, AwaitedChange, Configure, Delay, Drift, Evaluate, Iterate, NamedPolicy, Pause, Phase,
    Settings, Step,
};
use super::policy;
use super::settings::{check_together, settings};
use super::target::{delay, positive};
use diagnostic::{Diagnostic, Place, Report};
use seed::PhaseKey;

const HOUR: Duration = Duration::from_secs(3600);
const POLL: Duration = Duration::from_secs(5);

/// How many policies the service compares in one evaluation.
const MOST_POLICIES: usize = 10;

/// A phase as it stands in the file.
pub(super) struct Item<'a> {
    /// The name, given or made.
    pub name: String,
    /// What is done.
    pub kind: &'a str,
    /// Where that is said.
    pub place: &'a Place,
    /// The rest.
    pub body: Option<&'a Node>,
}

/// The items of the file, with their names.
pub(super) fn items(scenario: &Node) -> Vec<Item<'_>> {
    let items = scenario.get("phases").map_or(&[][..], Node::items);
    let named = items.iter().zip(item_names(items));
    let made = named.filter_map(|(item, name)| {
        let (kind, place, body) = kind_of(item)?;
        Some(Item { name: name?, kind, place, body })
    });
    made.collect()
}

fn kind_of(item: &Node) -> Option<(&str, &Place, Option<&Node>)> {
    match &item.value {
        Value::Text(word) => Some((word, &item.place, None)),
        Value::Map(entries) => {
            entries.first().map(|Entry { key, place, value }| (key.as_str(), place, Some(value)))
        }
        _ => None,
    }
}

/// Reads the drift of a phase of so many iterations.
pub(super) type DriftOf<'a> = &'a mut dyn FnMut(&Node, u64, &mut Report) -> Option<Drift>;

/// The phases, as far as they can be understood.
pub(super) fn phases(
    scenario: &Node,
    items: &[Item<'_>],
    drift_of: DriftOf<'_>,
    report: &mut Report,
) -> Vec<Phase> {
    let interval = scenario.get("model_check").and_then(count_or_share);
    let interval = interval.unwrap_or(Share::Percent(10.0));
    let made = items.iter().filter_map(|item| {
        let step = step(item, interval, drift_of, report)?;
        Some(Phase { name: item.name.clone(), key: PhaseKey::new(&item.name), step })
    });
    made.collect()
}

fn step(
    item: &Item<'_>,
    interval: Share,
    drift_of: DriftOf<'_>,
    report: &mut Report,
) -> Option<Step> {
    match (item.kind, item.body) {
        ("iterate", Some(body)) => {
            let mut iterate = iterate(item, body, interval, report)?;
            let drift = body.get("drift");
            iterate.drift = drift.and_then(|node| drift_of(node, iterate.iterations, report));
            Some(Step::Iterate(iterate))
        }
        ("wait", Some(body)) => wait(body, report).map(Step::Wait),
        ("pause", Some(body)) => pause(body, report).map(Step::Pause),
        ("evaluate", body) => Some(Step::Evaluate(evaluate(body, report))),
        ("apply_policy", Some(body)) => apply_policy(item, body, report).map(Step::ApplyPolicy),
        ("configure", Some(body)) => Some(Step::Configure(configure(item, body, report))),
        ("reset", _) => Some(Step::Reset),
        _ => None,
    }
}

fn iterate(item: &Item<'_>, body: &Node, interval: Share, report: &mut Report) -> Option<Iterate> {
    let (arrival, iterations) = arrival(&item.name, item.place, body, report)?;
    let interval = body.get("model_check").and_then(count_or_share).unwrap_or(interval);
    let think_time = body.get("think_time").and_then(|node| delay(node, report));
    Some(Iterate {
        iterations,
        arrival,
        error_budget: body
            .get("error_budget")
            .and_then(count_or_share)
            .map(|share| share.of(iterations)),
        model_check_interval: interval.of(iterations),
        think_time: think_time.unwrap_or(Delay::Constant(Duration::ZERO)),
        drift: None,
    })
}

pub(super) fn count_or_share(node: &Node) -> Option<Share> {
    as_count(node).map(Share::Count).or_else(|| node.text().and_then(share))
}

fn wait(body: &Node, report: &mut Report) -> Option<Duration> {
    let node = body.get("for").unwrap_or(body);
    let time = duration(node.text()?)?;
    if time.is_zero() {
        report.push(Diagnostic::error("a wait of no time does nothing").at(&node.place));
    }
    Some(time)
}

fn pause(body: &Node, report: &mut Report) -> Option<Pause> {
    let text = |key: &str| body.get(key).and_then(Node::text);
    if let Some(prompt) = text("prompt") {
        return Some(Pause::Prompt(prompt.to_owned()));
    }
    let change = match text("until")? {
        "policy_changes" => AwaitedChange::Policy,
        "model_changes" => AwaitedChange::Model,
        _ => return None,
    };
    Some(Pause::Until {
        change,
        reminder: text("reminder").map(str::to_owned),
        poll: positive(body, "poll", POLL, report),
        timeout: positive(body, "timeout", HOUR, report),
    })
}

fn evaluate(body: Option<&Node>, report: &mut Report) -> Evaluate {
    let get = |key: &str| body.and_then(|body| body.get(key));
    let policies = get("policies").map_or_else(Vec::new, |node| policies(node, report));
    Evaluate {
        policies,
        discover: get("discover").and_then(Node::boolean).unwrap_or(false),
        apply: get("apply").and_then(Node::text).map_or(Apply::None, what_to_apply),
        timeout: body.map_or(HOUR, |body| positive(body, "timeout", HOUR, report)),
    }
}

fn what_to_apply(text: &str) -> Apply {
    match text {
        "none" => Apply::None,
        "best" => Apply::Best,
        "optimal" => Apply::Optimal,
        name => Apply::Named(name.to_owned()),
    }
}

fn policies(node: &Node, report: &mut Report) -> Vec<NamedPolicy> {
    if let Some(entry) = node.entries().get(MOST_POLICIES) {
        let message = format!("an evaluation compares at most {MOST_POLICIES} policies");
        report.push(Diagnostic::error(message).at(&entry.place));
    }
    let made = node.entries().iter().enumerate().filter_map(|(index, entry)| {
        check_policy_name(node, index, entry, report);
        let policy = policy::parse(&entry.value, report)?;
        Some(NamedPolicy { name: entry.key.clone(), policy })
    });
    made.collect()
}

/// The service matches names in any case, so they must differ in more than that.
fn check_policy_name(node: &Node, index: usize, entry: &Entry, report: &mut Report) {
    policy::check_name(&entry.key, |message| Diagnostic::error(message).at(&entry.place), report);
    let same = |other: &&Entry| other.key.eq_ignore_ascii_case(&entry.key);
    if let Some(earlier) = node.entries()[..index].iter().find(same) {
        let diagnostic = Diagnostic::error(format!("`{}` is there in another case", entry.key));
        report.push(diagnostic.at(&entry.place).context(&earlier.place, "first"));
    }
}

fn apply_policy(item: &Item<'_>, body: &Node, report: &mut Report) -> Option<NamedPolicy> {
    let name = body.get("name").and_then(Node::text).unwrap_or(&item.name).to_owned();
    let policy = policy::parse(body.get("arguments").unwrap_or(body), report)?;
    Some(NamedPolicy { name, policy })
}

fn configure(item: &Item<'_>, body: &Node, report: &mut Report) -> Configure {
    let change = settings(body, report);
    check_together(body, &change, report);
    let verify = body.get("verify").map(|verify| settings(verify, report)).unwrap_or_default();
    if change == Settings::default() && verify == Settings::default() {
        let diagnostic = Diagnostic::error("`configure` changes nothing and verifies nothing");
        report.push(
            diagnostic
                .at(item.place)
                .help("name the settings to change, for example `reward_wait_time: 5m`"),
        );
    }
    Configure { change, verify }
}
