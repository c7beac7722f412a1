//! The context and the actions of a line: texts that lines share are made once.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{Objects, action};
use crate::action_numbers::ActionNumbers;
use crate::interaction::Interaction;
use protocol::{FeatureObject, RankableAction};

/// The texts of contexts with their actions, and of single actions, which different lists share.
/// Those of requests over the wire are never used again, so that what is met once is not kept.
#[derive(Debug, Default)]
pub(super) struct ContextTexts {
    /// By the addresses of the context and the actions. An entry owns both, so that no other
    /// allocation can get these addresses.
    known: HashMap<(usize, usize), ContextText>,
    /// How many bytes the texts have together.
    bytes: usize,
    /// The addresses of those that were met once. Others may have got them meanwhile.
    met: HashSet<(usize, usize)>,
    actions: ActionTexts,
}

#[derive(Debug)]
struct ContextText {
    text: Box<RawValue>,
    _context: Arc<[FeatureObject]>,
    _actions: Arc<[RankableAction]>,
}

/// The number of texts of contexts.
const CAPACITY: usize = 1024;

/// The number of bytes in texts of contexts: those of many actions are long.
const BYTE_CAPACITY: usize = 16 << 20;

/// The number of single actions, and of bytes in their texts: a catalogue is kept whole.
const ACTION_CAPACITY: usize = 1 << 18;
const ACTION_BYTES: usize = 32 << 20;

/// The context of a line.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum LineContext<'a> {
    Known(&'a RawValue),
    New(Context<'a>),
}

#[derive(Serialize)]
pub(super) struct Context<'a> {
    #[serde(rename = "FromUrl")]
    from_url: Objects<'a>,
    #[serde(rename = "_multi")]
    multi: Multi<'a>,
}

/// Actions, each with its text if that is known.
struct Multi<'a> {
    actions: &'a [RankableAction],
    texts: &'a [Option<Box<RawValue>>],
    /// Where the texts are.
    places: Vec<usize>,
}

impl ContextTexts {
    /// The context of an event.
    pub fn of<'a>(&'a mut self, interaction: &'a Interaction) -> LineContext<'a> {
        let (context, actions) = (&interaction.context, &interaction.actions);
        let key = (context.as_ptr().addr(), actions.as_ptr().addr());
        if self.known.len() >= CAPACITY || self.bytes >= BYTE_CAPACITY {
            self.known.clear();
            self.bytes = 0;
        }
        if self.met.len() >= CAPACITY {
            self.met.clear();
        }
        if !self.known.contains_key(&key) {
            if self.met.insert(key) {
                return LineContext::New(self.actions.context(context, actions));
            }
            let text = to_raw_value(&self.actions.context(context, actions));
            let text = text.expect("names are texts");
            self.bytes += text.get().len();
            let (context, actions) = (context.clone(), actions.clone());
            let text = ContextText { text, _context: context, _actions: actions };
            self.known.insert(key, text);
        }
        LineContext::Known(&self.known[&key].text)
    }
}

/// The texts of actions.
#[derive(Debug, Default)]
struct ActionTexts {
    known: ActionNumbers,
    /// By the numbers of the actions; none, if the action was met once.
    texts: Vec<Option<Box<RawValue>>>,
    /// How many bytes the texts have together.
    bytes: usize,
}

impl ActionTexts {
    fn context<'a>(
        &'a mut self,
        context: &'a [FeatureObject],
        actions: &'a [RankableAction],
    ) -> Context<'a> {
        if self.texts.len() >= ACTION_CAPACITY || self.bytes >= ACTION_BYTES {
            *self = Self::default();
        }
        let places = actions.iter().map(|action| self.place(action)).collect();
        let multi = Multi { actions, texts: &self.texts, places };
        Context { from_url: Objects(context), multi }
    }

    /// Where the text of an action is, if it was met before.
    fn place(&mut self, of: &RankableAction) -> usize {
        let Self { known, texts, bytes } = self;
        let (place, is_new) = known.number(of);
        if is_new {
            texts.push(None);
            return place;
        }
        texts[place].get_or_insert_with(|| {
            let text = to_raw_value(&action(of)).expect("names are texts");
            *bytes += text.get().len();
            text
        });
        place
    }
}

impl Serialize for Multi<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut multi = serializer.serialize_seq(Some(self.actions.len()))?;
        for (of, place) in self.actions.iter().zip(&self.places) {
            match &self.texts[*place] {
                Some(known) => multi.serialize_element(known)?,
                None => multi.serialize_element(&action(of))?,
            }
        }
        multi.end()
    }
}
