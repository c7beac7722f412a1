//! GitLab: a parallel job of shards, and a job that merges them.

use serde::Serialize;

use super::ci::{self, BUILT};
use super::{Ci, RETRIES, Rendered, Submission, refused};
use diagnostic::Report;

#[derive(Serialize)]
struct Pipeline {
    #[serde(rename = "runner build", skip_serializing_if = "Option::is_none")]
    build: Option<Job>,
    #[serde(rename = "runner shard")]
    shard: Job,
    #[serde(rename = "runner merge")]
    merge: Job,
}

#[derive(Default, Serialize)]
struct Job {
    stage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel: Option<u64>,
    needs: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<&'static str>,
    timeout: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<Retry>,
    script: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifacts: Option<Artifacts>,
}

#[derive(Serialize)]
struct Retry {
    max: u64,
    when: Vec<&'static str>,
    exit_codes: Vec<u8>,
}

#[derive(Serialize)]
struct Artifacts {
    when: &'static str,
    paths: Vec<String>,
}

const BUILD: &str = "runner build";
const SHARD: &str = "runner shard";

pub fn render(ci: &Ci, submission: &Submission) -> Result<Rendered, Report> {
    ci::check("GitLab", submission)?;
    if submission.throttle.is_some() {
        let help = "leave `--throttle` out, and limit the machines that run the jobs";
        return Err(refused("GitLab cannot limit how many jobs run at once", help));
    }
    if !(2..=200).contains(&submission.shards.get()) {
        let message =
            format!("a parallel job of GitLab is 2 to 200 jobs, not {}", submission.shards);
        return Err(refused(message, "use `--shards` from 2 to 200"));
    }
    let pipeline = Pipeline {
        build: ci.program.is_none().then(build),
        shard: shard(ci, submission),
        merge: merge(ci, submission),
    };
    Ok(ci::rendered(ci::document(submission, &pipeline), &["glab", "ci", "run"]))
}

fn build() -> Job {
    Job {
        stage: "build",
        image: Some("rust:1"),
        timeout: "60 minutes".to_owned(),
        script: vec!["cargo build --release --locked".to_owned()],
        artifacts: Some(Artifacts { when: "on_success", paths: vec![BUILT.to_owned()] }),
        ..Job::default()
    }
}

fn shard(ci: &Ci, submission: &Submission) -> Job {
    Job {
        stage: "test",
        parallel: Some(submission.shards.get()),
        needs: built(ci),
        timeout: timeout(submission),
        retry: Some(Retry {
            // GitLab allows no third.
            max: RETRIES.min(2),
            when: vec!["runner_system_failure", "stuck_or_timeout_failure", "scheduler_failure"],
            exit_codes: submission.retried_codes.clone(),
        }),
        script: vec![ci.shard(submission)],
        artifacts: kept(submission, &submission.out),
        ..Job::default()
    }
}

fn merge(ci: &Ci, submission: &Submission) -> Job {
    Job {
        stage: "deploy",
        needs: [built(ci), vec![SHARD]].concat(),
        // It says which shards are missing.
        when: Some("always"),
        timeout: timeout(submission),
        script: vec![ci.merge(submission)],
        artifacts: kept(submission, &submission.merged()),
        ..Job::default()
    }
}

fn built(ci: &Ci) -> Vec<&'static str> {
    if ci.program.is_none() { vec![BUILD] } else { Vec::new() }
}

fn timeout(submission: &Submission) -> String {
    format!("{} minutes", submission.minutes())
}

/// A gate that fails and a shard that is stopped leave results, too.
fn kept(submission: &Submission, path: &str) -> Option<Artifacts> {
    let kept = || Artifacts { when: "always", paths: vec![format!("{path}/")] };
    (!submission.is_stored()).then(kept)
}
