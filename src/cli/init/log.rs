//! The text of a first scenario for a log of one's own.

use super::LOOP;
use super::own::quoted;

/// How the log is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// A model of its visitors.
    Twin,
    /// Each of its events once.
    Replay,
}

/// A first scenario of a log.
pub struct LogScenario {
    pub name: String,
    /// The log, as the scenario names it.
    pub log: String,
    pub columns: LogColumns,
    pub play: Play,
}

/// What the columns of a log say.
pub struct LogColumns {
    /// In one line, as `columns:` has it.
    text: String,
    /// The columns of the context by their names.
    context: Vec<String>,
    /// How many events there are.
    events: usize,
    /// What the log earned in the mean, if it is known.
    earned: Option<f64>,
}

/// Why the columns of a log are not understood, and what to do.
pub struct ColumnMistake {
    pub message: String,
    pub help: String,
}

/// What columns are often called, by what they say.
const OFTEN: [(&str, &[&str]); 5] = [
    ("action", &["action", "item", "item_id", "offer", "choice", "chosen", "arm", "article"]),
    ("reward", &["reward", "click", "clicked", "converted", "value", "label"]),
    ("probability", &["probability", "p", "prob", "propensity", "propensity_score", "pscore"]),
    ("time", &["time", "timestamp", "date"]),
    ("id", &["id", "event_id", "eventid"]),
];

/// What every log must say.
const NEEDED: usize = 3;

impl LogColumns {
    /// The columns as they are `written`, or as their names tell.
    pub fn of(
        header: &[String],
        rows: &[Vec<String>],
        written: Option<&str>,
    ) -> Result<Self, ColumnMistake> {
        if rows.is_empty() {
            return Err(ColumnMistake {
                message: "has no choices".to_owned(),
                help: "its first line must name the columns; each line after it is a choice"
                    .to_owned(),
            });
        }
        let found = match written {
            Some(written) => Self::written(written, header)?,
            None => Self::guessed(header)?,
        };
        let (text, context, reward) = found;
        let earned = reward.and_then(|reward| {
            let at = header.iter().position(|name| *name == reward)?;
            let values = rows.iter().map(|row| row.get(at)?.parse::<f64>().ok());
            mean(&values.collect::<Option<Vec<f64>>>()?)
        });
        Ok(Self { text, context, events: rows.len(), earned })
    }

    fn written(
        written: &str,
        header: &[String],
    ) -> Result<(String, Vec<String>, Option<String>), ColumnMistake> {
        let mut key = "";
        let (mut context, mut reward) = (Vec::new(), None);
        for part in written.split(',') {
            let (name, value) = part.split_once('=').unwrap_or((key, part));
            key = name;
            match name {
                "context" => {
                    let is_meant = |column: &&String| match value.split_once('*') {
                        Some((start, end)) => column.starts_with(start) && column.ends_with(end),
                        None => column.as_str() == value,
                    };
                    context.extend(header.iter().filter(is_meant).cloned());
                }
                "reward" => reward = Some(value.to_owned()),
                _ => {}
            }
        }
        if context.is_empty() {
            return Err(ColumnMistake {
                message: format!(
                    "has no column that `context` names in `{written}`: its columns are `{}`",
                    header.join("`, `")
                ),
                help: "name one at least: `--columns …,context=user_*`".to_owned(),
            });
        }
        Ok((written.to_owned(), context, reward))
    }

    fn guessed(header: &[String]) -> Result<(String, Vec<String>, Option<String>), ColumnMistake> {
        let called = |names: &[&str]| {
            let is_one = |column: &&String| names.contains(&column.to_lowercase().as_str());
            header.iter().find(is_one)
        };
        let found = OFTEN.map(|(says, names)| (says, called(names)));
        let lacks = found.iter().take(NEEDED).filter(|(_, column)| column.is_none());
        let lacks: Vec<&str> = lacks.map(|(says, _)| *says).collect();
        if !lacks.is_empty() {
            return Err(ColumnMistake {
                message: format!(
                    "has no column that is known to be the {}: its columns are `{}`",
                    lacks.join(" or the "),
                    header.join("`, `")
                ),
                help: "say what they are: `--columns action=item,reward=click,probability=p,\
                       context=user_*`"
                    .to_owned(),
            });
        }
        let is_context = |column: &&String| found.iter().all(|(_, other)| *other != Some(*column));
        let context: Vec<String> = header.iter().filter(is_context).cloned().collect();
        if context.is_empty() {
            return Err(ColumnMistake {
                message: "has no column of a context".to_owned(),
                help: "a policy needs to know who was shown something: add a column".to_owned(),
            });
        }
        let said = found.iter().filter_map(|(says, column)| Some(format!("{says}={}", (*column)?)));
        let said: Vec<String> = said.collect();
        let text = format!("{},context={}", said.join(","), context.join(","));
        Ok((text, context, found[1].1.cloned()))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a log has fewer than 2^53 events")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

impl LogScenario {
    /// The scenario, with comments.
    pub fn text(&self) -> String {
        let Self { name, log, columns, play } = self;
        let context: Vec<String> = columns.context.iter().map(|name| quoted(name)).collect();
        let (about, play, iterations) = match play {
            Play::Twin => (
                "# A model of the visitors, the twin, is fitted on one half of the log; the other half must be\n\
                 # given back by it.",
                "twin",
                10_000,
            ),
            Play::Replay => (
                "# Each event is shown once, in its order: where the policy makes the logged choice, it gets the\n\
                 # logged reward and learns. No twin gave this log back (`play: twin` says why).",
                "replay",
                columns.events,
            ),
        };
        let earned = columns.earned.map_or(String::new(), |earned| {
            format!("  # What was logged earned {earned:.4} a choice.\n  - learn.mean_reward > {earned:.4}\n")
        });
        let expect = if earned.is_empty() { earned } else { format!("\nexpect:\n{earned}") };
        format!(
            "\
# What would a learning policy earn with the visitors of a log?
# `runner check FILE` reads this file without sending anything; `runner guide worlds` explains logs.

version: 1
name: {name}
seed: 1

{about}
datasets:
  log: {log}
  columns: {columns}
  play: {play}

context: [{context}]

target: embedded

{LOOP}
phases:
  - reset
  - iterate: {{ name: learn, iterations: {iterations}, concurrency: 8, rate: 20/s }}
{expect}",
            columns = quoted(&columns.text),
            context = context.join(", "),
        )
    }
}
