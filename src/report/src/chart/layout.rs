/// A rectangle in units of the picture; `bottom` is below `top`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// The x of its left edge.
    pub left: f64,
    /// The y of its upper edge.
    pub top: f64,
    /// The x of its right edge.
    pub right: f64,
    /// The y of its lower edge.
    pub bottom: f64,
}

impl Rect {
    /// From one edge to the other.
    #[must_use]
    pub fn width(self) -> f64 {
        self.right - self.left
    }

    /// From one edge to the other.
    #[must_use]
    pub fn height(self) -> f64 {
        self.bottom - self.top
    }

    /// The x half-way between the edges.
    #[must_use]
    pub fn middle(self) -> f64 {
        f64::midpoint(self.left, self.right)
    }
}

/// Cuts `whole` into columns with `gaps` between them, a gap fewer than columns. The
/// widths are in proportion to `weights`, which are positive, but none is below `least` (or below an equal
/// share, if there is not that much room).
#[must_use]
pub fn columns(whole: Rect, weights: &[f64], gaps: &[f64], least: f64) -> Vec<Rect> {
    let widths = shares(weights, (whole.width() - gaps.iter().sum::<f64>()).max(0.0), least);
    let mut left = whole.left;
    let mut columns = Vec::with_capacity(weights.len());
    for (index, width) in widths.into_iter().enumerate() {
        columns.push(Rect { left, right: left + width, ..whole });
        left += width + gaps.get(index).copied().unwrap_or(0.0);
    }
    columns
}

/// Shares `room` out in proportion to `weights`, but none below `least`.
#[expect(clippy::cast_precision_loss, reason = "columns of a picture")]
fn shares(weights: &[f64], room: f64, least: f64) -> Vec<f64> {
    let least = least.min(room / weights.len().max(1) as f64);
    let mut is_least = vec![false; weights.len()];
    loop {
        let kept = is_least.iter().filter(|is| **is).count() as f64 * least;
        let free = |index: &usize| !is_least[*index];
        let total: f64 = (0..weights.len()).filter(free).map(|index| weights[index]).sum();
        let share = |index: usize| {
            if is_least[index] { least } else { (room - kept) * weights[index] / total }
        };
        let widths: Vec<f64> = (0..weights.len()).map(share).collect();
        let Some(narrow) = (0..weights.len()).filter(free).find(|index| widths[*index] < least)
        else {
            return widths;
        };
        is_least[narrow] = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: Rect = Rect { left: 10.0, top: 0.0, right: 110.0, bottom: 50.0 };

    fn widths(weights: &[f64], gaps: &[f64], least: f64) -> Vec<f64> {
        columns(WHOLE, weights, gaps, least).into_iter().map(Rect::width).collect()
    }

    #[test]
    fn columns_are_in_proportion_until_one_gets_too_narrow() {
        assert_eq!(widths(&[3.0, 1.0], &[20.0], 10.0), [60.0, 20.0]);
        assert_eq!(widths(&[99.0, 1.0], &[20.0], 30.0), [50.0, 30.0]);
        assert_eq!(widths(&[99.0, 1.0], &[20.0], 300.0), [40.0, 40.0]);
        assert_eq!(widths(&[0.5], &[], 10.0), [100.0]);
    }

    proptest! {
        #[test]
        fn columns_fill_the_whole(weights in prop::collection::vec(0.1_f64..1e6, 1..20), least in 0.0_f64..50.0) {
            let gaps = vec![1.0; weights.len() - 1];
            let columns = columns(WHOLE, &weights, &gaps, least);
            prop_assert!((columns[0].left - WHOLE.left).abs() < 1e-9);
            prop_assert!((columns.last().unwrap().right - WHOLE.right).abs() < 1e-6);
            for pair in columns.windows(2) {
                prop_assert!((pair[1].left - pair[0].right - 1.0).abs() < 1e-9);
            }
        }
    }
}
