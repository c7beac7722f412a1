use plan::Plan;
use plan::{Population, Step, Visitor};
use seed::PhaseKey;

/// Which population visitors are drawn from, by phase and iteration.
pub(super) struct PopulationSchedule<'a> {
    /// The plan's population, and those it drifts to, in the order of the phases.
    populations: Vec<WeightedPopulation<'a>>,
    /// The phases of iterations; empty, if nothing drifts.
    phases: Vec<PhasePopulations>,
}

/// Indices into the populations.
struct PhasePopulations {
    phase: PhaseKey,
    initial: usize,
    /// The first iteration after the drift, and the population from then on.
    drift: Option<(u64, usize)>,
}

struct WeightedPopulation<'a> {
    rows: &'a [Visitor],
    /// The sum of the weights up to and including each row.
    cumulative_weights: Vec<f64>,
}

impl<'a> PopulationSchedule<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let mut populations = vec![WeightedPopulation::new(&plan.population)];
        let mut phases = Vec::new();
        let mut usual = 0;
        for phase in &plan.phases {
            let Step::Iterate(iterate) = &phase.step else { continue };
            let mut add = |population| {
                populations.push(WeightedPopulation::new(population));
                populations.len() - 1
            };
            let initial = iterate.users.as_ref().map_or(usual, &mut add);
            let drift = iterate.drift.as_ref().map(|drift| (drift.at, add(&drift.population)));
            if let (Some((_, drifted)), false) = (drift, phase.parallel.is_some()) {
                usual = drifted;
            }
            phases.push(PhasePopulations { phase: phase.key, initial, drift });
        }
        if populations.len() == 1 {
            phases.clear();
        }
        Self { populations, phases }
    }

    /// The visitor of an iteration for a draw that is uniform in `[0, 1)`.
    pub(super) fn visitor(&self, phase: PhaseKey, iteration: u64, draw: f64) -> &'a Visitor {
        self.populations[self.population_index(phase, iteration)].visitor(draw)
    }

    fn population_index(&self, phase: PhaseKey, iteration: u64) -> usize {
        let Some(phase) = self.phases.iter().find(|of| of.phase == phase) else { return 0 };
        match phase.drift {
            Some((at, drifted)) if iteration >= at => drifted,
            _ => phase.initial,
        }
    }
}

impl<'a> WeightedPopulation<'a> {
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
