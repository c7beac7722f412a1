use std::sync::Arc;

use super::block::{BLOCK, Block};
use crate::joined::Joined;

/// Events of the log at one instant.
#[derive(Debug)]
pub(crate) struct LoggedEvents {
    blocks: Vec<Arc<Block>>,
    /// Where the events are, counted from the first event of the first block.
    places: Vec<u32>,
}

impl LoggedEvents {
    /// The events at these places of blocks, of which all but the last are full.
    pub(super) fn new(blocks: Vec<Arc<Block>>, places: impl Iterator<Item = usize>) -> Self {
        let places = places.map(|place| u32::try_from(place).expect("a log has fewer events"));
        Self { blocks, places: places.collect() }
    }

    /// The number of events.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// An event as it was joined.
    pub(crate) fn joined(&self, index: usize) -> Joined {
        let (_, block, index) = self.at(index);
        block.joined(index)
    }

    /// The number of the block of an event, the block, and the index of the event in it.
    pub(crate) fn at(&self, index: usize) -> (usize, &Block, usize) {
        let place = self.places[index] as usize;
        let block = place / BLOCK;
        (block, &self.blocks[block], place % BLOCK)
    }
}
