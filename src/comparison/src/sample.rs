use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::baseline;
use metrics::{Agreement, Measured, PhaseScope, PhaseTally, Term};
use results::experiment::{ExperimentResults, StoredCell, Trace, Tracer, VariantEntry};
use results::{ReadError, RunFolder};
use seed::Seed;

/// One learning run.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its seed. Runs of one seed see the same visitors.
    pub seed: Seed,
    /// Its phases; those of a stored cell are reduced.
    pub phases: Arc<[PhaseTally]>,
    /// The contexts and choices.
    pub trace: RunTrace,
}

/// A metric of each run of a group.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    /// By the seed of the run.
    pub by_seed: Vec<(Seed, f64)>,
    /// How many of them are lower bounds: the event did not occur within the phase.
    pub censored: u64,
    /// Why runs could not be measured.
    pub missing: Vec<String>,
}

/// The contexts and choices of a run, or their digest.
#[derive(Debug, Clone)]
pub enum RunTrace {
    /// The whole trace.
    Trace(Arc<Trace>),
    /// In the file of a cell.
    Stored(Arc<Stored>),
    /// Its SHA-256, which a baseline file stores.
    Digest(String),
}

/// A cell that is on disk.
#[derive(Debug)]
pub struct Stored {
    cell: StoredCell,
    /// Terms for which its file was read again.
    observed: Mutex<BTreeMap<String, Result<Measured, String>>>,
}

impl Stored {
    /// Whether the contexts and the choices of this cell equal those of the other, event by event.
    pub(super) fn has_trace_of(&self, other: &Self) -> bool {
        self.cell.has_trace_of(&other.cell)
    }
}

impl RunTrace {
    /// SHA-256 of the trace.
    pub(super) fn digest(&self) -> Result<String, ReadError> {
        Ok(match self {
            Self::Trace(trace) => baseline::digest(trace),
            Self::Stored(stored) => baseline::digest(&stored.cell.read()?.1),
            Self::Digest(digest) => digest.clone(),
        })
    }

    /// The whole trace; `None` if only its digest is known.
    pub(super) fn whole(&self) -> Result<Option<Arc<Trace>>, ReadError> {
        Ok(match self {
            Self::Trace(trace) => Some(Arc::clone(trace)),
            Self::Stored(stored) => Some(Arc::new(stored.cell.read()?.1)),
            Self::Digest(_) => None,
        })
    }
}

impl Sample {
    /// A metric of the run. Where the run is a cell on disk, and only its file knows the metric,
    /// it is read again.
    ///
    /// # Errors
    /// Why there is nothing to measure.
    pub fn observe(&self, term: &Term) -> Result<Measured, String> {
        let RunTrace::Stored(stored) = &self.trace else { return term.observe(&self.phases) };
        if term.is_known_of(&self.phases) {
            return term.observe(&self.phases);
        }
        let observe = || {
            let (phases, _) = stored.cell.read().map_err(|error| error.to_string())?;
            term.observe(&phases)
        };
        let mut observed = stored.observed.lock().unwrap_or_else(PoisonError::into_inner);
        observed.entry(term.text().to_owned()).or_insert_with(observe).clone()
    }

    /// The same; what was not reached has no value.
    ///
    /// # Errors
    /// Why there is nothing to measure.
    pub fn measure(&self, term: &Term) -> Result<f64, String> {
        term.reached(self.observe(term)?)
    }

    /// Its phases, with every iteration.
    ///
    /// # Errors
    /// When the file of a cell cannot be read again.
    pub fn whole_phases(&self) -> Result<Arc<[PhaseTally]>, ReadError> {
        match &self.trace {
            RunTrace::Stored(stored) => Ok(stored.cell.read()?.0.into()),
            RunTrace::Trace(_) | RunTrace::Digest(_) => Ok(Arc::clone(&self.phases)),
        }
    }
}

/// Runs of one policy: they differ in their seeds only.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// SHA-256 of each part that decides what is sent, the seed left out, by a name for
    /// people.
    pub parts: BTreeMap<String, String>,
    /// Whether the latencies were measured; otherwise they are those of the scenario.
    pub measures_latency: bool,
    /// The runs, in the order of their seeds.
    pub samples: Vec<Sample>,
}

/// Why runs are not of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinError {
    /// They differ in these parts of their plans.
    Parts(Vec<String>),
    /// There are two runs with this seed.
    Seed(Seed),
}

/// The part of a plan that is different in every run of a group.
const SEED: &str = "the seed";

impl Group {
    fn new(
        name: String,
        parts: &BTreeMap<String, String>,
        measures_latency: bool,
        mut samples: Vec<Sample>,
    ) -> Self {
        samples.sort_by_key(|sample| sample.seed.0);
        let mut parts = parts.clone();
        parts.remove(SEED);
        Self { name, parts, measures_latency, samples }
    }

    /// Adds the runs of another group to this one.
    ///
    /// # Errors
    /// When they differ in more than their seeds, or not in their seeds.
    pub fn join(&mut self, other: Self) -> Result<(), JoinError> {
        let parts = self.differing_parts(&other);
        if !parts.is_empty() {
            return Err(JoinError::Parts(parts));
        }
        if let Some(same) = other.samples.iter().find(|run| self.sample(run.seed).is_some()) {
            return Err(JoinError::Seed(same.seed));
        }
        self.samples.extend(other.samples);
        self.samples.sort_by_key(|sample| sample.seed.0);
        Ok(())
    }

    /// The run with this seed.
    #[must_use]
    pub fn sample(&self, seed: Seed) -> Option<&Sample> {
        self.samples.iter().find(|sample| sample.seed == seed)
    }

    /// The group with its first `count` runs.
    pub(super) fn first_runs(&self, count: u64) -> Self {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let samples = self.samples.iter().take(count).cloned().collect();
        Self { samples, ..self.clone() }
    }

    /// The names of the parts in which two groups differ.
    #[must_use]
    pub fn differing_parts(&self, other: &Self) -> Vec<String> {
        let names = self.parts.keys().chain(other.parts.keys());
        let different = names.filter(|name| self.parts.get(*name) != other.parts.get(*name));
        let mut different: Vec<String> = different.cloned().collect();
        different.sort();
        different.dedup();
        different
    }

    /// What the log says of the rewards of a phase, where the world is its twin.
    #[must_use]
    pub fn agreement(&self, phase: &str) -> Option<Agreement> {
        let runs = self.phases(phase).filter_map(PhaseTally::agreement);
        Agreement::pooled(&runs.collect::<Vec<_>>())
    }

    /// For a group that plays a log: one sentence a phase on extrapolation and on agreement with the log.
    #[must_use]
    pub fn log_notes(&self) -> Vec<String> {
        let note = |scope: PhaseScope<'_>| {
            if let Some(agreement) = self.agreement(scope.name) {
                return Some(format!(
                    "{}, phase `{}`: {}",
                    self.name,
                    scope.name,
                    agreement.words()
                ));
            }
            let runs = self.phases(scope.name).filter(|phase| phase.rejected() > 0);
            let used: Vec<u64> = runs.map(|phase| phase.iterations() - phase.rejected()).collect();
            let (least, most) = (used.iter().min()?, used.iter().max()?);
            Some(format!(
                "{}, phase `{}` used {least} to {most} of {} logged events",
                self.name,
                scope.name,
                scope.iterations.unwrap_or_default()
            ))
        };
        self.scopes().into_iter().filter_map(note).collect()
    }

    /// The phase of this name in each run.
    fn phases(&self, name: &str) -> impl Iterator<Item = &PhaseTally> {
        let phases = self.samples.iter().flat_map(|sample| sample.phases.iter());
        phases.filter(move |phase| phase.name() == name)
    }

    /// The phases that metrics may name.
    #[must_use]
    pub fn scopes(&self) -> Vec<PhaseScope<'_>> {
        let phases = self.samples.first().map_or(&[][..], |sample| &sample.phases);
        phases.iter().map(PhaseTally::scope).collect()
    }

    /// The metric of each run that has it.
    pub(super) fn values(&self, term: &Term) -> Values {
        let mut values = Values::default();
        for sample @ Sample { seed, .. } in &self.samples {
            match sample.observe(term) {
                Ok(Measured::Value(value)) => values.by_seed.push((*seed, value)),
                // The restricted mean, E min(τ, T): a run that is left out would have been
                // one of the slowest.
                Ok(Measured::MoreThan(iterations)) => {
                    values.by_seed.push((*seed, iterations));
                    values.censored += 1;
                }
                Err(reason) => values.missing.push(format!("seed {seed}: {reason}")),
            }
        }
        values
    }
}

/// The groups of an experiment: one for each combination of the values of its axes.
#[must_use]
pub fn groups(experiment: &ExperimentResults) -> Vec<Group> {
    let manifest = &experiment.manifest;
    let group = |(index, variant): (usize, &VariantEntry)| {
        let cells = experiment.cells.iter();
        let own = cells.filter(|cell| manifest.cells[cell.index].variant == index);
        let samples = own.map(|cell| Sample {
            seed: cell.seed,
            phases: Arc::clone(&cell.phases),
            trace: RunTrace::Stored(Arc::new(Stored {
                cell: cell.stored.clone(),
                observed: Mutex::default(),
            })),
        });
        let alone = manifest.axes.is_empty();
        let name = if alone { manifest.scenario.clone() } else { variant.name() };
        let is_live = manifest.order.is_some() && !variant.is_simulated;
        Group::new(name, &variant.plan_parts, is_live, samples.collect())
    };
    manifest.variants.iter().enumerate().map(group).collect()
}

/// A run that has not ended, as a group of one sample. Its phases are known; its choices are not.
#[must_use]
pub fn under_way(name: String, seed: Seed, phases: &[PhaseTally]) -> Group {
    let trace = RunTrace::Digest(String::new());
    let sample = Sample { seed, phases: phases.into(), trace };
    Group::new(name, &BTreeMap::new(), false, vec![sample])
}

/// The run of a folder as a group of one.
#[must_use]
pub fn of_run(run: &RunFolder) -> Group {
    let phases = run.manifest.scopes().map(|phase| phase.name.to_owned());
    let mut tracer = Tracer::new(phases);
    run.records.iter().for_each(|record| tracer.push(record));
    let sample = Sample {
        seed: run.manifest.seed,
        phases: run.summary().phases().into(),
        trace: RunTrace::Trace(Arc::new(tracer.into_trace())),
    };
    let measures_latency = !run.manifest.latencies.simulated;
    let name = run.manifest.scenario.clone();
    Group::new(name, &run.manifest.plan_parts, measures_latency, vec![sample])
}
