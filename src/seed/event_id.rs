use uuid::Uuid;

use super::{PhaseKey, Purpose, Seed};

impl Seed {
    /// The id of the event of one iteration: a version 4 UUID made of addressed bits.
    #[must_use]
    pub fn event_id(self, phase: PhaseKey, iteration: u64) -> Uuid {
        let mut draws = self.draws(phase, iteration, Purpose::EventId);
        let bytes = (u128::from(draws.bits()) << 64) | u128::from(draws.bits());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid()
    }
}
