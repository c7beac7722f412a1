/// How long something took, from microseconds, for people: `7 µs`, `38.2 ms`, `120 ms`, `2.50 s`,
/// `12.5 h`.
///
/// With three digits, and of milliseconds at most one behind the point. A negative time keeps its
/// sign.
#[must_use]
pub fn elapsed(us: f64) -> String {
    let size = us.abs();
    match size {
        _ if size < 9.95 && us.fract() != 0.0 => format!("{us:.1} µs"),
        _ if size < 999.5 => format!("{us:.0} µs"),
        _ if size < 99_950.0 => format!("{:.1} ms", us / 1e3),
        _ if size < 999_500.0 => format!("{:.0} ms", us / 1e3),
        _ if size < 9.995e6 => format!("{:.2} s", us / 1e6),
        _ if size < 99.95e6 => format!("{:.1} s", us / 1e6),
        _ if size < 3.6e9 => format!("{:.0} s", us / 1e6),
        _ => format!("{:.1} h", us / 3.6e9),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_read_well() {
        for (us, text) in [
            (0.0, "0 µs"),
            (0.44, "0.4 µs"),
            (7.0, "7 µs"),
            (38_207.0, "38.2 ms"),
            (8_040.0, "8.0 ms"),
            (120_000.0, "120 ms"),
            (2_500_000.0, "2.50 s"),
            (-1_250.0, "-1.2 ms"),
            // What is rounded up takes the next form.
            (999.7, "1.0 ms"),
            (99_960.0, "100 ms"),
            (999_800.0, "1.00 s"),
            (9_996_000.0, "10.0 s"),
            (125_400_000.0, "125 s"),
            (106_020_380_000.0, "29.5 h"),
        ] {
            assert_eq!(elapsed(us), text, "{us}");
        }
    }

    fn micros(text: &str) -> f64 {
        let (number, unit) = text.split_once(' ').unwrap();
        let size = match unit {
            "µs" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            _ => 3.6e9,
        };
        number.parse::<f64>().unwrap() * size
    }

    proptest! {
        #[test]
        fn a_time_is_off_by_a_twentieth_at_most_and_grows(us in 1.0_f64..1e11, more in 0.0_f64..1e11) {
            let shown = micros(&elapsed(us));
            prop_assert!((shown - us).abs() <= 0.051 * us, "{us}: {shown}");
            prop_assert!(micros(&elapsed(us + more)) >= shown - 1e-6 * us);
        }
    }
}
