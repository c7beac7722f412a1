//! The whole file.

use std::time::Duration;

use serde_json::Value as Json;

use super::datasets::{ContextDimension, Datasets, RewardFile, context, datasets, reward};
use super::gate::{GateFile, gate_list};
use super::hint;
use super::matrix::MatrixFile;
use super::notation::{DURATION, IDENTIFIER, share};
use super::phase::{PhaseItem, Phases};
use super::settings::{LoopFile, learning_loop};
use super::tags::tags;
use super::target::{Target, target};
use crate::format::{
    BOOLEAN, Either, Form, Placed, Read, Reading, Share, Spot, TEXT, count, each_of, either,
    flatten, integer, list_of, number, object, optional, or, or_empty, part, required, word,
};
use diagnostic::Diagnostic;
use metrics::Tags;
use plan::{ClockKind, OutputForm, Outputs};

keyed! {
    /// Something that must hold, and whether the run ends when it fails beyond doubt.
    pub(crate) struct ExpectFile marked "that" {
        /// What must hold: a share or a quantile of a whole phase, if the run is to end early.
        that: Placed<String> = required(TEXT.at()),
        /// Whether the run ends when it fails beyond doubt: a run that keeps to it ends early with
        /// a probability of 1 in 1,000, however long it lasts. Cells of a matrix and shards are
        /// not ended.
        abort: bool = or(BOOLEAN, "false"),
        /// So long after its phase began it is not looked at.
        after: Option<Placed<Duration>> = optional(DURATION.at()),
    }
}

fn expectation() -> Either<ExpectFile> {
    let plain = |that: Placed<String>| ExpectFile { that, abort: false, after: None };
    either([TEXT.at().map(plain).boxed(), object().boxed()])
}

keyed! {
    /// A scenario: who visits, what is offered, what is called, and what is done, step by step.
    pub(crate) struct ScenarioFile {
        /// The version of this format: 1.
        _version as "version": Read<i64> = part(required(integer(1, 1))),
        /// The name of the scenario; it names the results folder.
        name: Read<String> = part(required(IDENTIFIER)),
        /// What the scenario is about; shown in the summary.
        description: Read<Option<String>> = part(optional(TEXT)),
        /// What is compared.
        comparison: Comparison = flatten(),
        /// Who turns up and what is offered: files, a classification table, or a world that is
        /// generated.
        datasets: Read<Datasets> = part(required(datasets())),
        /// The names of the context dimensions, the outermost of a nested data set first. A name
        /// with dots makes nested namespaces.
        context: Read<Vec<ContextDimension>> = part(required(context())),
        /// How a choice becomes a reward: a map, or a formula such as `{{ clicked * price }}`.
        reward: Read<RewardFile> = part(or_empty(reward())),
        /// What is called: the learning loop inside, `embedded` or `served` over HTTP, or a
        /// service by its `url`.
        target: Read<Placed<Target>> = part(or(target().at(), "\"embedded\"")),
        /// Whose time passes. Virtual with the embedded target and wall with a service, if it is
        /// not said.
        clock: Read<Option<Placed<ClockKind>>> = part(optional(word(&[
            (
                "virtual",
                ClockKind::Virtual,
                "Simulated time, as fast as the machine can. Embedded target only.",
            ),
            ("wall", ClockKind::Wall, "The machine's time."),
        ]).at())),
        /// The settings the embedded loop starts with. Those of a new service, if it is not said.
        learning_loop as "loop": Read<Placed<LoopFile>> = part(or_empty(learning_loop().at())),
        /// How the success curve is drawn.
        success_curve: Read<SuccessCurve> = part(or_empty(object())),
        /// What the results folder holds, and in which form.
        outputs: Read<OutputsFile> = part(or_empty(object())),
        /// After how many iterations of a phase the model's age is asked for: a count, or a share
        /// of the phase's iterations.
        model_check: Read<Share> = part(or(share(), "\"10%\"")),
        /// What the numbers of every phase are tagged with, such as `{ build: 1.2 }`.
        tags: Read<Option<Tags>> = part(optional(tags())),
        /// What is done, one after the other.
        phases: Read<Vec<PhaseItem>> = part(required(Phases)),
        /// What must hold at the end, for example `validation.success_rate >= 0.80`; or
        /// `{ that: load.error_rate < 5%, abort: true, after: 30s }`, which ends the run early.
        expect: Read<Option<Vec<ExpectFile>>> = part(optional(each_of(expectation(), 0))),
    }
}

keyed! {
    /// What makes one scenario many runs.
    pub(crate) struct Comparison {
        /// The seed of every draw of the run.
        seed: Read<u64> = part(or(count(0, u64::MAX).or_hint(hint::seed), "42")),
        /// Runs the scenario once for each combination of learning policy, seed and other values,
        /// to compare them.
        matrix: Read<Option<Placed<MatrixFile>>> = part(optional(object().at())),
        /// What policies of the matrix must show against each other.
        gates: Read<Option<Placed<Vec<GateFile>>>> = part(optional(gate_list().at())),
    }
}

keyed! {
    /// How the success curve is drawn.
    pub(crate) struct SuccessCurve {
        /// How many iterations make one point.
        batch: u64 = or(count(1, 1_000_000), "10"),
    }
}

/// So many percentiles fit a line.
const MOST_PERCENTILES: usize = 8;

fn percentiles(
    percentiles: Vec<Placed<f64>>,
    spot: Spot<'_>,
    reading: &mut Reading<'_>,
) -> Option<Vec<f64>> {
    let before = reading.report.errors();
    if percentiles.len() > MOST_PERCENTILES {
        let message = format!("`percentiles` lists more than {MOST_PERCENTILES}");
        reading.report.push(Diagnostic::error(message).at(&spot.node.place));
    }
    for pair in percentiles.windows(2).filter(|pair| pair[1].value <= pair[0].value) {
        let message = format!("{} does not come after {}", pair[1].value, pair[0].value);
        let help = "list each percentile once, the smallest first";
        reading.report.push(Diagnostic::error(message).at(&pair[1].place).help(help));
    }
    let is_sound = reading.report.errors() == before;
    is_sound.then(|| percentiles.into_iter().map(|percentile| percentile.value).collect())
}

keyed! {
    /// What the results folder holds, and in which form. What is sent does not depend on it.
    pub(crate) struct OutputsFile {
        /// The iterations, a row each. Without them the run cannot be resumed over HTTP, merged,
        /// compared or drawn again.
        events: OutputForm = or(word(&[
            ("none", OutputForm::None, "No file."),
            ("csv", OutputForm::Plain, "`events.csv`."),
            ("csv.zst", OutputForm::Zstd, "`events.csv.zst`, compressed with Zstandard."),
            ("parquet", OutputForm::Parquet, "`events.parquet`, when the run is complete."),
        ]), "\"csv\""),
        /// What an embedded loop has joined, as `runner evaluate` reads it.
        log: OutputForm = or(word(&[
            ("none", OutputForm::None, "No file."),
            ("dsjson", OutputForm::Plain, "`log.dsjson`."),
            ("dsjson.zst", OutputForm::Zstd, "`log.dsjson.zst`, compressed with Zstandard."),
        ]), "\"dsjson\""),
        /// The percentiles of latencies that the summary and the report show beside the maximum,
        /// such as `[50, 75, 99.95]`. 50, 90 and 99, if it is not said.
        percentiles: Option<Vec<f64>> =
            optional(list_of(number(0.0, 100.0).at(), 1).and_then(percentiles)),
    }
}

impl OutputsFile {
    /// The same for the plan.
    pub(crate) fn plan(&self) -> Outputs {
        let percentiles = self.percentiles.clone().unwrap_or_default();
        Outputs { events: self.events, log: self.log, percentiles }
    }
}

/// The JSON Schema (draft-07) of a scenario file. It accepts what the program accepts, as far
/// as a schema can see it: it knows no files, no policies and no expectations.
#[must_use]
pub fn schema() -> Json {
    let mut schema = object::<ScenarioFile>().schema();
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "runner scenario".into();
    schema
}
