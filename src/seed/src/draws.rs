use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use uuid::Uuid;

/// The draws at one address, in order.
#[derive(Debug)]
pub struct Draws {
    generator: ChaCha8Rng,
}

/// `ChaCha` words set aside for one address: 2^20 words of 32 bits.
const WORDS_PER_ITERATION_LOG2: u32 = 20;

impl Draws {
    /// The draws of one iteration by the generator of its phase and purpose.
    pub(super) fn at(generator: ChaCha8Rng, iteration: u64) -> Self {
        let mut draws = Self { generator };
        draws.turn_to(iteration);
        draws
    }

    /// Becomes those of another iteration.
    pub(super) fn turn_to(&mut self, iteration: u64) {
        self.generator.set_word_pos(u128::from(iteration) << WORDS_PER_ITERATION_LOG2);
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in `[0, 1)`, a multiple of 2⁻⁵³.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64")]
    pub fn unit(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.bits() >> 11) as f64 * SCALE
    }

    /// Uniform in `0..bound` (multiply-shift; the bias is below `bound` / 2⁶⁴).
    ///
    /// # Panics
    /// If `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a draw below zero");
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> Uuid {
        let bytes = (u128::from(self.bits()) << 64) | u128::from(self.bits());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid()
    }

    /// Standard normal: Box–Muller with `libm`, so that every machine gets the same bits.
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(2.0 * std::f64::consts::PI * self.unit())
    }
}
