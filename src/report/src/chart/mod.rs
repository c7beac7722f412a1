//! The kit that pictures are made of: elements, scales, axes, marks, labels, layout.
//!
//! A picture is an SVG: the same bytes for the same data, no fonts, no
//! scripts, no ids, real text, light and dark by the reader's preference. Text is
//! escaped where it becomes an [`Element`], and nowhere else.
//!
//! Start at [`Canvas`], then [`Frame`] and [`Scale`].
//!
//! Must not know: what is drawn.

mod canvas;
mod element;
mod frame;
mod label;
mod layout;
mod mark;
mod scale;
mod text;
mod theme;

pub use canvas::{Canvas, Svg};
pub use element::Element;
pub use frame::{Frame, Tick};
pub use label::{Anchor, Label, spread};
pub use layout::{Rect, columns};
pub use mark::{Point, band, dots, line, rule, segment};
pub use scale::{Scale, nice_ceiling};
pub use text::{fit, folded, group_digits, percent, width};
pub(crate) use theme::style;
pub use theme::{Ink, Size};
