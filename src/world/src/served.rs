use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use clock::{Clock, WallClock};
use learning_loop::LoopOptions;
use plan::ServedPlan;
use server::{Keys, Limits, Service};

/// The only client is the runner itself: its largest concurrency, and operators.
const CONNECTIONS: usize = 1 << 17;

/// The embedded loop, served on the loopback interface by its own thread until it is dropped.
pub struct Served {
    url: String,
    /// Dropping it stops the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    /// A new loop on a free port.
    ///
    /// # Errors
    /// If no port, thread or runtime is available.
    pub fn start(plan: &ServedPlan, clock: WallClock) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let url = format!("http://{}", listener.local_addr()?);
        let service = service(plan, clock);
        let (stop, stopped) = oneshot::channel();
        let serve = move || serve(&runtime, listener, service, stopped);
        let thread = std::thread::Builder::new().name("service".to_owned()).spawn(serve)?;
        Ok(Self { url, stop: Some(stop), thread: Some(thread) })
    }

    /// The URL of the service.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // After a panic its calls have failed already.
            thread.join().ok();
        }
    }
}

fn service(plan: &ServedPlan, clock: WallClock) -> Service {
    let options = LoopOptions {
        configuration: plan.configuration.clone(),
        policy: plan.policy.clone(),
        programs: plan.programs.clone(),
        ..LoopOptions::default()
    };
    Service::new(options, Keys::default(), Arc::new(move || clock.timestamp(clock.now())))
}

fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    service: Service,
    stopped: oneshot::Receiver<()>,
) {
    let limits = Limits { connections: CONNECTIONS, ..Limits::default() };
    let stop = async move { drop(stopped.await) };
    // A loop in memory has no state that could be incomplete.
    runtime.block_on(server::serve(listener, service, limits, None, stop)).ok();
}
