/// A straight line from values to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// Takes `values` to `pixels`, ends to ends.
    pub fn new(values: (f64, f64), pixels: (f64, f64)) -> Self {
        let is_point = values.0 == values.1;
        let values = if is_point { (values.0, values.0 + 1.0) } else { values };
        Self { from: values, to: pixels }
    }

    /// The pixel of a value.
    pub fn at(&self, value: f64) -> f64 {
        let share = (value - self.from.0) / (self.from.1 - self.from.0);
        self.to.0 + share * (self.to.1 - self.to.0)
    }
}

/// About `count` round values from 0 to `highest`.
pub fn nice_ticks(highest: f64, count: u32) -> Vec<f64> {
    let rough = highest / f64::from(count);
    if rough <= 0.0 || !rough.is_finite() {
        return vec![0.0];
    }
    let magnitude = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * magnitude);
    let step = step.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(10.0 * magnitude);
    let tick = |index: u32| f64::from(index) * step;
    (0..).map(tick).take_while(|tick| *tick <= highest * 1.000_001).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_end() {
        assert_eq!(nice_ticks(10_000.0, 5), [0.0, 2000.0, 4000.0, 6000.0, 8000.0, 10_000.0]);
        assert_eq!(nice_ticks(0.9, 5).len(), 5);
        assert_eq!(nice_ticks(0.0, 5), [0.0]);
    }

    #[test]
    fn ends_go_to_ends() {
        let scale = Scale::new((0.0, 10.0), (100.0, 0.0));
        assert_eq!([scale.at(0.0), scale.at(2.5), scale.at(10.0)], [100.0, 75.0, 0.0]);
    }
}
