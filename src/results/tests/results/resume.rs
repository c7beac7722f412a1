use std::fs;
use std::time::Duration;

use record::{PhaseStarted, Progress};
use results::{Results, Status, read};
use scenario::plan::ClockKind;

use crate::world::{create_of, origin, plan, seal, story, tell};

const ITERATIONS: [u64; 2] = [325, 40];

/// A load that was killed and resumed in the middle of a phase has the folder of one that was
/// not: its curve, its timeline and the start of its phase.
#[test]
fn a_resumed_load_has_the_folder_of_a_whole_one() {
    let mut plan = plan(ITERATIONS);
    plan.clock = ClockKind::Wall;
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
    assert_eq!((continued.phase, continued.iteration), (0, 103));
    let mut results = continued.results;
    // The engine starts the phase again.
    let at = Duration::from_secs(5000);
    let started = Progress::PhaseStarted(PhaseStarted { phase: 0, at });
    tell(&mut results, &[started]);
    let rest =
        story[killed_at..].iter().filter(|progress| !matches!(progress, Progress::Joined(_)));
    rest.for_each(|progress| tell(&mut results, std::slice::from_ref(progress)));
    seal(results, Status::Complete, &[]);
    for name in ["events.csv", "success_curve.csv", "summary.json"] {
        let [left, right] =
            [&whole, &resumed].map(|folder| fs::read(folder.path().join(name)).unwrap());
        assert!(left == right, "{name}");
    }
    let [left, right] =
        [&whole, &resumed].map(|folder| read(folder.path()).unwrap().manifest.phases);
    assert_eq!(left, right);
}
