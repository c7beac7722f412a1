use std::fs;
use std::time::Duration;

use plan::{ClockKind, OutputForm, Outputs};
use record::{PhaseStarted, Progress};
use results::{Results, RunFolder, Status, read};

use crate::world::{create_of, origin, plan, seal, story, tell};

const ITERATIONS: [u64; 2] = [325, 40];

/// A load that was killed and resumed in the middle of a phase has the folder of one that was
/// not: its curve, its timeline and the start of its phase.
#[test]
fn a_resumed_load_has_the_folder_of_a_whole_one() {
    a_resumed_load_is_whole(OutputForm::Plain, "events.csv");
}

/// The same of compressed files, whose rows are those of the others.
#[test]
fn a_resumed_load_with_compressed_events_has_the_folder_of_a_whole_one() {
    a_resumed_load_is_whole(OutputForm::Zstd, "events.csv.zst");
}

fn a_resumed_load_is_whole(form: OutputForm, events: &str) {
    let mut plan = plan(ITERATIONS);
    plan.clock = ClockKind::Wall;
    plan.outputs = Outputs { events: form, log: form, ..Outputs::default() };
    let story = story(ITERATIONS);
    let killed_at = story.iter().position(
        |progress| matches!(progress, Progress::Iteration(record) if record.iteration == 103),
    );
    let killed_at = killed_at.unwrap();
    let [whole, resumed] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut results = create_of(&plan, whole.path());
    tell(&mut results, &story);
    seal(results, Status::Complete, &[]);

    let mut results = create_of(&plan, resumed.path());
    tell(&mut results, &story[..killed_at]);
    tell(&mut results, &[Progress::Checkpoint]);
    drop(results);
    let continued = Results::resume(&plan, resumed.path(), &origin(2)).unwrap();
    assert_eq!((continued.phase, continued.made[&0].iteration), (0, 103));
    let mut results = continued.results;
    // The engine starts the phase again.
    let at = Duration::from_secs(5000);
    let started = Progress::PhaseStarted(PhaseStarted { phase: 0, at });
    tell(&mut results, &[started]);
    let rest =
        story[killed_at..].iter().filter(|progress| !matches!(progress, Progress::Joined(_)));
    rest.for_each(|progress| tell(&mut results, std::slice::from_ref(progress)));
    seal(results, Status::Complete, &[]);
    for name in ["success_curve.csv", "summary.json"] {
        let [left, right] =
            [&whole, &resumed].map(|folder| fs::read(folder.path().join(name)).unwrap());
        assert!(left == right, "{name}");
    }
    let [left, right] = [&whole, &resumed].map(|folder| read(folder.path()).unwrap());
    assert_eq!(left.records, right.records);
    assert_eq!(left.manifest.phases, right.manifest.phases);
    assert!(right.manifest.files.contains_key(events), "{:?}", right.manifest.files.keys());
    // The rows of both, and so their digests, are the same; frames of them are cut where the
    // process was killed.
    let digest = |of: &RunFolder| of.manifest.files[events].sha256.clone();
    assert!(form == OutputForm::Zstd || digest(&left) == digest(&right));
}

/// A run that keeps no iterations is repeated in virtual time; over HTTP it is told why it
/// cannot go on.
#[test]
fn a_run_without_events_says_what_is_missing() {
    let mut plan = plan(ITERATIONS);
    plan.outputs =
        Outputs { events: OutputForm::None, log: OutputForm::None, ..Outputs::default() };
    let folder = tempfile::tempdir().unwrap();
    let mut results = create_of(&plan, folder.path());
    tell(&mut results, &story(ITERATIONS)[..90]);
    drop(results);
    assert!(!folder.path().join("events.csv").exists());
    assert!(!folder.path().join("log.dsjson").exists());
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("holds no iterations") && error.contains("outputs.events"), "{error}");
    let mut load = plan.clone();
    load.clock = ClockKind::Wall;
    let error = Results::resume(&load, folder.path(), &origin(2)).err().unwrap().to_string();
    assert!(error.contains("holds no iterations"), "{error}");
    let resumed = Results::resume(&plan, folder.path(), &origin(2)).unwrap();
    assert_eq!((resumed.phase, resumed.made.len()), (0, 0));
    drop(resumed);
    plan.outputs = Outputs::default();
    let error = Results::resume(&plan, folder.path(), &origin(2)).err().unwrap().to_string();
    assert!(error.contains("the outputs differ"), "{error}");
}
