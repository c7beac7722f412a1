/// A number for people: with at most `places` digits behind the point, and one less for each digit
/// before it but the first, so that large numbers show no more than they can say. A whole number of
/// several digits has none.
///
/// With four places: `0.5186`, `5.1863`, `51.863`, `5186.3`, `51863`, `5186`.
#[must_use]
pub fn rounded(value: f64, places: usize) -> String {
    if value.fract() == 0.0 && value.abs() >= 10.0 {
        return format!("{value:.0}");
    }
    let fitting = |places: usize| (0..=places).rev().map(move |kept| format!("{value:.kept$}"));
    let most = places + 1;
    let is_short = |text: &String| text.bytes().filter(u8::is_ascii_digit).count() <= most;
    let text = fitting(places).find(is_short).unwrap_or_else(|| format!("{value:.0}"));
    let is_nothing = text.bytes().all(|byte| b"-0.".contains(&byte));
    if is_nothing { text.replace('-', "") } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_behind_the_point_give_way_to_those_before_it() {
        for (value, text) in [
            (0.0, "0.0000"),
            (-0.00001, "0.0000"),
            (0.51863, "0.5186"),
            (-0.5, "-0.5000"),
            (5.18634, "5.1863"),
            (51.8634, "51.863"),
            (5186.0, "5186"),
            (38.0, "38"),
            (1.0, "1.0000"),
            (51_863.4, "51863"),
            (5_186_340.0, "5186340"),
            (-5186.0, "-5186"),
            // What is rounded up has a digit more.
            (9.99996, "10.000"),
            (9999.96, "10000"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(rounded(value, 4), text, "{value}");
        }
        assert_eq!(
            [0.519, 51.86, 5186.0].map(|value| rounded(value, 3)),
            ["0.519", "51.86", "5186"]
        );
    }

    proptest! {
        #[test]
        fn a_number_is_off_by_half_of_its_last_digit(value in -1e12_f64..1e12, scale in 0..12, places in 0_usize..6) {
            let value = value / 10_f64.powi(scale);
            let text = rounded(value, places);
            let shown: f64 = text.parse().unwrap();
            let kept = text.split_once('.').map_or(0, |(_, behind)| behind.len());
            prop_assert!(kept <= places);
            let half = 0.5 * 10_f64.powi(-i32::try_from(kept).unwrap());
            prop_assert!((shown - value).abs() <= half * (1.0 + 1e-6) + value.abs() * 1e-12, "{value}: {text}");
        }
    }
}
