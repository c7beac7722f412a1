use self::Count::{Last, Needed, Nowhere, Variable};
use self::Index::{From0, From1, Ranged};

/// An engine that starts many processes, and how it tells each which one it is.
#[derive(Debug, Clone, Copy)]
pub struct Engine {
    /// Its name.
    pub name: &'static str,
    /// The variable that says which process this is.
    pub index: Index,
    /// What says how many there are.
    pub count: Count,
}

/// Which process this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// The variable counts from 0.
    From0(&'static str),
    /// The variable counts from 1.
    From1(&'static str),
    /// The variable counts from where, and in the steps that, two others say.
    Ranged {
        /// The variable.
        index: &'static str,
        /// The variable with its first value.
        first: &'static str,
        /// The variable with the step from one value to the next.
        step: &'static str,
    },
}

/// How many processes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// A variable says so.
    Variable(&'static str),
    /// A variable says so; where it is missing, the index means nothing.
    Needed(&'static str),
    /// A variable has the last value of the index.
    Last(&'static str),
    /// The engine does not say.
    Nowhere,
}

impl Index {
    /// The name of the variable.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::From0(index) | Self::From1(index) | Self::Ranged { index, .. } => index,
        }
    }

    /// From where it counts, in a word or two.
    #[must_use]
    pub fn base(self) -> &'static str {
        match self {
            Self::From0(_) => "0",
            Self::From1(_) => "1",
            Self::Ranged { first, .. } => first,
        }
    }
}

impl Count {
    /// The name of the variable, if there is one.
    #[must_use]
    pub fn variable(self) -> Option<&'static str> {
        match self {
            Self::Variable(name) | Self::Needed(name) | Self::Last(name) => Some(name),
            Self::Nowhere => None,
        }
    }
}

const fn engine(name: &'static str, index: Index, count: Count) -> Engine {
    Engine { name, index, count }
}

/// The engines that are known.
pub const ENGINES: [Engine; 15] = [
    engine(
        "Slurm array",
        Ranged {
            index: "SLURM_ARRAY_TASK_ID",
            first: "SLURM_ARRAY_TASK_MIN",
            step: "SLURM_ARRAY_TASK_STEP",
        },
        Variable("SLURM_ARRAY_TASK_COUNT"),
    ),
    // Every script of Slurm is process 0 of something, those of an array among them.
    engine("Slurm tasks (`srun -n`)", From0("SLURM_PROCID"), Needed("SLURM_NTASKS")),
    engine("Kubernetes Indexed Job", From0("JOB_COMPLETION_INDEX"), Nowhere),
    engine("AWS Batch", From0("AWS_BATCH_JOB_ARRAY_INDEX"), Variable("AWS_BATCH_JOB_ARRAY_SIZE")),
    engine("Google Batch", From0("BATCH_TASK_INDEX"), Variable("BATCH_TASK_COUNT")),
    engine("Google Cloud Run", From0("CLOUD_RUN_TASK_INDEX"), Variable("CLOUD_RUN_TASK_COUNT")),
    engine("Nomad", From0("NOMAD_ALLOC_INDEX"), Nowhere),
    engine("PBS array from 1", From1("PBS_ARRAY_INDEX"), Nowhere),
    engine(
        "Grid Engine",
        Ranged { index: "SGE_TASK_ID", first: "SGE_TASK_FIRST", step: "SGE_TASK_STEPSIZE" },
        Last("SGE_TASK_LAST"),
    ),
    engine("LSF array from 1", From1("LSB_JOBINDEX"), Last("LSB_JOBINDEX_END")),
    engine(
        "GitHub matrix, passed on in `env`",
        From0("STRATEGY_JOB_INDEX"),
        Variable("STRATEGY_JOB_TOTAL"),
    ),
    engine("GitLab `parallel`", From1("CI_NODE_INDEX"), Variable("CI_NODE_TOTAL")),
    engine("CircleCI", From0("CIRCLE_NODE_INDEX"), Variable("CIRCLE_NODE_TOTAL")),
    engine("Buildkite", From0("BUILDKITE_PARALLEL_JOB"), Variable("BUILDKITE_PARALLEL_JOB_COUNT")),
    engine("GNU parallel", From1("PARALLEL_SEQ"), Nowhere),
];
