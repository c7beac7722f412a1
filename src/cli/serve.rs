use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::error::Error;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::streams;
use super::text_file;
use clock::{Clock, WallClock};
use diagnostic::{Report, Source};
use learner::LearningPolicy;
use learning_loop::{LoopLimits, LoopOptions};
use protocol::{DEFAULT_POLICY, DEFAULT_SLOTS_POLICY};
use scenario::{self, policy_list};
use server::log::{self, LogFormat};
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
    /// Start with this learning policy: Vowpal Wabbit arguments, a linear policy such as
    /// `{ lin_ucb: { alpha: 1 } }`, or a program such as `{ command: [python3, policy.py] }`. It
    /// takes the place of that in `--settings`.
    #[arg(long, value_name = "POLICY", allow_hyphen_values = true, conflicts_with = "multi_slot")]
    pub policy: Option<String>,
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
    /// Keep at most this many joined events in the log, which is in memory.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub log_events: usize,
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
    /// Hold about this many bytes of events in memory: the oldest leave the log, and Rank is
    /// refused while the events whose reward windows are open take more.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub event_bytes: u64,
    /// Hold at most this many bytes of request bodies at once.
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    pub upload_bytes: usize,
    /// Close the oldest idle connection when there are more.
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
    /// Start with a learning policy for multi-slot calls.
    #[arg(long)]
    pub multi_slot: bool,
    /// The format of the log on stderr; `json` writes an object a line, and more of them.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Log::Text)]
    pub log: Log,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Log {
    Text,
    Json,
}

/// The deadline for evaluations that are running when the service stops.
const GRACE: Duration = Duration::from_millis(100);

/// Serves the loop until a signal.
pub fn serve(arguments: &ServeArguments) -> Result<Exit, Error> {
    let served = |time| prepare(arguments, time)?.run();
    let time = time();
    if arguments.log == Log::Text {
        return served(time);
    }
    log::set_format(LogFormat::Json, Arc::clone(&time));
    served(time).or_else(|error| {
        log::error(error.message(), &[("exit", error.exit().code().into())]);
        Ok(error.exit())
    })
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

fn prepare(arguments: &ServeArguments, time: Time) -> Result<Prepared, Error> {
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
    let service = service(arguments, options, access, time)?;
    if let Some(why) = runtime.block_on(service.policy_failure()) {
        return Err(unusable(why));
    }
    let limits = Limits {
        connections: connections(arguments.connections as usize),
        upload_bytes: arguments.upload_bytes,
        ..Limits::default()
    };
    Ok(Prepared { runtime, listener, address, service, limits, tls })
}

impl Prepared {
    fn run(self) -> Result<Exit, Error> {
        let (_, stop) = Interrupt::listen_saying(log::say)?;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", self.address);
        streams::print(&format!("{url}\n"))?;
        log::record("listening", &[("url", url.into())]);
        let stopped = async move { stop.asked().await };
        let served = server::serve(self.listener, self.service, self.limits, self.tls, stopped);
        self.runtime.block_on(served).map_err(|why| {
            Error::new(Exit::Results, format!("the last requests could not be stored: {why}"))
                .help("make room on the disk; everything that was acknowledged is stored")
        })?;
        self.runtime.shutdown_timeout(GRACE);
        log::record("stopped", &[("exit", Exit::Done.code().into())]);
        Ok(Exit::Done)
    }
}

/// The files that are open beside connections.
#[cfg(unix)]
const OTHER_FILES: usize = 64;

/// As many connections as are wanted, or as many as the process may have: a server that has no
/// file left cannot accept the connection for which it closes another one.
#[cfg(unix)]
fn connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files =
        if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    let most = files.saturating_sub(OTHER_FILES).max(1);
    if most < wanted {
        log::warning(
            format!("at most {most} connections: the process may open {files} files (`ulimit -n`)"),
            &[("connections", most.into())],
        );
    }
    wanted.min(most)
}

#[cfg(not(unix))]
fn connections(wanted: usize) -> usize {
    wanted
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
    time: Time,
) -> Result<Service, Error> {
    let Some(folder) = &arguments.state else { return Ok(Service::new(options, access, time)) };
    let unusable = |why: &dyn std::fmt::Display| {
        let message = format!("the state in `{}` cannot be used: {why}", folder.display());
        Error::new(Exit::Results, message)
    };
    let opened = Service::open(folder, &options, access, time, arguments.repair);
    let (service, is_old) = opened.map_err(|error| unusable(&error))?;
    if is_old && arguments.settings.is_some() {
        log::note("`--settings` is ignored: the state in the folder has settings", &[]);
    }
    Ok(service)
}

fn time() -> Time {
    let wall = WallClock::start_now();
    Arc::new(move || wall.timestamp(wall.now()))
}

/// The initial options of the loop.
fn options(arguments: &ServeArguments) -> Result<LoopOptions, Error> {
    let limits = LoopLimits {
        rank_work: arguments.rank_work,
        model_bytes: arguments.model_bytes,
        event_bytes: arguments.event_bytes,
        ..LoopLimits::CONTRACT
    };
    let log_events = arguments.log_events;
    let mut options = LoopOptions { limits, log_events, ..LoopOptions::default() };
    if arguments.multi_slot {
        options.policy = LearningPolicy::parse(DEFAULT_SLOTS_POLICY)
            .expect("the default policies are valid")
            .into();
    }
    if let Some(path) = &arguments.settings {
        start_with(path, arguments, &mut options)?;
    }
    if let Some(text) = &arguments.policy {
        let mut report = Report::new();
        let named = policy_list::policy(&Source::new("--policy", text.clone()), &mut report);
        options.policy = named.filter(|_| !report.has_errors()).ok_or(report)?.policy;
        // As in a file of settings: exploration that is not said is that of the policy.
        let epsilon = options.policy.epsilon().filter(|_| arguments.settings.is_none());
        if let Some(share) = epsilon.and_then(|epsilon| epsilon.to_string().parse().ok()) {
            options.configuration.exploration_percentage = share;
        }
    }
    if options.policy.is_program() {
        options.programs.push(options.policy.clone());
    }
    Ok(options)
}

/// Takes the settings and the policy of a file.
fn start_with(
    path: &Path,
    arguments: &ServeArguments,
    options: &mut LoopOptions,
) -> Result<(), Error> {
    let environment = |name: &str| std::env::var(name).ok();
    let (configuration, policy, warnings) = scenario::load_loop(path, &environment)?;
    warn(arguments.log, &warnings.render(true));
    options.configuration = configuration;
    // A file without a policy has the default, whose form for slots is set already.
    if !(arguments.multi_slot && policy.arguments() == DEFAULT_POLICY) {
        options.policy = policy;
    }
    if arguments.multi_slot && !options.policy.is_multi_slot() {
        let (found, path) = (options.policy.arguments(), path.display());
        return Err(Error::usage(format!(
            "`--multi-slot` needs a learning policy with `--ccb_explore_adf`, found `{found}` in \
             `{path}`"
        )));
    }
    Ok(())
}

/// Shows what a file with settings may mean wrongly.
fn warn(log: Log, warnings: &str) {
    match log {
        Log::Text => anstream::eprint!("{warnings}"),
        Log::Json if warnings.is_empty() => {}
        Log::Json => log::warning(anstream::adapter::strip_str(warnings), &[]),
    }
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
        let message = format!(
            "events and keys travel to {address} unencrypted; add `--tls-cert` and `--tls-key`, \
             or bind a loopback address behind a TLS proxy"
        );
        log::warning(message, &[]);
    }
    if keys.is_empty() {
        let message = format!(
            "every client that reaches {address} can read and change everything; add `--key-file` \
             or `--key-env`"
        );
        log::warning(message, &[]);
    }
}

fn not_read(path: &Path, error: &std::io::Error) -> Error {
    Error::usage(format!("`{}` cannot be read: {error}", path.display()))
}

fn unusable(message: String) -> Error {
    Error::new(Exit::Target, message)
}
