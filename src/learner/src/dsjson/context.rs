//! `c`: the context, and the actions in it.

use std::borrow::Cow;
use std::sync::Arc;

use super::DropReason;
use super::cache::{Actions, TextCache};
use super::cursor::{Cursor, Kind, Read};
use super::keys::LabelKey;
use super::line::{LabelKeys, numbers};
use super::outcomes::index;
use crate::features::{EventSlot, Example, ExampleBuilder, Hashing};

/// How deeply objects may be nested.
const MAXIMAL_DEPTH: usize = 1000;

/// What `c` says.
pub struct Context {
    pub shared: Arc<Example>,
    /// None, where the actions are known by their number only.
    pub actions: Option<Actions>,
    /// The slots, if it has some; at least one and no more than actions.
    pub slots: Option<Vec<EventSlot>>,
    /// Whether the same examples were given before.
    pub recurs: bool,
}

/// A context on its way to become an event.
pub struct ContextReader<'c, 'a, 's> {
    pub cursor: &'c mut Cursor<'a>,
    pub hashing: Hashing,
    pub cache: &'s mut TextCache,
    pub label: &'s mut LabelKeys,
    actions: Option<Actions>,
    slots: Option<Vec<EventSlot>>,
    /// Whether it holds keys of the label.
    is_labelled: bool,
    /// `_inc` of the slot that is being read.
    included: Vec<usize>,
}

/// What an object describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Context,
    Action,
    Slot,
}

impl<'c, 'a, 's> ContextReader<'c, 'a, 's> {
    pub fn new(
        cursor: &'c mut Cursor<'a>,
        hashing: Hashing,
        cache: &'s mut TextCache,
        label: &'s mut LabelKeys,
    ) -> Self {
        let (actions, slots, included) = (None, None, Vec::new());
        Self { cursor, hashing, cache, label, actions, slots, is_labelled: false, included }
    }

    /// The object that comes next.
    pub fn read(mut self) -> Read<Context> {
        self.expect_kind(Kind::Object, DropReason::Context)?;
        let start = self.cursor.at;
        if let Some((length, shared, actions)) = self.cache.context(self.cursor.rest()) {
            self.cursor.at += length;
            return Ok(Context { shared, actions: Some(actions), slots: None, recurs: true });
        }
        let mut shared = ExampleBuilder::new(self.hashing);
        self.object(&mut shared, Subject::Context, 0)?;
        let shared = Arc::new(shared.finish());
        let text = self.cursor.since(start);
        let Self { cache, actions, slots, is_labelled, .. } = self;
        if actions.as_ref().is_some_and(|actions| actions.is_empty()) {
            return Err(DropReason::Actions);
        }
        if let Some(actions) = actions.as_ref().filter(|_| slots.is_none() && !is_labelled) {
            cache.keep_context(text, &shared, actions);
        }
        Ok(Context { shared, actions, slots, recurs: false })
    }

    fn expect_kind(&mut self, kind: Kind, otherwise: DropReason) -> Read<()> {
        if self.cursor.kind()? == kind { Ok(()) } else { Err(otherwise) }
    }

    /// An object's properties, into the namespace that is open.
    fn object(&mut self, example: &mut ExampleBuilder, of: Subject, depth: usize) -> Read<()> {
        if depth > MAXIMAL_DEPTH {
            return Err(DropReason::Depth);
        }
        self.cursor.expect(b'{')?;
        let mut first = true;
        while let Some(key) = self.cursor.key(&mut first)? {
            if key.first() == Some(&b'_') {
                self.special(&key, example, of, depth)?;
            } else {
                self.cursor.expect(b':')?;
                self.value(&key, example, of, depth)?;
            }
        }
        Ok(())
    }

    fn value(
        &mut self,
        key: &[u8],
        example: &mut ExampleBuilder,
        of: Subject,
        depth: usize,
    ) -> Read<()> {
        match self.cursor.kind()? {
            Kind::Text => example.text(key, &self.cursor.string()?),
            Kind::Number => example.number(key, self.cursor.number()?),
            Kind::Object => {
                example.open(key);
                self.object(example, of, depth + 1)?;
                example.close();
            }
            Kind::Array => {
                example.open_array(key);
                self.array(example, key, of, depth + 1)?;
                example.close();
            }
            kind => {
                self.cursor.literal(kind)?;
                example.flag(key, kind == Kind::True);
            }
        }
        Ok(())
    }

    /// Numbers count by their position, objects add their properties: each to a namespace
    /// of the same name, which closes with it (`ArrayState::StartObject`).
    fn array(
        &mut self,
        example: &mut ExampleBuilder,
        key: &[u8],
        of: Subject,
        depth: usize,
    ) -> Read<()> {
        self.cursor.expect(b'[')?;
        let mut first = true;
        while self.cursor.next_element(&mut first)? {
            match self.cursor.kind()? {
                Kind::Number => example.element(self.cursor.number()?),
                Kind::Object => {
                    example.open(key);
                    self.object(example, of, depth + 1)?;
                    example.close();
                }
                Kind::Null => self.cursor.literal(Kind::Null)?,
                _ => return Err(DropReason::Type),
            }
        }
        Ok(())
    }

    /// Keys that mean something of their own.
    #[expect(clippy::ptr_arg, reason = "an owned key is one with escapes")]
    fn special(
        &mut self,
        key: &Cow<'_, [u8]>,
        example: &mut ExampleBuilder,
        of: Subject,
        depth: usize,
    ) -> Read<()> {
        match &**key {
            b"_multi" if of != Subject::Context => Err(DropReason::Actions),
            b"_multi" => self.actions(),
            b"_text" => {
                self.cursor.expect(b':')?;
                self.expect_kind(Kind::Text, DropReason::Type)?;
                self.tokens(example)
            }
            b"_tag" => {
                self.cursor.expect(b':')?;
                self.tag()
            }
            // Anywhere else, VW loses the namespace that is open.
            b"_slots" if of == Subject::Context && depth == 0 => self.slots(example),
            b"_slots" => Err(DropReason::Slots),
            b"_inc" if of == Subject::Slot => self.include(),
            b"_a" | b"_p" if of == Subject::Slot => Err(DropReason::LabelPlace),
            key if key.starts_with(b"_label") && of != Subject::Context => {
                Err(DropReason::LabelPlace)
            }
            key if key.starts_with(b"_label") => {
                self.is_labelled = true;
                self.label.read(LabelKey::of(key), self.cursor)
            }
            _ => self.cursor.skip_unread_key(key),
        }
    }

    fn tokens(&mut self, example: &mut ExampleBuilder) -> Read<()> {
        let text = self.cursor.string()?;
        let tokens = text.split(|byte| matches!(byte, b' ' | b'\t'));
        tokens.filter(|token| !token.is_empty()).for_each(|token| example.token(token));
        Ok(())
    }

    fn tag(&mut self) -> Read<()> {
        match self.cursor.kind()? {
            Kind::Text => self.cursor.string().map(drop),
            Kind::Null => self.cursor.literal(Kind::Null),
            _ => Err(DropReason::Type),
        }
    }

    /// `_multi`
    fn actions(&mut self) -> Read<()> {
        if self.actions.is_some() {
            return Err(DropReason::Actions);
        }
        self.cursor.expect(b':')?;
        self.expect_kind(Kind::Array, DropReason::Actions)?;
        let actions = match self.cache.list(self.cursor.rest()) {
            Some((length, actions)) => {
                self.cursor.at += length;
                actions
            }
            None => self.new_actions()?,
        };
        self.actions = Some(actions);
        Ok(())
    }

    /// `_slots`. As in VW, the default namespace ends before them, and begins anew behind.
    fn slots(&mut self, shared: &mut ExampleBuilder) -> Read<()> {
        let actions = self.actions.as_ref().map_or(0, |actions| actions.len());
        if self.slots.is_some() {
            return Err(DropReason::Slots);
        }
        self.cursor.expect(b':')?;
        self.expect_kind(Kind::Array, DropReason::Slots)?;
        self.cursor.expect(b'[')?;
        shared.close();
        let (mut first, mut slots) = (true, Vec::new());
        while self.cursor.next_element(&mut first)? {
            self.expect_kind(Kind::Object, DropReason::Slots)?;
            slots.push(self.slot()?);
        }
        shared.open(b" ");
        if slots.is_empty() || slots.len() > actions {
            return Err(DropReason::Slots);
        }
        self.slots = Some(slots);
        Ok(())
    }

    fn slot(&mut self) -> Read<EventSlot> {
        let mut example = ExampleBuilder::new(self.hashing);
        self.object(&mut example, Subject::Slot, 0)?;
        let included = std::mem::take(&mut self.included);
        let features = Arc::new(example.finish());
        Ok(EventSlot { features, included, outcome: None, taken: None })
    }

    /// `_inc`
    fn include(&mut self) -> Read<()> {
        numbers(self.cursor, |action| self.included.push(index(action)))
    }

    fn new_actions(&mut self) -> Read<Actions> {
        let start = self.cursor.at;
        self.cursor.expect(b'[')?;
        let (mut first, mut actions) = (true, Vec::new());
        while self.cursor.next_element(&mut first)? {
            match self.cursor.kind()? {
                Kind::Object => actions.push(self.action()?),
                Kind::Null => self.cursor.literal(Kind::Null)?,
                _ => return Err(DropReason::Type),
            }
        }
        let actions: Actions = actions.into();
        self.cache.keep_list(self.cursor.since(start), &actions);
        Ok(actions)
    }

    /// An action that was read before is found by its text.
    fn action(&mut self) -> Read<Arc<Example>> {
        let start = self.cursor.at;
        self.cursor.skip_balanced()?;
        if let Some(action) = self.cache.action(self.cursor.since(start)) {
            return Ok(action);
        }
        self.cursor.at = start;
        let mut example = ExampleBuilder::new(self.hashing);
        self.object(&mut example, Subject::Action, 0)?;
        let action = Arc::new(example.finish());
        self.cache.keep_action(self.cursor.since(start), &action);
        Ok(action)
    }
}
