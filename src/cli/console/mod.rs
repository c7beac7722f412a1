//! What a person sees of a run: progress on stderr, the summary at the end.
//!
//! Texts carry their colours; the streams remove them where they are not wanted
//! (`NO_COLOR`, no terminal).

mod eta;
mod format;
mod paint;
mod progress;
mod running;
mod screen;
mod summary;
mod table;
mod words;

pub use format::{count, micros, name, span};
pub use paint::Paint;
pub use progress::Console;
pub use running::plural;
pub use screen::Screen;
pub use summary::{Models, RunReport, summary};
pub use table::{Cell, Side, Table};
