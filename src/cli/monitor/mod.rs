//! `--metrics` and `--otlp`: the numbers of a run while it lasts.
//!
//! A thread of its own answers scrapes and sends to the collector. The run shares a lock with
//! it, which neither holds while it waits for the network.

mod collector;
mod network;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use tokio::sync::oneshot;

use self::collector::{Access, Collector};
use self::network::Network;
use super::error::Error;
use super::exit::Exit;
use super::streams;
use clock::{Clock, WallClock};
use plan::Phase;
use plan::Plan;
use record::{ObserveError, Observer, Progress};
use telemetry::{Moment, Resource, Telemetry, otlp_json, prometheus_text};

/// So long the end of a run waits for the last numbers to be sent.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Where the numbers of a run go while it lasts.
#[derive(Debug, Clone, Default, Args)]
pub struct MonitorArguments {
    /// Serve the numbers of the run at this address while it lasts, in the text format of
    /// Prometheus: a port of the loopback interface such as `9464`, or `IP:PORT`.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    metrics: Option<SocketAddr>,
    /// Send the numbers of the run to this OpenTelemetry collector every five seconds and at the
    /// end, such as `http://127.0.0.1:4318` (OTLP over HTTP or HTTPS, as JSON).
    #[arg(long, value_name = "URL", value_parser = collector::address)]
    otlp: Option<reqwest::Url>,
    /// Headers of every message to the collector, with values in percent-encoding, such as
    /// `authorization=Bearer%20TOKEN`.
    #[arg(
        long,
        value_name = "NAME=VALUE,…",
        env = "OTEL_EXPORTER_OTLP_HEADERS",
        hide_env_values = true
    )]
    otlp_headers: Option<String>,
    /// Certificates in PEM that are trusted for the collector besides those of the system.
    #[arg(
        long,
        value_name = "FILE",
        env = "OTEL_EXPORTER_OTLP_CERTIFICATE",
        hide_env_values = true
    )]
    otlp_ca: Option<PathBuf>,
}

impl MonitorArguments {
    /// Refuses them where there is not one run.
    pub fn refuse(&self, what: &str) -> Result<(), Error> {
        if self.metrics.is_none() && self.otlp.is_none() {
            return Ok(());
        }
        Err(Error::usage(format!("`--metrics` and `--otlp` are for one run, and {what}"))
            .help("run one of them as a scenario without a `matrix`"))
    }

    fn collector(&self) -> Result<Option<Collector>, Error> {
        let Some(url) = self.otlp.clone() else { return Ok(None) };
        let (headers, ca) = (self.otlp_headers.as_deref(), self.otlp_ca.as_deref());
        Collector::new(Access { url, headers, ca }).map(Some).map_err(Error::usage)
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text).parse::<u16>();
    let of_port = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    of_port.or_else(|_| text.parse()).map_err(|_| {
        "expected a port, or an IP address with a port such as `0.0.0.0:9464`".to_owned()
    })
}

/// The numbers of a run, shared with the network.
#[derive(Clone)]
struct Shared {
    telemetry: Arc<Mutex<Telemetry>>,
    resource: Resource,
    wall: WallClock,
}

impl Shared {
    fn with<A>(&self, use_it: impl FnOnce(&mut Telemetry) -> A) -> A {
        // Counters are whole after every event.
        use_it(&mut self.telemetry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn prometheus(&self) -> String {
        prometheus_text(&self.with(|telemetry| telemetry.families()))
    }

    fn otlp(&self) -> String {
        let families = self.with(|telemetry| telemetry.families());
        let nanos = |at: Duration| {
            let micros = self.wall.timestamp(at).unix_micros();
            u64::try_from(micros).unwrap_or(0).saturating_mul(1_000)
        };
        let moment = Moment { start_ns: nanos(Duration::ZERO), now_ns: nanos(self.wall.now()) };
        otlp_json(&self.resource, &families, moment)
    }
}

/// The numbers of a run that lasts.
pub struct Monitor {
    shared: Shared,
    stop: oneshot::Sender<()>,
    stopped: Receiver<()>,
}

impl Monitor {
    /// Begins to serve and to send; none, if nobody asked for it.
    pub fn start(arguments: &MonitorArguments, plan: &Plan) -> Result<Option<Self>, Error> {
        if arguments.metrics.is_none() && arguments.otlp.is_none() {
            return Ok(None);
        }
        let telemetry = Telemetry::new(plan.phases.iter().map(Phase::scope), &plan.expectations);
        let shared = Shared {
            telemetry: Arc::new(Mutex::new(telemetry)),
            resource: Resource {
                scenario: plan.name.clone(),
                seed: plan.seed.0,
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            wall: WallClock::start_now(),
        };
        let (stop, asked) = oneshot::channel();
        let (done, stopped) = channel();
        let network = Network::open(arguments.metrics, arguments.collector()?, shared.clone());
        let network = network.map_err(|message| Error::new(Exit::Usage, message))?;
        if let Some(address) = network.address() {
            streams::note(&format!("the numbers of the run are at http://{address}/metrics"));
        }
        let work = move || {
            network.work(asked);
            // Nobody may wait for it any more.
            done.send(()).ok();
        };
        let thread = std::thread::Builder::new().name("telemetry".to_owned());
        let cannot = |error| Error::new(Exit::Bug, format!("no thread for the metrics: {error}"));
        thread.spawn(work).map_err(cannot)?;
        Ok(Some(Self { shared, stop, stopped }))
    }

    /// Sends the last numbers, if that is quick.
    pub fn finish(self) {
        self.shared.with(Telemetry::end);
        self.stop.send(()).ok();
        self.stopped.recv_timeout(LAST_WAIT).ok();
    }
}

impl Observer for Monitor {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        self.shared.with(|telemetry| telemetry.observe(progress));
        Ok(())
    }
}
