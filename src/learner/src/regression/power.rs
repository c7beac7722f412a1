//! How the rate of a feature falls with what was seen of it: `--power_t`.

/// The exponent of `--power_t`. The two that are common are types of their own, so that a
/// pass over the features makes one choice and no call (`gd.cc`, `compute_rate_decay`).
pub trait Power: Copy {
    /// What the sum of squared gradients makes of the rate.
    fn of_gradients(self, sum: f32) -> f32;

    /// What the largest magnitude of the feature makes of it.
    fn of_scale(self, scale: f32, adaptive: bool) -> f32;
}

/// `--power_t 0.5`, the default.
#[derive(Clone, Copy)]
pub struct Half;

/// `--power_t 0`: rates do not fall.
#[derive(Clone, Copy)]
pub struct Zero;

/// Any other.
#[derive(Clone, Copy)]
pub struct Other(pub f32);

impl Power for Half {
    fn of_gradients(self, sum: f32) -> f32 {
        1.0 / sum.sqrt()
    }

    fn of_scale(self, scale: f32, adaptive: bool) -> f32 {
        let inverse = 1.0 / scale;
        if adaptive { inverse } else { inverse * inverse }
    }
}

impl Power for Zero {
    fn of_gradients(self, _sum: f32) -> f32 {
        1.0
    }

    fn of_scale(self, scale: f32, _adaptive: bool) -> f32 {
        power(scale * scale, -1.0)
    }
}

impl Power for Other {
    fn of_gradients(self, sum: f32) -> f32 {
        power(sum, -self.0)
    }

    fn of_scale(self, scale: f32, _adaptive: bool) -> f32 {
        power(scale * scale, self.0 - 1.0)
    }
}

/// `powf`, spared where it is exactly one.
fn power(base: f32, exponent: f32) -> f32 {
    if exponent == 0.0 || base == 1.0 { 1.0 } else { called_power(base, exponent) }
}

/// A function of its own: the compiler takes `powf` for cheap, and would call it first and
/// choose afterwards.
#[inline(never)]
fn called_power(base: f32, exponent: f32) -> f32 {
    base.powf(exponent)
}
