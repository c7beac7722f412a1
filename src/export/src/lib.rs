//! Results for other programs: one long table, in CSV or Parquet, and an MLflow file store.
//!
//! A row of the table is an [`Observation`]: one metric of one run, over a whole phase or over
//! one window of its iterations. Metrics and units are those of expectations; latencies are in
//! microseconds.
//!
//! Must not know: the engine, the target, cli.

mod csv;
mod mlflow;
mod observations;
#[cfg(feature = "parquet")]
mod parquet;

pub use self::csv::write_csv;
pub use self::mlflow::{Experiment, MlflowError, write_mlflow};
pub use self::observations::{Observation, Scope, observations};
#[cfg(feature = "parquet")]
pub use self::parquet::write_parquet;

/// The columns of the table, in their order.
pub const COLUMNS: [&str; 8] =
    ["policy", "seed", "phase", "scope", "first_iteration", "last_iteration", "metric", "value"];
