use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::Draws;

/// The seed of a run: the only source of randomness in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Seed(pub u64);

/// What a draw is for. Draws of different purposes never share bits.
///
/// The numbers are part of the addresses: they never change, new ones are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// The id of the event.
    EventId = 1,
    /// Which row of the population turns up.
    Visitor = 2,
    /// Whether the visitor's answer is noise.
    RewardNoise = 3,
    /// How long the visitor takes to answer.
    ThinkTime = 4,
    /// How long the simulated service takes to answer Rank.
    RankLatency = 5,
    /// How long the simulated service takes to accept Reward.
    RewardLatency = 6,
    /// How long after the one before it an iteration is due.
    Arrival = 7,
    /// How long is waited before something is tried again.
    Retry = 8,
    /// What a generated world is made of.
    World = 9,
    /// What a learning policy draws for an event.
    Policy = 10,
    /// Whether the visitor clicks on what was chosen.
    Click = 11,
    /// How far a reward is from its mean.
    RewardDeviation = 12,
    /// Which actions an event offers.
    Offer = 13,
    /// Whether a reward is lost on its way.
    RewardLoss = 14,
    /// Whether a reward is sent again.
    RewardRepeat = 15,
    /// Whether a logged event whose choice was made again counts.
    Replay = 16,
    /// Which action is drawn by the probabilities that a service gives.
    Choice = 17,
    /// Which signs a randomisation flips.
    Flip = 32,
}

/// A phase as an address: a hash of its name, so that phases may be added, removed
/// and moved without changing the draws of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PhaseKey(u64);

impl PhaseKey {
    /// The key of the phase called `name` (FNV-1a, 64 bit).
    #[must_use]
    pub fn new(name: &str) -> Self {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        Self(name.bytes().fold(OFFSET, fold))
    }
}

impl Seed {
    /// The draws at one address.
    #[must_use]
    pub fn draws(self, phase: PhaseKey, iteration: u64, purpose: Purpose) -> Draws {
        let mut generator = ChaCha8Rng::seed_from_u64(self.0);
        generator.set_stream(phase.0 ^ (purpose as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Draws::at(generator, iteration)
    }
}

impl std::fmt::Display for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
