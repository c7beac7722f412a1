//! The folder of a run: what is written is read back, whatever happened in between.

mod folder;
mod resume;
mod torn;
mod world;
