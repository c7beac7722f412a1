//! A baseline file: the metrics of runs, stored in git to be compared with later.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use serde::ser::{Error as _, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::sample::{Group, RunTrace, Sample};
use metrics::{Packed, PhaseState, PhaseTally, REGISTRY};
use results::ReadError;
use seed::Seed;

/// What was read from a baseline file.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline(File<Vec<SavedRun>>);

/// A baseline file. It holds the metrics of every run for people, and the inputs of every
/// metric for later comparisons. Equal runs give equal files. `R` is the type of a
/// policy's runs: a list in memory, or a sequence that is read from disk while the file is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct File<R> {
    /// What the file is: [`KIND`].
    kind: String,
    /// The version of its layout.
    format: u32,
    /// Where the runs come from.
    #[serde(flatten)]
    provenance: Provenance,
    /// The policies.
    policies: Vec<SavedPolicy<R>>,
}

/// The runs of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedPolicy<R> {
    /// Its name.
    name: String,
    /// SHA-256 of each part that decides what is sent, the seed left out.
    parts: BTreeMap<String, String>,
    /// Whether the latencies were measured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    measures_latency: bool,
    /// The runs, in the order of their seeds.
    runs: R,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedRun {
    /// Its seed.
    seed: Seed,
    /// Each metric that it has, as `phase.metric`, in the unit of the metric.
    metrics: BTreeMap<String, f64>,
    /// SHA-256 of the contexts and choices.
    trace: String,
    /// The phases: packed JSON of their states.
    state: Packed,
}

/// The origin of the runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of the program that made them.
    pub version: String,
    /// The name of the scenario.
    pub scenario: String,
    /// Their folder when they were saved.
    pub source: String,
    /// Why they were saved: `--note`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Runs to be saved. Only one of them is in memory as it is saved.
struct Unsaved<'a>(&'a [Sample]);

impl Serialize for Unsaved<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut runs = serializer.serialize_seq(Some(self.0.len()))?;
        for sample in self.0 {
            runs.serialize_element(&SavedRun::of(sample).map_err(S::Error::custom)?)?;
        }
        runs.end()
    }
}

/// The `kind` of a baseline file.
const KIND: &str = "runner baseline";

/// The version of its layout.
const FORMAT: u32 = 1;

/// Writes the baseline file of these runs.
///
/// # Errors
/// When the file of a cell cannot be read again, or `file` cannot be written to.
pub fn write_baseline(
    groups: &[Group],
    provenance: Provenance,
    file: impl Write,
) -> io::Result<()> {
    let saved = groups.iter().map(|group| SavedPolicy {
        name: group.name.clone(),
        parts: group.parts.clone(),
        measures_latency: group.measures_latency,
        runs: Unsaved(&group.samples),
    });
    let policies = saved.collect();
    let baseline = File { kind: KIND.to_owned(), format: FORMAT, provenance, policies };
    let mut file = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut file, &baseline)?;
    file.write_all(b"\n")?;
    file.flush()
}

impl Baseline {
    /// Reads the bytes of a baseline file.
    ///
    /// # Errors
    /// Why the bytes are not a baseline file.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice::<File<_>>(bytes) {
            Err(error) => Err(error.to_string()),
            Ok(found) if found.kind != KIND => Err(format!("its kind is `{}`", found.kind)),
            Ok(found) if found.format != FORMAT => {
                Err(format!("its format is {}, this program reads {FORMAT}", found.format))
            }
            Ok(baseline) => Ok(Self(baseline)),
        }
    }

    /// Where its runs come from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.0.provenance
    }

    /// The runs, to be compared.
    ///
    /// # Errors
    /// Which run is inconsistent.
    pub fn groups(&self) -> Result<Vec<Group>, String> {
        self.0.policies.iter().map(SavedPolicy::group).collect()
    }
}

impl SavedPolicy<Vec<SavedRun>> {
    fn group(&self) -> Result<Group, String> {
        let samples: Result<_, String> = self.runs.iter().map(SavedRun::sample).collect();
        Ok(Group {
            name: self.name.clone(),
            parts: self.parts.clone(),
            measures_latency: self.measures_latency,
            samples: samples?,
        })
    }
}

impl SavedRun {
    fn of(sample: &Sample) -> Result<Self, ReadError> {
        let whole = sample.whole_phases()?;
        let states: Option<Vec<PhaseState>> = whole.iter().map(PhaseTally::state).collect();
        let states = states.expect("whole phases have all of their iterations");
        Ok(Self {
            seed: sample.seed,
            metrics: sample.phases.iter().flat_map(metrics).collect(),
            trace: sample.trace.digest()?,
            state: Packed(serde_json::to_vec(&states).unwrap_or_default()),
        })
    }

    fn sample(&self) -> Result<Sample, String> {
        let failed = |error: &dyn std::fmt::Display| format!("seed {}: {error}", self.seed);
        let states: Vec<PhaseState> =
            serde_json::from_slice(&self.state.0).map_err(|error| failed(&error))?;
        let phases: Result<_, _> = states.into_iter().map(PhaseTally::restore).collect();
        Ok(Sample {
            seed: self.seed,
            phases: phases.map_err(|error| failed(&error))?,
            trace: RunTrace::Digest(self.trace.clone()),
        })
    }
}

/// Every metric that a phase has.
fn metrics(phase: &PhaseTally) -> impl Iterator<Item = (String, f64)> + '_ {
    let iterates = phase.iterations() > 0;
    REGISTRY.iter().filter(move |_| iterates).filter_map(|definition| {
        let value = phase.measure(definition.metric, None)?;
        Some((format!("{}.{}", phase.name(), definition.name), value))
    })
}

/// SHA-256 of some JSON, in hex digits.
pub(super) fn digest<T: Serialize>(value: &T) -> String {
    // Serialization to memory with string keys cannot fail.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        _ = write!(digits, "{byte:02x}");
        digits
    })
}
