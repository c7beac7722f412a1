//! The page as it is now.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use report::html::{Page, page_parts};
use tokio::sync::watch;

use super::{Part, Shown};

/// Pages are at least so far apart.
const INTERVAL: Duration = Duration::from_secs(1);

/// Rendering takes at most one in so many of a core's seconds; `tests/benches/live_page.py` measures
/// what it takes.
const SHARE: u32 = 50;

/// Makes the page.
type Render = Box<dyn Fn() -> Page + Send>;

/// The time, from any start.
type Now = Box<dyn Fn() -> Duration + Send>;

/// Renders the page when it is looked at, and keeps it while it is new enough.
pub(super) struct Source {
    shown: watch::Sender<Shown>,
    render: Mutex<Renderer>,
}

struct Renderer {
    render: Render,
    now: Now,
    /// When the page that is shown is too old.
    stale: Duration,
}

impl Renderer {
    /// The page of now, which comes after `shown`.
    fn page(&mut self, shown: &[Part]) -> Shown {
        let before = (self.now)();
        let page = growing((self.render)(), shown);
        let after = (self.now)();
        let took = after.saturating_sub(before);
        self.stale = after + INTERVAL.saturating_sub(took).max(took * (SHARE - 1));
        page
    }
}

/// A page that comes after another, with whose parts it shares those that did not change.
fn growing(page: Page, before: &[Part]) -> Shown {
    let part = |(index, html): (usize, String)| {
        before.get(index).filter(|same| ***same == *html).map_or_else(|| html.into(), Arc::clone)
    };
    let parts = page_parts(&page).into_iter().enumerate().map(part).collect();
    Shown::Growing { page: page.into(), parts }
}

impl Source {
    pub(super) fn new(render: Render, now: Now) -> Self {
        let mut renderer = Renderer { render, now, stale: Duration::ZERO };
        let shown = watch::Sender::new(renderer.page(&[]));
        Self { shown, render: Mutex::new(renderer) }
    }

    /// Shows this page until the next is rendered.
    pub(super) fn publish(&self, page: Page) {
        let mut renderer = self.render.lock().unwrap_or_else(PoisonError::into_inner);
        renderer.stale = (renderer.now)() + INTERVAL;
        let page = growing(page, self.shown.borrow().parts());
        self.shown.send_replace(page);
    }

    /// Shows this page from now on.
    pub(super) fn finish(&self, html: String) {
        self.shown.send_replace(Shown::Final(html.into()));
    }

    /// The pages from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<Shown> {
        self.refresh();
        self.shown.subscribe()
    }

    /// What is shown now.
    pub(super) fn current(&self) -> Shown {
        self.refresh();
        self.shown.borrow().clone()
    }

    /// Renders the page again and again, while somebody looks, until the final one is there.
    pub(super) async fn renew(&self) {
        while !self.is_final() {
            tokio::time::sleep(self.left()).await;
            if self.shown.receiver_count() > 0 {
                self.refresh();
            }
        }
    }

    fn is_final(&self) -> bool {
        matches!(*self.shown.borrow(), Shown::Final(_))
    }

    /// How long the page is still new enough; not nothing, so that a loop that waits for it rests.
    fn left(&self) -> Duration {
        let renderer = self.render.lock().unwrap_or_else(PoisonError::into_inner);
        let left = renderer.stale.saturating_sub((renderer.now)());
        if left.is_zero() { INTERVAL } else { left }
    }

    /// Renders the page, if the one that is shown is too old.
    fn refresh(&self) {
        let mut renderer = self.render.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_final() || (renderer.now)() < renderer.stale {
            return;
        }
        let shown = self.shown.borrow().clone();
        let page = renderer.page(shown.parts());
        // The final page may have come meanwhile.
        self.shown.send_if_modified(|current| {
            let is_growing = matches!(current, Shown::Growing { .. });
            if is_growing {
                *current = page;
            }
            is_growing
        });
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Source").field("shown", &self.shown).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use report::html::{Block, Section};

    /// A source whose pages are numbered, and whose rendering takes so many milliseconds; its clock.
    fn numbered(takes: u64) -> (Source, Arc<AtomicU64>) {
        let clock = Arc::new(AtomicU64::new(0));
        let (made, of_render, of_now) = (AtomicU64::new(0), Arc::clone(&clock), Arc::clone(&clock));
        let render = move || {
            of_render.fetch_add(takes, Ordering::Relaxed);
            let title = format!("page {}", made.fetch_add(1, Ordering::Relaxed));
            Page { title, subtitle: String::new(), sections: Vec::new() }
        };
        let now = move || Duration::from_millis(of_now.load(Ordering::Relaxed));
        (Source::new(Box::new(render), Box::new(now)), clock)
    }

    fn title(source: &Source) -> String {
        match source.current() {
            Shown::Growing { page, .. } => page.title.clone(),
            Shown::Final(html) => html.to_string(),
        }
    }

    /// Nobody watched in between: the page is that of now all the same.
    #[test]
    fn who_asks_gets_the_page_of_now() {
        let (source, clock) = numbered(0);
        assert_eq!(title(&source), "page 0");
        clock.store(999, Ordering::Relaxed);
        assert_eq!(title(&source), "page 0", "it is new enough");
        clock.store(60_000, Ordering::Relaxed);
        assert_eq!(title(&source), "page 1");
        assert_eq!(title(&source), "page 1");
        source.finish("the report".to_owned());
        clock.store(120_000, Ordering::Relaxed);
        assert_eq!(title(&source), "the report");
    }

    #[test]
    fn parts_that_did_not_change_are_shared() {
        let page = |text: &str| Page {
            title: "the same".to_owned(),
            subtitle: String::new(),
            sections: vec![Section {
                heading: "Result".to_owned(),
                blocks: vec![Block::Text(text.to_owned())],
            }],
        };
        let (source, _) = numbered(0);
        source.publish(page("before"));
        let before = source.current();
        source.publish(page("after"));
        let after = source.current();
        let [before, after] = [before.parts(), after.parts()];
        assert!(
            Arc::ptr_eq(&before[0], &after[0]) && before[1] != after[1],
            "{before:?} {after:?}"
        );
    }

    #[test]
    fn rendering_takes_its_share_of_the_time_at_most() {
        let (source, clock) = numbered(100);
        for _ in 0..100_000 {
            title(&source);
            clock.fetch_add(1, Ordering::Relaxed);
        }
        let rendered = 100 * title(&source).trim_start_matches("page ").parse::<u64>().unwrap();
        let passed = clock.load(Ordering::Relaxed);
        assert!(
            rendered * u64::from(SHARE) <= passed + 100 * u64::from(SHARE),
            "{rendered} of {passed}"
        );
    }
}
