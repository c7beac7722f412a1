//! Pictures of a run: SVG.
//!
//! Must not know: the engine, targets.
