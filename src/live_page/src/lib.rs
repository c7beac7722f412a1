//! A page that is served to browsers while what it shows goes on.
//!
//! [`LivePage`] has a thread: it renders the page about once a second while somebody looks, and
//! sends what changed as server-sent events. A browser gets the latest page when it can take one
//! and misses those between: nothing is queued for it, and no browser is waited for.
//!
//! Must not know: what the page shows.

mod serve;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clock::{Clock, WallClock};
use report::html::{Page, live_page_html, page_parts};
use tokio::sync::{oneshot, watch};

/// Pages are at least so far apart.
const INTERVAL: Duration = Duration::from_secs(1);

/// Rendering takes at most one in so many of a core's seconds; that of a run of minutes takes a
/// hundredth of one.
const SHARE: u32 = 20;

/// What browsers are shown.
#[derive(Debug, Clone)]
enum Shown {
    /// The page as it is now: whole, and its parts as JSON.
    Growing { page: Arc<Page>, parts: Arc<str> },
    /// The page that stays.
    Final(Arc<str>),
}

/// A page that is being served; no longer, once this is dropped.
#[derive(Debug)]
pub struct LivePage {
    address: SocketAddr,
    shown: watch::Sender<Shown>,
    _open: oneshot::Sender<()>,
}

impl LivePage {
    /// Serves what `render` makes, at an address; port 0 takes any that is free.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(
        address: SocketAddr,
        render: impl Fn() -> Page + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shown = watch::Sender::new(growing(render()));
        let (open, closed) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let of_thread = shown.clone();
        thread::Builder::new().name("live page".to_owned()).spawn(move || {
            runtime.block_on(async {
                let renders = renew(&of_thread, render);
                let serves = serve::serve(listener, &of_thread);
                tokio::select! {
                    // It ends when the handle is dropped, which sends nothing.
                    _ = closed => {}
                    () = async { tokio::join!(renders, serves); } => {}
                }
            });
        })?;
        Ok(Self { address, shown, _open: open })
    }

    /// Where it is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows this page now.
    pub fn publish(&self, page: Page) {
        self.shown.send_replace(growing(page));
    }

    /// Shows this page, whole HTML, from now on. Browsers load it at once.
    pub fn finish(&self, html: String) {
        self.shown.send_replace(Shown::Final(html.into()));
    }
}

fn growing(page: Page) -> Shown {
    let parts = serde_json::to_string(&page_parts(&page)).unwrap_or_default();
    Shown::Growing { page: page.into(), parts: parts.into() }
}

/// Renders the page again and again, while somebody looks, until the final one is there.
async fn renew(shown: &watch::Sender<Shown>, render: impl Fn() -> Page) {
    let clock = WallClock::start_now();
    let mut interval = INTERVAL;
    loop {
        tokio::time::sleep(interval).await;
        if matches!(*shown.borrow(), Shown::Final(_)) {
            return;
        }
        if shown.receiver_count() == 0 {
            continue;
        }
        let before = clock.now();
        let page = growing(render());
        interval = INTERVAL.max(clock.now().saturating_sub(before) * (SHARE - 1));
        shown.send_if_modified(|current| {
            let is_growing = matches!(current, Shown::Growing { .. });
            if is_growing {
                *current = page;
            }
            is_growing
        });
    }
}

impl Shown {
    fn html(&self) -> String {
        match self {
            Self::Growing { page, .. } => live_page_html(page),
            Self::Final(html) => html.to_string(),
        }
    }
}
