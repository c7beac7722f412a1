//! `.hgrm`: the percentile distribution that the `HdrHistogram` tools plot, byte for byte
//! as Java's `AbstractHistogram.outputPercentileDistribution` (2.1.11) writes it, in
//! milliseconds.

use hdrhistogram::Histogram;

/// Values are recorded in microseconds and shown in milliseconds.
const UNIT_RATIO: f64 = 1000.0;

/// Rows in each half of the distance to 100 %.
const TICKS_PER_HALF_DISTANCE: f64 = 5.0;

/// The percentile distribution of a histogram of microseconds.
pub(super) fn percentile_distribution(histogram: &Histogram<u64>) -> String {
    [header(), rows(histogram), footer(histogram)].concat()
}

fn header() -> String {
    let [value, percentile] = ["Value", "Percentile"];
    let [count, inverse] = ["TotalCount", "1/(1-Percentile)"];
    format!("{value:>12} {percentile:>14} {count:>10} {inverse:>14}\n\n")
}

/// Java walks in percent. `Histogram::iter_quantiles` walks in shares and differs in
/// the last bit, so that 97.5 % of 60,000 come out one bucket late.
#[expect(clippy::cast_precision_loss, reason = "as Java does")]
fn rows(histogram: &Histogram<u64>) -> String {
    let mut text = String::new();
    let (total, mut cumulative, mut level) = (histogram.len(), 0, 0.0);
    for bucket in histogram.iter_recorded() {
        let value = bucket.value_iterated_to();
        cumulative += bucket.count_at_value();
        let reached = 100.0 * cumulative as f64 / total as f64;
        while reached >= level {
            let inverse = format!(" {:>14}", half_up(1.0 / (1.0 - level / 100.0), 2));
            text.push_str(&row(histogram, value, level, cumulative, &inverse));
            level = next_level(level);
            if cumulative == total {
                text.push_str(&row(histogram, value, 100.0, cumulative, ""));
                return text;
            }
        }
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "as Java does")]
fn row(histogram: &Histogram<u64>, value: u64, level: f64, count: u64, inverse: &str) -> String {
    let value = half_up(histogram.highest_equivalent(value) as f64 / UNIT_RATIO, 3);
    let level = half_up(level / 100.0, 12);
    format!("{value:>12} {level} {count:>10}{inverse}\n")
}

/// Each half of what is left to 100 % gets the same number of rows.
fn next_level(level: f64) -> f64 {
    let halves = libm::log(100.0 / (100.0 - level)) / libm::log(2.0);
    level + 100.0 / (TICKS_PER_HALF_DISTANCE * libm::exp2(libm::trunc(halves) + 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "as Java does")]
fn footer(histogram: &Histogram<u64>) -> String {
    let (mean, deviation) = mean_and_deviation(histogram);
    let [mean, deviation] = [mean, deviation].map(|value| half_up(value / UNIT_RATIO, 3));
    let (max, count) = (half_up(histogram.max() as f64 / UNIT_RATIO, 3), histogram.len());
    let (buckets, sub_buckets) = (histogram.buckets(), sub_buckets(histogram.sigfig()));
    format!(
        "#[Mean    = {mean:>12}, StdDeviation   = {deviation:>12}]\n\
         #[Max     = {max:>12}, Total count    = {count:>12}]\n\
         #[Buckets = {buckets:>12}, SubBuckets     = {sub_buckets:>12}]\n"
    )
}

/// Each call counts as the middle of its bucket; sums in the order in which Java adds.
#[expect(clippy::cast_precision_loss, reason = "as Java does")]
fn mean_and_deviation(histogram: &Histogram<u64>) -> (f64, f64) {
    let total = histogram.len().max(1) as f64;
    let middles = || {
        let middle = |value| histogram.median_equivalent(value) as f64;
        histogram
            .iter_recorded()
            .map(move |bucket| (middle(bucket.value_iterated_to()), bucket.count_at_value() as f64))
    };
    let mean = middles().map(|(middle, count)| middle * count).sum::<f64>() / total;
    let squares = middles().map(|(middle, count)| (middle - mean) * (middle - mean) * count);
    (mean, libm::sqrt(squares.sum::<f64>() / total))
}

/// Twice the resolution, as a power of two.
fn sub_buckets(significant_digits: u8) -> u64 {
    (2 * 10_u64.pow(u32::from(significant_digits))).next_power_of_two()
}

/// Rounds the shortest decimal that is read as `value` half up, as Java's formatter
/// does; Rust would round the exact binary value. Not for negative numbers.
fn half_up(value: f64, decimals: usize) -> String {
    let shortest = value.to_string();
    let (whole, fraction) = shortest.split_once('.').unwrap_or((&shortest, ""));
    if fraction.len() <= decimals {
        return format!("{whole}.{fraction:0<decimals$}");
    }
    let mut digits = format!("{whole}{}", &fraction[..decimals]).into_bytes();
    if fraction.as_bytes()[decimals] >= b'5' {
        increment(&mut digits);
    }
    let point = digits.len() - decimals;
    let digits = String::from_utf8_lossy(&digits);
    format!("{}.{}", &digits[..point], &digits[point..])
}

/// Adds one to a decimal number.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use metrics::Latencies;

    /// The values of `tests/fixtures/Golden.java`.
    pub(crate) fn drawn(count: u64, value: impl Fn(u64, &mut Draw) -> u64) -> Vec<u64> {
        let mut draw = Draw(42);
        (0..count).map(|index| value(index, &mut draw)).collect()
    }

    pub(crate) fn recorded(latencies_us: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        latencies_us.into_iter().for_each(|latency| latencies.record_us(latency));
        latencies
    }

    pub(crate) struct Draw(u64);

    impl Draw {
        pub fn below(&mut self, bound: u64) -> u64 {
            const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
            self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % bound
        }
    }

    #[test]
    fn java_writes_the_same_bytes() {
        let cube = |x: u64| x * x * x / 10_000;
        for (name, latencies_us) in [
            ("few", drawn(3, |index, _| 1000 * (index + 1))),
            ("one", drawn(1, |_, _| 1_234_567)),
            ("same", drawn(1000, |_, _| 4321)),
            ("zeros", drawn(100, |index, _| index % 2)),
            ("ramp", drawn(60_000, |index, _| index + 1)),
            ("uniform", drawn(60_000, |_, draw| 50 + draw.below(9_926))),
            ("skewed", drawn(100_000, |_, draw| cube(draw.below(8000)))),
            ("beyond", drawn(500, |index, _| 200_000 * index)),
            ("many", drawn(999_999, |_, draw| 1 + draw.below(1000) * draw.below(1000))),
        ] {
            let path = format!("tests/fixtures/hgrm/{name}.hgrm");
            let golden = std::fs::read_to_string(path).unwrap();
            let ours = percentile_distribution(&recorded(latencies_us).histogram());
            assert!(ours == golden, "{name}");
        }
    }

    #[test]
    fn halves_of_the_shortest_decimal_are_rounded_up() {
        assert_eq!(half_up(0.999_780_273_437_5, 12), "0.999780273438");
        assert_eq!(half_up(9.9995, 3), "10.000");
        assert_eq!(half_up(0.0, 3), "0.000");
        assert_eq!(half_up(1234.0, 2), "1234.00");
        assert_eq!(half_up(0.0004, 3), "0.000");
    }

    #[test]
    fn levels_halve_the_distance_every_five_rows() {
        let levels: Vec<_> =
            std::iter::successors(Some(0.0), |level| Some(next_level(*level))).take(16).collect();
        assert_eq!(format!("{} {} {}", levels[5], levels[10], levels[15]), "50 75 87.5");
    }
}
