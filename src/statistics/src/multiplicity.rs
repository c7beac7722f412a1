use super::real;

/// Adjusted p's that keep the chance of any false finding at the level of one test (Holm
/// 1979), in the order given.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let mut running = 0.0_f64;
    let mut adjusted = vec![0.0; p.len()];
    for (rank, index) in order.iter().enumerate() {
        let left = real((p.len() - rank) as u64);
        running = running.max((p[*index] * left).min(1.0));
        adjusted[*index] = running;
    }
    adjusted
}

fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}
