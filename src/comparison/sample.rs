use crate::metrics::PhaseTally;
use crate::record::IterationRecord;
use crate::results::RunFolder;
use crate::results::experiment::{ExperimentResults, Trace, Tracer};
use crate::seed::Seed;

/// One learning run.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its seed. Runs of one seed see the same visitors.
    pub seed: Seed,
    /// What it came to.
    pub phases: Vec<PhaseTally>,
    /// What was chosen in it.
    pub trace: Trace,
}

/// Runs of one policy: they differ in their seeds only.
#[derive(Debug, Clone)]
pub struct Group {
    /// What it is called.
    pub name: String,
    /// The runs, in the order of their seeds.
    pub samples: Vec<Sample>,
}

impl Group {
    fn new(name: String, mut samples: Vec<Sample>) -> Self {
        samples.sort_by_key(|sample| sample.seed.0);
        Self { name, samples }
    }

    /// The run with this seed.
    #[must_use]
    pub fn sample(&self, seed: Seed) -> Option<&Sample> {
        self.samples.iter().find(|sample| sample.seed == seed)
    }
}

/// The groups of an experiment: one for each combination of the values of its axes.
#[must_use]
pub fn groups(experiment: &ExperimentResults) -> Vec<Group> {
    let manifest = &experiment.manifest;
    let group = |(index, variant): (usize, &crate::results::experiment::VariantEntry)| {
        let cells = experiment.cells.iter();
        let own = cells.filter(|cell| manifest.cells[cell.index].variant == index);
        let samples = own.map(|cell| Sample {
            seed: cell.record.seed,
            phases: cell.phases.clone(),
            trace: cell.record.trace.clone(),
        });
        let name =
            if manifest.axes.is_empty() { manifest.scenario.clone() } else { variant.name() };
        Group::new(name, samples.collect())
    };
    manifest.variants.iter().enumerate().map(group).collect()
}

/// The run of a folder, a group of one.
#[must_use]
pub fn of_run(name: String, run: &RunFolder) -> Group {
    let phases = run.manifest.scopes().map(|phase| phase.name.to_owned());
    let mut tracer = Tracer::new(phases);
    run.records.iter().for_each(|record: &IterationRecord| tracer.push(record));
    let sample = Sample {
        seed: run.manifest.seed,
        phases: run.summary().phases().to_vec(),
        trace: tracer.into_trace(),
    };
    Group::new(name, vec![sample])
}
