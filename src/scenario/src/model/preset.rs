//! Presets: the calls of known services.
//!
//! The calls of a service stand in a file of `presets`, with the keys of a target. What the
//! scenario says beside a preset wins, key by key.

use crate::document::{Node, Value, yaml};
use crate::format::{
    Form, NOTHING, Notation, Owner, Reading, Tagged, by_default, described_by, no_hint, object, or,
    required, tagged, variant, variant_or_word, word,
};
use diagnostic::{Place, Report, Source};

/// The shapes of the calls of a service.
#[derive(Debug, Clone)]
pub(crate) enum Preset {
    /// The Personalizer REST contract.
    Personalizer,
    /// A service whose calls are described.
    Described(Described),
}

/// The calls of a service, in YAML.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    text: &'static str,
    /// What stands for `<NAME>`.
    options: Vec<(&'static str, String)>,
}

/// A name that can stand in a text, a path and a query as it is.
const NAME: Notation<String> = Notation {
    what: "a name of letters, digits, `-`, `_` and `.`",
    pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
    parse: |text| is_name(text).then(|| text.to_owned()),
    hint: no_hint,
};

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(is_part)
}

keyed! {
    /// BanditDB.
    struct BanditDb {
        /// The id of the campaign, which is created before the run and deleted after it.
        campaign: String = or(NAME, "\"runner\""),
        /// The algorithm of the campaign.
        algorithm: &'static str = or(word(&[
            ("linucb", "linucb", "LinUCB."),
            ("thompson_sampling", "thompson_sampling", "Linear Thompson sampling."),
        ]), "\"linucb\""),
    }
}

keyed! {
    /// Optimizely Agent.
    struct Optimizely {
        /// The key of the flag whose variations are the actions.
        flag: String = required(NAME),
        /// The key of the event that reports a reward.
        event: String = or(NAME, "\"reward\""),
    }
}

keyed! {
    /// Statsig's HTTP API.
    struct Statsig {
        /// The name of the experiment or autotune.
        config: String = required(NAME),
        /// Its parameter whose values are the ids of the actions.
        parameter: String = or(NAME, "\"item\""),
        /// The name of the event that reports a reward.
        event: String = or(NAME, "\"reward\""),
    }
}

/// A preset by its name, or with its options.
pub(super) fn preset() -> Tagged<Preset> {
    tagged([
        variant_or_word(
            "personalizer",
            "The Personalizer REST contract: the default, where there is no `rank`.",
            NOTHING.map(|()| Preset::Personalizer),
            || Preset::Personalizer,
        ),
        variant_or_word(
            "banditdb",
            "BanditDB 2.0.0; run against the real thing.",
            object().map(banditdb),
            || banditdb(by_default()),
        ),
        variant(
            "optimizely",
            "Optimizely Agent; from documentation (\"Use Optimizely Agent\", Feature \
             Experimentation).",
            object().map(|Optimizely { flag, event }| {
                let options = vec![("flag", flag), ("event", event)];
                described(include_str!("../presets/optimizely.yaml"), options)
            }),
        ),
        variant(
            "statsig",
            "Statsig's HTTP API; from documentation (\"HTTP API\", docs.statsig.com).",
            object().map(|Statsig { config, parameter, event }| {
                let options = vec![("config", config), ("parameter", parameter), ("event", event)];
                described(include_str!("../presets/statsig.yaml"), options)
            }),
        ),
    ])
}

fn banditdb(BanditDb { campaign, algorithm }: BanditDb) -> Preset {
    let options = vec![("campaign", campaign), ("algorithm", algorithm.to_owned())];
    described(include_str!("../presets/banditdb.yaml"), options)
}

fn described(text: &'static str, options: Vec<(&'static str, String)>) -> Preset {
    Preset::Described(Described { text, options })
}

impl Described {
    /// The target, as it would stand in a scenario. Mistakes in it are shown at `place`.
    fn target(&self, place: &Place) -> Node {
        let filled = self.options.iter().fold(self.text.to_owned(), |text, (name, value)| {
            text.replace(&format!("<{name}>"), value)
        });
        let mut report = Report::new();
        let node = yaml::read(&Source::new("preset", filled), &mut report);
        let mut node = node.expect("presets are YAML");
        put(&mut node, place);
        node
    }
}

/// Puts a tree at a place.
fn put(node: &mut Node, place: &Place) {
    node.place = place.clone();
    match &mut node.value {
        Value::Map(entries) => {
            for entry in entries {
                entry.place = place.clone();
                put(&mut entry.value, place);
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| put(item, place)),
        _ => {}
    }
}

/// A target, completed by its preset.
pub(super) struct Completed<F>(pub F);

impl<F: Form> Form for Completed<F> {
    type Value = F::Value;

    fn read(&self, node: &Node, owner: Owner<'_>, reading: &mut Reading<'_>) -> Option<F::Value> {
        match completed(node) {
            Some(node) => self.0.read(&node, owner, reading),
            None => self.0.read(node, owner, reading),
        }
    }

    described_by!(0);
}

/// The target with the keys of its preset that it does not have; none, if nothing is added. A
/// preset that cannot be read is reported where the target is read.
fn completed(target: &Node) -> Option<Node> {
    let preset_of = target.get("preset")?;
    let mut report = Report::new();
    let preset = Reading::new(&mut report, None).document(&preset(), preset_of, "preset")?;
    let Preset::Described(described) = preset else { return None };
    Some(target.completed(&described.target(&preset_of.place)))
}
