use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::error::Error;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::streams;
use super::text_file;
use clock::{Clock, WallClock};
use learner::LearningPolicy;
use learning_loop::{LoopLimits, LoopOptions};
use protocol::DEFAULT_SLOTS_POLICY;
use scenario;
use server::{Access, Keys, Limits, Service, Time, Tls};

/// `runner serve`
#[derive(Debug, Clone, Args)]
pub struct ServeArguments {
    /// The port, 0 for any that is free.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub port: u16,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Require one of the keys in this file, one per line.
    #[arg(long, value_name = "FILE", conflicts_with = "key_env")]
    pub key_file: Option<PathBuf>,
    /// Require the key in this environment variable.
    #[arg(long, value_name = "NAME")]
    pub key_env: Option<String>,
    /// Settings to start with: a file with the keys of a scenario's `loop`.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Use TLS with this certificate chain, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Keep the state in this folder and continue from it; without, the state is in memory.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Set damaged files of the state aside, and continue without what they hold.
    #[arg(long, requires = "state")]
    pub repair: bool,
    /// Keep at most this many joined events in the log.
    #[arg(long, value_name = "N")]
    pub log_events: Option<usize>,
    /// Let pages of this origin call, such as `https://shop.example`; may be repeated.
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// Require the key for `/status` and `/metrics` too.
    #[arg(long)]
    pub protect_monitoring: bool,
    /// Refuse Rank requests that take more multiplications.
    #[arg(long, value_name = "N", default_value_t = 4_000_000)]
    pub rank_work: u64,
    /// Refuse models and learning policies whose weights take more bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 128 << 20)]
    pub model_bytes: u64,
    /// Hold at most this many bytes of request bodies at once.
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    pub upload_bytes: usize,
    /// Close the oldest idle connection when there are more.
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
    /// Start with a learning policy for multi-slot calls.
    #[arg(long)]
    pub multi_slot: bool,
}

/// The deadline for evaluations that are running when the service stops.
const GRACE: Duration = Duration::from_millis(100);

/// Serves the loop until a signal.
pub fn serve(arguments: &ServeArguments) -> Result<Exit, Error> {
    prepare(arguments)?.run()
}

/// A service that is ready to accept connections.
struct Prepared {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
    limits: Limits,
    tls: Option<Tls>,
}

fn prepare(arguments: &ServeArguments) -> Result<Prepared, Error> {
    let access = access(arguments)?;
    let tls = tls(arguments)?;
    let options = options(arguments)?;
    let runtime = Runtime::new()
        .map_err(|error| unusable(format!("cannot start the async runtime: {error}")))?;
    let wanted = SocketAddr::new(arguments.bind, arguments.port);
    let listener = runtime.block_on(TcpListener::bind(wanted)).map_err(|error| {
        unusable(format!("cannot listen on `{wanted}`: {error}"))
            .help("`--port 0` takes any free port")
    })?;
    let address = listener.local_addr().unwrap_or(wanted);
    warn_if_exposed(address, &access.keys, tls.is_some());
    let service = service(arguments, options, access)?;
    let limits = Limits {
        connections: arguments.connections as usize,
        upload_bytes: arguments.upload_bytes,
        ..Limits::default()
    };
    Ok(Prepared { runtime, listener, address, service, limits, tls })
}

impl Prepared {
    fn run(self) -> Result<Exit, Error> {
        let (_, stop) = Interrupt::listen()?;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        streams::print(&format!("{scheme}://{}\n", self.address))?;
        let stopped = async move { stop.asked().await };
        let served = server::serve(self.listener, self.service, self.limits, self.tls, stopped);
        self.runtime.block_on(served).map_err(|why| {
            Error::new(Exit::Results, format!("the last requests could not be stored: {why}"))
                .help("make room on the disk; everything that was acknowledged is stored")
        })?;
        self.runtime.shutdown_timeout(GRACE);
        Ok(Exit::Done)
    }
}

/// The certificate, if TLS is requested.
fn tls(arguments: &ServeArguments) -> Result<Option<Tls>, Error> {
    let (Some(chain), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        return Ok(None);
    };
    let read = |path: &Path| std::fs::read(path).map_err(|error| not_read(path, &error));
    let tls = Tls::new(&read(chain)?, &read(key)?);
    tls.map(Some).map_err(|error| Error::usage(format!("TLS cannot be used: {error}")))
}

/// The service, in memory or with its state.
fn service(
    arguments: &ServeArguments,
    options: LoopOptions,
    access: Access,
) -> Result<Service, Error> {
    let Some(folder) = &arguments.state else { return Ok(Service::new(options, access, time())) };
    let unusable = |why: &dyn std::fmt::Display| {
        let message = format!("the state in `{}` cannot be used: {why}", folder.display());
        Error::new(Exit::Results, message)
    };
    let opened = Service::open(folder, &options, access, time(), arguments.repair);
    let (service, is_old) = opened.map_err(|error| unusable(&error))?;
    if is_old && arguments.settings.is_some() {
        eprintln!("note: `--settings` is ignored: the state in the folder has settings");
    }
    Ok(service)
}

fn time() -> Time {
    let wall = WallClock::start_now();
    Arc::new(move || wall.timestamp(wall.now()))
}

/// The initial options of the loop.
fn options(arguments: &ServeArguments) -> Result<LoopOptions, Error> {
    let limits = LoopLimits { rank_work: arguments.rank_work, model_bytes: arguments.model_bytes };
    let log_events = arguments.log_events.unwrap_or(usize::MAX);
    let mut options = LoopOptions { limits, log_events, ..LoopOptions::default() };
    if arguments.multi_slot {
        options.policy =
            LearningPolicy::parse(DEFAULT_SLOTS_POLICY).expect("the default policies are valid");
    }
    let Some(path) = &arguments.settings else { return Ok(options) };
    let environment = |name: &str| std::env::var(name).ok();
    let (configuration, policy, warnings) = scenario::load_loop(path, &environment)?;
    anstream::eprint!("{}", warnings.render(true));
    options.configuration = configuration;
    options.policy = policy;
    if arguments.multi_slot && !options.policy.is_multi_slot() {
        let (found, path) = (options.policy.arguments(), path.display());
        return Err(Error::usage(format!(
            "`--multi-slot` needs a learning policy with `--ccb_explore_adf`, found `{found}` in \
             `{path}`"
        )));
    }
    Ok(options)
}

/// The rules of admission.
fn access(arguments: &ServeArguments) -> Result<Access, Error> {
    let keys = keys(arguments)?;
    if arguments.protect_monitoring && keys.is_empty() {
        return Err(Error::usage("`--protect-monitoring` needs `--key-file` or `--key-env`"));
    }
    for origin in &arguments.allow_origin {
        let site = origin.split_once("://").map(|(_, site)| site);
        if site.is_none_or(|site| site.is_empty() || site.contains('/')) {
            return Err(Error::usage(format!(
                "`--allow-origin` expects an origin such as `https://shop.example`, found \
                 `{origin}`"
            )));
        }
    }
    Ok(Access {
        keys,
        protect_monitoring: arguments.protect_monitoring,
        allowed_origins: arguments.allow_origin.clone(),
    })
}

/// The keys, from a file or the environment: arguments can be read by every user of the
/// machine.
fn keys(arguments: &ServeArguments) -> Result<Keys, Error> {
    let text = match (&arguments.key_file, &arguments.key_env) {
        (Some(path), _) => text_file::read(path).map_err(|error| not_read(path, &error))?,
        (None, Some(name)) => std::env::var(name)
            .map_err(|_| Error::usage(format!("the environment variable `{name}` is not set")))?,
        (None, None) => return Ok(Keys::default()),
    };
    let keys = Keys::new(text.lines().map(str::trim).filter(|line| !line.is_empty()));
    if keys.is_empty() {
        Err(Error::usage("no key found; expected at least one line that is not empty"))
    } else {
        Ok(keys)
    }
}

fn warn_if_exposed(address: SocketAddr, keys: &Keys, has_tls: bool) {
    if address.ip().is_loopback() {
        return;
    }
    if !has_tls {
        eprintln!(
            "warning: events and keys travel to {address} unencrypted; add `--tls-cert` and \
             `--tls-key`, or bind a loopback address behind a TLS proxy"
        );
    }
    if keys.is_empty() {
        eprintln!(
            "warning: every client that reaches {address} can read and change everything; \
             add `--key-file` or `--key-env`"
        );
    }
}

fn not_read(path: &Path, error: &std::io::Error) -> Error {
    Error::usage(format!("`{}` cannot be read: {error}", path.display()))
}

fn unusable(message: String) -> Error {
    Error::new(Exit::Target, message)
}
