use serde::Serialize;

use crate::chart::Ink;
use crate::line_chart::{LineChart, LinePoint, LineSeries};
use crate::lines::Layout;

/// What a picture says when it is pointed at: a line for each place from left to right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Readout {
    /// Where, as a share of the width of the plot.
    places: Vec<f64>,
    /// What is there.
    texts: Vec<String>,
    /// The lines and what they are read against, by their names and colours, for where those in the
    /// picture are out of sight.
    #[serde(skip)]
    pub(super) key: Vec<(String, Ink)>,
    /// Whether a name in the picture is cut.
    #[serde(skip)]
    pub(super) is_cut: bool,
}

impl Readout {
    /// What can be read of a picture.
    #[must_use]
    pub fn of(chart: &LineChart) -> Self {
        let longest = chart.series.iter().max_by_key(|series| series.points.len());
        let xs: Vec<f64> = longest.map_or(Vec::new(), |of| of.points.iter().map(|p| p.x).collect());
        // To a tenth of a thousandth, so that the page stays small.
        let ruler = chart.ruler();
        let place = |x: &f64| libm::round(ruler.share(*x) * 1e4) / 1e4;
        let name = |series: &LineSeries| (series.name.clone(), Ink::Series(series.colour));
        let level = |(value, name): &(f64, String)| {
            (format!("{name} {}", chart.unit.text(*value)), Ink::Muted)
        };
        Self {
            key: chart
                .series
                .iter()
                .map(name)
                .chain(chart.all_levels().into_iter().map(level))
                .collect(),
            is_cut: chart.cuts_names(Layout::WIDE),
            places: xs.iter().map(place).collect(),
            texts: xs.iter().map(|x| text(chart, *x)).collect(),
        }
    }
}

fn text(chart: &LineChart, x: f64) -> String {
    let values = chart.series.iter().filter_map(|series| {
        let point = at(series, x)?;
        let half = point.half.map_or(String::new(), |half| {
            format!(" ± {}", chart.unit.text(half).trim_start_matches('+'))
        });
        Some(format!("{} {}{half}", series.name, chart.unit.text(point.y)))
    });
    let values: Vec<String> = values.collect();
    format!("{}: {}", chart.place_in_words(x), values.join(" · "))
}

fn at(series: &LineSeries, x: f64) -> Option<&LinePoint> {
    series.points.get(series.points.partition_point(|point| point.x < x))
}
