use std::cell::{Cell, RefCell};
use std::io;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::connection::{Connection, Late, Limits};
use super::failed::CallFailure;
use super::head::Kept;
use super::request::Request;
use clock::{Clock, WallClock};
use plan::{ConnectionPlan, Timeouts};
use record::FailureKind;

/// So long before a service closes an unused connection, as it says, none is used any more.
const MARGIN: Duration = Duration::from_secs(1);

/// A connection that nobody used for so long is asked of the kernel whether it is open. At a high
/// rate none waits so long, and the question costs nothing.
const IN_DOUBT: Duration = Duration::from_millis(1);

/// Connections that speak HTTP/1.1 without TLS, each used by one call at a time.
///
/// reqwest's redirects, proxies, TLS and pools of many hosts cost six microseconds a call (14.3
/// against 8.4 in all, measured): more than recording it.
pub(super) struct Pool {
    /// Host and port.
    authority: String,
    idle: RefCell<Vec<Idle>>,
    /// Limits the number of connections, if the plan does.
    permits: Option<Semaphore>,
    keep_alive: Option<Duration>,
    timeouts: Timeouts,
    clock: WallClock,
    /// How many calls were made again, since the service had closed their connection.
    repeated: Cell<u64>,
}

/// A connection that waits for a call.
struct Idle {
    connection: Connection,
    since: Duration,
    /// From when on it is not used.
    until: Duration,
}

impl Pool {
    pub(crate) fn new(
        authority: String,
        plan: &ConnectionPlan,
        timeouts: Timeouts,
        clock: WallClock,
    ) -> Self {
        Self {
            authority,
            idle: RefCell::default(),
            permits: plan.most.map(Semaphore::new),
            keep_alive: plan.keep_alive,
            timeouts,
            clock,
            repeated: Cell::default(),
        }
    }

    /// Makes a call. A service may close a connection that it kept at the moment at which the call is
    /// sent: then it is made once more, on a new one, if the service cannot take it for two.
    ///
    /// What is rare is boxed, so that the future of an iteration stays small.
    pub(crate) async fn call(&self, request: &Request<'_>) -> Result<Answer, CallFailure> {
        let whole = self.clock.deadline_in(self.timeouts.whole);
        let _permit = self.permit(whole).await?;
        if let Some(mut connection) = self.take_idle() {
            let called = self.call_on(&mut connection, request, whole).await;
            match called {
                Ok((answer, kept)) => {
                    self.put_back(connection, kept);
                    return Ok(answer);
                }
                Err(failed) if !is_closed(&failed, &connection) => return Err(failed),
                Err(_) if request.is_repeatable() => self.repeated.set(self.repeated.get() + 1),
                Err(failed) => return Err(not_repeated(failed)),
            }
        }
        let mut connection = Box::pin(self.connect(whole)).await?;
        let (answer, kept) = self.call_on(&mut connection, request, whole).await?;
        self.put_back(connection, kept);
        Ok(answer)
    }

    async fn call_on(
        &self,
        connection: &mut Connection,
        request: &Request<'_>,
        whole: Instant,
    ) -> Result<(Answer, Kept), CallFailure> {
        let head = self.timeouts.first_byte.map(|limit| self.clock.deadline_in(limit));
        let limits = Limits { head: head.map_or(whole, |head| head.min(whole)), whole };
        connection.call(request, limits).await.map_err(|late| self.late(late))?
    }

    /// How many calls were made again since the last call of this.
    pub(crate) fn take_repeated(&self) -> u64 {
        self.repeated.take()
    }

    /// Opens a connection, for the next call.
    pub(crate) async fn reach(&self) -> Result<(), CallFailure> {
        let connection = self.connect(self.clock.deadline_in(self.timeouts.connect)).await?;
        self.put_back(connection, Kept::Untold);
        Ok(())
    }

    /// What the call holds while it uses a connection. The semaphore is never closed, so
    /// acquiring fails only where there is none.
    async fn permit(&self, deadline: Instant) -> Result<Option<SemaphorePermit<'_>>, CallFailure> {
        let Some(permits) = &self.permits else { return Ok(None) };
        if let Ok(permit) = permits.try_acquire() {
            return Ok(Some(permit));
        }
        let permit = Box::pin(timeout_at(deadline, permits.acquire())).await;
        permit.map(Result::ok).map_err(|_| self.late(Late::Whole))
    }

    fn late(&self, late: Late) -> CallFailure {
        match (late, self.timeouts.first_byte) {
            (Late::Head, Some(limit)) => CallFailure::timeout("no answer began", limit),
            _ => CallFailure::timeout("no whole answer", self.timeouts.whole),
        }
    }

    /// The connection that was used last: the others may be closed by the service.
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        while let Some(Idle { connection, since, until }) = idle.pop() {
            let now = self.clock.now();
            let is_sure = now.saturating_sub(since) < IN_DOUBT;
            if now < until && connection.is_idle() && (is_sure || connection.is_open()) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for the next call, as long as both sides want to.
    fn put_back(&self, connection: Connection, kept: Kept) {
        let most = match kept {
            Kept::Not => None,
            Kept::Untold => self.keep_alive,
            Kept::For(time) => self.keep_alive.map(|most| most.min(time.saturating_sub(MARGIN))),
        };
        if let Some(most) = most {
            let since = self.clock.now();
            self.idle.borrow_mut().push(Idle {
                connection,
                since,
                until: since.saturating_add(most),
            });
        }
    }

    async fn connect(&self, whole: Instant) -> Result<Connection, CallFailure> {
        let limit = self.timeouts.connect;
        let deadline = self.clock.deadline_in(limit);
        let stream = timeout_at(deadline.min(whole), self.stream()).await;
        let late = |_| {
            if limit <= self.timeouts.whole {
                return CallFailure::timeout("no connection", limit);
            }
            self.late(Late::Whole)
        };
        let stream = stream.map_err(late)??;
        Ok(Connection::new(stream))
    }

    async fn stream(&self) -> Result<TcpStream, CallFailure> {
        let addresses = lookup_host(&self.authority).await;
        let addresses = addresses.map_err(|error| CallFailure::of(&error, FailureKind::Resolve))?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true).ok();
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(CallFailure::of(&last, FailureKind::Connect))
    }
}

/// Whether a call failed because its connection was closed before any of the answer came.
fn is_closed(failed: &CallFailure, connection: &Connection) -> bool {
    failed.error.kind == FailureKind::Transport && !connection.is_answered()
}

/// The failure of a call that the service may have taken.
fn not_repeated(mut failed: CallFailure) -> CallFailure {
    failed.error.message.push_str(
        "; the service closed a connection that it kept, and may have taken the call: it is made \
         again with `retries`, or with a header `Idempotency-Key`",
    );
    failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::Headers;

    /// An iteration is boxed with all its calls in it, and moved there: when a list of headers was a
    /// part of it, that was a tenth of its instructions.
    #[test]
    fn a_call_is_a_small_future() {
        let plan = scenario::usual_service("http://127.0.0.1:1");
        let clock = WallClock::start_now();
        let pool = Pool::new("127.0.0.1:1".to_owned(), &plan.connection, plan.timeouts, clock);
        let (method, headers) = (hyper::Method::GET, Headers::default());
        let (keeps_headers, is_retried) = (false, false);
        let (method, headers, body) = (&method, &headers, &[][..]);
        let request = Request { method, path: "/", headers, body, keeps_headers, is_retried };
        let size = size_of_val(&pool.call(&request));
        assert!(size < 2048, "{size} bytes");
    }

    /// The runtime learns of the end of a connection when it waits for events; until then only the
    /// kernel knows. A call that is written into it would be lost, or made twice.
    #[test]
    fn a_connection_that_is_closed_is_not_used_before_the_runtime_knows() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let plan = scenario::usual_service("http://127.0.0.1:1");
        let clock = WallClock::start_now();
        let pool = Pool::new(authority, &plan.connection, plan.timeouts, clock);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            pool.reach().await.unwrap();
            drop(listener.accept().unwrap());
            let idle = pool.idle.borrow_mut().pop().unwrap();
            while idle.connection.is_open() {}
            assert!(idle.connection.is_idle(), "nothing waited for events since");
            while clock.now().saturating_sub(idle.since) < IN_DOUBT {}
            pool.idle.borrow_mut().push(idle);
            assert!(pool.take_idle().is_none());
        });
    }
}
