use std::ops::Range;

/// How many iterations `share` of `iterations` is: rounded up, so that a share of
/// something is never nothing.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count is a count; 2^53 iterations are out of reach"
)]
pub fn share_of(iterations: u64, share: f64) -> u64 {
    // 0.1 * 30 is a little above 3: what is whole but for rounding stays whole.
    let exact = iterations as f64 * share;
    let nearest = exact.round();
    let whole = if (exact - nearest).abs() < 1e-9 * exact { nearest } else { exact.ceil() };
    (whole as u64).min(iterations)
}

/// The first tenth of so many iterations.
#[must_use]
pub fn first_tenth(iterations: u64) -> Range<u64> {
    0..share_of(iterations, 0.1)
}

/// The last tenth of so many iterations.
#[must_use]
pub fn last_tenth(iterations: u64) -> Range<u64> {
    iterations - share_of(iterations, 0.1)..iterations
}

/// A window as it was written, before the iterations of its phase are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Window {
    /// `[..100]`, `[2000..]`, `[100..200]`
    Range(Option<u64>, Option<u64>),
    /// `[first 100]`, `[first 10%]`
    First(Extent),
    /// `[last 100]`, `[last 20%]`
    Last(Extent),
}

/// A number or a share of the iterations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Extent {
    /// So many.
    Iterations(u64),
    /// This share of them, in `(0, 1]`.
    Share(f64),
}

impl Window {
    /// Reads what stands between the brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(extent) = text.strip_prefix("first ") {
            return Extent::parse(extent).map(Self::First);
        }
        if let Some(extent) = text.strip_prefix("last ") {
            return Extent::parse(extent).map(Self::Last);
        }
        let (from, to) = text.split_once("..")?;
        let bound = |text: &str| match text.trim() {
            "" => Some(None),
            text => count(text).map(Some),
        };
        Some(Self::Range(bound(from)?, bound(to)?))
    }

    /// The indices that are meant in a phase of so many iterations.
    ///
    /// # Errors
    /// Why there are none, or not all of them.
    pub fn resolve(self, iterations: u64) -> Result<Range<u64>, String> {
        let range = match self {
            Self::Range(from, to) => from.unwrap_or(0)..to.unwrap_or(iterations),
            Self::First(extent) => 0..extent.of(iterations),
            Self::Last(extent) => {
                let length = extent.of(iterations);
                iterations.checked_sub(length).ok_or_else(|| beyond(length, iterations))?
                    ..iterations
            }
        };
        if range.end > iterations {
            return Err(beyond(range.end, iterations));
        }
        if range.is_empty() {
            return Err(format!("there is no iteration in `{}..{}`", range.start, range.end));
        }
        Ok(range)
    }
}

fn beyond(asked: u64, iterations: u64) -> String {
    format!("the window needs {asked} iterations, the phase makes {iterations}")
}

fn count(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

impl Extent {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let Some(percent) = text.strip_suffix('%') else {
            return count(text).map(Self::Iterations);
        };
        let share = percent.trim().parse::<f64>().ok()? / 100.0;
        (share > 0.0 && share <= 1.0).then_some(Self::Share(share))
    }

    fn of(self, iterations: u64) -> u64 {
        match self {
            Self::Iterations(count) => count,
            Self::Share(share) => share_of(iterations, share),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_the_indices_it_says() {
        for (text, iterations, expected) in [
            ("..100", 1000, 0..100),
            ("2000..", 10_000, 2000..10_000),
            ("1_00..200", 200, 100..200),
            ("last 20%", 2000, 1600..2000),
            ("first 10%", 30, 0..3),
            ("first 10%", 31, 0..4),
            ("last 0.1%", 10, 9..10),
            ("last 5", 10, 5..10),
            ("first 100%", 7, 0..7),
        ] {
            let window = Window::parse(text).unwrap();
            assert_eq!(window.resolve(iterations), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in
            ["", "100", "a..b", "-1..", "last", "last 0%", "last 101%", "first nan%", "1.5.."]
        {
            assert_eq!(Window::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_window_outside_its_phase_is_refused() {
        for text in ["..11", "10..", "5..5", "7..3", "last 11", "first 0"] {
            assert!(Window::parse(text).unwrap().resolve(10).is_err(), "{text}");
        }
    }

    #[test]
    fn tenths_of_few_iterations_are_not_empty() {
        assert_eq!((first_tenth(3), last_tenth(3)), (0..1, 2..3));
        assert_eq!((first_tenth(2000), last_tenth(2000)), (0..200, 1800..2000));
        assert_eq!((first_tenth(0), last_tenth(0)), (0..0, 0..0));
    }
}
