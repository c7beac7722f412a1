use std::num::NonZero;

/// Every so many iterations of a load: the first, and how far it is from one to the next.
///
/// A shard counts its own iterations from 0; elsewhere they have the index that they would
/// have in one process, and with it the same id, draws and due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stride {
    /// The index of the first.
    pub first: u64,
    /// The distance from one index to the next.
    pub step: NonZero<u64>,
}

impl Stride {
    /// The index of its iteration `own`.
    #[must_use]
    pub fn global(self, own: u64) -> u64 {
        self.first + own * self.step.get()
    }

    /// Which of its iterations the one with this index is; it must be its own.
    #[must_use]
    pub fn own(self, global: u64) -> u64 {
        (global - self.first) / self.step
    }

    /// How many of the first `iterations` are its own.
    #[must_use]
    pub fn count(self, iterations: u64) -> u64 {
        iterations.saturating_sub(self.first).div_ceil(self.step.get())
    }
}
