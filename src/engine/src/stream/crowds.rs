use scenario::Plan;
use scenario::plan::{Population, Step, Visitor};
use seed::PhaseKey;

/// Who may turn up, and when that changes.
pub(super) struct Crowds<'a> {
    /// The plan's population, and what it drifts to, in the order of the phases.
    crowds: Vec<Crowd<'a>>,
    /// The phases of iterations; none, if nothing drifts.
    phases: Vec<PhaseCrowds>,
}

struct PhaseCrowds {
    phase: PhaseKey,
    first: usize,
    /// From this iteration on another one.
    then: Option<(u64, usize)>,
}

/// A population to draw from.
struct Crowd<'a> {
    rows: &'a [Visitor],
    /// The weights of the rows before and up to each row.
    cumulative_weights: Vec<f64>,
}

impl<'a> Crowds<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        let mut crowds = vec![Crowd::new(&plan.population)];
        let mut phases = Vec::new();
        for phase in &plan.phases {
            let Step::Iterate(iterate) = &phase.step else { continue };
            let first = crowds.len() - 1;
            let then = iterate.drift.as_ref().map(|drift| {
                crowds.push(Crowd::new(&drift.population));
                (drift.at, first + 1)
            });
            phases.push(PhaseCrowds { phase: phase.key, first, then });
        }
        if crowds.len() == 1 {
            phases.clear();
        }
        Self { crowds, phases }
    }

    /// Who turns up in an iteration for a draw that is uniform in `[0, 1)`.
    pub fn visitor(&self, phase: PhaseKey, iteration: u64, draw: f64) -> &'a Visitor {
        self.crowds[self.place(phase, iteration)].visitor(draw)
    }

    fn place(&self, phase: PhaseKey, iteration: u64) -> usize {
        let Some(phase) = self.phases.iter().find(|crowds| crowds.phase == phase) else { return 0 };
        match phase.then {
            Some((at, then)) if iteration >= at => then,
            _ => phase.first,
        }
    }
}

impl<'a> Crowd<'a> {
    fn new(population: &'a Population) -> Self {
        let sum = |total: &mut f64, row: &Visitor| {
            *total += row.weight;
            Some(*total)
        };
        Self {
            rows: &population.rows,
            cumulative_weights: population.rows.iter().scan(0.0, sum).collect(),
        }
    }

    fn visitor(&self, draw: f64) -> &'a Visitor {
        let total = self.cumulative_weights.last().copied().unwrap_or(0.0);
        let row = self.cumulative_weights.partition_point(|&weight| weight <= draw * total);
        &self.rows[row.min(self.rows.len() - 1)]
    }
}
