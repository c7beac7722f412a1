//! `runner evaluate`: policies judged on logs.

mod arguments;
mod contract;
mod csv;
mod discovery;
mod json;
mod logs;
mod policies;
mod predictions;
mod text;

use std::io;

pub use arguments::{EvaluateArguments, parse_confidence};

use super::console::Screen;
use super::error::Error;
use super::exit::Exit;
use super::streams;
use arguments::Format;
use diagnostic::{Diagnostic, Report};
use evaluation::comparison::{Reading, Verdict};
use evaluation::stream::{Account, Candidate, Player, Stream, StreamSettings};
use logs::Logs;
use predictions::Watcher;
use statistics::off_policy::Weights;

/// An evaluation that came to its end.
struct Evaluated {
    verdicts: Vec<Verdict>,
    players: Vec<Player>,
    account: Account,
    reading: Reading,
    baseline: Option<String>,
    held_out_from: Option<u64>,
}

/// Evaluates policies on logs, and prints the result.
pub fn evaluate(arguments: &EvaluateArguments) -> Result<Exit, Error> {
    let mut report = Report::new();
    let candidates = policies::collect(arguments, &mut report);
    let logs = Logs::find(&arguments.logs, &mut report);
    check(arguments, &candidates, &mut report);
    if report.has_errors() {
        return Err(report.into());
    }
    anstream::eprint!("{}", report.render(true));
    let (evaluated, incomplete) =
        judge(arguments, candidates, &logs).map_err(|error| Error::new(Exit::Results, error))?;
    streams::print(&shown(arguments.format, &evaluated))?;
    match incomplete {
        None => Ok(Exit::Done),
        Some(error) => Err(Error::new(
            Exit::Incomplete,
            format!("{error}; what was read up to there is shown"),
        )),
    }
}

/// What can be wrong with the arguments together.
fn check(arguments: &EvaluateArguments, candidates: &[Candidate], report: &mut Report) {
    if let Some(baseline) = &arguments.baseline {
        let fixed = Player::fixed();
        let names = candidates.iter().map(|candidate| &*candidate.name);
        let known: Vec<&str> = names.chain(fixed.iter().map(|player| &*player.name)).collect();
        if !known.contains(&&**baseline) && !arguments.discover {
            let help = format!("name one of: {}", known.join(", "));
            let message = format!("`--baseline {baseline}` is none of the policies");
            report.push(Diagnostic::error(message).help(help));
        }
    }
    if arguments.discover && arguments.logs.iter().any(|log| log.as_os_str() == "-") {
        let message = "`--discover` reads the logs twice, which stdin cannot do";
        report.push(Diagnostic::error(message).help("write the log to a file first"));
    }
}

/// Reads the logs; the second value says why the reading ended early.
fn judge(
    arguments: &EvaluateArguments,
    mut candidates: Vec<Candidate>,
    logs: &Logs,
) -> io::Result<(Evaluated, Option<String>)> {
    let mut screen = Screen::of_stderr(arguments.quiet);
    let threads = arguments.threads();
    let mut held_out_from = None;
    if arguments.discover {
        let found = discovery::search(logs, &candidates, threads, &mut screen)?;
        held_out_from = Some(found.held_out_from);
        candidates.extend(found.policies);
    }
    let settings = StreamSettings {
        threads,
        baseline: arguments.baseline.clone(),
        held_out_from,
        windows: arguments.format == Format::Contract,
        predictions: arguments.predictions.is_some(),
    };
    let mut stream = Stream::new(candidates, settings);
    let mut watcher = Watcher::new(arguments.predictions.as_deref(), logs, screen)?;
    let incomplete = logs.each(|name, input| stream.read(name, input, &mut watcher));
    watcher.finish()?;
    let (players, account) = stream.finish();
    let reading = reading(arguments, &account);
    let baseline = arguments.baseline.clone();
    let verdicts = reading.verdicts(&players, baseline.as_deref());
    let evaluated = Evaluated { verdicts, players, account, reading, baseline, held_out_from };
    Ok((evaluated, incomplete.err().map(|error| error.to_string())))
}

fn reading(arguments: &EvaluateArguments, account: &Account) -> Reading {
    let mut reading = Reading::of(account);
    if let Some(confidence) = arguments.confidence {
        reading.confidence = confidence;
    }
    if let Some(rewards) = arguments.rewards {
        reading.rewards = rewards;
    }
    if let Some(highest) = arguments.max_weight {
        reading.weights = Weights { highest, ..reading.weights };
    }
    reading
}

fn shown(format: Format, evaluated: &Evaluated) -> String {
    match format {
        Format::Text => text::show(evaluated),
        Format::Json => json::show(evaluated),
        Format::Csv => csv::show(evaluated),
        Format::Contract => contract::show(evaluated),
    }
}
