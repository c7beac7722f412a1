//! `c`: the context, and the actions in it.

use std::sync::Arc;

use super::DropReason;
use super::cache::ActionCache;
use super::cursor::{Cursor, Kind, Read};
use super::line::LabelKeys;
use crate::learner::features::{Event, Example, ExampleBuilder, Hashing};

/// How deeply objects may be nested.
const MAXIMAL_DEPTH: usize = 1000;

/// A context on its way to become an event.
pub struct ContextReader<'c, 'a, 's> {
    pub cursor: &'c mut Cursor<'a>,
    pub hashing: Hashing,
    pub cache: &'s mut ActionCache,
    pub label: &'s mut LabelKeys,
    actions: Option<Arc<[Arc<Example>]>>,
}

/// What an object describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Context,
    Action,
}

impl<'c, 'a, 's> ContextReader<'c, 'a, 's> {
    pub fn new(
        cursor: &'c mut Cursor<'a>,
        hashing: Hashing,
        cache: &'s mut ActionCache,
        label: &'s mut LabelKeys,
    ) -> Self {
        Self { cursor, hashing, cache, label, actions: None }
    }

    /// The event of the object that comes next.
    pub fn read(mut self) -> Read<Event> {
        let mut shared = ExampleBuilder::new(self.hashing);
        self.expect_kind(Kind::Object, DropReason::Context)?;
        self.object(&mut shared, Subject::Context, 0)?;
        let actions = self.actions.filter(|actions| !actions.is_empty());
        let actions = actions.ok_or(DropReason::Actions)?;
        Ok(Event { shared: Arc::new(shared.finish()), actions, recurs: false })
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
                self.special(&key, example, of)?;
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
                example.open(key);
                self.array(example, of, depth + 1)?;
                example.close();
            }
            kind => {
                self.cursor.literal(kind)?;
                example.flag(key, kind == Kind::True);
            }
        }
        Ok(())
    }

    /// Numbers count by their position, objects add their properties.
    fn array(&mut self, example: &mut ExampleBuilder, of: Subject, depth: usize) -> Read<()> {
        self.cursor.expect(b'[')?;
        let (mut first, mut position) = (true, 0);
        while self.cursor.next_element(&mut first)? {
            match self.cursor.kind()? {
                Kind::Number => {
                    example.element(position, self.cursor.number()?);
                    position += 1;
                }
                Kind::Object => self.object(example, of, depth + 1)?,
                Kind::Null => self.cursor.literal(Kind::Null)?,
                _ => return Err(DropReason::Type),
            }
        }
        Ok(())
    }

    /// Keys that mean something of their own.
    fn special(&mut self, key: &[u8], example: &mut ExampleBuilder, of: Subject) -> Read<()> {
        match key {
            b"_multi" if of == Subject::Action => Err(DropReason::Actions),
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
            b"_slots" => Err(DropReason::Slots),
            key if key.starts_with(b"_label") && of == Subject::Action => {
                Err(DropReason::LabelPlace)
            }
            key if key.starts_with(b"_label") => self.label.read(key, self.cursor),
            _ => self.cursor.skip_unread(),
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

    fn new_actions(&mut self) -> Read<Arc<[Arc<Example>]>> {
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
        let actions: Arc<[_]> = actions.into();
        self.cache.keep_list(self.cursor.since(start), &actions);
        Ok(actions)
    }

    /// An action that was read before is found by its text.
    fn action(&mut self) -> Read<Arc<Example>> {
        let start = self.cursor.at;
        self.cursor.skip_balanced()?;
        if let Some(action) = self.cache.single(self.cursor.since(start)) {
            return Ok(action);
        }
        self.cursor.at = start;
        let mut example = ExampleBuilder::new(self.hashing);
        self.object(&mut example, Subject::Action, 0)?;
        let action = Arc::new(example.finish());
        self.cache.keep_single(self.cursor.since(start), &action);
        Ok(action)
    }
}
