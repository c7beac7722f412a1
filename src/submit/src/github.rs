//! GitHub: a matrix of shards, and a job that merges them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ci::{self, BUILT};
use super::{Ci, Rendered, Submission, refused};
use diagnostic::Report;

#[derive(Serialize)]
struct Workflow {
    name: String,
    on: Triggers,
    permissions: BTreeMap<&'static str, &'static str>,
    /// What the scenario and the store read, for shards and merge alike.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, String>,
    jobs: Jobs,
}

#[derive(Serialize)]
struct Triggers {
    workflow_dispatch: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Jobs {
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<Job>,
    shard: Job,
    merge: Job,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Job {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<&'static str>,
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    runs_on: &'static str,
    timeout_minutes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<Strategy>,
    steps: Vec<Step>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Strategy {
    fail_fast: bool,
    max_parallel: u64,
    matrix: BTreeMap<&'static str, Vec<u64>>,
}

#[derive(Default, Serialize)]
struct Step {
    name: String,
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    with: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
}

/// <https://docs.github.com/en/actions/reference/limits>
const MOST_JOBS: u64 = 256;

pub fn render(ci: &Ci, submission: &Submission) -> Result<Rendered, Report> {
    ci::check("GitHub", submission)?;
    if submission.shards.get() > MOST_JOBS {
        let message =
            format!("a matrix of GitHub has at most {MOST_JOBS} jobs, not {}", submission.shards);
        return Err(refused(message, format!("use `--shards {MOST_JOBS}` or fewer")));
    }
    let builds = ci.program.is_none();
    let needs = if builds { vec!["build"] } else { Vec::new() };
    let workflow = Workflow {
        name: literal(&format!("{} in shards", submission.shown_name())),
        on: Triggers { workflow_dispatch: BTreeMap::new() },
        permissions: BTreeMap::from([("contents", "read")]),
        env: secrets(submission),
        jobs: Jobs {
            build: builds.then(build),
            shard: shard(ci, submission, needs),
            merge: merge(ci, submission, builds),
        },
    };
    let text = ci::document(submission, &workflow);
    Ok(ci::rendered(text, &["gh", "workflow", "run", "shards.yml"]))
}

fn secrets(submission: &Submission) -> BTreeMap<String, String> {
    let own = submission.variables.iter().map(String::as_str);
    let all = own.chain(submission.credentials.iter().copied());
    all.map(|name| (name.to_owned(), format!("${{{{ secrets.{name} }}}}"))).collect()
}

/// A text that GitHub takes as it stands, expressions among it.
fn literal(text: &str) -> String {
    text.replace("${{", "${{ '${{' }}")
}

const RUNS_ON: &str = "ubuntu-latest";

fn build() -> Job {
    Job {
        name: "Build".to_owned(),
        runs_on: RUNS_ON,
        timeout_minutes: 60,
        steps: vec![
            checkout(),
            command("Build", "cargo build --release --locked".to_owned()),
            upload("Keep the program", "runner", BUILT),
        ],
        ..Job::default()
    }
}

fn shard(ci: &Ci, submission: &Submission, needs: Vec<&'static str>) -> Job {
    let mut run = command("Run", literal(&ci.shard(submission)));
    run.env.insert("STRATEGY_JOB_INDEX".to_owned(), "${{ strategy.job-index }}".to_owned());
    run.env.insert("STRATEGY_JOB_TOTAL".to_owned(), "${{ strategy.job-total }}".to_owned());
    let mut steps = vec![checkout()];
    steps.extend(program(ci));
    steps.push(run);
    if !submission.is_stored() {
        let folder = literal(&format!("{}/", submission.out));
        let mut kept = upload("Keep the shard", "shard-${{ matrix.shard }}", &folder);
        // What a stopped shard did is gone on with.
        kept.condition = Some("${{ always() }}");
        steps.push(kept);
    }
    Job {
        name: "Shard ${{ matrix.shard }}".to_owned(),
        needs,
        runs_on: RUNS_ON,
        timeout_minutes: submission.minutes(),
        strategy: Some(Strategy {
            fail_fast: false,
            max_parallel: submission.at_once().get(),
            matrix: BTreeMap::from([("shard", (1..=submission.shards.get()).collect())]),
        }),
        steps,
        ..Job::default()
    }
}

fn merge(ci: &Ci, submission: &Submission, builds: bool) -> Job {
    let mut steps = vec![checkout()];
    steps.extend(program(ci));
    if !submission.is_stored() {
        let with = [
            ("pattern", "shard-*".to_owned()),
            ("path", literal(&submission.out)),
            ("merge-multiple", "true".to_owned()),
        ];
        steps.push(action("Fetch the shards", DOWNLOAD, with));
    }
    steps.push(command("Merge", literal(&ci.merge(submission))));
    if !submission.is_stored() {
        let mut kept = upload("Keep the merge", "merged", &literal(&submission.merged()));
        // A gate that fails leaves results, too.
        kept.condition = Some("${{ always() }}");
        steps.push(kept);
    }
    Job {
        name: "Merge".to_owned(),
        needs: if builds { vec!["build", "shard"] } else { vec!["shard"] },
        // It says which shards are missing.
        condition: Some("${{ !cancelled() }}"),
        runs_on: RUNS_ON,
        timeout_minutes: submission.minutes(),
        steps,
        ..Job::default()
    }
}

const CHECKOUT: &str = "actions/checkout@v4";
const UPLOAD: &str = "actions/upload-artifact@v4";
const DOWNLOAD: &str = "actions/download-artifact@v4";

fn checkout() -> Step {
    action("Check out", CHECKOUT, [])
}

/// Fetches the program, if this pipeline built it.
fn program(ci: &Ci) -> Vec<Step> {
    if ci.program.is_some() {
        return Vec::new();
    }
    let with = [("name", "runner".to_owned()), ("path", "target/release".to_owned())];
    let executable = command("Make it executable", format!("chmod +x {BUILT}"));
    vec![action("Fetch the program", DOWNLOAD, with), executable]
}

fn upload(name: &str, artifact: &str, path: &str) -> Step {
    let with = [
        ("name", artifact.to_owned()),
        ("path", path.to_owned()),
        ("if-no-files-found", "error".to_owned()),
        ("include-hidden-files", "true".to_owned()),
        // A job that is run again says what counts.
        ("overwrite", "true".to_owned()),
    ];
    action(name, UPLOAD, with)
}

fn action<const N: usize>(
    name: &str,
    uses: &'static str,
    with: [(&'static str, String); N],
) -> Step {
    let with = with.into_iter().collect();
    Step { name: name.to_owned(), uses: Some(uses), with, ..Step::default() }
}

fn command(name: &str, line: String) -> Step {
    Step { name: name.to_owned(), run: Some(line), ..Step::default() }
}
