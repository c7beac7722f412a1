//! Joined events in few bytes each.

use std::hash::Hash;
use std::sync::Arc;

use foldhash::HashMap;
use smallvec::SmallVec;

use crate::interaction::{Activation, Choice, FilledSlot, Interaction};
use crate::joined::{Joined, JoinedReward, label};
use learner::Label;
use protocol::{EventId, FeatureObject, LearningMode, RankableAction};
use timestamp::Timestamp;

/// The number of events of a full block; few in tests, so that they cross its end.
pub(crate) const BLOCK: usize = if cfg!(test) { 7 } else { 4096 };

/// Events that were joined one after the other. What several of them share is stored once: most
/// have the actions of the event before, and a model that decides as it did for another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    entries: Vec<Entry>,
    /// About how many bytes of memory each event takes.
    bytes: Vec<u32>,
    offers: Vec<Offer>,
    decisions: Vec<Decision>,
    /// Probabilities as bits, by action; and rankings.
    numbers: Vec<Box<[u32]>>,
    details: Vec<Details>,
}

/// A context and its actions.
pub(crate) type Offer = (Arc<[FeatureObject]>, Arc<[RankableAction]>);

/// An event: 48 bytes.
#[derive(Debug, Clone)]
struct Entry {
    event_id: EventId,
    time: Timestamp,
    /// [`JoinedReward::original`].
    reward: f64,
    offer: u16,
    decision: u16,
    ranking: u16,
    rest: u16,
}

/// By what an event was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Decision {
    probabilities: u16,
    model: Option<Timestamp>,
    mode: LearningMode,
    activation: Activation,
    learnable: bool,
}

/// What few events have: several rewards, a reward to learn that is another than the original, or
/// slots.
#[derive(Debug, Clone)]
struct Details {
    learned: f64,
    rewards: SmallVec<[f64; 1]>,
    slots: Vec<FilledSlot>,
    slot_rewards: Vec<JoinedReward>,
}

/// The rest of an event without a reward: the default reward, which is learned.
const UNREWARDED: u16 = 0;
/// That of one reward, which is learned.
const REWARDED_ONCE: u16 = 1;
/// That of the first event with [`Details`].
const FIRST_DETAILS: u16 = 2;

const _: () = assert!(BLOCK + (FIRST_DETAILS as usize) < u16::MAX as usize / 2);

impl Block {
    /// The number of events.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// About how many bytes of memory an event takes.
    pub(crate) fn bytes(&self, index: usize) -> u64 {
        u64::from(self.bytes[index])
    }

    /// The id of an event.
    pub(crate) fn event_id(&self, index: usize) -> &EventId {
        &self.entries[index].event_id
    }

    /// When an event was ranked.
    pub(crate) fn time(&self, index: usize) -> Timestamp {
        self.entries[index].time
    }

    /// The number of contexts with their actions.
    pub(crate) fn offers(&self) -> usize {
        self.offers.len()
    }

    /// Which of them is that of an event.
    pub(crate) fn offer_index(&self, index: usize) -> usize {
        self.entries[index].offer.into()
    }

    /// The context and the actions of an event.
    pub(crate) fn offer(&self, index: usize) -> &Offer {
        &self.offers[self.offer_index(index)]
    }

    /// Whether an event fills slots.
    pub(crate) fn has_slots(&self, index: usize) -> bool {
        self.details(index).is_some_and(|details| !details.slots.is_empty())
    }

    /// Whether an event is learned.
    pub(crate) fn is_learnable(&self, index: usize) -> bool {
        self.decision(index).learnable
    }

    /// The reward of an event.
    pub(crate) fn reward(&self, index: usize) -> JoinedReward {
        let original = self.entries[index].reward;
        let learned = self.details(index).map_or(original, |details| details.learned);
        JoinedReward { original, learned }
    }

    /// The label of an event.
    pub(crate) fn label(&self, index: usize) -> Label {
        let chosen = self.ranking(index)[0];
        let probability = f32::from_bits(self.probabilities(index)[chosen as usize]);
        label(chosen as usize, probability, self.reward(index))
    }

    /// Whether the choice of an event is the baseline's.
    pub(crate) fn imitates_baseline(&self, index: usize) -> bool {
        let slot = self.details(index).and_then(|details| details.slots.first());
        self.ranking(index)[0] as usize == slot.map_or(0, |slot| slot.baseline)
    }

    /// How many actions an event ranks.
    pub(crate) fn ranked(&self, index: usize) -> usize {
        self.ranking(index).len()
    }

    /// An event as it was joined.
    pub(crate) fn joined(&self, index: usize) -> Joined {
        let Entry { event_id, time, rest, .. } = &self.entries[index];
        let reward = self.reward(index);
        let Decision { model, mode, activation, learnable, .. } = *self.decision(index);
        let (context, actions) = self.offer(index).clone();
        let probabilities = self.probabilities(index).iter();
        let choice = Choice {
            pmf: probabilities.map(|bits| f32::from_bits(*bits)).collect(),
            ranking: self.ranking(index).iter().map(|action| *action as usize).collect(),
        };
        let (rewards, slots, slot_rewards) = match (*rest, self.details(index)) {
            (_, Some(Details { rewards, slots, slot_rewards, .. })) => {
                (rewards.clone(), slots.clone(), slot_rewards.clone())
            }
            (REWARDED_ONCE, None) => (smallvec::smallvec![reward.original], Vec::new(), Vec::new()),
            (_, None) => (SmallVec::new(), Vec::new(), Vec::new()),
        };
        let interaction = Interaction {
            event_id: event_id.clone(),
            time: *time,
            context,
            actions,
            choice: Arc::new(choice),
            model,
            mode,
            activation,
            rewards,
            slots,
        };
        Joined { interaction, reward, learnable, slots: slot_rewards }
    }

    fn decision(&self, index: usize) -> &Decision {
        &self.decisions[usize::from(self.entries[index].decision)]
    }

    fn probabilities(&self, index: usize) -> &[u32] {
        &self.numbers[usize::from(self.decision(index).probabilities)]
    }

    fn ranking(&self, index: usize) -> &[u32] {
        &self.numbers[usize::from(self.entries[index].ranking)]
    }

    fn details(&self, index: usize) -> Option<&Details> {
        let details = self.entries[index].rest.checked_sub(FIRST_DETAILS)?;
        Some(&self.details[usize::from(details)])
    }
}

/// The addresses of a context and of its actions.
pub(crate) fn addresses(
    context: &Arc<[FeatureObject]>,
    actions: &Arc<[RankableAction]>,
) -> (usize, usize) {
    (Arc::as_ptr(context).cast::<()>().addr(), Arc::as_ptr(actions).cast::<()>().addr())
}

/// A buffer for the numbers of an event.
type Few = SmallVec<[u32; 8]>;

/// Adds a value, and returns its index: a block has room for fewer.
fn added<T>(values: &mut Vec<T>, value: T) -> u16 {
    values.push(value);
    u16::try_from(values.len() - 1).expect("a block has at most two values an event")
}

/// The index of a key, which `add` makes if it is new.
fn or_added<K: Eq + Hash>(known: &mut HashMap<K, u16>, key: K, add: impl FnOnce() -> u16) -> u16 {
    *known.entry(key).or_insert_with(add)
}

/// What an event has beside its original reward.
fn rest(joined: &Joined, details: &mut Vec<Details>) -> u16 {
    let Joined { interaction, reward, slots: slot_rewards, .. } = joined;
    let is = |left: f64, right: f64| left.to_bits() == right.to_bits();
    if interaction.slots.is_empty() && is(reward.learned, reward.original) {
        match &interaction.rewards[..] {
            [] => return UNREWARDED,
            [only] if is(*only, reward.original) => return REWARDED_ONCE,
            _ => {}
        }
    }
    let of = Details {
        learned: reward.learned,
        rewards: interaction.rewards.clone(),
        slots: interaction.slots.clone(),
        slot_rewards: slot_rewards.clone(),
    };
    added(details, of) + FIRST_DETAILS
}

/// A block that grows.
#[derive(Debug, Default)]
pub(crate) struct OpenBlock {
    /// Shared with those that look at its events.
    block: Arc<Block>,
    offers: HashMap<(usize, usize), u16>,
    decisions: HashMap<Decision, u16>,
    numbers: HashMap<Box<[u32]>, u16>,
}

impl OpenBlock {
    /// The events so far.
    pub(crate) fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Adds an event of about so many bytes.
    pub(crate) fn push(&mut self, joined: &Joined, bytes: u64) {
        let block = Arc::make_mut(&mut self.block);
        let interaction = &joined.interaction;
        let Interaction { context, actions, choice, .. } = interaction;
        let offer = or_added(&mut self.offers, addresses(context, actions), || {
            // The block owns what the addresses are of.
            added(&mut block.offers, (context.clone(), actions.clone()))
        });
        let mut shared = |numbers: &[u32]| {
            if let Some(known) = self.numbers.get(numbers) {
                return *known;
            }
            let index = added(&mut block.numbers, numbers.into());
            self.numbers.insert(numbers.into(), index);
            index
        };
        let probabilities = choice.pmf.iter().map(|probability| probability.to_bits());
        let probabilities = shared(&probabilities.collect::<Few>());
        let ranking = choice.ranking.iter().map(|action| u32::try_from(*action));
        let ranking = shared(&ranking.map(|action| action.unwrap_or(u32::MAX)).collect::<Few>());
        let decision = Decision {
            probabilities,
            model: interaction.model,
            mode: interaction.mode,
            activation: interaction.activation,
            learnable: joined.learnable,
        };
        let decision =
            or_added(&mut self.decisions, decision, || added(&mut block.decisions, decision));
        block.entries.push(Entry {
            event_id: interaction.event_id.clone(),
            time: interaction.time,
            reward: joined.reward.original,
            offer,
            decision,
            ranking,
            rest: rest(joined, &mut block.details),
        });
        block.bytes.push(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// The block, if it is full: another one begins.
    pub(crate) fn take_full(&mut self) -> Option<Arc<Block>> {
        (self.block.len() >= BLOCK).then(|| std::mem::take(self).block)
    }
}
