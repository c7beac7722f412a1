//! A page that is served to browsers while what it shows goes on.
//!
//! [`LivePage`] has a thread: it renders the page about once a second while a browser is connected,
//! once for all browsers, and sends each the parts that changed since it was sent some, as
//! server-sent events. A request for the page is answered with the page as it is now. A browser
//! gets the latest page when it can take one and misses those between: nothing is queued for it,
//! and no browser is waited for.
//!
//! Must not know: what the page shows.

mod serve;
mod source;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use clock::{Clock, WallClock};
use report::html::{Page, live_page_html};
use tokio::sync::oneshot;

use self::source::Source;

/// What browsers are shown.
#[derive(Debug, Clone)]
enum Shown {
    /// The page as it is now: whole, and its parts.
    Growing { page: Arc<Page>, parts: Arc<[Part]> },
    /// The page that stays.
    Final(Arc<str>),
}

/// The HTML of the header or of a section. Parts of two pages that are the same are one.
type Part = Arc<str>;

/// A page that is being served; no longer, once this is dropped.
#[derive(Debug)]
pub struct LivePage {
    address: SocketAddr,
    source: Arc<Source>,
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
        let clock = WallClock::start_now();
        let source = Arc::new(Source::new(Box::new(render), Box::new(move || clock.now())));
        let (open, closed) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let of_thread = Arc::clone(&source);
        thread::Builder::new().name("live page".to_owned()).spawn(move || {
            runtime.block_on(async {
                let serves = serve::serve(listener, &of_thread);
                tokio::select! {
                    // It ends when the handle is dropped, which sends nothing.
                    _ = closed => {}
                    () = async { tokio::join!(of_thread.renew(), serves); } => {}
                }
            });
        })?;
        Ok(Self { address, source, _open: open })
    }

    /// Where it is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows this page now.
    pub fn publish(&self, page: Page) {
        self.source.publish(page);
    }

    /// Shows this page, whole HTML, from now on. Browsers load it at once.
    pub fn finish(&self, html: String) {
        self.source.finish(html);
    }
}

impl Shown {
    fn parts(&self) -> &[Part] {
        match self {
            Self::Growing { parts, .. } => parts,
            Self::Final(_) => &[],
        }
    }

    fn html(&self) -> String {
        match self {
            Self::Growing { page, .. } => live_page_html(page),
            Self::Final(html) => html.to_string(),
        }
    }
}
