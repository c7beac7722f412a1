//! The manifests for Kubernetes: its schemas, and what a pod of them would do. No cluster runs
//! them here.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{
    HOSTILE, bash, contents, documents, judged, printed, program, project, succeeded, texts, tool,
    whole,
};

const IMAGE: [&str; 4] = ["--engine", "kubernetes", "--image", "runner:1"];

fn manifests(folder: &Path, scenario: &str, arguments: &[&str]) -> String {
    printed(folder, scenario, &[&IMAGE, arguments].concat())
}

/// A pod, as the node would start it, on this machine: files where the ConfigMap puts them,
/// through the links that a node makes, and the volume at a folder.
struct Pod {
    folder: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Pod {
    fn of(job: &Value, config_map: &Value, root: &Path) -> Self {
        let spec = &job["spec"]["template"]["spec"];
        let container = &spec["containers"][0];
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
        let folder = root.join("work");
        if !folder.exists() {
            mount(&spec["volumes"][0]["configMap"], config_map, &folder);
        }
        let arguments = texts(&container["args"]).into_iter().map(|argument| {
            let argument = argument.replace("$$", "\u{0}");
            assert!(!argument.contains("$("), "{argument}");
            argument
                .replace('\u{0}', "$")
                .replace("/results", &root.join("results").display().to_string())
        });
        let variable = |variable: &Value| {
            let text = |key: &str| variable[key].as_str().map(str::to_owned);
            Some((text("name")?, text("value")?))
        };
        let environment = container["env"].as_array().unwrap().iter().filter_map(variable);
        Self { folder, arguments: arguments.collect(), environment: environment.collect() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.args(&self.arguments).current_dir(&self.folder).env_clear();
        command.envs(self.environment.iter().cloned());
        command
    }

    fn of_index(&self, index: usize) -> Command {
        let mut command = self.command();
        command.env("JOB_COMPLETION_INDEX", index.to_string());
        command
    }
}

/// Files below a folder that is replaced as a whole, behind links, as a node does it.
fn mount(volume: &Value, config_map: &Value, folder: &Path) {
    let data = folder.join("..2026_01_01");
    for item in volume["items"].as_array().unwrap() {
        let path = data.join(item["path"].as_str().unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let key = item["key"].as_str().unwrap();
        fs::write(path, config_map["data"][key].as_str().unwrap()).unwrap();
    }
    symlink("..2026_01_01", folder.join("..data")).unwrap();
    for entry in fs::read_dir(&data).unwrap() {
        let name = entry.unwrap().file_name();
        symlink(Path::new("..data").join(&name), folder.join(&name)).unwrap();
    }
}

/// What the rules of a Job say of an exit code.
fn action(job: &Value, code: i32) -> &str {
    let rules = job["spec"]["podFailurePolicy"]["rules"].as_array().unwrap().iter();
    let mut rules = rules.filter(|rule| {
        let codes = rule["onExitCodes"]["values"].as_array();
        codes.is_some_and(|codes| codes.contains(&code.into()))
    });
    rules.next().map_or("Count", |rule| rule["action"].as_str().unwrap())
}

#[test]
fn what_kubernetes_runs_comes_to_the_whole_and_a_stopped_pod_is_replaced() {
    let root = tempfile::tempdir().unwrap();
    let (folder, scenario) = project(root.path(), HOSTILE);
    let text = manifests(&folder, &scenario, &["--shards", "3", "--claim", "results"]);
    let [config_map, shards, merge] = &documents(&text)[..] else { panic!("{text}") };
    assert_eq!(shards["spec"]["completions"], 3);
    let pod = Pod::of(shards, config_map, root.path());

    // The second is stopped by SIGTERM as soon as it has done a cell, and replaced.
    let out = root.path().join("results");
    let script = "\"$@\" &\nuntil compgen -G \"$OUT\"/*/*/shard-2-of-3/cells/'*' || ! kill -0 $!; do :; done\n\
        kill -TERM $!\nwait $!";
    let longer = ["--set", "phases.baseline.iterations=20000"];
    let mut stopped = bash(&pod.folder, script);
    stopped.arg("bash").arg(program()).args(&pod.arguments).args(longer);
    stopped.env_clear().env("PATH", std::env::var("PATH").unwrap()).env("OUT", &out);
    stopped.envs(pod.environment.iter().cloned()).env("JOB_COMPLETION_INDEX", "1");
    let code = stopped.output().unwrap().status.code().unwrap();
    assert_eq!((code, action(shards, code)), (143, "Count"), "an index that is tried again");
    succeeded(&pod.of_index(1).args(longer).output().unwrap());
    fs::remove_dir_all(&out).unwrap();

    let merging = Pod::of(merge, config_map, root.path());
    for index in [1, 0] {
        succeeded(&pod.of_index(index).output().unwrap());
    }
    let code = merging.command().output().unwrap().status.code().unwrap();
    assert_eq!((code, action(merge, code)), (5, "Count"), "a merge that waits for shards");
    succeeded(&pod.of_index(2).output().unwrap());
    succeeded(&pod.of_index(2).output().unwrap());
    succeeded(&merging.command().output().unwrap());
    let expected = whole(&folder, &scenario, &root.path().join("whole"));
    let merged = merging.arguments.last().unwrap();
    assert_eq!(contents(Path::new(merged)), expected);
}

#[test]
fn what_no_retry_changes_fails_its_index() {
    let root = tempfile::tempdir().unwrap();
    let (folder, scenario) = project(root.path(), "plain");
    let text = manifests(&folder, &scenario, &["--shards", "3", "--claim", "results"]);
    let [config_map, shards, _] = &documents(&text)[..] else { panic!("{text}") };
    let pod = Pod::of(shards, config_map, root.path());
    let code = pod.command().output().unwrap().status.code().unwrap();
    assert_eq!((code, action(shards, code)), (2, "FailIndex"), "no index is given");
    let code = pod.of_index(3).output().unwrap().status.code().unwrap();
    assert_eq!((code, action(shards, code)), (2, "FailIndex"), "there are three");
    assert_eq!([6, 7, 137].map(|code| action(shards, code)), ["Count"; 3]);
}

#[test]
fn manifests_keep_to_the_schemas_of_the_two_latest_versions() {
    let Some(tool) = tool("kubernetes-validate") else { return };
    let root = tempfile::tempdir().unwrap();
    let (folder, scenario) = project(root.path(), HOSTILE);
    let claim = ["--shards", "3", "--claim", "results", "--throttle", "2"];
    let store = ["--shards", "3", "--out", "s3://bucket/a b", "--service-account", "runner"];
    for arguments in [&claim[..], &store[..]] {
        let text = manifests(&folder, &scenario, arguments);
        for version in ["1.36", "1.37"] {
            let options = ["--strict", "-k", version];
            let (accepted, said) = judged(&tool, &options, &text);
            assert!(accepted, "{said}");
            assert_eq!(said.matches("passed").count(), 3, "{said}");
            let misspelt = text.replace("backoffLimitPerIndex", "backofLimitPerIndex");
            let (accepted, said) = judged(&tool, &options, &misspelt);
            assert!(!accepted && said.contains("backofLimitPerIndex"), "{said}");
        }
    }
}

#[test]
fn secrets_are_referred_to_and_not_written() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = project(root.path(), "plain");
    let load = fs::read_to_string(folder.join("scenarios/load.yaml")).unwrap();
    let own = load.replace(
        "target: served",
        "target: { url: 'http://127.0.0.1:9', key: '${PERSONALIZER_KEY}' }",
    );
    let (before, after) = own.split_once("\nloop:").unwrap();
    let own = format!("{before}\n{}", &after[after.find("\nsuccess_curve").unwrap()..]);
    fs::write(folder.join("scenarios/own.yaml"), own).unwrap();
    let mut command = super::runner(&folder);
    command
        .args(["submit", "scenarios/own.yaml", "--shards", "2", "--claim", "results"])
        .args(IMAGE);
    command.args(["--start-at", "2030-01-01T00:00:00Z"]);
    let output = command.env("PERSONALIZER_KEY", "do-not-tell").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("do-not-tell"));
    let documents = documents(&text);
    let environment = &documents[1]["spec"]["template"]["spec"]["containers"][0]["env"];
    let wanted = serde_json::json!({
        "name": "PERSONALIZER_KEY",
        "valueFrom": { "secretKeyRef": { "name": "runner", "key": "PERSONALIZER_KEY" } },
    });
    assert!(environment.as_array().unwrap().contains(&wanted), "{environment}");
    assert!(text.contains("runner-plan.json"), "a load carries its plan");
}
