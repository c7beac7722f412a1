use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, LazyLock};

use foldhash::HashMap;
use foldhash::fast::FixedState;
use memchr::memmem::Finder;

use crate::features::Example;

/// What was read before, by its text: a log repeats actions and contexts.
#[derive(Debug, Default)]
pub struct TextCache {
    actions: HashMap<Box<[u8]>, Arc<Example>>,
    /// The list of actions that was read last.
    list: Option<Arc<List>>,
    /// Contexts by their hash; another with the same place takes it.
    contexts: Vec<Option<KnownContext>>,
}

/// Examples that stand for a list of actions.
pub type Actions = Arc<[Arc<Example>]>;

/// A list of actions and its text.
#[derive(Debug)]
struct List {
    text: Box<[u8]>,
    actions: Actions,
}

/// A context with a list of actions in it.
#[derive(Debug)]
struct KnownContext {
    /// Its text up to the list.
    before: Box<[u8]>,
    list: Arc<List>,
    /// Its text behind the list.
    after: Box<[u8]>,
    shared: Arc<Example>,
}

/// So many actions are remembered.
const ACTIONS: usize = 4096;

/// So many contexts are remembered; a power of two.
const CONTEXTS: usize = 1 << 10;

/// Contexts longer than this, without their actions, are not remembered.
const LONGEST_CONTEXT: usize = 1 << 12;

/// What a list of actions stands behind, but for white space.
const LIST_KEY: &[u8] = b"\"_multi\":";

static LIST_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(LIST_KEY));

impl TextCache {
    /// The actions, if `text` begins with the list that was read last, and its length.
    ///
    /// A list ends where its bracket closes, so a text that begins with one continues
    /// with something else.
    pub fn list(&self, text: &[u8]) -> Option<(usize, Actions)> {
        let known = self.list.as_ref()?;
        text.starts_with(&known.text).then(|| (known.text.len(), known.actions.clone()))
    }

    pub fn keep_list(&mut self, text: &[u8], actions: &Actions) {
        self.list = Some(Arc::new(List { text: text.into(), actions: actions.clone() }));
    }

    pub fn action(&self, text: &[u8]) -> Option<Arc<Example>> {
        self.actions.get(text).cloned()
    }

    pub fn keep_action(&mut self, text: &[u8], action: &Arc<Example>) {
        if self.actions.len() >= ACTIONS {
            self.actions.clear();
        }
        self.actions.insert(text.into(), action.clone());
    }

    /// The context and its actions, if `text` begins with one that is known and has the list
    /// that was read last, and its length.
    ///
    /// As with lists: a context ends where its brace closes.
    pub fn context(&self, text: &[u8]) -> Option<(usize, Arc<Example>, Actions)> {
        let list = self.list.as_ref()?;
        let (before, rest) = text.split_at(list_start(text)?);
        let known = self.contexts.get(place_of(before))?.as_ref()?;
        let is_known = Arc::ptr_eq(&known.list, list)
            && *known.before == *before
            && rest.strip_prefix(&*list.text)?.starts_with(&known.after);
        let length = || before.len() + list.text.len() + known.after.len();
        is_known.then(|| (length(), known.shared.clone(), list.actions.clone()))
    }

    /// Keeps a context, if its actions are the list that was read last.
    pub fn keep_context(&mut self, text: &[u8], shared: &Arc<Example>, actions: &Actions) {
        let own = self.list.clone().filter(|list| Arc::ptr_eq(&list.actions, actions));
        let Some((list, start)) = own.zip(list_start(text)) else { return };
        let (before, rest) = text.split_at(start);
        let Some(after) = rest.strip_prefix(&*list.text) else { return };
        if before.len() + after.len() > LONGEST_CONTEXT {
            return;
        }
        if self.contexts.is_empty() {
            self.contexts.resize_with(CONTEXTS, || None);
        }
        let (place, shared) = (place_of(before), shared.clone());
        let (before, after) = (before.into(), after.into());
        self.contexts[place] = Some(KnownContext { before, list, after, shared });
    }
}

/// Where a list of actions may begin in the text of a context.
fn list_start(text: &[u8]) -> Option<usize> {
    let beginning = &text[..text.len().min(LONGEST_CONTEXT)];
    let behind_key = LIST_FINDER.find(beginning)? + LIST_KEY.len();
    let white_space = text[behind_key..].iter().take_while(|byte| byte.is_ascii_whitespace());
    Some(behind_key + white_space.count())
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits find a place")]
fn place_of(text: &[u8]) -> usize {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(text);
    hasher.finish() as usize & (CONTEXTS - 1)
}
