//! A row of `events.csv`: an iteration.
//!
//! Everything that a record says is in its row, but when the reward was sent: read
//! back, it is sent as soon as Rank is answered.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::cell::{Row, guard, unguard};
use super::manifest::Manifest;
use metrics::outcome_label;
use protocol::Digits;
use record::{
    FailureKind, IterationOutcome, IterationRecord, LoggedChoice, Loss, SlotRecord, Violation,
};

const BEFORE_CONTEXT: [&str; 3] = ["phase", "iteration", "event_id"];
const AFTER_CONTEXT: [&str; 12] = [
    "chosen",
    "probability",
    "preferred",
    "reward",
    "outcome",
    "due_us",
    "rank_start_us",
    "rank_latency_us",
    "reward_latency_us",
    "again",
    "regret",
    "exploration_cost",
];

/// What follows in the twin of a log.
const OF_TWIN: [&str; 5] = [
    "is_covered",
    "off_policy_residual",
    "off_policy_variance",
    "off_policy_weight",
    "off_policy_weight_squares",
];

/// What follows for each slot, after its name.
const OF_SLOT: [&str; 4] = ["chosen", "preferred", "reward", "regret"];

/// Which columns there are beside those of every run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    /// How many dimensions the context has.
    pub dimensions: usize,
    /// Whether the world is the twin of a log.
    pub is_twin: bool,
    /// How many slots the iterations of a phase have at most.
    pub slots: usize,
}

impl Columns {
    pub(super) fn of(manifest: &Manifest) -> Self {
        let Manifest { context, twin, slots, .. } = manifest;
        Self { dimensions: context.len(), is_twin: *twin, slots: slots.unwrap_or(0) }
    }

    fn of_twin(self) -> &'static [&'static str] {
        if self.is_twin { &OF_TWIN } else { &[] }
    }

    /// The columns that follow those of every run.
    fn more(self) -> impl Iterator<Item = String> {
        let of_slot = |number| OF_SLOT.map(|name| format!("slot_{number}_{name}"));
        let of_twin = self.of_twin().iter().map(ToString::to_string);
        of_twin.chain((1..=self.slots).flat_map(of_slot))
    }

    fn count(self) -> usize {
        let more = self.of_twin().len() + OF_SLOT.len() * self.slots;
        BEFORE_CONTEXT.len() + self.dimensions + AFTER_CONTEXT.len() + more
    }
}

/// The header. A dimension that is called like another column gets a prefix.
pub(super) fn header(dimensions: &[String], columns: Columns) -> Vec<String> {
    let own = [&BEFORE_CONTEXT[..], &AFTER_CONTEXT];
    let own = own.concat().into_iter().map(ToOwned::to_owned);
    let taken: HashSet<String> = own.chain(columns.more()).collect();
    let dimension = |name: &String| {
        if taken.contains(name) { format!("context_{name}") } else { guard(name) }
    };
    let before = BEFORE_CONTEXT.iter().map(ToString::to_string);
    let after = AFTER_CONTEXT.iter().map(ToString::to_string);
    before.chain(dimensions.iter().map(dimension)).chain(after).chain(columns.more()).collect()
}

/// What the cells of a column hold. Any but [`Self::Text`] may be empty.
#[cfg(feature = "parquet")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellType {
    Text,
    OptionalText,
    Integer,
    Float,
    Double,
    Boolean,
}

/// The types of the columns, in the order of [`header()`].
#[cfg(feature = "parquet")]
pub(super) fn types(columns: Columns) -> Vec<CellType> {
    use CellType::{Boolean, Double, Float, Integer, OptionalText, Text};
    let after = [
        OptionalText,
        Float,
        Text,
        Double,
        Text,
        Integer,
        Integer,
        Integer,
        Integer,
        Boolean,
        Double,
        Double,
    ];
    let of_twin: &[CellType] =
        if columns.is_twin { &[Boolean, Double, Double, Double, Double] } else { &[] };
    let dimensions = std::iter::repeat_n(Text, columns.dimensions);
    let of_slot = [OptionalText, OptionalText, Double, Double];
    [Text, Integer, Text]
        .into_iter()
        .chain(dimensions)
        .chain(after)
        .chain(of_twin.iter().copied())
        .chain(std::iter::repeat_n(of_slot, columns.slots).flatten())
        .collect()
}

/// Makes `row` that of a record.
pub(super) fn write(row: &mut Row, phase: &str, record: &IterationRecord, columns: Columns) {
    row.clear();
    row.text(phase);
    row.integer(record.iteration);
    row.text(record.event_id.text(&mut Digits::default()));
    record.context.iter().for_each(|value| row.text(value));
    row.text(record.chosen.as_deref().unwrap_or_default());
    row.number(record.probability);
    row.text(&record.preferred);
    row.number(record.reward);
    match &record.outcome {
        IterationOutcome::Completed => row.plain("completed"),
        outcome => row.plain(&outcome_label(outcome)),
    }
    row.time(Some(record.due));
    row.time(Some(record.rank_start));
    row.time(record.rank_latency);
    row.time(record.reward_latency);
    row.plain(if record.again { "true" } else { "" });
    row.number(record.loss.map(|loss| loss.regret));
    row.number(record.loss.and_then(|loss| loss.exploration));
    if columns.is_twin {
        let logged = record.logged;
        row.plain(match logged.map(|logged| logged.is_covered) {
            Some(true) => "true",
            Some(false) => "false",
            None => "",
        });
        row.number(logged.map(|logged| logged.residual));
        row.number(logged.map(|logged| logged.variance));
        row.number(logged.map(|logged| logged.weight));
        row.number(logged.map(|logged| logged.weight_squares));
    }
    let slots = record.slots.as_deref().unwrap_or_default();
    for number in 0..columns.slots {
        let slot = slots.get(number);
        row.text(slot.map_or("", |slot| &slot.chosen));
        row.text(slot.map_or("", |slot| &slot.preferred));
        row.number(slot.map(|slot| slot.reward));
        row.number(slot.map(|slot| slot.regret));
    }
}

/// The record of a row, the inverse of [`write()`].
///
/// # Errors
/// The column that cannot be read, and what it holds.
pub(super) fn record(
    row: &csv::StringRecord,
    columns: Columns,
    phase_index: impl Fn(&str) -> Option<usize>,
) -> Result<IterationRecord, String> {
    let expected = columns.count();
    if row.len() != expected {
        return Err(format!("{} cells instead of {expected}", row.len()));
    }
    let Columns { dimensions, is_twin, .. } = columns;
    let after = |column: usize| &row[BEFORE_CONTEXT.len() + dimensions + column];
    let context = row.iter().skip(BEFORE_CONTEXT.len()).take(dimensions);
    let rank_start = micros_cell("rank_start_us", after(6))?;
    let rank_latency = optional_cell("rank_latency_us", after(7))?.map(Duration::from_micros);
    let reward = optional_cell("reward", after(3))?;
    let reward_latency = optional_cell("reward_latency_us", after(8))?.map(Duration::from_micros);
    Ok(IterationRecord {
        phase: phase_index(unguard(&row[0])).ok_or_else(|| unreadable("phase", &row[0]))?,
        iteration: cell("iteration", &row[1])?,
        event_id: unguard(&row[2]).into(),
        context: context.map(|value| unguard(value).to_owned()).collect(),
        chosen: Some(after(0)).filter(|chosen| !chosen.is_empty()).map(|id| unguard(id).into()),
        probability: optional_cell("probability", after(1))?,
        preferred: Arc::from(unguard(after(2))),
        reward,
        loss: loss(after(10), after(11))?,
        outcome: outcome(after(4)).ok_or_else(|| unreadable("outcome", after(4)))?,
        due: micros_cell("due_us", after(5))?,
        rank_start,
        rank_latency,
        reward_start: reward_latency.map(|_| rank_start + rank_latency.unwrap_or_default()),
        reward_latency,
        again: optional_cell("again", after(9))?.unwrap_or(false),
        logged: if is_twin { logged(|column| after(AFTER_CONTEXT.len() + column))? } else { None },
        slots: slots(columns, |column| {
            after(AFTER_CONTEXT.len() + columns.of_twin().len() + column)
        })?,
    })
}

/// The slots of an iteration, those with a reward: a phase may have fewer than another.
fn slots<'a>(
    columns: Columns,
    cells: impl Fn(usize) -> &'a str,
) -> Result<Option<Box<[SlotRecord]>>, String> {
    let cells = |slot: usize, column: usize| cells(OF_SLOT.len() * slot + column);
    let filled = (0..columns.slots).take_while(|slot| !cells(*slot, 2).is_empty());
    let slot = |slot: usize| {
        let number = |column: usize| {
            cell(&format!("slot_{}_{}", slot + 1, OF_SLOT[column]), cells(slot, column))
        };
        Ok(SlotRecord {
            chosen: unguard(cells(slot, 0)).into(),
            preferred: unguard(cells(slot, 1)).into(),
            reward: number(2)?,
            regret: number(3)?,
        })
    };
    let slots = filled.map(slot).collect::<Result<Box<[_]>, String>>()?;
    Ok((!slots.is_empty()).then_some(slots))
}

fn logged<'a>(cells: impl Fn(usize) -> &'a str) -> Result<Option<LoggedChoice>, String> {
    let number = |column: usize| cell(OF_TWIN[column], cells(column));
    let Some(is_covered) = optional_cell(OF_TWIN[0], cells(0))? else { return Ok(None) };
    Ok(Some(LoggedChoice {
        is_covered,
        residual: number(1)?,
        variance: number(2)?,
        weight: number(3)?,
        weight_squares: number(4)?,
    }))
}

fn loss(regret: &str, exploration: &str) -> Result<Option<Loss>, String> {
    let exploration = optional_cell("exploration_cost", exploration)?;
    let regret = optional_cell("regret", regret)?;
    Ok(regret.map(|regret| Loss { regret, exploration }))
}

fn unreadable(column: &str, cell: &str) -> String {
    format!("`{cell}` in column `{column}`")
}

fn cell<T: std::str::FromStr>(column: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| unreadable(column, text))
}

fn optional_cell<T: std::str::FromStr>(column: &str, text: &str) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { cell(column, text).map(Some) }
}

fn micros_cell(column: &str, text: &str) -> Result<Duration, String> {
    cell(column, text).map(Duration::from_micros)
}

/// The inverse of [`outcome_label`].
fn outcome(label: &str) -> Option<IterationOutcome> {
    match label {
        "completed" => return Some(IterationOutcome::Completed),
        "dropped" => return Some(IterationOutcome::Dropped),
        "rejected" => return Some(IterationOutcome::Rejected),
        _ => {}
    }
    let (call, kind) = label.split_once('.')?;
    match call {
        "rank" => failure_kind(kind).map(IterationOutcome::RankFailed),
        "reward" => failure_kind(kind).map(IterationOutcome::RewardFailed),
        _ => None,
    }
}

/// The inverse of the `Display` of [`FailureKind`].
fn failure_kind(name: &str) -> Option<FailureKind> {
    let mut known = without_number();
    known
        .find(|kind| kind.to_string() == name)
        .or_else(|| name.strip_prefix("status_")?.parse().ok().map(FailureKind::Status))
}

fn without_number() -> impl Iterator<Item = FailureKind> {
    use FailureKind::{Connect, Policy, Refused, Resolve, Timeout, Tls, Transport};
    let violations = Violation::ALL.into_iter().map(FailureKind::Protocol);
    [Resolve, Connect, Tls, Timeout, Transport, Refused, Policy].into_iter().chain(violations)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-zA-Zäß ]{1,8}", "[=+@'\"\n,-]{1,4}[a-z]{0,3}", "-?[0-9]{1,4}"]
    }

    fn failure() -> impl Strategy<Value = FailureKind> {
        prop_oneof![
            prop::sample::select(without_number().collect::<Vec<_>>()),
            (100_u16..600).prop_map(FailureKind::Status),
        ]
    }

    fn outcomes() -> impl Strategy<Value = IterationOutcome> {
        prop_oneof![
            Just(IterationOutcome::Completed),
            failure().prop_map(IterationOutcome::RankFailed),
            failure().prop_map(IterationOutcome::RewardFailed),
            Just(IterationOutcome::Dropped),
            Just(IterationOutcome::Rejected),
        ]
    }

    fn micros_option() -> impl Strategy<Value = Option<Duration>> {
        prop::option::of((0_u64..1 << 40).prop_map(Duration::from_micros))
    }

    prop_compose! {
        fn records()(
            context in prop::collection::vec(text(), 3),
            texts in (text(), text(), prop::option::of(text())),
            probability in prop::option::of(0_f32..=1.0),
            reward in prop::option::of(-1e3_f64..1e3),
            outcome in outcomes(),
            times in (0_u64..1 << 40, 0_u64..1 << 40),
            latencies in (micros_option(), micros_option()),
            again in prop::bool::ANY,
            slots in prop::collection::vec((text(), text(), -9.0..9.0_f64, 0.0..9.0_f64), 0..4),
            logged in prop::option::of((prop::bool::ANY, [-9.0..9.0_f64, 0.0..9.0, 0.0..9.0, 0.0..9.0])),
            loss in prop::option::of((0_f64..2.0, prop::option::of(-2_f64..2.0))),
            iteration in 0_u64..1 << 40,
        ) -> IterationRecord {
            let (rank_start, rank_latency) = (Duration::from_micros(times.1), latencies.0);
            IterationRecord {
                phase: 1,
                iteration,
                event_id: texts.0.into(),
                context: context.into(),
                preferred: texts.1.into(),
                chosen: texts.2.map(Into::into),
                probability,
                reward,
                loss: loss.map(|(regret, exploration)| Loss { regret, exploration }),
                outcome,
                due: Duration::from_micros(times.0),
                rank_start,
                rank_latency,
                reward_start: latencies.1.map(|_| rank_start + rank_latency.unwrap_or_default()),
                reward_latency: latencies.1,
                again,
                logged: logged.map(|(is_covered, numbers)| LoggedChoice {
                    is_covered,
                    residual: numbers[0],
                    variance: numbers[1],
                    weight: numbers[2],
                    weight_squares: numbers[3],
                }),
                slots: (!slots.is_empty()).then(|| {
                    let slot = |(chosen, preferred, reward, regret): &(String, String, f64, f64)| {
                        SlotRecord {
                            chosen: chosen.as_str().into(),
                            preferred: preferred.as_str().into(),
                            reward: *reward,
                            regret: *regret,
                        }
                    };
                    slots.iter().map(slot).collect()
                }),
            }
        }
    }

    proptest! {
        /// Through the file and back, every bit of it.
        #[test]
        fn a_record_survives_its_row(original in records()) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let mut row = Row::default();
            let columns = Columns { dimensions: 3, is_twin: true, slots: 3 };
            write(&mut row, "=phase", &original, columns);
            writer.write_byte_record(row.cells()).unwrap();
            let bytes = writer.into_inner().unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*bytes);
            let read = reader.records().next().unwrap().unwrap();
            let index = |name: &str| (name == "=phase").then_some(1);
            prop_assert_eq!(record(&read, columns, index), Ok(original));
        }
    }

    #[test]
    fn the_header_is_as_promised() {
        let dimensions = ["name".to_owned(), "reward".to_owned()];
        let columns = Columns { dimensions: 2, is_twin: false, slots: 0 };
        assert_eq!(
            header(&dimensions, columns).join(","),
            "phase,iteration,event_id,name,context_reward,chosen,probability,preferred,reward,\
             outcome,due_us,rank_start_us,rank_latency_us,reward_latency_us,again,regret,\
             exploration_cost"
        );
        let dimensions = ["slot_1_reward".to_owned()];
        let columns = Columns { dimensions: 1, is_twin: true, slots: 1 };
        let header = header(&dimensions, columns);
        assert_eq!(header[3], "context_slot_1_reward");
        assert!(header.join(",").ends_with(
            "exploration_cost,is_covered,off_policy_residual,off_policy_variance,\
             off_policy_weight,off_policy_weight_squares,slot_1_chosen,slot_1_preferred,\
             slot_1_reward,slot_1_regret"
        ));
    }
}
