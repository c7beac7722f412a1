//! The report of what goes on.

use serde_json::Value;

use super::landmarks::Landmarks;
use super::run::{self, RunNumbers};
use super::{Content, ReportSection, Source, all_sections, answer, curves, tables};
use crate::cli::charts::ModelHistory;
use crate::cli::compare::Subject;
use crate::cli::console::count;
use plan::Plan;
use report::html::{Block, Page, Section};
use results::experiment::ExperimentResults;

/// What is known of a verdict before the end.
const GLIMPSE: &str = "Judge at the end: a run that is stopped as soon as a verdict looks good is wrong \
    more often than its level says.";

/// What is known of verdicts of gates that are judged at planned looks.
const ANYTIME: &str = "These gates are judged at planned looks: a verdict on one is valid whenever it \
    is given.";

/// The page of a run of `plan` that goes on; `done` iterations of `total` in the phase under way.
pub fn run_under_way(
    plan: &Plan,
    numbers: &RunNumbers,
    models: &ModelHistory,
    (phase, done, total): (&str, u64, u64),
) -> Page {
    let RunNumbers { summary, .. } = numbers;
    let run = comparison::under_way(plan.name.clone(), plan.seed, summary.phases());
    let curves = curves(&[run], &Landmarks::of_plan(plan, summary, models), false);
    let mut result = vec![progress(&format!("phase {phase}"), "iterations", done, total)];
    result.extend(answer::of_run(summary, numbers.simulated));
    let warnings = run::warnings_in(&numbers.document).into_iter().map(Block::Warning);
    let result = ReportSection::new("So far", result);
    let warnings = ReportSection::new("Warnings", warnings.collect());
    let mut sections = run::alone(numbers, result, warnings, curves.pictures);
    for section in &mut sections {
        if section.section.heading == "Expectations" && !section.section.blocks.is_empty() {
            section.section.blocks.insert(0, Block::Text(GLIMPSE.to_owned()));
        }
    }
    page(&plan.name, format!("{}. The run goes on.", numbers.title), sections)
}

/// The page of an experiment that goes on: the cells that are complete, and `comparison`, what
/// `comparison.json` would hold of them.
pub fn experiment_under_way(results: &ExperimentResults, failed: u64, comparison: &Value) -> Page {
    let manifest = &results.manifest;
    let (done, all) = (results.cells.len() as u64 + failed, manifest.cells.len() as u64);
    let is_anytime = manifest.until_decided.is_some();
    let scenario = manifest.scenario.clone();
    let landmarks = Landmarks::of_cells(results);
    let subtitle = format!("{} policies. The experiment goes on.", manifest.variants.len());
    let mut progressed = vec![progress("cells", "cells", done, all)];
    if failed > 0 {
        progressed.push(Block::Warning(format!("{} failed", count(failed))));
    }
    let mut subject = Subject::of_results(results);
    subject.groups.retain(|group| !group.samples.is_empty());
    let verdict = if is_anytime { ANYTIME } else { GLIMPSE };
    let source = Source {
        subject,
        content: Content::ExperimentUnderWay,
        landmarks,
        verdicts: Vec::new(),
        has_no_model: false,
    };
    let mut sections = all_sections(&[source]);
    let blocks: Vec<Block> = tables::gates(comparison, false).into_iter().collect();
    for section in &mut sections {
        let of = &mut section.section;
        // Only gates at planned looks can be judged before the end.
        of.blocks.iter_mut().for_each(Block::doubt);
        match of.heading.as_str() {
            "Gates" => of.blocks.clone_from(&blocks),
            "Result" => {
                "So far".clone_into(&mut of.heading);
                of.blocks.insert(1.min(of.blocks.len()), Block::Text(verdict.to_owned()));
                of.blocks.splice(0..0, progressed.drain(..));
            }
            _ => {}
        }
    }
    page(&scenario, subtitle, sections)
}

fn progress(label: &str, noun: &str, done: u64, total: u64) -> Block {
    let label = if total == 0 {
        label.to_owned()
    } else if label == noun {
        format!("{} of {} {noun}", count(done), count(total))
    } else {
        format!("{label}: {} of {} {noun}", count(done), count(total))
    };
    Block::Progress { label, done, total }
}

fn page(scenario: &str, subtitle: String, sections: Vec<ReportSection>) -> Page {
    let sections: Vec<Section> = sections.into_iter().map(|section| section.section).collect();
    Page { title: scenario.to_owned(), subtitle, sections }
}
