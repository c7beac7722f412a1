//! Logged choices in tables: CSV, JSON lines and Parquet, by what their columns say.
//!
//! [`Columns`] say which column holds what. A [`Table`] finds them in each file, knows the actions
//! (declared, of a catalogue, or collected in a first pass), and makes a reader of logged
//! choices of each file: rows become the events that DSJSON lines of the same content are.
//! Memory grows with the number of actions, not with that of rows.
//!
//! Must not know: estimators, where files are.

mod action_set;
mod alike;
mod candidate;
mod columns;
mod compressed;
mod layout;
mod log;
mod pattern;
mod quotes;
mod refused;
mod rows;
mod separator;
mod table;

pub use alike::alike;
pub use candidate::{Candidate, CandidateKind};
pub use columns::{ActionsColumn, Columns, Named};
pub use compressed::decompressed;
pub use log::TableLog;
pub use quotes::{OpenQuote, Quotes};
pub use refused::RefusedText;
#[cfg(feature = "parquet")]
pub use rows::ParquetFile;
pub use rows::{Input, texts};
pub use separator::separator;
pub use table::Table;
