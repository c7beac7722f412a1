//! Bodies of answers in slices, between which other requests are handled: to compress a large
//! frame at once takes longer than others may wait for the thread.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// The bytes of a slice, which take about a millisecond to compress.
const SLICE: usize = 64 << 10;

/// A body whose frames are slices; before each but the first of a frame it yields.
struct Sliced {
    body: Body,
    /// What is left of a frame.
    rest: Bytes,
    has_yielded: bool,
}

/// The body in slices, if it may be larger than one.
pub(crate) fn sliced(body: Body) -> Body {
    if body.size_hint().upper().is_some_and(|bytes| bytes <= SLICE as u64) {
        return body;
    }
    Body::new(Sliced { body, rest: Bytes::new(), has_yielded: false })
}

impl Sliced {
    /// The next slice of what is left.
    fn next(&mut self) -> Frame<Bytes> {
        self.has_yielded = false;
        Frame::data(self.rest.split_to(SLICE.min(self.rest.len())))
    }
}

impl HttpBody for Sliced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.rest.is_empty() {
            if !std::mem::replace(&mut self.has_yielded, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Ok(self.next())));
        }
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            ended => return Poll::Ready(ended),
        };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(data) => {
                self.rest = data;
                self.next()
            }
            Err(trailers) => trailers,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, left) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + left);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + left);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// The frames of a body, and how often it yielded.
    fn read(mut body: Body) -> (Vec<Bytes>, usize) {
        let mut context = Context::from_waker(Waker::noop());
        let (mut frames, mut yielded) = (Vec::new(), 0);
        loop {
            match Pin::new(&mut body).poll_frame(&mut context) {
                Poll::Ready(Some(frame)) => frames.push(frame.unwrap().into_data().unwrap()),
                Poll::Ready(None) => return (frames, yielded),
                Poll::Pending => yielded += 1,
            }
        }
    }

    #[test]
    fn a_body_is_the_same_in_slices_and_yields_between_them() {
        for length in [0, 1, SLICE - 1, SLICE, SLICE + 1, 3 * SLICE, 3 * SLICE + 7] {
            let content: Vec<u8> = (0..=250).cycle().take(length).collect();
            let body = sliced(Body::from(content.clone()));
            assert_eq!(body.size_hint().exact(), Some(length as u64));
            let (frames, yielded) = read(body);
            assert_eq!(frames.concat(), content);
            assert!(frames.iter().all(|frame| frame.len() <= SLICE));
            assert_eq!(yielded, length.div_ceil(SLICE).saturating_sub(1), "{length}");
        }
    }

    #[test]
    fn frames_of_a_stream_are_sliced_one_by_one() {
        let parts = [SLICE + 1, 5, 2 * SLICE].map(|length| vec![1_u8; length]);
        let whole = parts.concat();
        let stream = futures_util::stream::iter(parts.map(Ok::<_, std::io::Error>));
        let (frames, yielded) = read(sliced(Body::from_stream(stream)));
        assert_eq!(frames.concat(), whole);
        assert_eq!((frames.len(), yielded), (5, 2));
    }
}
