use super::element::{Element, number};
use super::mark::{Point, fill_class};
use super::theme::{Ink, Size};

/// Which end of a text stands at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its first character.
    Start,
    /// Its middle.
    Middle,
    /// Its last character.
    End,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    text: String,
    at: Point,
    anchor: Anchor,
    ink: Ink,
    size: Size,
    is_bold: bool,
    has_halo: bool,
    is_upright: bool,
}

impl Label {
    /// A text whose baseline starts at a point.
    #[must_use]
    pub fn new(text: impl Into<String>, at: Point) -> Self {
        Self {
            text: text.into(),
            at,
            anchor: Anchor::Start,
            ink: Ink::Strong,
            size: Size::Body,
            is_bold: false,
            has_halo: false,
            is_upright: false,
        }
    }

    /// Puts another end of the text at the point.
    #[must_use]
    pub fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// Gives the text a colour.
    #[must_use]
    pub fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    /// Gives the text a size.
    #[must_use]
    pub fn size(self, size: Size) -> Self {
        Self { size, ..self }
    }

    /// Makes the text bold.
    #[must_use]
    pub fn bold(self) -> Self {
        Self { is_bold: true, ..self }
    }

    /// Sets the text off from what it is written over.
    #[must_use]
    pub fn halo(self) -> Self {
        Self { has_halo: true, ..self }
    }

    /// Turns the text around its point, to be read from bottom to top.
    #[must_use]
    pub fn upright(self) -> Self {
        Self { is_upright: true, ..self }
    }

    /// The text as an element.
    #[must_use]
    pub fn element(self) -> Element {
        let halo = if self.has_halo { " halo" } else { "" };
        let element = Element::new("text")
            .with("class", fill_class(self.ink) + halo)
            .at("x", self.at.x)
            .at("y", self.at.y)
            .at("font-size", self.size.units());
        let element = match self.anchor {
            Anchor::Start => element,
            Anchor::Middle => element.with("text-anchor", "middle"),
            Anchor::End => element.with("text-anchor", "end"),
        };
        let turned = format!("rotate(-90 {} {})", number(self.at.x), number(self.at.y));
        let element = if self.is_upright { element.with("transform", turned) } else { element };
        let element = if self.is_bold { element.with("font-weight", "600") } else { element };
        element.text(self.text)
    }
}

/// Moves labels apart that want to stand at `wanted` (their middles) and are as high as
/// `heights`: none overlap, the order stays, all lie between `low` and `high` if there
/// is room, and the squares of the ways they move add up to the least possible (pooled
/// adjacent violators).
#[must_use]
pub fn spread(wanted: &[f64], heights: &[f64], low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|left, right| wanted[*left].total_cmp(&wanted[*right]));
    let offsets = middles(order.iter().map(|index| heights[*index]));
    let mut pools: Vec<Pool> = Vec::new();
    for (index, offset) in order.iter().zip(&offsets) {
        let mut pool = Pool { sum: wanted[*index] - offset, size: 1 };
        while let Some(last) = pools.pop_if(|last| last.mean() > pool.mean()) {
            pool = Pool { sum: last.sum + pool.sum, size: last.size + pool.size };
        }
        pools.push(pool);
    }
    let total: f64 = heights.iter().sum();
    let highest = (high - total).max(low);
    let starts = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.mean(), pool.size));
    let mut placed = vec![0.0; wanted.len()];
    for ((index, offset), start) in order.iter().zip(&offsets).zip(starts) {
        placed[*index] = start.clamp(low, highest) + offset;
    }
    placed
}

/// Labels that share one move.
struct Pool {
    sum: f64,
    size: usize,
}

impl Pool {
    #[expect(clippy::cast_precision_loss, reason = "labels of a picture")]
    fn mean(&self) -> f64 {
        self.sum / self.size as f64
    }
}

/// The middles of boxes of these heights that are stacked from 0 on.
fn middles(heights: impl Iterator<Item = f64>) -> Vec<f64> {
    let stack = |top: &mut f64, height: f64| {
        let middle = *top + height / 2.0;
        *top += height;
        Some(middle)
    };
    heights.scan(0.0, stack).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_with_room_stay_where_they_are() {
        assert_eq!(spread(&[50.0, 10.0], &[20.0, 20.0], 0.0, 100.0), [50.0, 10.0]);
    }

    #[test]
    fn labels_in_conflict_share_the_way() {
        assert_eq!(spread(&[50.0, 50.0], &[20.0, 20.0], 0.0, 100.0), [40.0, 60.0]);
        assert_eq!(spread(&[0.0, 5.0], &[20.0, 20.0], 0.0, 100.0), [10.0, 30.0]);
        assert_eq!(spread(&[99.0], &[20.0], 0.0, 100.0), [90.0]);
    }

    proptest! {
        #[test]
        fn no_two_labels_overlap(labels in prop::collection::vec((0.0_f64..300.0, 10.0_f64..40.0), 1..8)) {
            let (wanted, heights): (Vec<_>, Vec<_>) = labels.into_iter().unzip();
            let placed = spread(&wanted, &heights, 0.0, 300.0);
            let mut boxes: Vec<_> = placed.iter().zip(&heights).map(|(y, h)| (y - h / 2.0, y + h / 2.0)).collect();
            boxes.sort_by(|left, right| left.0.total_cmp(&right.0));
            prop_assert!(boxes.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 1e-9), "{boxes:?}");
            prop_assert!(boxes[0].0 >= -1e-9);
            let fits = heights.iter().sum::<f64>() <= 300.0;
            prop_assert!(!fits || boxes.last().unwrap().1 <= 300.0 + 1e-9);
        }
    }
}
