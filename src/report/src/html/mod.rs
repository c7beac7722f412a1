//! A report as one page: everything in it, nothing fetched.
//!
//! A [`Page`] is plain values; [`page_html`] gives the same bytes for the same values.
//! Text becomes HTML as an [`Element`](super::chart::Element), which escapes it.

mod differences;
mod page;
mod readout;

pub use differences::DifferenceRow;
pub use page::{Block, Cell, Page, Section, Tone, page_html};
pub use readout::Readout;
