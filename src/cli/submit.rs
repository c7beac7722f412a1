//! `runner submit`

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::error::Error;
use super::exit::Exit;
use super::load::ScenarioArguments;
use super::streams;
use diagnostic::{Diagnostic, Report};
use results::scenario_folder;
use scenario::{self, Scenario, Work, WorkPlan};
use store::{credentials, is_address};
use submit::{Ci, Cut, Engine, Kubernetes, RESULTS, Rendered, Slurm, Stdin, Storage, Submission};
use timestamp::Timestamp;

/// `runner submit`
#[derive(Debug, Clone, Args)]
pub struct SubmitArguments {
    /// The scenario.
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
    #[command(flatten)]
    changes: ScenarioArguments,
    /// The engine that runs the shards.
    #[arg(long, value_name = "ENGINE")]
    engine: EngineName,
    /// Into how many shards the work is cut.
    #[arg(long, value_name = "N")]
    shards: NonZero<u64>,
    /// Submit it, instead of printing what would be submitted.
    #[arg(long)]
    submit: bool,
    /// The folder, or the address in an object store, below which the shards and their merge go
    /// [default: results/SCENARIO/plan-DIGEST].
    #[arg(long, short, value_name = "DIR|URL")]
    out: Option<String>,
    /// How many shards run at once [default: all].
    #[arg(long, value_name = "N")]
    throttle: Option<NonZero<u64>>,
    /// How long a shard may take.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = humantime::parse_duration)]
    time_limit: Duration,
    /// How many cores a shard has.
    #[arg(long, value_name = "N", default_value = "1")]
    cpus: NonZero<u64>,
    /// How much memory a shard has, in MiB.
    #[arg(long, value_name = "MIB", default_value = "1024")]
    memory: NonZero<u64>,
    /// When every shard of a load starts, such as `2026-01-01T12:00:00Z`.
    #[arg(long, value_name = "RFC3339")]
    start_at: Option<Timestamp>,
    /// Slurm and CI: the command that starts this program there [default: this file; CI builds it].
    #[arg(long, value_name = "COMMAND")]
    program: Option<String>,
    /// Slurm: one more argument of sbatch, such as `--partition=long`.
    #[arg(long = "sbatch", value_name = "ARGUMENT", allow_hyphen_values = true)]
    sbatch: Vec<String>,
    /// Kubernetes: an image whose entry point is this program.
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Kubernetes: the claim of a volume that all pods can write to.
    #[arg(long, value_name = "NAME")]
    claim: Option<String>,
    /// Kubernetes: the Secret with the variables of the environment [default: runner].
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,
    /// Kubernetes: the account of the pods.
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
}

/// Who can run shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineName {
    /// An array of Slurm, and a job that merges.
    Slurm,
    /// An Indexed Job of Kubernetes, and a Job that merges.
    Kubernetes,
    /// A workflow of GitHub with a matrix, and a job that merges.
    Github,
    /// A parallel job of GitLab, and a job that merges.
    Gitlab,
}

/// Prints what would be submitted to an engine, or submits it.
pub fn submit(arguments: &SubmitArguments) -> Result<Exit, Error> {
    let rendered = render(arguments)?;
    if arguments.submit {
        ask(&rendered)?;
    } else {
        streams::print(&rendered.text)?;
        streams::note(&format!(
            "nothing was submitted; `--submit` does it: {}",
            rendered.submit.0.join(" ")
        ));
    }
    Ok(Exit::Done)
}

fn render(arguments: &SubmitArguments) -> Result<Rendered, Report> {
    let Read { scenario, inputs, variables } = read(arguments)?;
    arguments.refuse_options_of_other_engines()?;
    let plan = WorkPlan::new(&scenario, Some(arguments.shards), arguments.start_at)?;
    warn_of_idle_shards(&plan, arguments.shards);
    let engine = arguments.engine()?;
    let out = arguments.out(&plan)?;
    let codes = |is_wanted: &dyn Fn(Exit) -> bool| {
        let wanted = Exit::ALL.into_iter().filter(|exit| is_wanted(*exit));
        wanted.map(Exit::code).collect::<Vec<_>>()
    };
    let mut retried_codes = codes(&|exit| exit != Exit::Done && !exit.is_final());
    retried_codes.push(KILLED);
    let submission = Submission {
        name: plan.scenario.clone(),
        digest: plan.digest.clone(),
        work: cut(&plan)?,
        scenario: text(&arguments.scenario)?,
        inputs,
        variables,
        credentials: if is_address(&out) { credentials(&out) } else { Vec::new() },
        changes: arguments.changes.words(),
        shards: arguments.shards,
        throttle: arguments.throttle,
        time_limit: arguments.time_limit,
        cpus: arguments.cpus,
        memory_mib: arguments.memory,
        out,
        final_codes: codes(&Exit::is_final),
        retried_codes,
    };
    engine.render(&submission)
}

/// How a shell says that a process was killed.
const KILLED: u8 = 137;

/// The cells of a seed stay in one shard, so there is work for as many shards as seeds.
fn warn_of_idle_shards(plan: &WorkPlan, shards: NonZero<u64>) {
    let Work::Experiment { cells, .. } = &plan.work else { return };
    let seeds = cells.iter().map(|cell| cell.block + 1).max().unwrap_or_default();
    if seeds < shards.get() {
        streams::note(&format!(
            "warning: there are {seeds} seeds, so {} shards do nothing",
            shards.get() - seeds
        ));
    }
}

fn cut(plan: &WorkPlan) -> Result<Cut, Report> {
    match plan.work {
        Work::Experiment { .. } => Ok(Cut::Cells),
        Work::Load { .. } => {
            let document =
                plan.start_at.map(|_| String::from_utf8_lossy(&plan.bytes()).into_owned());
            Ok(Cut::Load { plan: document })
        }
        Work::World { .. } => {
            let message = "the scenario is a single simulation, which cannot be cut into shards";
            Err(Diagnostic::error(message).help("run it here").into())
        }
    }
}

/// A scenario with all that a machine needs to read it again.
struct Read {
    scenario: Scenario,
    inputs: Vec<scenario::Input>,
    /// The names of the variables of the environment that were read.
    variables: Vec<String>,
}

/// Reads the scenario; its warnings go to stderr.
fn read(arguments: &SubmitArguments) -> Result<Read, Report> {
    let read = RefCell::new(BTreeSet::new());
    let environment = |name: &str| {
        let value = std::env::var(name).ok()?;
        read.borrow_mut().insert(name.to_owned());
        Some(value)
    };
    let options = arguments.changes.options();
    let (scenario, warnings, inputs) =
        scenario::read_with_inputs(&arguments.scenario, &options, &environment)?;
    streams::explain(&warnings);
    Ok(Read { scenario, inputs, variables: read.into_inner().into_iter().collect() })
}

fn text(path: &Path) -> Result<String, Report> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let message = format!("`{}` is not text", path.display());
        Diagnostic::error(message).help("give the file a name in UTF-8").into()
    })
}

/// An option, and whether it was given.
type GivenOption = (&'static str, bool);

impl SubmitArguments {
    fn engine(&self) -> Result<Engine, Report> {
        let ci = || Ci { program: self.program.clone() };
        Ok(match self.engine {
            EngineName::Slurm => {
                Engine::Slurm(Slurm { program: self.program()?, options: self.sbatch.clone() })
            }
            EngineName::Kubernetes => Engine::Kubernetes(self.kubernetes()?),
            EngineName::Github => Engine::Github(ci()),
            EngineName::Gitlab => Engine::Gitlab(ci()),
        })
    }

    /// The command that is this program.
    fn program(&self) -> Result<String, Report> {
        if let Some(program) = &self.program {
            return Ok(program.clone());
        }
        let own = std::env::current_exe().map_err(|error| {
            let message = format!("cannot find the path of this program: {error}");
            Diagnostic::error(message).help("name it with `--program`")
        })?;
        text(&own)
    }

    fn kubernetes(&self) -> Result<Kubernetes, Report> {
        let Some(image) = self.image.clone() else {
            let help = "build one with `.ci/Containerfile`, and name it with `--image`";
            return Err(Diagnostic::error("pods need an image").help(help).into());
        };
        let secret = self.secret.clone().unwrap_or_else(|| "runner".to_owned());
        let storage = match (&self.claim, &self.out) {
            (Some(claim), None) => Storage::Claim(claim.clone()),
            (Some(claim), Some(out)) if Path::new(out).starts_with(RESULTS) => {
                Storage::Claim(claim.clone())
            }
            (Some(_), Some(out)) => {
                let message = format!("`{out}` is not on the volume of the claim");
                let help = format!("it is at `{RESULTS}`; or leave `--claim` out");
                return Err(Diagnostic::error(message).help(help).into());
            }
            (None, Some(url)) if is_address(url) => Storage::Store,
            (None, _) => {
                let help = "name an object store with `--out s3://bucket/path`, or a volume that \
                    all pods can write to with `--claim NAME`";
                return Err(Diagnostic::error("a pod's storage is lost when it ends")
                    .help(help)
                    .into());
            }
        };
        let service_account = self.service_account.clone();
        Ok(Kubernetes { image, storage, secret, service_account })
    }

    fn out(&self, plan: &WorkPlan) -> Result<String, Report> {
        let root = if self.claim.is_some() { RESULTS } else { "results" };
        let usual = || {
            let plan_folder = format!("plan-{}", &plan.digest[..8]);
            text(&scenario_folder(Path::new(root), &plan.scenario).join(plan_folder))
        };
        self.out.clone().map_or_else(usual, |out| Ok(out.trim_end_matches('/').to_owned()))
    }

    fn refuse_options_of_other_engines(&self) -> Result<(), Report> {
        let slurm: &[GivenOption] = &[("--sbatch", !self.sbatch.is_empty())];
        let kubernetes: &[GivenOption] = &[
            ("--image", self.image.is_some()),
            ("--claim", self.claim.is_some()),
            ("--secret", self.secret.is_some()),
            ("--service-account", self.service_account.is_some()),
        ];
        let program: &[GivenOption] = &[("--program", self.program.is_some())];
        let foreign = match self.engine {
            EngineName::Slurm => vec![("Kubernetes", kubernetes)],
            EngineName::Kubernetes => vec![("Slurm", slurm), ("Slurm and CI", program)],
            EngineName::Github | EngineName::Gitlab => {
                vec![("Slurm", slurm), ("Kubernetes", kubernetes)]
            }
        };
        let mut report = Report::new();
        for (engine, options) in foreign {
            for (option, _) in options.iter().filter(|(_, given)| *given) {
                let message = format!("`{option}` is for {engine}");
                report.push(Diagnostic::error(message).help("leave it out"));
            }
        }
        if report.has_errors() { Err(report) } else { Ok(()) }
    }
}

/// Submits to the engine.
fn ask(rendered: &Rendered) -> Result<(), Error> {
    let (command, stdin) = rendered.submit;
    let failed = |what: &str| Error::new(Exit::Target, format!("`{}`: {what}", command.join(" ")));
    match run(command, stdin, &rendered.text) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(failed(&format!("ended with {status}")).help("see its own messages above"))
        }
        Err(error) => Err(failed(&error.to_string())
            .help("is it installed? Without `--submit` this prints what would be submitted")),
    }
}

fn run(command: &[&str], stdin: Stdin, text: &str) -> std::io::Result<std::process::ExitStatus> {
    let piped = if stdin == Stdin::Text { Stdio::piped() } else { Stdio::null() };
    let mut child = Command::new(command[0]).args(&command[1..]).stdin(piped).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read to the end says why by its exit code.
        _ = input.write_all(text.as_bytes());
    }
    child.wait()
}
