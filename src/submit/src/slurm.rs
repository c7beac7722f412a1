//! Slurm: an array of shards, and a job that merges them when all have ended.

use std::fmt::Write as _;

use super::command::{Word, line, quoted};
use super::{Cut, RETRIES, Rendered, Stdin, Submission};

/// What Slurm has to be told beyond the work.
#[derive(Debug, Clone)]
pub struct Slurm {
    /// The path of this program, on the nodes as here.
    pub program: String,
    /// More arguments of `sbatch`.
    pub options: Vec<String>,
}

/// How long before its time is up a shard is told to stop, seconds.
const NOTICE_S: u64 = 60;

impl Slurm {
    pub(super) fn render(&self, submission: &Submission) -> Rendered {
        let text = match &submission.work {
            Cut::Cells => self.array(submission),
            Cut::Load { plan } => self.tasks(submission, plan.as_deref()),
        };
        Rendered { text, submit: (&["bash"], Stdin::Text) }
    }

    fn array(&self, submission: &Submission) -> String {
        let Submission { shards, out, .. } = submission;
        let throttle = submission.throttle.map_or(String::new(), |most| format!("%{most}"));
        let array = self.sbatch(
            submission,
            &submission.shown_name(),
            "shard-%a.log",
            &[
                format!("--array=1-{shards}{throttle}"),
                format!("--signal=B:TERM@{NOTICE_S}"),
                "--requeue".to_owned(),
                "--open-mode=append".to_owned(),
            ],
        );
        let merge = self.sbatch(
            submission,
            &format!("{} (merge)", submission.shown_name()),
            "merge.log",
            &[],
        );
        let which = Word::Shell("\"$SLURM_ARRAY_TASK_ID\"", format!("/{shards}"));
        let shard = line(&quoted(&self.program), &submission.run_arguments(which, None));
        let codes: Vec<String> = submission.final_codes.iter().map(u8::to_string).collect();
        let mut script = Self::head(submission, "an array of Slurm, and a job that merges them");
        _ = write!(
            script,
            r#"
array=$({array} <<'SHARD'
#!/usr/bin/env bash
# One shard. It is told to stop {NOTICE_S} s before its time is up, and goes on when it is started again.
{shard} &
shard=$!
trap 'stopped=yes; kill -TERM "$shard"' TERM
code=0
while stopped=; wait "$shard" || code=$?; [ -n "$stopped" ]; do code=0; done
# These no retry changes.
case $code in 0|{codes}) exit "$code" ;; esac
if [ "${{SLURM_RESTART_COUNT:-0}}" -lt {RETRIES} ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
SHARD
)
merge=$({merge} --dependency="afterany:${{array%%;*}}" <<'MERGE'
#!/usr/bin/env bash
exec {merging}
MERGE
)
printf 'array %s, then merge %s into %s\n' "${{array%%;*}}" "${{merge%%;*}}" {merged}
"#,
            codes = codes.join("|"),
            merging = line(&quoted(&self.program), &submission.merge_arguments()),
            merged = quoted(&format!("{out}/merged")),
        );
        script
    }

    /// A load: all shards at once, as the tasks of one job, so that they can start together.
    fn tasks(&self, submission: &Submission, plan: Option<&str>) -> String {
        let Submission { shards, .. } = submission;
        let options = [format!("--ntasks={shards}"), "--no-requeue".to_owned()];
        let sbatch = self.sbatch(submission, &submission.shown_name(), "load.log", &options);
        let program = quoted(&self.program);
        let text = |text: &str| Word::Text(text.to_owned());
        let plan_file = "\"$plan\"";
        let planned = plan.map_or_else(
            || {
                let mut words = vec![text("plan"), text(&submission.scenario)];
                words.extend(submission.changes.iter().map(|change| text(change)));
                words.extend([text("--shards"), text(&shards.to_string()), text("--start-at")]);
                let now = "\"$(date -u -d '+30 seconds' +%Y-%m-%dT%H:%M:%SZ)\"";
                format!("{} {now} -o {plan_file}", line(&program, &words))
            },
            |plan| format!("cat > {plan_file} <<'PLAN'\n{}\nPLAN", plan.trim_end()),
        );
        let mut run = submission.run_arguments(text("auto"), None);
        run.insert(2, Word::Shell(plan_file, String::new()));
        run.insert(2, text("--plan"));
        let mut script = Self::head(submission, "the tasks of one job of Slurm, which merges them");
        _ = write!(
            script,
            r#"
job=$({sbatch} <<'LOAD'
#!/usr/bin/env bash
# All shards of a load start at the time that the plan says.
plan=$PWD/.plan-$SLURM_JOB_ID.json
trap 'rm -f "$plan"' EXIT
{planned}
srun --kill-on-bad-exit=0 {run}
{merge}
LOAD
)
printf 'job %s, which merges into %s\n' "${{job%%;*}}" {merged}
"#,
            run = line(&program, &run),
            merge = line(&program, &submission.merge_arguments()),
            merged = quoted(&submission.merged()),
        );
        script
    }

    fn head(submission: &Submission, what: &str) -> String {
        let Submission { shards, out, .. } = submission;
        let name = submission.shown_name();
        let mut head = format!(
            "#!/usr/bin/env bash\n# {name} in {shards} shards: {what}.\nset -euo pipefail\n"
        );
        if !submission.is_stored() {
            _ = write!(head, "mkdir -p {}", quoted(out));
        }
        head
    }

    /// The beginning of a submission: what it is called, where it writes, what it needs.
    fn sbatch(&self, submission: &Submission, name: &str, log: &str, more: &[String]) -> String {
        let mut words = vec!["sbatch".to_owned(), "--parsable".to_owned()];
        let needs = [
            format!("--job-name={name}"),
            format!("--time={}", submission.minutes()),
            format!("--cpus-per-task={}", submission.cpus),
            format!("--mem={}M", submission.memory_mib),
        ];
        words.extend(needs.iter().chain(more).map(|word| quoted(word)));
        if !submission.is_stored() {
            let below = submission.out.replace('%', "%%");
            words.push(quoted(&format!("--output={below}/{log}")));
        }
        words.extend(self.options.iter().map(|option| quoted(option)));
        words.join(" ")
    }
}
