use std::collections::HashMap;
use std::sync::Arc;

use crate::features::Example;

/// Actions that were read before, by their text: a log repeats them.
#[derive(Debug, Default)]
pub struct ActionCache {
    single: HashMap<Box<[u8]>, Arc<Example>>,
    /// The list that was read last.
    list: Option<List>,
}

/// A list of actions and its text.
#[derive(Debug)]
struct List {
    text: Box<[u8]>,
    actions: Arc<[Arc<Example>]>,
}

/// So many actions are remembered.
const CAPACITY: usize = 4096;

impl ActionCache {
    /// The actions, if `text` begins with the list that was read last, and its length.
    ///
    /// A list ends where its bracket closes, so a text that begins with one continues
    /// with something else.
    pub fn list(&self, text: &[u8]) -> Option<(usize, Arc<[Arc<Example>]>)> {
        let known = self.list.as_ref()?;
        text.starts_with(&known.text).then(|| (known.text.len(), known.actions.clone()))
    }

    pub fn keep_list(&mut self, text: &[u8], actions: &Arc<[Arc<Example>]>) {
        self.list = Some(List { text: text.into(), actions: actions.clone() });
    }

    pub fn single(&self, text: &[u8]) -> Option<Arc<Example>> {
        self.single.get(text).cloned()
    }

    pub fn keep_single(&mut self, text: &[u8], action: &Arc<Example>) {
        if self.single.len() >= CAPACITY {
            self.single.clear();
        }
        self.single.insert(text.into(), action.clone());
    }
}
