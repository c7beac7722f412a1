use super::{Confidence, FEWEST_RUNS, Moments, quantile, real};
use seed::{PhaseKey, Purpose, Seed};

/// The mean of some curves, and how far from it the true mean may lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// The mean at each point.
    pub means: Vec<f64>,
    /// Half the width of the interval at each point alone; none of fewer than two curves.
    pub pointwise: Option<Vec<f64>>,
    /// Half the width of the band that holds the whole mean curve; none of fewer than
    /// five curves.
    pub simultaneous: Option<Vec<f64>>,
}

/// So many flips of signs; all of them, where there are fewer.
const FLIPS: u64 = 2000;

/// The mean curve of several runs with its band, `None` without curves or where their
/// lengths differ.
///
/// Pointwise, the interval of Student. Simultaneously, a band of the same shape whose
/// critical value is the largest of three: Student's; the quantile of the largest |t| along
/// the curve over flips of the signs of the centred curves (the sup-t band of Montiel Olea
/// and Plagborg-Møller 2019, by the wild bootstrap of Wu 1986); and Bonferroni's normal one,
/// because a few curves have few flips. Its standard error at a point is at least the root
/// mean square of all points: where few runs tie, the runs alone would say that nothing varies.
#[must_use]
pub fn band(curves: &[Vec<f64>], confidence: Confidence) -> Option<Band> {
    let points = curves.first()?.len();
    if curves.iter().any(|curve| curve.len() != points) {
        return None;
    }
    let moments: Vec<Moments> =
        (0..points).map(|point| curves.iter().map(|curve| curve[point]).collect()).collect();
    let means: Vec<f64> = moments.iter().filter_map(Moments::mean).collect();
    let errors: Option<Vec<f64>> = moments.iter().map(Moments::standard_error).collect();
    let student = quantile::student(confidence.upper_tail(), real(curves.len() as u64) - 1.0);
    let pointwise: Option<Vec<f64>> =
        errors.map(|errors| errors.iter().map(|error| student * error).collect());
    let simultaneous = (curves.len() as u64 >= FEWEST_RUNS).then(|| {
        let bonferroni = quantile::normal(1.0 - confidence.miss() / (2.0 * real(points as u64)));
        let centred = centred(curves, &means);
        let critical = largest_t(&centred, confidence).max(student).max(bonferroni);
        let squares = squares(&centred);
        let unflipped = vec![1.0; curves.len()];
        errors_of(&centred, &unflipped, &squares).map(|(_, error)| critical * error).collect()
    });
    Some(Band { means, pointwise, simultaneous })
}

fn centred(curves: &[Vec<f64>], means: &[f64]) -> Vec<Vec<f64>> {
    let centre = |curve: &Vec<f64>| -> Vec<f64> {
        curve.iter().zip(means).map(|(value, mean)| value - mean).collect()
    };
    curves.iter().map(centre).collect()
}

/// The sum of squares at each point, which survives a flip.
fn squares(centred: &[Vec<f64>]) -> Vec<f64> {
    let points = centred.first().map_or(0, Vec::len);
    (0..points).map(|point| centred.iter().map(|curve| curve[point] * curve[point]).sum()).collect()
}

/// The quantile of the largest |t| along the curve.
fn largest_t(centred: &[Vec<f64>], confidence: Confidence) -> f64 {
    let squares = squares(centred);
    let sup = |signs: Vec<f64>| {
        let errors = errors_of(centred, &signs, &squares);
        let t = errors.map(|(mean, error)| if error > 0.0 { mean.abs() / error } else { 0.0 });
        t.fold(0.0, f64::max)
    };
    let mut largest: Vec<f64> = flips(centred.len()).map(sup).collect();
    largest.sort_by(f64::total_cmp);
    let at = libm::ceil(confidence.level() * real(largest.len() as u64));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small index")]
    let at = (at as usize).clamp(1, largest.len());
    largest[at - 1]
}

/// The mean of the flipped curves at each point, and its standard error, which is at least
/// the root mean square over all points.
fn errors_of(
    centred: &[Vec<f64>],
    signs: &[f64],
    squares: &[f64],
) -> impl Iterator<Item = (f64, f64)> {
    let n = real(centred.len() as u64);
    let mean = |point: usize| {
        centred.iter().zip(signs).map(|(curve, sign)| sign * curve[point]).sum::<f64>() / n
    };
    let means: Vec<f64> = (0..squares.len()).map(mean).collect();
    let variance =
        |(mean, squares): (&f64, &f64)| ((squares - n * mean * mean) / (n - 1.0)).max(0.0);
    let variances: Vec<f64> = means.iter().zip(squares).map(variance).collect();
    let floor = variances.iter().sum::<f64>() / real(variances.len().max(1) as u64);
    means
        .into_iter()
        .zip(variances)
        .map(move |(mean, variance)| (mean, libm::sqrt(variance.max(floor) / n)))
}

/// The signs of each flip: all there are, or a sample that is always the same.
fn flips(curves: usize) -> impl Iterator<Item = Vec<f64>> {
    let all = u32::try_from(curves).ok().and_then(|curves| 1_u64.checked_shl(curves));
    let exhaustive = all.is_some_and(|all| all <= FLIPS);
    let count = all.filter(|_| exhaustive).unwrap_or(FLIPS);
    let sign = |bits: u64, at: usize| if bits >> (at % 64) & 1 == 1 { -1.0 } else { 1.0 };
    (0..count).map(move |flip| {
        let mut draws = Seed(0).draws(PhaseKey::new("band"), flip, Purpose::Flip);
        let mut bits = flip;
        let signs = (0..curves).map(|at| {
            if !exhaustive && at % 64 == 0 {
                bits = draws.bits();
            }
            sign(bits, at)
        });
        signs.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(run: u64, point: u64) -> f64 {
        let mut draws = Seed(run).draws(PhaseKey::new("noise"), point, Purpose::Flip);
        draws.normal()
    }

    /// Twelve runs of forty independent points around zero.
    fn runs(first: u64) -> Vec<Vec<f64>> {
        let run = |run| (0..40).map(|point| noise(first + run, point)).collect();
        (0..12).map(run).collect()
    }

    /// The share of 200 bands of `runs` curves that hold all of their true mean curve.
    fn coverage(runs: u64, mean: f64, noise: impl Fn(u64, u64) -> f64) -> [f64; 2] {
        let holds = |half: &[f64], means: &[f64]| {
            half.iter().zip(means).all(|(half, observed)| (observed - mean).abs() <= *half)
        };
        let (mut whole, mut alone) = (0, 0);
        for experiment in 0..200 {
            let run = |run| (0..40).map(|point| noise(1000 * experiment + run, point)).collect();
            let curves: Vec<Vec<f64>> = (0..runs).map(run).collect();
            let band = band(&curves, Confidence::P95).unwrap();
            whole += u32::from(holds(&band.simultaneous.unwrap(), &band.means));
            alone += u32::from(holds(&band.pointwise.unwrap(), &band.means));
        }
        [whole, alone].map(|count| f64::from(count) / 200.0)
    }

    #[test]
    fn the_whole_curve_is_held_about_as_often_as_promised() {
        for runs in [5, 12] {
            let [whole, alone] = coverage(runs, 0.0, noise);
            assert!(whole >= 0.93, "{runs} runs, simultaneous: {whole}");
            assert!(alone < 0.3, "{runs} runs, pointwise: {alone}");
        }
    }

    /// Success rates near one in windows of twenty iterations: many runs tie.
    #[test]
    fn the_band_holds_where_few_runs_tie() {
        let rate = |run: u64, point: u64| {
            let mut draws = Seed(run).draws(PhaseKey::new("rate"), point, Purpose::Flip);
            let hits = (0..20).filter(|_| draws.below(100) < 97).count();
            real(hits as u64) / 20.0
        };
        let [whole, _] = coverage(5, 0.97, rate);
        assert!(whole >= 0.93, "{whole}");
    }

    #[test]
    fn no_point_of_the_band_has_no_width() {
        let curves: Vec<Vec<f64>> = (0..5_u32).map(|run| vec![0.5, f64::from(run)]).collect();
        let band = band(&curves, Confidence::P95).unwrap();
        assert!(band.simultaneous.unwrap().iter().all(|half| *half > 0.0));
        assert_eq!(band.pointwise.unwrap()[0], 0.0);
    }

    #[test]
    fn few_curves_have_no_band_and_one_has_no_interval() {
        let confidence = Confidence::P95;
        let four = band(&runs(0)[..4], confidence).unwrap();
        assert!(four.simultaneous.is_none() && four.pointwise.is_some());
        assert_eq!(band(&runs(0)[..1], confidence).unwrap().pointwise, None);
        assert_eq!(band(&[], confidence), None);
        assert_eq!(band(&[vec![1.0], vec![1.0, 2.0]], confidence), None);
    }
}
