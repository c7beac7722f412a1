/// VW's generator (`explore/src/cpp/rand48`, `merand48`): steps the state and returns
/// a number in `[0, 1)` made of 23 of its bits.
pub fn merand48(state: &mut u64) -> f32 {
    *state = state.wrapping_mul(0xeece_66d5_deec_e66d).wrapping_add(2_147_483_647);
    f32::from_bits(((*state >> 25) & 0x7f_ffff) as u32 | 0x3f80_0000) - 1.0
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
