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
use clock::{Clock, WallClock};
use engine::Stop;
use learning_loop::LoopOptions;
use scenario;
use server::{Keys, Limits, Service, Time, Tls};

/// `runner serve`
#[derive(Debug, Clone, Args)]
pub struct ServeArguments {
    /// The port, 0 for any that is free.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub port: u16,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Ask for one of the keys in this file, one a line.
    #[arg(long, value_name = "FILE", conflicts_with = "key_env")]
    pub key_file: Option<PathBuf>,
    /// Ask for the key that this environment variable holds.
    #[arg(long, value_name = "NAME")]
    pub key_env: Option<String>,
    /// Settings to start with: a file with the keys of a scenario's `loop`.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Speak TLS with this chain of certificates, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Keep everything in this folder, and go on from there; without, it is kept in memory.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// The file of the state, in its folder.
const STATE: &str = "loop.redb";

/// Evaluations that are under way when the service stops get no longer.
const GRACE: Duration = Duration::from_millis(100);

/// Serves the loop until it is told to stop.
pub fn serve(arguments: &ServeArguments) -> Result<Exit, Error> {
    prepare(arguments)?.run()
}

/// Everything that can go wrong before the first connection went well.
struct Prepared {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
    tls: Option<Tls>,
}

fn prepare(arguments: &ServeArguments) -> Result<Prepared, Error> {
    let keys = keys(arguments)?;
    let tls = tls(arguments)?;
    let options = options(arguments.settings.as_deref())?;
    let runtime = Runtime::new()
        .map_err(|error| unusable(format!("cannot start the async runtime: {error}")))?;
    let wanted = SocketAddr::new(arguments.bind, arguments.port);
    let listener = runtime.block_on(TcpListener::bind(wanted)).map_err(|error| {
        unusable(format!("cannot listen on `{wanted}`: {error}"))
            .help("`--port 0` takes any free port")
    })?;
    let address = listener.local_addr().unwrap_or(wanted);
    warn_if_open(address, &keys);
    let service = service(arguments, options, keys)?;
    Ok(Prepared { runtime, listener, address, service, tls })
}

impl Prepared {
    fn run(self) -> Result<Exit, Error> {
        let (_, stop) = Interrupt::listen()?;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        streams::print(&format!("{scheme}://{}\n", self.address))?;
        self.runtime.block_on(until(stop, self.listener, self.service, self.tls));
        self.runtime.shutdown_timeout(GRACE);
        Ok(Exit::Done)
    }
}

async fn until(stop: Stop, listener: TcpListener, service: Service, tls: Option<Tls>) {
    server::serve(listener, service, Limits::default(), tls, async move { stop.asked().await })
        .await;
}

/// What connections are opened with, if they are to be.
fn tls(arguments: &ServeArguments) -> Result<Option<Tls>, Error> {
    let (Some(chain), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        return Ok(None);
    };
    let read = |path: &Path| std::fs::read(path).map_err(|error| not_read(path, &error));
    let tls = Tls::new(&read(chain)?, &read(key)?);
    tls.map(Some).map_err(|error| Error::usage(format!("TLS cannot be used: {error}")))
}

/// The service: in memory, or as it was left.
fn service(arguments: &ServeArguments, options: LoopOptions, keys: Keys) -> Result<Service, Error> {
    let Some(folder) = &arguments.state else { return Ok(Service::new(options, keys, time())) };
    let unusable = |why: &dyn std::fmt::Display| {
        let message = format!("the state in `{}` cannot be used: {why}", folder.display());
        Error::new(Exit::Results, message)
    };
    std::fs::create_dir_all(folder).map_err(|error| unusable(&error))?;
    let opened = Service::open(&folder.join(STATE), options, keys, time());
    let (service, is_old) = opened.map_err(|error| unusable(&error))?;
    if is_old && arguments.settings.is_some() {
        eprintln!("note: the state has settings of its own, so those of `--settings` are not used");
    }
    Ok(service)
}

fn time() -> Time {
    let wall = WallClock::start_now();
    Arc::new(move || wall.timestamp(wall.now()))
}

/// What the loop starts with.
fn options(settings: Option<&Path>) -> Result<LoopOptions, Error> {
    let mut options = LoopOptions::default();
    let Some(path) = settings else { return Ok(options) };
    let environment = |name: &str| std::env::var(name).ok();
    let (configuration, policy, warnings) = scenario::load_loop(path, &environment)?;
    anstream::eprint!("{}", warnings.render(true));
    options.configuration = configuration;
    options.policy = policy;
    Ok(options)
}

/// The keys, from where they were said to be: never from the arguments, which every user
/// of the machine can read.
fn keys(arguments: &ServeArguments) -> Result<Keys, Error> {
    let text = match (&arguments.key_file, &arguments.key_env) {
        (Some(path), _) => std::fs::read_to_string(path).map_err(|error| not_read(path, &error))?,
        (None, Some(name)) => std::env::var(name)
            .map_err(|_| Error::usage(format!("the environment has no `{name}`")))?,
        (None, None) => return Ok(Keys::default()),
    };
    let keys = Keys::new(text.lines().map(str::trim).filter(|line| !line.is_empty()));
    if keys.is_empty() {
        Err(Error::usage("no key was found; a key is a line that is not empty"))
    } else {
        Ok(keys)
    }
}

fn warn_if_open(address: SocketAddr, keys: &Keys) {
    if keys.is_empty() && !address.ip().is_loopback() {
        eprintln!(
            "warning: whoever reaches {address} may read and change everything; \
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
