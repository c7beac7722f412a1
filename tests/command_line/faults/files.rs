//! Disks that are full, folders that cannot be written to (rows 18 and 19 of a matrix of
//! faults).

use std::fs;
use std::process::Stdio;

use super::Trial;
use super::service::{Reply, Service, rank_only};

/// A file may grow to 8 KiB; the signal that comes with it is ignored, as on a quota.
#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_grow_ends_the_run() {
    let service = Service::start(|_| Reply::Right);
    let trial = Trial::against(&service.url()).phase("iterations: 5000");
    let outcome = trial.in_a_shell_after("trap \"\" XFSZ; ulimit -f 16").run();
    outcome.says(7, &["events.csv", "too large"]);
    assert!(service.seen_at("/rank").len() < 5000, "the run stops when nothing can be kept");
    assert!(!outcome.read().manifest.complete);
}

#[test]
fn a_folder_with_something_in_it_is_refused_before_anything_is_sent() {
    let service = Service::start(|_| Reply::Right);
    let trial = Trial::against(&service.url());
    fs::create_dir(trial.folder.path().join("out")).unwrap();
    trial.file("out/thesis.txt", "mine");
    trial.run().says(2, &["is not empty", "results are never overwritten"]);
    assert!(service.seen().is_empty());
}

#[test]
fn a_folder_that_cannot_be_made_is_refused_before_anything_is_sent() {
    let service = Service::start(|_| Reply::Right);
    let trial = Trial::against(&service.url());
    trial.file("out", "a file, not a folder");
    trial.run().says(7, &["help: name a folder that can be written to"]);
    assert!(service.seen().is_empty());
}

/// The second is not told of files that are there, but of who writes them.
#[test]
fn of_two_runners_at_one_folder_the_second_is_refused_before_anything_is_sent() {
    let service = Service::start(rank_only(|_| Reply::Stall(Vec::new())));
    let trial = Trial::against(&service.url());
    let mut first = trial.command(&[]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    service.wait_for_ranks(1, || first.try_wait().unwrap().is_none());
    // The first goes on with its Ranks; the second would begin with questions.
    let questions = || service.seen().iter().filter(|sent| !sent.path.ends_with("/rank")).count();
    let asked = questions();
    assert!(asked > 0);
    for how in [&[][..], &["--resume"]] {
        let second = trial.command(how).output().unwrap();
        let said = String::from_utf8(second.stderr).unwrap();
        assert_eq!(second.status.code(), Some(2), "{said}");
        assert!(said.contains("another run is writing to"), "{said}");
    }
    assert_eq!(questions(), asked);
    first.kill().unwrap();
    first.wait().unwrap();
}
