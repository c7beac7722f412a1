use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use foldhash::HashMap;

use super::action_numbers::ActionNumbers;
use super::event_log::{Block, LoggedEvents, Offer, addresses};
use super::features::FeatureCache;
use super::joined::Joined;
use evaluation::{FeatureName, Log, PolicyTrace, SeenEvent, Shape, Unseen, View, Viewed};
use learner::{Event, Hashing, Label};
use policy::Seen;
use protocol::{Digits, EventId};
use timestamp::Timestamp;

/// The events that an evaluation replays.
#[derive(Debug)]
pub(crate) struct EvaluationLog {
    events: LoggedEvents,
    /// Hashed events, for each form that was requested.
    forms: Mutex<Vec<Form>>,
}

/// The last events that were requested in one form. Policies are replayed side by side, so that few
/// blocks serve all of them.
#[derive(Debug)]
struct Form {
    hashing: Hashing,
    without: Option<FeatureName>,
    actions: ActionNumbers,
    cache: FeatureCache,
    /// What is left of contexts and actions without the feature, by the addresses of the whole.
    /// The log owns what the addresses are of.
    left: HashMap<(usize, usize), Offer>,
    /// The oldest first.
    blocks: VecDeque<HashedBlock>,
}

/// The events of a block that were requested: those without slots by their offer, the others each.
#[derive(Debug)]
struct HashedBlock {
    number: usize,
    offers: Vec<Option<Event>>,
    filled: HashMap<usize, Event>,
}

/// So many blocks are hashed in one form.
const BLOCKS: usize = 4;

/// So many contexts and actions are kept without a feature.
const LEFT: usize = 4096;

impl EvaluationLog {
    pub fn new(events: LoggedEvents) -> Self {
        Self { events, forms: Mutex::default() }
    }

    /// When an event was ranked.
    pub fn time(&self, index: usize) -> Timestamp {
        let (_, block, index) = self.events.at(index);
        block.time(index)
    }

    /// The served policy.
    pub fn online(&self) -> PolicyTrace {
        self.trace(|block, index| block.label(index).probability)
    }

    /// The policy that always takes the baseline: the first action, or that of the slot.
    pub fn first_action(&self) -> PolicyTrace {
        self.trace(|block, index| if block.imitates_baseline(index) { 1.0 } else { 0.0 })
    }

    /// The policy that takes every action with the same probability.
    pub fn any_action(&self) -> PolicyTrace {
        #[expect(clippy::cast_precision_loss, reason = "there are at most fifty")]
        self.trace(|block, index| 1.0 / block.ranked(index) as f32)
    }

    /// The id of an event.
    pub fn event_id(&self, index: usize) -> Option<EventId> {
        (index < self.len()).then(|| self.joined(index).interaction.event_id)
    }

    fn joined(&self, index: usize) -> Joined {
        self.events.joined(index)
    }

    fn trace(&self, probability: impl Fn(&Block, usize) -> f32) -> PolicyTrace {
        let of = |index| {
            let (_, block, index) = self.events.at(index);
            probability(block, index)
        };
        PolicyTrace { probabilities: (0..self.len()).map(of).collect() }
    }

    fn hashed(&self, index: usize, hashing: Hashing, without: Option<&FeatureName>) -> Event {
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |of: &Form| of.hashing == hashing && of.without.as_ref() == without;
        let known = forms.iter().position(is_known).unwrap_or_else(|| {
            forms.push(Form::new(hashing, without.cloned()));
            forms.len() - 1
        });
        forms[known].event(self.events.at(index))
    }

    /// The names of the features of the first events.
    pub fn feature_names(&self) -> Vec<FeatureName> {
        /// So many events are looked at.
        const SURVEYED: usize = 1000;
        let mut names = Vec::new();
        for index in 0..self.len().min(SURVEYED) {
            let (_, block, index) = self.events.at(index);
            let (context, actions) = block.offer(index);
            names.extend(FeatureName::all(context, actions));
            names.sort();
            names.dedup();
        }
        names
    }

    /// Forgets the hashed events without a feature.
    pub fn forget(&self, without: &FeatureName) {
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        forms.retain(|of| of.without.as_ref() != Some(without));
    }
}

impl Form {
    fn new(hashing: Hashing, without: Option<FeatureName>) -> Self {
        Self {
            hashing,
            without,
            actions: ActionNumbers::default(),
            cache: FeatureCache::default(),
            left: HashMap::default(),
            blocks: VecDeque::new(),
        }
    }

    fn event(&mut self, (number, block, index): (usize, &Block, usize)) -> Event {
        let place = self.place(number, block);
        let hashed = &self.blocks[place];
        let offer = block.offer_index(index);
        let known = if block.has_slots(index) {
            hashed.filled.get(&index)
        } else {
            hashed.offers[offer].as_ref()
        };
        if let Some(event) = known {
            return event.clone();
        }
        let event = self.hash(block, index);
        let hashed = &mut self.blocks[place];
        if block.has_slots(index) {
            hashed.filled.insert(index, event.clone());
        } else {
            hashed.offers[offer] = Some(event.clone());
        }
        event
    }

    /// Where the events of a block are.
    fn place(&mut self, number: usize, block: &Block) -> usize {
        if let Some(place) = self.blocks.iter().position(|hashed| hashed.number == number) {
            return place;
        }
        if self.blocks.len() == BLOCKS {
            self.blocks.pop_front();
        }
        let (offers, filled) = (vec![None; block.offers()], HashMap::default());
        self.blocks.push_back(HashedBlock { number, offers, filled });
        self.blocks.len() - 1
    }

    fn hash(&mut self, block: &Block, index: usize) -> Event {
        let (context, actions) = block.offer(index);
        if let Some(name) = &self.without {
            if self.left.len() >= LEFT {
                self.left.clear();
            }
            let left = self.left.entry(addresses(context, actions));
            let (context, actions) = left.or_insert_with(|| name.left_out(context, actions));
            return self.cache.event(self.hashing, context, actions, &mut self.actions).clone();
        }
        let joined = block.joined(index);
        let labels = joined.slot_labels();
        let (interaction, actions) = (&joined.interaction, &mut self.actions);
        self.cache.event_of(self.hashing, interaction, &labels, actions).into_owned()
    }
}

impl Log for EvaluationLog {
    fn len(&self) -> usize {
        self.events.len()
    }

    fn event(&self, index: usize, view: &View) -> Viewed {
        match view.shape {
            Shape::Hashed(hashing) => {
                Viewed::Hashed(self.hashed(index, hashing, view.without.as_ref()))
            }
            Shape::AsTheyCame => {
                let interaction = self.joined(index).interaction;
                if !interaction.slots.is_empty() {
                    return Viewed::Unseen(Unseen::Slots);
                }
                let digits = &mut Digits::default();
                let Seen { id, context, actions } = interaction.seen(digits);
                let (context, actions) = match &view.without {
                    None => (context.clone(), actions.clone()),
                    Some(name) => name.left_out(context, actions),
                };
                Viewed::AsItCame(SeenEvent { id: id.to_owned(), context, actions })
            }
        }
    }

    fn reward(&self, index: usize) -> f64 {
        let (_, block, index) = self.events.at(index);
        block.reward(index).learned
    }

    fn label(&self, index: usize) -> Label {
        let (_, block, index) = self.events.at(index);
        block.label(index)
    }
}
