//! The success of a run.

mod legend;
mod panel;
mod smooth;

use self::legend::legend;
use self::panel::{Panel, panels};
use self::smooth::Smoothing;
use super::chart::{
    Anchor, Canvas, Element, Ink, Label, Point, Rect, Size, Svg, fit, group_digits, percent,
};

/// What a picture of a run's success shows.
#[derive(Debug, Clone, PartialEq)]
pub struct SuccessChart {
    /// The name of the scenario.
    pub title: String,
    /// The phases that make iterations, in order.
    pub phases: Vec<SuccessPhase>,
}

/// One phase of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct SuccessPhase {
    /// The name.
    pub name: String,
    /// What was done since the phase before, a few words each.
    pub before: Vec<String>,
    /// How many iterations were made.
    pub iterations: u64,
    /// The success curve.
    pub batches: Vec<SuccessBatch>,
    /// After how many iterations a new model was served, in rising order.
    pub model_exports: Vec<u64>,
    /// The iteration before which the population drifts. A batch ends there.
    pub drift: Option<u64>,
    /// The success rate over the last tenth of the iterations.
    pub last_tenth: Option<f64>,
    /// The share of events that explore, if it is known.
    pub exploration: Option<f64>,
    /// How many actions there are to choose from; zero, if it is not known which of them are
    /// successes.
    pub actions: usize,
    /// How many different actions an iteration chooses. If it is more than one, a success is the
    /// choice of the best ones, in any order.
    pub slots: usize,
}

/// Some consecutive iterations of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuccessBatch {
    /// The index of the first.
    pub first_iteration: u64,
    /// The index of the last.
    pub last_iteration: u64,
    /// Those that got an action.
    pub events: u64,
    /// Those that got the preferred action.
    pub successes: u64,
}

impl SuccessBatch {
    fn len(&self) -> u64 {
        self.last_iteration - self.first_iteration + 1
    }
}

impl SuccessPhase {
    /// The success rate of a policy that always knows best: 1 − ε + ε/K, with the
    /// exploring share ε spread evenly over K actions; the product of as much over the slots,
    /// each of which chooses among what those before it left.
    #[must_use]
    pub fn ceiling(&self) -> Option<f64> {
        self.success_rate(self.exploration?)
    }

    /// The success rate of choosing blindly: 1/K, and one over the number of choices of so many
    /// actions where there are slots.
    #[must_use]
    pub fn chance(&self) -> Option<f64> {
        self.success_rate(1.0)
    }

    /// That of a policy that knows best and explores this share.
    #[expect(clippy::cast_precision_loss, reason = "a handful of actions")]
    fn success_rate(&self, exploration: f64) -> Option<f64> {
        let of_slot = |filled: usize| {
            let blind = (self.slots - filled) as f64 / (self.actions - filled) as f64;
            1.0 - exploration * (1.0 - blind)
        };
        (self.actions >= self.slots).then(|| (0..self.slots).map(of_slot).product())
    }
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 480.0;
const PLOT: Rect = Rect { left: 66.0, top: 104.0, right: 822.0, bottom: 410.0 };

/// Draws the success of a run: a panel a phase, side by side, and between them what was
/// done to the loop.
#[must_use]
pub fn success_curve_svg(chart: &SuccessChart) -> Svg {
    let title = format!("{}: success rate", chart.title);
    let mut canvas = Canvas::new(WIDTH, HEIGHT, &title, description(chart));
    canvas.add(heading(&title));
    let smoothing = Smoothing::of(chart);
    let panels = panels(chart, smoothing);
    for layer in [Panel::back, Panel::data, Panel::front] {
        for panel in &panels {
            canvas.add(layer(panel));
        }
    }
    match panels.first() {
        Some(first) => canvas.add(first.left_axis()),
        None => canvas.add(nothing_to_see()),
    }
    if let Some(last) = panels.last() {
        canvas.add(last.references());
        canvas.add(legend(chart, smoothing));
    }
    canvas.into_svg()
}

/// The picture in words.
fn description(chart: &SuccessChart) -> String {
    let sentence = |phase: &SuccessPhase| {
        let made = group_digits(phase.iterations);
        let rate = phase.last_tenth.map(|rate| format!(", {} in the last tenth", percent(rate)));
        format!("{}: {made} iterations{}.", phase.name, rate.unwrap_or_default())
    };
    chart.phases.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

fn heading(title: &str) -> Element {
    let room = WIDTH - PLOT.left - 20.0;
    let title = fit(title, Size::Title.units(), room);
    let subtitle = "share of iterations in which the visitor got the action they prefer";
    Element::new("g")
        .child(Label::new(title, place(PLOT.left, 34.0)).size(Size::Title).bold().element())
        .child(Label::new(subtitle, place(PLOT.left, 58.0)).ink(Ink::Muted).element())
}

fn nothing_to_see() -> Element {
    let at = place(WIDTH / 2.0, HEIGHT / 2.0);
    Label::new("no iterations were made", at).anchor(Anchor::Middle).ink(Ink::Muted).element()
}

fn place(x: f64, y: f64) -> Point {
    Point { x, y }
}
