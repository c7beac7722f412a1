//! `matrix:`: one scenario as many runs, every combination of target, learning policy, seed and
//! other values a cell of its own: a virtual world, or a run against a live target.
//!
//! A cell is a plan like any other. Cells that differ in nothing but their seed are one
//! [`Variant`], planned once.

mod axis;
mod live;
mod selection;

use std::collections::HashSet;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use self::axis::{Axis, axes, refuse_same_seed};
pub use self::live::{Between, CellOrder, LiveCells};
use self::live::{begin_with_reset, is_live, live_cells, refuse_learned_state, refuse_wall_clock};
use self::selection::{Coordinates, select};
use super::document::{Node, set};
use super::file::Files;
use super::format::Placed;
use super::gates::GateScope;
use super::model::{GateFile, MatrixFile, Seeds, Until, UntilDecidedFile};
use diagnostic::{Diagnostic, Report};
use metrics::{Gate, PhaseScope};
use plan::{ClockKind, Pause, Plan, Redactor, Step, TargetPlan};
use seed::Seed;
use shard::blocks;

/// A scenario with a matrix: many runs, to be compared.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The names of the axes, the seed left out: `policy`, or the path of a value.
    pub axes: Vec<String>,
    /// The combinations of their values, in the order of the file.
    pub variants: Vec<Variant>,
    /// What is run: seed by seed, the variants of one seed one after the other.
    pub cells: Vec<Cell>,
    /// What the variants must show against each other.
    pub gates: Vec<Gate>,
    /// The ceiling, where seeds are added in rounds until every gate is decided.
    pub until_decided: Option<u64>,
    /// How the cells follow each other, if one is a run against a live target; virtual worlds
    /// do not meet.
    pub live: Option<LiveCells>,
}

/// A combination of values of the axes.
#[derive(Debug, Clone)]
pub struct Variant {
    /// A value for each axis, as it is written.
    pub labels: Vec<String>,
    /// The plan, under the seed of the scenario.
    pub plan: Plan,
}

/// One virtual world, or one run against a live target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Which of the variants.
    pub variant: usize,
    /// Its seed.
    pub seed: Seed,
}

impl Experiment {
    /// The plan of a cell.
    #[must_use]
    pub fn plan(&self, cell: Cell) -> Plan {
        let mut plan = self.variants[cell.variant].plan.clone();
        plan.seed = cell.seed;
        plan.digest = plan::digest::digest(&plan);
        plan
    }

    /// What a cell is, by its content: two cells have one key only if they are the same
    /// world under the same version of this program, or the run of the same name against the same
    /// live target. 64 hex digits.
    #[must_use]
    pub fn key(&self, cell: Cell) -> String {
        let variant = &self.variants[cell.variant];
        let (version, digest) = (env!("CARGO_PKG_VERSION"), &variant.plan.digest);
        let mut content = format!("{version}\n{digest}\n{}", cell.seed);
        if self.live.is_some() {
            // Two runs of one live target are two measurements.
            content.extend(["\n", &variant.labels.join("\n")]);
        }
        let hash = Sha256::digest(content);
        hash.iter().fold(String::new(), |mut digits, byte| {
            // Writing to a text cannot fail.
            _ = write!(digits, "{byte:02x}");
            digits
        })
    }

    /// The seeds, each once, in the order of the cells.
    #[must_use]
    pub fn seeds(&self) -> Vec<Seed> {
        let mut seen = HashSet::new();
        self.cells.iter().map(|cell| cell.seed).filter(|seed| seen.insert(*seed)).collect()
    }

    /// The block of each cell: the cells of one seed are one, numbered as they turn up.
    #[must_use]
    pub fn blocks(&self) -> Vec<u64> {
        blocks(self.cells.iter().map(|cell| cell.seed))
    }

    /// The indices of the cells, in the order in which they are run.
    #[must_use]
    pub fn execution_order(&self) -> Vec<usize> {
        let Some(live) = &self.live else { return (0..self.cells.len()).collect() };
        let variants = self.cells.iter().map(|cell| cell.variant);
        live.order.of(&variants.zip(self.blocks()).collect::<Vec<_>>())
    }

    /// Takes the secrets of all plans out of texts.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        let plans = self.variants.iter().map(|variant| &variant.plan);
        Redactor::new(plans.flat_map(Plan::secrets))
    }

    /// What all cells have in common: the name, the description, the text.
    #[must_use]
    pub fn scenario(&self) -> &Plan {
        &self.variants[0].plan
    }
}

impl Variant {
    /// What tells it from the others, for people.
    #[must_use]
    pub fn name(&self) -> String {
        variant_name(&self.labels)
    }
}

fn variant_name(labels: &[String]) -> String {
    labels.join(" · ")
}

/// A matrix to be laid out.
pub(super) struct Layout<'a> {
    /// The scenario, of which each cell changes some values.
    pub root: &'a Node,
    pub matrix: &'a Placed<MatrixFile>,
    pub gates: &'a [GateFile],
    /// The seed of the scenario, for a matrix that names none.
    pub seed: u64,
    /// The seed of the command line: that of every cell.
    pub only_seed: Option<u64>,
    pub files: &'a Files,
}

/// Plans a scenario; what speaks of its phases is read by the function, if it is known how they
/// are called.
pub(super) type PlanOf<'a> = &'a mut dyn FnMut(&Node, OfPhases<'_>, &mut Report) -> Option<Plan>;

/// Reads what speaks of phases.
pub(super) type OfPhases<'a> = &'a mut dyn FnMut(&[PhaseScope<'_>], &mut Report);

/// Makes the experiment of a scenario with a matrix.
pub(super) fn experiment(
    layout: &Layout<'_>,
    plan_of: PlanOf<'_>,
    report: &mut Report,
) -> Option<Experiment> {
    let matrix = layout.matrix;
    if matrix.targets.is_some() && axis::target_is_misspelt(layout.root) {
        // The targets are not whole without what they have in common.
        plan_of(layout.root, &mut |_, _| {}, report);
        return None;
    }
    let mut axes = axes(layout.root, matrix, layout.files, report);
    let seeds = layout.seeds(report);
    check_size(&axes, &seeds, matrix, report)?;
    let coordinates = select(&mut axes, &seeds, matrix, report);
    let mut combinations: Vec<Vec<usize>> = Vec::new();
    let mut cells = Vec::new();
    for Coordinates { values, seed } in coordinates {
        let known = combinations.iter().position(|known| *known == values);
        let variant = known.unwrap_or(combinations.len());
        if known.is_none() {
            combinations.push(values);
        }
        cells.push(Cell { variant, seed: Seed(seed) });
    }
    let label = |(axis, value): (&Axis, &usize)| axis.values[*value].label.clone();
    let labels = |values: &Vec<usize>| axes.iter().zip(values).map(label).collect();
    let labels: Vec<Vec<String>> = combinations.iter().map(labels).collect();
    let policies: Vec<String> = labels.iter().map(|labels| variant_name(labels)).collect();
    let mut gates = None;
    // The phases of all variants have the same names, also of those that cannot be planned.
    let mut read_gates = |phases: &[PhaseScope<'_>], report: &mut Report| {
        let scope = GateScope { phases, policies: &policies };
        gates.get_or_insert_with(|| super::gates::gates(layout.gates, scope, report));
    };
    let mut plan =
        |values: &Vec<usize>| plan_cell(layout, &axes, values, plan_of, &mut read_gates, report);
    let plans: Vec<Option<Plan>> = combinations.iter().map(&mut plan).collect();
    let variants: Vec<Variant> = labels
        .into_iter()
        .zip(plans)
        .filter_map(|(labels, plan)| Some(Variant { labels, plan: plan? }))
        .collect();
    let until_decided = layout.until_decided(report);
    let live = variants.iter().any(|variant| is_live(&variant.plan));
    let live = if variants.is_empty() { None } else { live_cells(matrix, live, report) };
    let axes = axes.into_iter().map(|axis| axis.name).collect();
    (!report.has_errors() && !variants.is_empty()).then_some(Experiment {
        axes,
        variants,
        cells,
        gates: gates.unwrap_or_default(),
        until_decided,
        live,
    })
}

impl Layout<'_> {
    /// The ceiling of seeds that are added until the gates are decided.
    fn until_decided(&self, report: &mut Report) -> Option<u64> {
        let seeds = self.matrix.seeds.as_ref().filter(|_| self.only_seed.is_none())?;
        let Seeds::UntilDecided(UntilDecidedFile { until: Until::Decided, at_most }) = &seeds.value
        else {
            return None;
        };
        if self.gates.is_empty() {
            let message = "there is nothing to decide: the scenario has no gates";
            let help = "write `gates:`, or name the seeds, such as `seeds: 1..20`";
            report.push(Diagnostic::error(message).at(&seeds.place).help(help));
        }
        Some(*at_most)
    }

    /// The seeds; that of the scenario, if the matrix names none.
    fn seeds(&self, report: &mut Report) -> Vec<u64> {
        match (self.only_seed, &self.matrix.seeds) {
            (Some(seed), _) => vec![seed],
            (None, Some(seeds)) => match &seeds.value {
                Seeds::Fixed(list) => {
                    refuse_same_seed(list, &seeds.place, report);
                    list.clone()
                }
                Seeds::UntilDecided(until) => (1..=until.at_most).collect(),
            },
            (None, None) => vec![self.seed],
        }
    }
}

/// Plans the scenario with the values of a cell.
fn plan_cell(
    layout: &Layout<'_>,
    axes: &[Axis],
    values: &[usize],
    plan_of: PlanOf<'_>,
    of_phases: OfPhases<'_>,
    report: &mut Report,
) -> Option<Plan> {
    let mut root = layout.root.clone();
    for (axis, value) in axes.iter().zip(values) {
        let value = axis.values[*value].node.clone();
        if let Err(mistake) = set(&mut root, &axis.path, value) {
            report.push(mistake);
        }
    }
    begin_with_reset(&mut root, layout.matrix.between.as_ref());
    let plan = plan_of(&root, of_phases, report);
    if let Some(plan) = &plan {
        refuse_what_is_no_cell(plan, layout.matrix, report);
    }
    plan
}

/// Says how large the matrix is, before it is laid out, if it is too large.
fn check_size(
    axes: &[Axis],
    seeds: &[u64],
    matrix: &Placed<MatrixFile>,
    report: &mut Report,
) -> Option<()> {
    let limit = matrix.limit;
    let mut lengths = axes.iter().map(|axis| axis.values.len()).chain([seeds.len()]);
    let size = lengths.try_fold(1_u64, |size, length| size.checked_mul(length as u64));
    if size.is_some_and(|size| size <= limit) {
        return Some(());
    }
    let found = size.map_or("more cells than can be counted".to_owned(), |size| {
        let lengths = axes.iter().map(|axis| format!("{} of `{}`", axis.values.len(), axis.name));
        let lengths: Vec<_> = lengths.chain([format!("{} seeds", seeds.len())]).collect();
        format!("{size} cells ({})", lengths.join(" × "))
    });
    let message = format!("the matrix has {found}, at most {limit} are run");
    let help = "take values out, or raise `matrix.limit`";
    report.push(Diagnostic::error(message).at(&matrix.key).help(help));
    None
}

/// A cell is a virtual world, whose time is simulated, or a run that begins anew against a live
/// target.
fn refuse_what_is_no_cell(plan: &Plan, matrix: &Placed<MatrixFile>, report: &mut Report) {
    let place = &matrix.key;
    if matches!(plan.target, TargetPlan::Embedded(_)) && plan.clock == ClockKind::Wall {
        refuse_wall_clock(place, report);
    }
    refuse_learned_state(plan, matrix, report);
    for phase in &plan.phases {
        if matches!(phase.step, Step::Pause(Pause::Prompt(_))) {
            let message = format!(
                "phase `{}` waits for the operator, which a matrix does not allow",
                phase.name
            );
            report.push(Diagnostic::error(message).at(place).help("leave the `pause` out"));
        }
    }
}

#[cfg(test)]
mod tests;
