//! What a report says first: the result in two sentences, and one chart.

use super::tables::tone;
use super::{Content, Source};
use crate::cli::compare::{ONE_RUN_REMEDY, Section, p, signed, value, within_text, words};
use crate::cli::console::count;
use comparison::{Comparison, Description, Difference, Finding};
use metrics::{Direction, Metric, Operation, PhaseTally, Statistic, Summary, Term, last_tenth};
use report::chart::percent;
use report::html::{Block, DifferenceRow};
use timestamp::elapsed;

/// The result of a report.
pub fn answer(sources: &[Source], compared: &[Section]) -> Vec<Block> {
    let headline = compared.iter().find_map(|section| Some((section, headline(section)?)));
    let mut blocks = match headline {
        Some((section, (term, comparison))) => compared_groups(section, term, comparison),
        None => sources.iter().flat_map(alone).collect(),
    };
    let states: Vec<String> = sources.iter().flat_map(state).collect();
    if !states.is_empty() {
        blocks.insert(blocks.len().min(1), Block::Answer(states.join(" ")));
    }
    blocks
}

/// The metric that decides: the success rate of the last phase that has one.
pub fn headline(section: &Section) -> Option<&(Term, Comparison)> {
    let is_success =
        |(term, _): &&(Term, Comparison)| term.definition().metric == Metric::SuccessRate;
    section.metrics.iter().rfind(is_success).or(section.metrics.first())
}

fn compared_groups(section: &Section, term: &Term, comparison: &Comparison) -> Vec<Block> {
    let mut sentence = verdict(term, comparison);
    if let Some(title) = &section.title {
        sentence = format!("{title}: {sentence}");
    }
    let mut blocks = vec![Block::Answer(sentence)];
    let mut rows: Vec<&Difference> = comparison.candidates.iter().collect();
    rows.sort_by(|left, right| observed(right).total_cmp(&observed(left)));
    let rows: Vec<_> = rows.into_iter().filter_map(|of| difference_row(term, of)).collect();
    // A difference of nothing is said in words; a chart of it would be blank.
    if rows.iter().any(|row| row.value != 0.0 || row.interval.is_some()) {
        let base = &comparison.base.group;
        let has_intervals = rows.iter().any(|row| row.interval.is_some());
        let intervals = if has_intervals { ", with 95 % intervals" } else { "" };
        let caption = format!("{}: difference to {base}{intervals}", term.text());
        blocks.push(Block::Differences { caption, rows });
    }
    blocks
}

fn observed(difference: &Difference) -> f64 {
    difference.test.as_ref().map_or(f64::NEG_INFINITY, |test| test.difference)
}

fn difference_row(term: &Term, of: &Difference) -> Option<DifferenceRow> {
    let dimension = term.definition().dimension;
    let test = of.test.as_ref()?;
    let (finding, paint) = words(of, dimension);
    let interval = test.interval.map(|interval| (interval.lower, interval.upper));
    let within = test.interval.map(|interval| format!(" {}", within_text(interval, dimension)));
    Some(DifferenceRow {
        name: of.estimate.group.clone(),
        value: test.difference,
        interval,
        text: format!("{}{}", signed(test.difference, dimension), within.unwrap_or_default()),
        finding,
        tone: tone(paint),
    })
}

/// Which group wins, by how much, and how sure that is.
fn verdict(term: &Term, comparison: &Comparison) -> String {
    let base = &comparison.base.group;
    let all = || comparison.candidates.iter();
    let metric = term.text();
    if all().all(|of| of.finding == Finding::Identical) {
        return format!("No policy differs from {base}: {metric} is identical in every run.");
    }
    if all().all(|of| of.finding == Finding::Description(Description::OneRunEach)) {
        return format!("One run each: a difference in {metric} may be luck. {ONE_RUN_REMEDY}.");
    }
    if all().all(|of| matches!(of.finding, Finding::Description(_) | Finding::Identical)) {
        return format!("There are too few runs to compare {metric} with that of {base}.");
    }
    let better = all().filter(|of| of.finding == Finding::Better);
    let is_less = term.definition().metric.direction() == Direction::Down;
    let gain = |of: &&Difference| if is_less { -observed(of) } else { observed(of) };
    if let Some(best) = better.max_by(|left, right| gain(left).total_cmp(&gain(right))) {
        return format!("{} wins: {}.", best.estimate.group, evidence(term, base, best));
    }
    let worse = all().filter(|of| of.finding == Finding::Worse).count();
    let worse = match worse {
        0 => String::new(),
        1 => "; one is worse".to_owned(),
        many => format!("; {many} are worse"),
    };
    format!("No policy is shown to be better than {base} in {metric}{worse}.")
}

fn evidence(term: &Term, base: &str, of: &Difference) -> String {
    let dimension = term.definition().dimension;
    let mean = value(&of.estimate, dimension);
    let runs = count(of.estimate.runs);
    let Some(test) = &of.test else { return format!("{} {mean}", term.text()) };
    let interval = test.interval.map(|interval| within_text(interval, dimension));
    let sure = [interval, of.adjusted_p.map(|value| format!("p {}", p(value)))];
    let sure: Vec<String> = sure.into_iter().flatten().collect();
    let sure = if sure.is_empty() { String::new() } else { format!(" ({})", sure.join(", ")) };
    let difference = signed(test.difference, dimension);
    format!("{} {mean} over {runs} runs, {difference} to {base}{sure}", term.text())
}

/// The success of a run that is compared with nothing.
fn alone(source: &Source) -> Vec<Block> {
    let Content::Run(run) = &source.content else { return Vec::new() };
    of_run(&run.summary(), run.manifest.latencies.simulated)
}

/// The result of a run in a sentence: the success rates of a simulated run, the calls of another.
pub fn of_run(summary: &Summary, simulated: bool) -> Vec<Block> {
    let phases = || summary.phases().iter().filter(|phase| phase.iterations() > 0);
    let Some(longest) = phases().max_by_key(|phase| phase.iterations()) else {
        return vec![Block::Answer("No iteration was made.".to_owned())];
    };
    let success: Vec<String> = phases().filter_map(success).collect();
    let success = (!success.is_empty()).then(|| format!("Success rate: {}.", success.join("; ")));
    let sentence = if simulated { success } else { calls(longest).or(success) };
    sentence.into_iter().map(Block::Answer).collect()
}

/// `Phase steady: 401 calls/s, Rank p50 1.02 ms and p99 3.71 ms, no errors.`
fn calls(phase: &PhaseTally) -> Option<String> {
    let rank = |quantile: f64| {
        let latency = phase.latencies(Operation::Rank)?.measure(Statistic::Quantile(quantile));
        latency.map(elapsed)
    };
    let (p50, p99) = (rank(0.5)?, rank(0.99)?);
    let rate = phase.measure(Metric::Rate, None)?;
    let errors = match phase.measure(Metric::Errors, None)? {
        0.0 => "no errors".to_owned(),
        1.0 => "1 error".to_owned(),
        many => format!("{many} errors"),
    };
    let name = phase.name();
    Some(format!("Phase {name}: {rate:.1} calls/s, Rank p50 {p50} and p99 {p99}, {errors}."))
}

/// The fewest iterations of a phase whose first and last tenth are compared.
const LEAST_FOR_TENTHS: u64 = 100;

/// `validation 84.2 %, from 80.5 % in its first tenth to 89.5 % in its last`
fn success(phase: &PhaseTally) -> Option<String> {
    let made = phase.iterations();
    let rate = |window| phase.measure(Metric::SuccessRate, window);
    let all = percent(rate(None)?);
    let ends = rate(Some(0..made.div_ceil(10))).zip(rate(Some(last_tenth(made))));
    // A tenth of fewer is mostly luck.
    let ends = ends.filter(|_| made >= LEAST_FOR_TENTHS).map(|(first, last)| {
        format!(", from {} in its first tenth to {} in its last", percent(first), percent(last))
    });
    Some(format!("{} {all}{}", phase.name(), ends.unwrap_or_default()))
}

/// Whether it is complete, and what became of its expectations and gates.
fn state(source: &Source) -> Vec<String> {
    let ending = source.run().and_then(|run| run.ending.as_deref());
    let is_cut_short = !source.subject.complete && !source.is_under_way();
    let ending = ending.or(is_cut_short.then_some("some of its runs are missing"));
    let mut sentences: Vec<String> =
        ending.into_iter().map(|how| format!("Not complete: {how}.")).collect();
    sentences.extend(source.verdicts.iter().map(|count| format!("{}.", count.in_words())));
    sentences
}
