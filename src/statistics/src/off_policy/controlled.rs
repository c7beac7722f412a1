//! Cressie-Read(-2): the mean of scores, given controls that must average zero.
//!
//! Karampatziakis, Langford, Mineiro, "Empirical Likelihood for Contextual Bandits",
//! NeurIPS 2020, arXiv 1906.03323, sections 3 and 4, as `cressieread` of vw-estimators has
//! it. The log is reweighted, at the least Cressie-Read(-2) divergence, so that weights
//! average one; an example that the log lacks may join it, at the ends of what is possible.
//! The interval holds every mean that some such reweighting reaches within the F law of 1
//! and n.
//!
//! The paper's control is w - 1 and its score w·r. With the control w₂ - w₁ and the score
//! (w₂ - w₁)·r the same is the paired difference of two policies.

use super::counted::Counted;
use super::ratio::Ratio;
use crate::{Confidence, Interval, quantile};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Sums over examples of a control d, of mean zero, and a score s, which each stand for c
/// events.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Controlled {
    /// The number of examples.
    pub lines: u64,
    /// Of c, c·s, c·d, c²·s², c²·d² and c²·d·s.
    sums: Counted<6, 3>,
    highest_count: f64,
}

/// What they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ControlledSums {
    pub scores: Ratio,
    /// Σ c·d and Σ c²·d
    pub controls: f64,
    pub squared_controls: f64,
    /// Σ c²·d²
    pub ccdd: f64,
    /// Σ c²·d·s
    pub ccds: f64,
}

/// An example that the log may lack.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unseen {
    /// With this control and this score.
    At { control: f64, score: f64 },
    /// With a control beyond all bounds, the score growing with it at this slope.
    Unbounded { slope: f64 },
}

/// The examples as pairs (u, y) whose plain mean of y is the mean sought, u averaging zero.
///
/// With a = c/c̄ and m the mean score, u = a·d and y = m + a·(s - m): the ratio Σ c·s / Σ c
/// linearised, exact where every example stands for one event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pairs {
    n: f64,
    u: f64,
    uu: f64,
    y: f64,
    uy: f64,
    yy: f64,
    mean: f64,
    highest_share: f64,
}

/// The unseen examples that may join, for each end of the interval the ones that pull it
/// furthest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unseens {
    /// The one at which the point estimate is made; only its control matters.
    pub likeliest: Unseen,
    pub lower: [Unseen; 2],
    pub upper: [Unseen; 2],
}

/// The pairs with an unseen one among them: moments about their means.
struct Joined {
    /// The mean score where controls average zero.
    centre: f64,
    /// The variance of scores that controls do not explain.
    residual: f64,
    /// (n + 1)·ū² / var(u): how far controls are from averaging zero.
    distance: f64,
}

impl Controlled {
    #[inline]
    pub fn add(&mut self, count: f64, control: f64, score: f64) {
        self.lines += 1;
        let (scored, controlled) = (count * score, count * control);
        let squares = [scored * scored, controlled * controlled];
        let crossed = count * controlled * score;
        self.sums.add(count, [count, scored, controlled, squares[0], squares[1], crossed]);
        self.highest_count = self.highest_count.max(count);
    }

    pub fn sums(&self) -> ControlledSums {
        let [counts, scored, controls, ccss, ccdd, crossed] = self.sums.once();
        let [squared_counts, squared_scored, squared_controls] = self.sums.squared();
        let lines = self.lines;
        ControlledSums {
            scores: Ratio { lines, counts, squared_counts, scored, squared_scored, ccss },
            controls,
            squared_controls,
            ccdd,
            ccds: crossed,
        }
    }

    pub fn pairs(&self) -> Pairs {
        let ControlledSums { scores, controls, squared_controls, ccdd, ccds } = self.sums();
        let n = scores.lines();
        let (mean, scale) = (scores.mean(), n / scores.counts);
        let squared = scale * scale;
        let u = scale * controls;
        // Σ a²·d·(s - m) and Σ a²·(s - m)²
        let crossed = squared * (ccds - mean * squared_controls);
        let spread = squared * scores.spread();
        Pairs {
            n,
            u,
            uu: squared * ccdd,
            y: n * mean,
            uy: mean * u + crossed,
            yy: n * mean * mean + spread,
            mean,
            highest_share: scale * self.highest_count,
        }
    }
}

impl Pairs {
    /// An unseen example of so much control and score, which stands for as many events as
    /// any in the log.
    pub fn unseen(&self, control: f64, slope: f64, score: impl Fn(f64) -> f64) -> Unseen {
        if control.is_infinite() {
            return Unseen::Unbounded { slope };
        }
        let score = self.mean + self.highest_share * (score(control) - self.mean);
        Unseen::At { control: self.highest_share * control, score }
    }

    /// Whether controls average below zero, so that the log lacks a high one.
    pub fn lacks_high(&self) -> bool {
        self.u < 0.0
    }

    /// Σ q·(1 + u) and Σ q·y over the examples, q being their masses when `unseen` joins.
    pub fn masses(&self, unseen: Unseen) -> [f64; 2] {
        let Some((mean, variance)) = self.controls(unseen) else {
            return [1.0 + self.u / self.n, self.mean];
        };
        let joined = self.n + 1.0;
        let (level, slope) = (1.0 + mean * mean / variance, mean / variance);
        let mass = |first: f64, second: f64| (level * first - slope * second) / joined;
        [mass(self.n + self.u, self.u + self.uu), mass(self.y, self.uy)]
    }

    /// The interval of the mean. An end is infinite where no unseen example of its side lets
    /// controls average zero.
    pub fn interval(&self, confidence: Confidence, unseen: &Unseens) -> Interval {
        // The upper quantile of F(1, n) is the square of Student's.
        let student = quantile::student(confidence.upper_tail(), self.n);
        let threshold = self.best(unseen.likeliest) + student * student;
        let reach = |unseen: &Unseen| self.joined(*unseen)?.reach(threshold, self.n + 1.0);
        let lowers = unseen.lower.iter().filter_map(reach).map(|reached| reached.lower);
        let uppers = unseen.upper.iter().filter_map(reach).map(|reached| reached.upper);
        Interval {
            lower: lowers.reduce(f64::min).unwrap_or(f64::NEG_INFINITY),
            upper: uppers.reduce(f64::max).unwrap_or(f64::INFINITY),
        }
    }

    /// How likely a mean as far as this on the side of `sign` is where the truth is zero,
    /// two-sided: one less the confidence of the widest interval that excludes zero.
    pub fn p_value(&self, sign: f64, unseen: &Unseens) -> f64 {
        let candidates = if sign > 0.0 { unseen.lower } else { unseen.upper };
        let best = self.best(unseen.likeliest);
        let squared = candidates
            .iter()
            .filter_map(|unseen| self.joined(*unseen))
            .map(|joined| joined.excludes_zero_until(sign, self.n + 1.0) - best)
            .reduce(f64::min)
            .filter(|squared| *squared > 0.0);
        squared.map_or(1.0, |squared| two_sided(libm::sqrt(squared), self.n))
    }

    /// The mean and the variance of the controls when `unseen` joins; none without spread
    /// or where it outweighs all.
    fn controls(&self, unseen: Unseen) -> Option<(f64, f64)> {
        let Unseen::At { control, .. } = unseen else { return None };
        let joined = self.n + 1.0;
        let mean = (control + self.u) / joined;
        let variance = (control * control + self.uu) / joined - mean * mean;
        (variance > 0.0).then_some((mean, variance))
    }

    /// The least divergence at which controls average zero.
    fn best(&self, likeliest: Unseen) -> f64 {
        match (likeliest, self.controls(likeliest)) {
            (Unseen::Unbounded { .. }, _) => 1.0 + 1.0 / self.n,
            (_, Some((mean, variance))) => (self.n + 1.0) * mean * mean / variance,
            (_, None) => 0.0,
        }
    }

    fn joined(&self, unseen: Unseen) -> Option<Joined> {
        match unseen {
            Unseen::Unbounded { slope } => Some(self.beyond(slope)),
            Unseen::At { control, score } => self.with(control, score),
        }
    }

    fn with(&self, control: f64, score: f64) -> Option<Joined> {
        let joined = self.n + 1.0;
        let (mean, variance) = self.controls(Unseen::At { control, score })?;
        let scores = (score + self.y) / joined;
        let common = (control * score + self.uy) / joined - mean * scores;
        let spread = (score * score + self.yy) / joined - scores * scores;
        Some(Joined {
            centre: scores - mean * common / variance,
            residual: spread - common * common / variance,
            distance: joined * mean * mean / variance,
        })
    }

    /// The limit of [`Self::with`] as the control grows without end.
    fn beyond(&self, slope: f64) -> Joined {
        let (n, joined) = (self.n, self.n + 1.0);
        let apart = self.y - slope * self.u;
        let squares = self.yy - 2.0 * slope * self.uy + slope * slope * self.uu;
        Joined {
            centre: apart / n,
            residual: (squares - apart * apart / n) / joined,
            distance: joined / n,
        }
    }
}

impl Joined {
    /// Means below this are zero but for rounding, against scores of the order of one.
    const ROUNDING: f64 = 1e-9;

    /// The means within a divergence of `threshold`; none where it excludes all.
    fn reach(&self, threshold: f64, joined: f64) -> Option<Interval> {
        let slack = (threshold - self.distance) / joined;
        let squared = self.residual * slack;
        if squared.abs() <= 2.0 * Self::ROUNDING * Self::ROUNDING {
            let half_width = core::f64::consts::SQRT_2 * Self::ROUNDING;
            return Some(Interval::around(self.centre, half_width));
        }
        (slack >= 0.0 && squared >= 0.0).then(|| Interval::around(self.centre, libm::sqrt(squared)))
    }

    /// Up to which divergence every mean lies on the side of `sign`.
    fn excludes_zero_until(&self, sign: f64, joined: f64) -> f64 {
        let apart = sign * self.centre;
        if apart <= Self::ROUNDING {
            return self.distance;
        }
        if self.residual <= 0.0 {
            return f64::INFINITY;
        }
        self.distance + joined * apart * apart / self.residual
    }
}

fn two_sided(t: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |law| 2.0 * law.cdf(-t))
}
