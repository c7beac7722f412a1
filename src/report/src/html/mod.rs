//! A report as one page: everything in it, nothing fetched.
//!
//! A [`Page`] is plain values; [`page_html`] gives the same bytes for the same values.
//! Text becomes HTML as an [`Element`](super::chart::Element), which escapes it.

mod differences;
mod page;
mod readout;

pub use differences::DifferenceRow;
pub use page::{Block, Cell, Page, STYLE, Section, Tone, live_page_html, page_html, page_parts};
pub use readout::Readout;
