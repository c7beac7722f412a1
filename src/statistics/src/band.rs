use super::{Confidence, Moments, quantile, real};
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

/// With fewer curves no band says anything: draw the curves.
const FEWEST: usize = 5;

/// So many flips of signs; all of them, where there are fewer.
const FLIPS: u64 = 2000;

/// The mean curve of several runs with its band, `None` without curves or where their
/// lengths differ.
///
/// Pointwise, the interval of Student. Simultaneously, the sup-t band (Montiel Olea and
/// Plagborg-Møller 2019): the critical value is the quantile of the largest |t| along the
/// curve, over flips of the signs of the centred curves (Wu 1986's wild bootstrap,
/// studentised). It is never below Student's.
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
    let freedom = real(curves.len() as u64) - 1.0;
    let student = quantile::student(confidence.upper_tail(), freedom);
    let wide = |critical: f64| {
        errors.as_ref().map(|errors| errors.iter().map(|error| critical * error).collect())
    };
    let simultaneous = (curves.len() >= FEWEST)
        .then(|| wide(largest_t(curves, &means, confidence).max(student)))
        .flatten();
    Some(Band { pointwise: wide(student), simultaneous, means })
}

/// The quantile of the largest |t| along the curve.
fn largest_t(curves: &[Vec<f64>], means: &[f64], confidence: Confidence) -> f64 {
    let centred: Vec<Vec<f64>> = curves
        .iter()
        .map(|curve| curve.iter().zip(means).map(|(value, mean)| value - mean).collect())
        .collect();
    let mut largest: Vec<f64> = flips(curves.len()).map(|signs| sup(&centred, &signs)).collect();
    largest.sort_by(f64::total_cmp);
    let at = libm::ceil(confidence.level() * real(largest.len() as u64));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small index")]
    let at = (at as usize).clamp(1, largest.len());
    largest[at - 1]
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

fn sup(centred: &[Vec<f64>], signs: &[f64]) -> f64 {
    let points = centred.first().map_or(0, Vec::len);
    (0..points).map(|point| t(centred, signs, point)).fold(0.0, f64::max)
}

/// |t| at a point after a flip; zero without spread.
fn t(centred: &[Vec<f64>], signs: &[f64], point: usize) -> f64 {
    let n = real(centred.len() as u64);
    let (mut sum, mut squares) = (0.0, 0.0);
    for (curve, sign) in centred.iter().zip(signs) {
        sum += sign * curve[point];
        squares += curve[point] * curve[point];
    }
    let mean = sum / n;
    let variance = ((squares - n * mean * mean) / (n - 1.0)).max(0.0);
    if variance == 0.0 { 0.0 } else { mean.abs() / libm::sqrt(variance / n) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: f64 = 0.95;

    fn noise(run: u64, point: u64) -> f64 {
        let mut draws = Seed(run).draws(PhaseKey::new("noise"), point, Purpose::Flip);
        draws.normal()
    }

    /// Twelve runs of forty independent points around zero.
    fn runs(first: u64) -> Vec<Vec<f64>> {
        let run = |run| (0..40).map(|point| noise(first + run, point)).collect();
        (0..12).map(run).collect()
    }

    #[test]
    fn the_whole_curve_is_held_about_as_often_as_promised() {
        let confidence = Confidence::new(SURE).unwrap();
        let holds = |half: &[f64], means: &[f64]| {
            half.iter().zip(means).all(|(half, mean)| mean.abs() <= *half)
        };
        let (mut whole, mut alone) = (0, 0);
        for experiment in 0..200 {
            let band = band(&runs(1000 * experiment), confidence).unwrap();
            whole += u32::from(holds(&band.simultaneous.unwrap(), &band.means));
            alone += u32::from(holds(&band.pointwise.unwrap(), &band.means));
        }
        assert!((175..=200).contains(&whole), "simultaneous: {whole} of 200");
        assert!(alone < 60, "pointwise: {alone} of 200");
    }

    #[test]
    fn few_curves_have_no_band_and_one_has_no_interval() {
        let confidence = Confidence::new(SURE).unwrap();
        let four = band(&runs(0)[..4], confidence).unwrap();
        assert!(four.simultaneous.is_none() && four.pointwise.is_some());
        assert_eq!(band(&runs(0)[..1], confidence).unwrap().pointwise, None);
        assert_eq!(band(&[], confidence), None);
        assert_eq!(band(&[vec![1.0], vec![1.0, 2.0]], confidence), None);
    }
}
