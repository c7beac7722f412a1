//! What a person sees of a run: progress on stderr, the summary at the end.

mod format;
mod progress;
mod summary;
mod table;

pub use progress::Console;
pub use summary::{Account, summary};
