//! VW's random numbers.

/// VW's generator (`explore/src/cpp/rand48`, `merand48`): steps the state and returns
/// a number in `[0, 1)` made of 23 of its bits.
pub fn merand48(state: &mut u64) -> f32 {
    *state = state.wrapping_mul(0xeece_66d5_deec_e66d).wrapping_add(2_147_483_647);
    f32::from_bits(((*state >> 25) & 0x7f_ffff) as u32 | 0x3f80_0000) - 1.0
}

/// A Poisson variate with mean 1 (`bs.cc`, `weight_gen`): the cumulative probabilities
/// are those of the table there.
pub fn poisson1(state: &mut u64) -> u32 {
    let draw = f64::from(merand48(state));
    let (mut probability, mut cumulative) = ((-1.0_f64).exp(), (-1.0_f64).exp());
    let mut count = 0;
    while draw > cumulative && count < 20 {
        count += 1;
        probability /= f64::from(count);
        cumulative += probability;
    }
    count
}

/// A standard normal variate (Box-Muller in Marsaglia's polar form; `rand48.cc`,
/// `merand48_boxmuller`).
pub fn gauss(state: &mut u64) -> f32 {
    loop {
        let x1 = 2.0 * merand48(state) - 1.0;
        let x2 = 2.0 * merand48(state) - 1.0;
        let squared = x1 * x1 + x2 * x2;
        if squared > 0.0 && squared < 1.0 {
            return x1 * (-2.0 * squared.ln() / squared).sqrt();
        }
    }
}

/// The place in `ranking` that is drawn, where `pmf` has the probability of each action
/// (`explore_internal.h`, `sample_after_normalizing`).
///
/// Cumulated in the order of the ranking, so that good actions hold the low draws under
/// every model. Strategies that eliminate actions may predict less than nothing, which
/// counts as nothing.
pub fn sample(pmf: &[f32], ranking: &[usize], mut seed: u64) -> usize {
    let total: f32 = ranking.iter().map(|action| at_least_zero(pmf[*action])).sum();
    if total == 0.0 {
        return 0;
    }
    let draw = total * merand48(&mut seed);
    let mut sum = 0.0;
    let covers = |action: &usize| {
        sum += at_least_zero(pmf[*action]);
        sum > draw
    };
    ranking.iter().position(covers).unwrap_or(ranking.len() - 1)
}

/// Less than nothing counts as nothing; negative zero and what is not a number stay.
pub(crate) fn at_least_zero(probability: f32) -> f32 {
    if probability < 0.0 { 0.0 } else { probability }
}

#[cfg(test)]
mod tests {
    use super::merand48;

    #[test]
    fn the_first_numbers_are_vws() {
        let mut state = 0;
        let numbers = [(); 3].map(|()| merand48(&mut state));
        assert_eq!(numbers, [7.510_185_2e-6, 0.048_357_01, 0.036_452_055]);
    }
}
