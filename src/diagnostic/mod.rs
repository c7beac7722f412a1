//! Mistakes in a text: positions, labels, help, rendering; nearest-name suggestions.
//!
//! Must not know: what is being diagnosed.
