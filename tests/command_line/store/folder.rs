//! A folder by its address: what a store does that answers at once and can be looked into.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::LazyLock;

use tempfile::TempDir;

use super::{Machine, assert_same, contents, done, ended, shards_are_kept_and_merged};

/// So many iterations that a cell still runs when the first cells are sent, a second after the start.
const LONG: u32 = 20_000;

/// The folder of an experiment of so many iterations that nobody stopped.
static WHOLE: LazyLock<TempDir> = LazyLock::new(|| {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("whole").display().to_string();
    done(Machine::new(root.path(), "machine").experiment(LONG, &["--out", &out]));
    root
});

fn address(folder: &Path) -> String {
    format!("file://{}", folder.display())
}

/// Waits until something is so, while a process that is to bring it about lives.
fn wait_until(process: &mut std::process::Child, is_so: impl Fn() -> bool) {
    while !is_so() {
        assert!(process.try_wait().unwrap().is_none(), "it ended before");
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
}

#[test]
fn shards_in_a_folder_come_to_the_whole() {
    let root = tempfile::tempdir().unwrap();
    let machine = Machine::new(root.path(), "machine");
    let address = address(&root.path().join("a store, with %20 and é"));
    // What an address spells in percents is what is meant.
    let address = address.replace('%', "%25").replace(' ', "%20");
    shards_are_kept_and_merged(&machine, root.path(), &address);
    assert!(root.path().join("a store, with %20 and é/merged/experiment.json").exists());
}

/// Killed, an experiment goes on: on the machine with all that it did, elsewhere with what it
/// had sent.
#[test]
fn what_was_killed_goes_on_here_and_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    let here = Machine::new(root.path(), "here");
    for goes_on in ["here", "elsewhere"] {
        let store = root.path().join(format!("store-{goes_on}"));
        let mut killed = here.experiment(LONG, &["--threads", "1", "--out", &address(&store)]);
        let mut killed = killed.spawn().unwrap();
        wait_until(&mut killed, || {
            fs::read_dir(store.join("cells")).is_ok_and(|cells| cells.count() > 0)
        });
        killed.kill().unwrap();
        killed.wait().unwrap();
        let sent = fs::read_dir(store.join("cells")).unwrap().count();
        assert!(sent < 10, "it was killed too late");
        let machine = Machine::new(root.path(), goes_on);
        let mut command = machine.experiment(LONG, &["--resume", &address(&store)]);
        let (code, said) = ended(&command.output().unwrap());
        assert_eq!(code, 0, "{said}");
        assert_same(&store, &WHOLE.path().join("whole"));
        assert_eq!(machine.keeps(), 0);
    }
}

/// Of two processes that write to one folder, the one that came last has it.
#[test]
fn who_is_overtaken_says_so_and_spoils_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (slow, fast) = (Machine::new(root.path(), "slow"), Machine::new(root.path(), "fast"));
    let store = root.path().join("store");
    let mut overtaken = slow.experiment(LONG, &["--threads", "1", "--out", &address(&store)]);
    let mut overtaken = overtaken.stderr(Stdio::piped()).spawn().unwrap();
    wait_until(&mut overtaken, || store.join("experiment.json").exists());
    done(fast.experiment(LONG, &["--resume", &address(&store)]));
    let (code, said) = ended(&overtaken.wait_with_output().unwrap());
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("another process now writes to") && said.contains("--out"), "{said}");
    assert_same(&store, &WHOLE.path().join("whole"));
}

#[test]
fn what_cannot_be_sent_is_kept_here_and_sent_by_the_same_command() {
    let root = tempfile::tempdir().unwrap();
    let machine = Machine::new(root.path(), "machine");
    let (store, away) = (root.path().join("store"), root.path().join("away"));
    let shard = ["--threads", "1", "--shard", "1/2", "--out", &address(&store)];
    let mut command = machine.experiment(LONG, &shard);
    let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
    wait_until(&mut process, || store.join("experiment.json").exists());
    fs::rename(&store, &away).unwrap();
    fs::write(&store, "no folder").unwrap();
    let (code, said) = ended(&process.wait_with_output().unwrap());
    assert_eq!(code, 7, "{said}");
    assert!(said.contains("the same command sends them to"), "{said}");
    fs::remove_file(&store).unwrap();
    fs::rename(&away, &store).unwrap();
    done(machine.experiment(LONG, &shard));
    let expected = root.path().join("expected");
    let local = ["--shard", "1/2", "--out", expected.to_str().unwrap()];
    done(machine.experiment(LONG, &local));
    assert_same(&store, &expected);
    assert_eq!(machine.keeps(), 0);
}

#[test]
fn a_folder_with_results_is_never_written_over() {
    let root = tempfile::tempdir().unwrap();
    let machine = Machine::new(root.path(), "machine");
    let store = address(&root.path().join("store"));
    done(machine.experiment(100, &["--out", &store]));
    let before = contents(&root.path().join("store"));
    let (code, said) = ended(&machine.experiment(100, &["--out", &store]).output().unwrap());
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is not empty") && said.contains(&store), "{said}");
    assert_eq!(contents(&root.path().join("store")), before);
}

#[test]
fn what_is_no_address_is_refused_before_anything_is_run() {
    let root = tempfile::tempdir().unwrap();
    let machine = Machine::new(root.path(), "machine");
    for (address, message) in [
        ("http://bucket/path", "`http` is no store that is known"),
        ("s3:/bucket/path", "is no address of a folder in a store"),
        ("s3:///path", "is no address of a folder in a store"),
        ("s3://key:hush-hush@bucket/path", "no credentials"),
        ("az://container/path?sig=hush-hush", "no credentials"),
    ] {
        let output = machine.experiment(100, &["--out", address]).output().unwrap();
        let (code, said) = ended(&output);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(message) && said.contains("help: "), "{said}");
        assert!(!said.contains("hush-hush"), "{said}");
    }
    assert_eq!(machine.keeps(), 0);
}
