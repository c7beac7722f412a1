//! The kit: scales and their ticks, and a canvas that escapes what it is given.

mod canvas;
mod scale;

pub use canvas::{Anchor, Canvas};
pub use scale::{Scale, nice_ticks};
