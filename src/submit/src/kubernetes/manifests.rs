use serde_json::{Value, json};

use super::super::command::{Word, arguments};
use super::super::{RETRIES, Submission};
use super::{Files, Kubernetes, PLAN, RESULTS, Storage, WORK};

/// The objects that are asked for.
pub struct Manifests<'a> {
    pub(super) kubernetes: &'a Kubernetes,
    pub(super) submission: &'a Submission,
    pub(super) files: &'a Files,
}

/// The number of an unprivileged user; the image has no user names.
const USER: u32 = 65532;

/// How long a pod has to end what is under way and to seal its results, seconds.
const GRACE_S: u64 = 120;

/// Failed expectations and gates, and what is wrong with the scenario: the codes after which
/// a merge is not tried again. Incomplete (5) is not among them: shards may yet come.
fn final_for_merge(code: u8) -> bool {
    code < 5
}

impl Manifests<'_> {
    /// All objects, as one file.
    pub fn text(&self) -> String {
        let document = |object: &Value| {
            let options = serde_yaml::ser_options! { prefer_block_scalars: true };
            // Objects of JSON can be written.
            serde_yaml::to_string_with_options(object, options).unwrap_or_default()
        };
        let objects = [self.config_map(), self.shards(), self.merge()];
        objects.iter().map(document).collect::<Vec<_>>().join("---\n")
    }

    fn config_map(&self) -> Value {
        let data = self.files.mounted.iter().enumerate();
        let data: serde_json::Map<_, _> =
            data.map(|(index, (_, text))| (key(index), json!(text))).collect();
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": self.metadata(""),
            "immutable": true,
            "data": data,
        })
    }

    /// The Job of the shards. An index that fails for a reason that may pass is tried again,
    /// a pod that is evicted does not count, and what is final fails its index alone.
    fn shards(&self) -> Value {
        let submission = self.submission;
        let which = Word::Text("auto".to_owned());
        let plan = self.files.is_planned.then(|| format!("{WORK}/{PLAN}"));
        let mut run = submission.run_arguments(which, plan.as_deref());
        run[1] = Word::Text(self.files.scenario.clone());
        let count = json!({ "name": "RUNNER_SHARDS", "value": submission.shards.to_string() });
        let mut pod = self.pod(&arguments(run), vec![count]);
        pod["activeDeadlineSeconds"] = json!(submission.time_limit.as_secs().max(1));
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": self.metadata(""),
            "spec": {
                "completionMode": "Indexed",
                "completions": submission.shards,
                "parallelism": submission.at_once(),
                "backoffLimitPerIndex": RETRIES,
                "podReplacementPolicy": "Failed",
                "podFailurePolicy": policy("FailIndex", &submission.final_codes),
                "template": { "metadata": { "labels": self.labels() }, "spec": pod },
            },
        })
    }

    /// The Job that merges: tried again until all shards are there.
    fn merge(&self) -> Value {
        let submission = self.submission;
        let codes = submission.final_codes.iter().filter(|code| final_for_merge(**code));
        let codes: Vec<u8> = codes.copied().collect();
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": self.metadata("-merge"),
            "spec": {
                "backoffLimit": self.attempts_to_merge(),
                "podReplacementPolicy": "Failed",
                "podFailurePolicy": policy("FailJob", &codes),
                "template": {
                    "metadata": { "labels": self.labels() },
                    "spec": self.pod(&arguments(submission.merge_arguments()), Vec::new()),
                },
            },
        })
    }

    /// Between attempts Kubernetes waits up to six minutes; shards take their time as often
    /// as they are tried.
    fn attempts_to_merge(&self) -> u64 {
        let submission = self.submission;
        let waves = submission.shards.get().div_ceil(submission.at_once().get());
        10 + submission.minutes() * (RETRIES + 1) * waves / 6
    }

    /// A pod that may write to its results and to a folder of its own, and to nothing else.
    fn pod(&self, arguments: &[String], mut environment: Vec<Value>) -> Value {
        let submission = self.submission;
        let paths = self.files.mounted.iter().enumerate();
        let items: Vec<Value> =
            paths.map(|(index, (path, _))| json!({ "key": key(index), "path": path })).collect();
        let mut mounts = vec![
            json!({ "name": "work", "mountPath": WORK, "readOnly": true }),
            json!({ "name": "tmp", "mountPath": "/tmp" }),
        ];
        let mut volumes = vec![
            json!({ "name": "work", "configMap": { "name": self.name(""), "items": items } }),
            json!({ "name": "tmp", "emptyDir": {} }),
        ];
        if let Storage::Claim(claim) = &self.kubernetes.storage {
            mounts.push(json!({ "name": "results", "mountPath": RESULTS }));
            volumes.push(json!({
                "name": "results", "persistentVolumeClaim": { "claimName": claim },
            }));
        }
        environment.extend(self.secrets());
        let mut pod = json!({
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": GRACE_S,
            "automountServiceAccountToken": self.kubernetes.service_account.is_some(),
            "enableServiceLinks": false,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "containers": [{
                "name": "runner",
                "image": self.kubernetes.image,
                "args": arguments.iter().map(|argument| literal(argument)).collect::<Vec<_>>(),
                "workingDir": WORK,
                "env": environment,
                "resources": {
                    "requests": {
                        "cpu": submission.cpus.to_string(),
                        "memory": format!("{}Mi", submission.memory_mib),
                    },
                    "limits": { "memory": format!("{}Mi", submission.memory_mib) },
                },
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": { "drop": ["ALL"] },
                },
                "volumeMounts": mounts,
            }],
            "volumes": volumes,
        });
        if let Some(account) = &self.kubernetes.service_account {
            pod["serviceAccountName"] = json!(account);
        }
        pod
    }

    /// The variables that are taken from the Secret: those of the scenario must be there,
    /// credentials may come another way.
    fn secrets(&self) -> Vec<Value> {
        let variable = |name: &str, optional: bool| {
            let mut key = json!({ "name": self.kubernetes.secret, "key": name });
            if optional {
                key["optional"] = json!(true);
            }
            json!({ "name": name, "valueFrom": { "secretKeyRef": key } })
        };
        let own = self.submission.variables.iter().map(|name| variable(name, false));
        let credentials = self.submission.credentials.iter();
        own.chain(credentials.map(|name| variable(name, true))).collect()
    }

    fn name(&self, end: &str) -> String {
        format!("{}{end}", self.submission.slug())
    }

    fn metadata(&self, end: &str) -> Value {
        json!({ "name": self.name(end), "labels": self.labels() })
    }

    fn labels(&self) -> Value {
        json!({ "app.kubernetes.io/name": "runner", "app.kubernetes.io/instance": self.name("") })
    }
}

/// What becomes of pods that fail: an evicted one does not count, the codes are final, and any
/// other failure is tried again.
fn policy(action: &str, codes: &[u8]) -> Value {
    json!({ "rules": [
        { "action": "Ignore", "onPodConditions": [
            { "type": "DisruptionTarget", "status": "True" },
        ] },
        { "action": action, "onExitCodes": {
            "containerName": "runner",
            "operator": "In",
            "values": codes,
        } },
    ] })
}

fn key(index: usize) -> String {
    format!("file-{index}")
}

/// An argument that Kubernetes passes on as it stands; it reads `$(NAME)` and `$$`.
fn literal(argument: &str) -> String {
    argument.replace('$', "$$")
}
