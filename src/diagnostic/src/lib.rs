//! Mistakes in a text: positions, labels, help, rendering; nearest-name suggestions.
//!
//! A [`Diagnostic`] says what is wrong at a [`Place`] of a [`Source`]; a [`Report`]
//! collects them, so that everything that is wrong with a text can be said at once.
//!
//! Must not know: what is being diagnosed.

mod format;
mod message;
mod nearest;
mod render;
mod report;
mod source;
mod text;

pub use format::Format;
pub use message::{Diagnostic, Severity};
pub use nearest::nearest;
pub use report::Report;
pub use source::{Place, Source};
pub use text::{NotText, text_of};
