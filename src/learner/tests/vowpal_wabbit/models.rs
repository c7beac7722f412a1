//! Models of VW, read and written: a model that the wheel trained goes on here, and one that was
//! trained here goes on there, predictions equal to the last bit.

use std::fs;
use std::path::{Path, PathBuf};

use learner::{Learner, LearningPolicy, VwModel, VwModelError};

use super::fuzz::logs::{Style, log};
use super::fuzz::oracle::{Answer, Oracle};
use super::fuzz::policies;
use super::fuzz::replay::{Outcome, Prediction, is_same, replay_with};
use super::fuzz::rng::Rng;
use super::reading::fixture;

/// VW does not keep these in a model: they are given again.
const NOT_KEPT: [&str; 6] =
    ["--l1", "--l2", "--min_prediction", "--max_prediction", "-C", "--no_bias_regularization"];

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// What must be given with the model.
fn given_again(policy: &str) -> String {
    let words: Vec<_> = policy.split(' ').collect();
    let is_given = |pair: &&[&str]| NOT_KEPT.contains(&pair[0]);
    words.windows(2).filter(is_given).flatten().copied().collect::<Vec<_>>().join(" ")
}

fn lines(answer: Answer, what: &str) -> Option<Vec<Option<Prediction>>> {
    match answer {
        Answer::Lines { lines } => Some(lines),
        // It stops at some lines, whichever model it goes on from.
        Answer::Stopped { .. } | Answer::Crashed => None,
        Answer::Refused { refused } => panic!("{what}: {refused}"),
    }
}

fn assert_same(found: &[Outcome], expected: &[Option<Prediction>], what: &str) {
    for (line, (found, expected)) in found.iter().zip(expected).enumerate() {
        if is_same(found, expected.as_ref()).is_none() {
            return;
        }
        assert!(
            is_same(found, expected.as_ref()) == Some(true),
            "{what}, line {line}:\n here {found:?}\n VW {expected:?}"
        );
    }
}

/// A policy on a log, of which VW learns the first half.
struct Case {
    policy: String,
    again: String,
    first: Vec<String>,
    second: Vec<String>,
}

impl Case {
    fn new(rng: &mut Rng, policy: &str, style: Style) -> Self {
        let mut all = [log(rng, style), log(rng, style)].concat();
        all.truncate(30);
        let second = all.split_off(all.len() / 2);
        Self { policy: policy.to_owned(), again: given_again(policy), first: all, second }
    }

    /// From VW to here and back: both go on as VW itself.
    fn check(&self, oracle: &mut Oracle, name: &str) {
        let (file, back) = (scratch(&format!("{name}.vw")), scratch(&format!("{name}.back.vw")));
        let (policy, again) = (&self.policy, &self.again);
        let go_on = |file: &Path| format!("-i {} {again}", file.display());
        let train = format!("{policy} --save_resume -f {}", file.display());
        let Some(_) = lines(oracle.ask(&train, &self.first), policy) else { return };
        let answer = oracle.ask(&go_on(&file), &self.second);
        let Some(expected) = lines(answer, policy) else { return };
        let bytes = fs::read(&file).unwrap();
        let model = VwModel::read(&bytes).unwrap();
        let merged = model.policy(again).unwrap_or_else(|error| panic!("{policy}: {error}"));
        let mut learner = model.learner(&merged).unwrap();
        fs::write(&back, learner.to_vw_model()).unwrap();
        let resumed = lines(oracle.ask(&go_on(&back), &self.second), policy).expect("as before");
        for (line, (found, expected)) in resumed.iter().zip(&expected).enumerate() {
            let same = match (found, expected) {
                (Some(found), Some(expected)) => found.equals(expected),
                (found, expected) => found.is_none() == expected.is_none(),
            };
            assert!(same, "written here: {policy}, line {line}: {found:?} for {expected:?}");
        }
        assert_same(
            &replay_with(&mut learner, &self.second),
            &expected,
            &format!("read: {policy}"),
        );
        fs::remove_file(file).unwrap();
        fs::remove_file(back).unwrap();
    }

    /// A model that was trained here predicts in VW as it does here.
    fn check_trained_here(&self, oracle: &mut Oracle, name: &str) {
        let file = scratch(&format!("{name}.here.vw"));
        let mut learner =
            Learner::new(&LearningPolicy::parse_for_evaluation(&self.policy).unwrap());
        replay_with(&mut learner, &self.first);
        let bytes = learner.to_vw_model();
        fs::write(&file, &bytes).unwrap();
        let test = format!("-i {} {}", file.display(), self.again);
        if let Some(expected) = lines(oracle.ask(&test, &self.second), &self.policy) {
            let model = VwModel::read(&bytes).unwrap();
            let mut loaded = model.learner(&model.policy(&self.policy).unwrap()).unwrap();
            let what = format!("trained here: {}", self.policy);
            assert_same(&replay_with(&mut loaded, &self.second), &expected, &what);
        }
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn thirty_policies_on_three_logs_go_from_vw_to_here_and_back() {
    let Some(mut oracle) = Oracle::start() else { return };
    let mut rng = Rng::new(17);
    for number in 0..30 {
        let styles = match number % 5 {
            2 => [Style::Slots; 3],
            4 => [Style::Numbered; 3],
            _ => [Style::Tame, Style::Wild, Style::Tame],
        };
        let policy = loop {
            let policy = policies::policy(&mut rng, styles[0]);
            // A plain rate starts at `--initial_t`, which VW does not keep; it is refused here.
            if LearningPolicy::parse_for_evaluation(&policy).is_ok()
                && !policy.contains("--initial_t")
            {
                break policy;
            }
        };
        for (log, style) in styles.into_iter().enumerate() {
            let case = Case::new(&mut rng, &policy, style);
            case.check(&mut oracle, &format!("{number}.{log}"));
            if log == 0 {
                case.check_trained_here(&mut oracle, &number.to_string());
            }
        }
    }
}

/// `make_models.py` trained these with the wheel.
#[test]
fn a_model_trained_here_is_the_one_that_vw_trained() {
    for (name, domain, policy) in [
        ("squarecb.vw", "numeric.dsjson", "--cb_explore_adf --squarecb -q :: -b 8"),
        ("slots.vw", "slots_shop.dsjson", "--ccb_explore_adf --cover 2 --coin -b 8"),
    ] {
        let policy = LearningPolicy::parse_for_evaluation(policy).unwrap();
        let mut here = Learner::new(&policy);
        let log = fs::read_to_string(fixture(domain)).unwrap();
        replay_with(&mut here, &log.lines().collect::<Vec<_>>());
        let bytes = fs::read(fixture(name)).unwrap();
        let mut there = VwModel::read(&bytes).unwrap().learner(&policy).unwrap();
        assert!(here.to_vw_model() == there.to_vw_model(), "{name}");
    }
}

fn trained(policy: &str) -> Vec<u8> {
    let mut learner = Learner::new(&LearningPolicy::parse_for_evaluation(policy).unwrap());
    replay_with(&mut learner, &log(&mut Rng::new(3), Style::Tame));
    learner.to_vw_model()
}

#[test]
fn what_is_truncated_damaged_foreign_or_of_another_version_is_refused_with_the_reason() {
    let policy =
        LearningPolicy::parse_for_evaluation("--cb_explore_adf --squarecb -q :: -b 8").unwrap();
    let bytes = trained(policy.arguments());
    let load =
        |bytes: &[u8]| VwModel::read(bytes).and_then(|model| model.learner(&policy).map(drop));
    assert_eq!(load(&bytes), Ok(()));
    let header = VwModel::read(&bytes).map(|_| bytes.len()).unwrap();
    for length in 0..header {
        match load(&bytes[..length]) {
            Err(VwModelError::Foreign | VwModelError::Truncated(..)) => {}
            // Between two weights nothing shows that there were more.
            other => assert_eq!(other, Ok(()), "{length}"),
        }
    }
    for position in 12..120 {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1;
        assert!(load(&damaged).is_err(), "{position}");
    }
    assert_eq!(load(b"rnrlearn and so on"), Err(VwModelError::Foreign));
    let mut older = bytes.clone();
    older[4..10].copy_from_slice(b"9.10.0");
    assert_eq!(load(&older), Err(VwModelError::Version("9.10.0".to_owned())));
}

#[test]
fn another_option_than_that_of_the_file_is_named() {
    let bytes = trained("--cb_explore_adf --bag 3 -q :: -b 8 --epsilon 0.2");
    let model = VwModel::read(&bytes).unwrap();
    for (given, expected) in [
        ("--bag 4", "`--bag 4` differs from the model, which was trained with `--bag 3`"),
        (
            "-b 9",
            "`--bit_precision 9` differs from the model, which was trained with `--bit_precision 8`",
        ),
        (
            "--cb_type dr",
            "`--cb_type dr` differs from the model, which was trained with `--cb_type mtr`",
        ),
    ] {
        assert_eq!(model.policy(given).unwrap_err().to_string(), expected);
    }
    let policy = model.policy("--epsilon 0.5 --l1 0.1 --bag 3").unwrap();
    assert_eq!(policy.epsilon(), Some(0.5));
    let foreign = trained("--cb_explore_adf --softmax");
    let other = VwModel::read(&foreign).unwrap().learner(&policy).map(drop);
    assert!(matches!(other, Err(VwModelError::Option { .. } | VwModelError::Unsupported(_))));
}

/// What stands in a file may be anything.
#[test]
fn any_bytes_behind_a_header_are_weights_or_refused() {
    let policy =
        LearningPolicy::parse_for_evaluation("--ccb_explore_adf --cover 2 --coin -b 6").unwrap();
    let bytes = trained(policy.arguments());
    let mut rng = Rng::new(5);
    for _ in 0..2000 {
        let mut changed = bytes.clone();
        for _ in 0..rng.between(1, 8) {
            let position = rng.below(changed.len());
            changed[position] = rng.next().to_le_bytes()[0];
        }
        changed.truncate(rng.between(1, changed.len()));
        if let Ok(mut learner) = VwModel::read(&changed).and_then(|model| model.learner(&policy)) {
            replay_with(&mut learner, &log(&mut rng, Style::Slots)[..1]);
        }
    }
}
