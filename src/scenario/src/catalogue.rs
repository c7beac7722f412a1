//! From what a scenario says of its actions to a [`Catalogue`].

use std::ops::RangeInclusive;

use crate::dataset::generated::GeneratedActions;
use crate::dataset::{DatedAction, DatedFeatures};
use crate::format::{Placed, Share};
use crate::model::{OfferFile, Turnover};
use diagnostic::{Diagnostic, Place, Report};
use plan::{ActionState, Catalogue};
use plan::{Population, Preference, Visitor};
use protocol::RankableAction;
use seed::{PhaseKey, Purpose, Seed};

/// So many states all actions together may have.
const MOST_STATES: u64 = 500_000;

/// What there is to offer.
#[derive(Clone, Copy)]
pub(crate) enum Supply<'a> {
    /// Actions of a file, some of which depend on the day.
    Dated(&'a [DatedAction]),
    /// Actions that are generated; perhaps anew after some iterations.
    Generated(&'a GeneratedActions, Option<&'a Placed<Share>>),
}

/// What is said of the offer, and what it is said of.
pub(crate) struct OfferSpec<'a> {
    pub file: &'a OfferFile,
    pub supply: Supply<'a>,
    pub actions: &'a [RankableAction],
    /// Whether the template of requests excludes actions.
    pub has_excluded: bool,
    /// Everyone who turns up, before and after drifts.
    pub populations: &'a [&'a Population],
    /// The iterations of the run.
    pub iterations: u64,
}

/// The catalogue; none, if every event offers every action, always the same.
pub(crate) fn catalogue(spec: &OfferSpec<'_>, report: &mut Report) -> Option<Catalogue> {
    let before = report.errors();
    spec.refuse_missing_calendar(report)?;
    let catalogue = Catalogue {
        candidates: spec.candidates(report),
        presence: spec.presence(report),
        states: spec.states(report),
    };
    if report.errors() == before {
        spec.check(&catalogue, report);
    }
    let is_plain = catalogue.candidates.is_none()
        && catalogue.presence.is_empty()
        && catalogue.states.is_empty();
    (!is_plain).then_some(catalogue)
}

impl<'a> OfferSpec<'a> {
    fn candidates(&self, report: &mut Report) -> Option<(usize, usize)> {
        let sizes = self.file.candidates.as_ref()?;
        let (least, most) = (*sizes.start(), *sizes.end());
        if most > self.actions.len() {
            let message =
                format!("{most} candidates are asked for, of {}", count(self.actions.len()));
            report.push(Diagnostic::error(message).at(&sizes.place));
        }
        if most == 1 {
            let message = "with a single candidate there is nothing to choose";
            report.push(Diagnostic::error(message).at(&sizes.place));
        }
        Some((least, most))
    }

    /// When each action is available.
    fn presence(&self, report: &mut Report) -> Vec<(u64, u64)> {
        let dated = match self.supply {
            Supply::Dated(dated) => dated,
            Supply::Generated(..) => &[],
        };
        let first_dated = dated.iter().find_map(|action| action.available.as_ref());
        match (&self.file.turnover, first_dated) {
            (Some(turnover), Some(available)) => {
                let message = "`turnover` draws when actions are available, and this one says it";
                let mistake = Diagnostic::error(message).at(&available.1);
                report.push(mistake.context(&turnover.key, "here").help("leave one of them out"));
                Vec::new()
            }
            (Some(turnover), None) => self.drawn_presence(turnover),
            (None, Some(_)) => {
                let all = dated.iter().zip(0..).map(|(action, index)| {
                    action.available.as_ref().map_or(Some((0, u64::MAX)), |(days, place)| {
                        self.span(days, place, index, report)
                    })
                });
                all.collect::<Vec<_>>().into_iter().collect::<Option<_>>().unwrap_or_default()
            }
            (None, None) => Vec::new(),
        }
    }

    /// The iterations of some days.
    fn span(
        &self,
        days: &RangeInclusive<i64>,
        place: &Place,
        index: usize,
        report: &mut Report,
    ) -> Option<(u64, u64)> {
        let calendar = &self.file.calendar.as_ref()?.value;
        if days.end() < calendar.start() || days.start() > calendar.end() {
            let message = format!("`{}` is available on no day of the run", self.actions[index].id);
            let calendar_place = self.file.calendar.as_ref().map(|calendar| &calendar.place);
            let mistake = Diagnostic::error(message).at(place);
            let place = calendar_place.unwrap_or(place);
            report.push(mistake.context(place, "the days of the run"));
            return None;
        }
        let until =
            if days.end() >= calendar.end() { u64::MAX } else { self.start_of(days.end() + 1) };
        Some((self.start_of(*days.start()), until))
    }

    /// Refuses days of actions where it is not said which days the iterations stand for.
    fn refuse_missing_calendar(&self, report: &mut Report) -> Option<()> {
        let Supply::Dated(dated) = self.supply else { return Some(()) };
        let of_action = |action: &'a DatedAction| {
            let change = action.changes.first().map(|change| &change.place);
            action.available.as_ref().map(|(_, place)| place).or(change)
        };
        let first = dated.iter().find_map(of_action).filter(|_| self.file.calendar.is_none());
        let Some(first) = first else { return Some(()) };
        let message = "an action depends on the day, and the run has no `calendar`";
        let help = "say which days the iterations stand for: \
            `datasets: { calendar: 2026-01-01..2026-01-31 }`";
        report.push(Diagnostic::error(message).at(first).help(help));
        None
    }

    /// The iteration that a day begins with: the iterations are spread evenly over the days.
    fn start_of(&self, day: i64) -> u64 {
        let Some(calendar) = &self.file.calendar else { return 0 };
        let days = u128::from(calendar.end().abs_diff(*calendar.start())) + 1;
        let passed = u128::from(u64::try_from(day - calendar.start()).unwrap_or(0));
        u64::try_from(passed * u128::from(self.iterations) / days).unwrap_or(u64::MAX)
    }

    /// Arrivals are uniform from before the run to its end, so that as many actions are
    /// available at its start as later.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a run makes fewer than 2^53 iterations; what is below zero becomes zero"
    )]
    fn drawn_presence(&self, turnover: &Turnover) -> Vec<(u64, u64)> {
        let total = self.iterations as f64;
        let lifetime = turnover.lifetime.of(self.iterations) as f64;
        let (seed, key) = (Seed(turnover.seed), PhaseKey::new("turnover"));
        let presence = |action: u64| {
            let mut draws = seed.draws(key, action, Purpose::World);
            let arrival = draws.unit() * (total + 1.5 * lifetime) - 1.5 * lifetime;
            let departure = arrival + lifetime * (0.5 + draws.unit());
            (arrival as u64, departure as u64)
        };
        (0..self.actions.len() as u64).map(presence).collect()
    }

    /// The states of the actions.
    fn states(&self, report: &mut Report) -> Vec<Vec<ActionState>> {
        match self.supply {
            Supply::Dated(dated) => {
                self.refuse_idle_calendar(dated, report);
                if dated.iter().all(|action| action.changes.is_empty()) {
                    return Vec::new();
                }
                let states = self.actions.iter().zip(dated);
                states.map(|(action, dated)| self.dated_states(action, dated, report)).collect()
            }
            Supply::Generated(generated, renewal) => self.drawn_states(generated, renewal, report),
        }
    }

    fn refuse_idle_calendar(&self, dated: &[DatedAction], report: &mut Report) {
        let depends =
            |action: &DatedAction| action.available.is_some() || !action.changes.is_empty();
        let Some(calendar) = self.file.calendar.as_ref().filter(|_| !dated.iter().any(depends))
        else {
            return;
        };
        let message = "no action depends on the day";
        let help = "give actions `available: 2026-01-03..2026-01-10` or `changes`, or leave the \
            `calendar` out";
        report.push(Diagnostic::error(message).at(&calendar.key).help(help));
    }

    fn dated_states(
        &self,
        action: &RankableAction,
        dated: &DatedAction,
        report: &mut Report,
    ) -> Vec<ActionState> {
        let state = |from, action| ActionState { from, action, traits: Vec::new() };
        let mut states = vec![state(0, action.clone())];
        let mut last: Option<i64> = None;
        for DatedFeatures { day, place, features } in &dated.changes {
            if self.file.calendar.as_ref().is_some_and(|calendar| !calendar.contains(day)) {
                let message =
                    format!("`{}` changes on a day that is not one of the run", action.id);
                report.push(Diagnostic::error(message).at(place));
            }
            if last.is_some_and(|last| last >= *day) {
                let message = "changes must be in the order of their days, each on its own";
                report.push(Diagnostic::error(message).at(place));
            }
            last = Some(*day);
            let changed = RankableAction { id: action.id.clone(), features: features.clone() };
            states.push(state(self.start_of(*day), changed));
        }
        states
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a run makes fewer than 2^53 iterations"
    )]
    fn drawn_states(
        &self,
        generated: &GeneratedActions,
        renewal: Option<&Placed<Share>>,
        report: &mut Report,
    ) -> Vec<Vec<ActionState>> {
        let every = renewal.map_or(u64::MAX, |renewal| renewal.of(self.iterations));
        let renewals = self.iterations / every;
        let states = (renewals + 2).saturating_mul(self.actions.len() as u64);
        if let Some(renewal) = renewal.filter(|_| states > MOST_STATES) {
            let message = format!(
                "{} would be renewed {renewals} times: more than {MOST_STATES} in all",
                count(self.actions.len())
            );
            let help = "renew them less often, or generate fewer";
            report.push(Diagnostic::error(message).at(&renewal.place).help(help));
            return Vec::new();
        }
        let states = |(action, index): (&RankableAction, u64)| {
            let first = draw_state(generated, index, 0, 0, action);
            let offset = generated.draws("renewal", index).unit() * every as f64;
            let later = (0..=renewals).map_while(|number| {
                let from = (offset as u64).checked_add(number.checked_mul(every)?)?;
                let is_within = from > 0 && from < self.iterations && renewal.is_some();
                is_within.then(|| draw_state(generated, index, number + 1, from, action))
            });
            std::iter::once(first).chain(later).collect()
        };
        self.actions.iter().zip(0..).map(states).collect()
    }

    /// Refuses an offer that some event could not choose from.
    fn check(&self, catalogue: &Catalogue, report: &mut Report) {
        let place = self.place();
        let narrows = catalogue.candidates.is_some() || !catalogue.presence.is_empty();
        let prefers = |row: &Visitor| matches!(row.preference, Preference::Action(_));
        if let Some(place) = place.filter(|_| narrows && self.visitors().any(prefers)) {
            let message = "an event may offer everything but the action that its visitor prefers";
            let help = "say what each action is worth to them: `rewards` instead of `preferred`";
            report.push(Diagnostic::error(message).at(place).help(help));
            return;
        }
        if let Some(place) = place.filter(|_| self.has_excluded) {
            let message = "the template excludes actions, and an event offers only some of them";
            let help = "leave the `excludedActions` of the template out";
            report.push(Diagnostic::error(message).at(place).help(help));
        }
        if catalogue.presence.is_empty() {
            return;
        }
        let own = self.visitors().filter_map(|row| row.actions.as_deref());
        let all: Vec<usize> = (0..self.actions.len()).collect();
        let gap = std::iter::once(&*all)
            .chain(own)
            .find_map(|actions| first_gap(actions, &catalogue.presence, self.iterations));
        if let (Some(gap), Some(place)) = (gap, place) {
            let message = format!("in iteration {gap} of the run, no action is available");
            let help = "let more actions be available, or for longer";
            report.push(Diagnostic::error(message).at(place).help(help));
        }
    }

    fn visitors(&self) -> impl Iterator<Item = &Visitor> {
        self.populations.iter().flat_map(|population| &population.rows)
    }

    /// Where it is said that not everything is offered.
    fn place(&self) -> Option<&Place> {
        let OfferFile { candidates, turnover, calendar } = self.file;
        let candidates = candidates.as_ref().map(|it| &it.key);
        let turnover = turnover.as_ref().map(|it| &it.key);
        let calendar = calendar.as_ref().map(|it| &it.key);
        turnover.or(calendar).or(candidates)
    }
}

fn draw_state(
    generated: &GeneratedActions,
    index: u64,
    version: u64,
    from: u64,
    action: &RankableAction,
) -> ActionState {
    let traits = generated.traits(index, version);
    let features = if version == 0 { action.features.clone() } else { generated.features(&traits) };
    let action = RankableAction { id: action.id.clone(), features };
    ActionState { from, action, traits: generated.numbers(&traits) }
}

/// The first iteration of the run in which none of the actions is available.
fn first_gap(actions: &[usize], presence: &[(u64, u64)], iterations: u64) -> Option<u64> {
    let mut spans: Vec<(u64, u64)> = actions.iter().map(|action| presence[*action]).collect();
    spans.sort_unstable();
    let mut covered = 0;
    for (from, until) in spans {
        if from > covered {
            break;
        }
        covered = covered.max(until);
    }
    (covered < iterations).then_some(covered)
}

fn count(actions: usize) -> String {
    if actions == 1 { "1 action".to_owned() } else { format!("{actions} actions") }
}

#[cfg(test)]
mod tests {
    use super::first_gap;

    #[test]
    fn a_gap_is_the_first_iteration_without_an_action() {
        let presence = [(0, 10), (5, 20), (21, u64::MAX), (30, 30)];
        assert_eq!(first_gap(&[0, 1, 2], &presence, 100), Some(20));
        assert_eq!(first_gap(&[0, 1, 2], &presence, 20), None);
        assert_eq!(first_gap(&[1, 2], &presence, 100), Some(0));
        assert_eq!(first_gap(&[], &presence, 100), Some(0));
    }
}
