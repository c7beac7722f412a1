//! Forms made of another form by what is done with its value.

use std::ops::{Deref, Range};

use super::{Form, Owner, Reading, Spot};
use crate::document::Node;
use diagnostic::Place;

/// Everything but `read` is that of the inner form.
macro_rules! described_by {
    ($inner:tt) => {
        fn fits(&self, node: &Node) -> bool {
            self.$inner.fits(node)
        }
        fn expected(&self) -> String {
            self.$inner.expected()
        }
        fn hint(&self, node: &Node) -> Option<String> {
            self.$inner.hint(node)
        }
        fn schema(&self) -> serde_json::Value {
            self.$inner.schema()
        }
        fn marker(&self) -> Option<&'static str> {
            self.$inner.marker()
        }
        fn markers(&self) -> Vec<&'static str> {
            self.$inner.markers()
        }
        fn names(&self) -> Vec<&'static str> {
            self.$inner.names()
        }
    };
}

pub(crate) use described_by;

/// See [`Form::map`].
pub(crate) struct Mapped<F, M> {
    pub(super) form: F,
    pub(super) then: M,
}

impl<F: Form, W, M: Fn(F::Value) -> W> Form for Mapped<F, M> {
    type Value = W;

    fn read(&self, node: &Node, owner: Owner<'_>, reading: &mut Reading<'_>) -> Option<W> {
        self.form.read(node, owner, reading).map(&self.then)
    }

    described_by!(form);
}

/// See [`Form::and_then`].
pub(crate) struct AndThen<F, M> {
    pub(super) form: F,
    pub(super) then: M,
}

impl<F: Form, W, M> Form for AndThen<F, M>
where
    M: Fn(F::Value, Spot<'_>, &mut Reading<'_>) -> Option<W>,
{
    type Value = W;

    fn read(&self, node: &Node, owner: Owner<'_>, reading: &mut Reading<'_>) -> Option<W> {
        let value = self.form.read(node, owner, reading)?;
        (self.then)(value, Spot { node, owner }, reading)
    }

    described_by!(form);
}

/// See [`Form::unread`].
pub(crate) struct Unread<F>(pub(super) F);

impl<F: Form> Form for Unread<F> {
    type Value = Node;

    fn read(&self, node: &Node, _: Owner<'_>, _: &mut Reading<'_>) -> Option<Node> {
        Some(node.clone())
    }

    described_by!(0);
}

/// A value that could not be read. Its mistakes are reported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Misread;

/// The value of a part of a document.
pub(crate) type Read<T> = Result<T, Misread>;

/// See [`Form::attempt`].
pub(crate) struct Attempt<F>(pub(super) F);

impl<F: Form> Form for Attempt<F> {
    type Value = Read<F::Value>;

    fn read(
        &self,
        node: &Node,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
    ) -> Option<Self::Value> {
        Some(self.0.read(node, owner, reading).ok_or(Misread))
    }

    described_by!(0);
}

/// A value that knows its place.
#[derive(Debug, Clone)]
pub(crate) struct Placed<T> {
    pub value: T,
    /// Where the value is.
    pub place: Place,
    /// Where its key is.
    pub key: Place,
    /// Whether it is in the document, and not a default.
    pub is_written: bool,
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Placed<T> {
    /// Where its key is, if it is in the document.
    pub fn written_key(&self) -> Option<&Place> {
        self.is_written.then_some(&self.key)
    }
}

impl Placed<String> {
    /// The place of some bytes of the text.
    pub fn within(&self, span: Range<usize>) -> Place {
        self.place.within_text(&self.value, span)
    }
}

/// See [`Form::at`].
pub(crate) struct Positioned<F>(pub(super) F);

impl<F: Form> Form for Positioned<F> {
    type Value = Placed<F::Value>;

    fn read(
        &self,
        node: &Node,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
    ) -> Option<Self::Value> {
        let value = self.0.read(node, owner, reading)?;
        let (place, key) = (node.place.clone(), owner.place.clone());
        Some(Placed { value, place, key, is_written: owner.is_written })
    }

    described_by!(0);
}
