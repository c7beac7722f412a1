//! A learning policy that is a program, told of coming events or not.

use std::fs;
use std::path::Path;

use super::*;
use plan::{EmbeddedPlan, TargetPlan};
use policy::Command;
use protocol::{EventId, ModelProperties, RankRequest, ServiceConfiguration, WireDuration};
use target::{
    CallAddress, CallError, Delivery, EmbeddedTarget, Export, Foresight, RankAnswer, Target,
};

/// What it answers depends on every line before, and every line is written down.
const SCRIPT: &str = r#"
n=0
read -r line
echo '{"type":"hello","name":"counter"}'
while read -r line; do
  printf '%s\n' "$line" >> heard
  n=$(((n * 31 + ${#line}) % 997 + 1))
  case "$line" in
    '{"type":"rank"'*) printf '{"probabilities":[0.%03d,0.%03d,0,0]}\n' $n $((1000 - n)) ;;
    '{"type":"learn"'*) n=$((n * 7 % 997 + 1)); echo '{"ok":true}' ;;
    *) exit 0 ;;
  esac
done
"#;

/// A loop inside that wants to know nothing of coming events.
struct Blind(EmbeddedTarget<VirtualClock>);

impl Target for Blind {
    async fn rank(&self, at: CallAddress, request: &RankRequest) -> Result<RankAnswer, CallError> {
        self.0.rank(at, request).await
    }

    async fn reward(
        &self,
        at: CallAddress,
        event_id: &EventId,
        value: f64,
    ) -> Result<Delivery, CallError> {
        self.0.reward(at, event_id, value).await
    }

    async fn model_properties(&self) -> Result<ModelProperties, CallError> {
        self.0.model_properties().await
    }

    async fn configuration(&self) -> Result<ServiceConfiguration, CallError> {
        self.0.configuration().await
    }

    fn take_joined(&self, everything: bool) -> Vec<u8> {
        self.0.take_joined(everything)
    }

    fn take_exports(&self) -> Option<Vec<Export>> {
        self.0.take_exports()
    }

    fn close(&self) -> Result<Option<String>, CallError> {
        self.0.close()
    }
}

fn of_a_program(arrival: &Arrival, folder: &Path) -> Plan {
    let settings = |iterations| {
        let arrival = arrival.clone();
        let think_time = Delay::Constant(Duration::from_millis(30));
        Step::Iterate(plan::Iterate { arrival, think_time, ..iterate(iterations) })
    };
    let arguments = ["sh".to_owned(), "-c".to_owned(), SCRIPT.to_owned()].to_vec();
    let command = Command { arguments, timeout: Duration::from_secs(20), folder: folder.into() };
    let latency =
        Delay::LogNormal { median: Duration::from_millis(8), p99: Duration::from_millis(40) };
    let configuration = ServiceConfiguration {
        reward_wait_time: WireDuration(Duration::from_millis(200)),
        model_export_frequency: WireDuration(Duration::from_millis(700)),
        ..ServiceConfiguration::default()
    };
    let phases = vec![Phase::new("one", settings(300)), Phase::new("two", settings(150))];
    let target = TargetPlan::Embedded(
        EmbeddedPlan {
            configuration,
            policy: command.into(),
            programs: Vec::new(),
            rank_latency: latency,
            reward_latency: latency,
        }
        .into(),
    );
    Plan { target, ..plan(phases) }
}

/// The records of a run, the lines that the program heard, and of how many events it was told
/// before they were ranked.
fn run_of(arrival: &Arrival, sees: bool) -> (Vec<Progress>, String) {
    let folder = tempfile::tempdir().unwrap();
    let plan = of_a_program(arrival, folder.path());
    let TargetPlan::Embedded(embedded) = &plan.target else { panic!("it is embedded") };
    let mut tape = Tape::default();
    let ending = VirtualClock::run(|clock| {
        let (tape, plan) = (&mut tape, &plan);
        async move {
            let target = EmbeddedTarget::new(embedded, plan.seed, clock.clone());
            let (start, stop) = (StartPoint::default(), Stopper::new().1);
            if sees {
                engine::run(plan, clock, &target, &Nobody, start, stop, tape).await
            } else {
                engine::run(plan, clock, &Blind(target), &Nobody, start, stop, tape).await
            }
        }
    });
    assert_eq!(ending.unwrap(), Ending::Completed);
    (tape.0, fs::read_to_string(folder.path().join("heard")).unwrap())
}

#[test]
fn a_program_that_is_told_of_coming_events_hears_the_same_lines_and_gives_the_same_records() {
    let rate = Some(Rate(20.0));
    let open = plan::Schedule { poisson: true, ..plan::Schedule::constant(Rate(40.0), 4) };
    for arrival in [
        Arrival::Closed { concurrency: 1, rate: None },
        Arrival::Closed { concurrency: 8, rate: None },
        Arrival::Closed { concurrency: 8, rate },
        Arrival::Open(open),
    ] {
        let (records, heard) = run_of(&arrival, true);
        let blind = run_of(&arrival, false);
        assert!(heard == blind.1, "{arrival:?}: the program heard other lines");
        assert!(records == blind.0, "{arrival:?}");
        let learns = heard.lines().filter(|line| line.starts_with(r#"{"type":"learn""#)).count();
        assert!(learns > 1 && heard.lines().count() > 300, "{learns}");
    }
}

/// A loop tells what it wants to know after the first lines, which go one at a time.
#[test]
fn only_a_program_wants_to_know_of_coming_events() {
    let arrival = Arrival::Closed { concurrency: 1, rate: None };
    let folder = tempfile::tempdir().unwrap();
    let mut plan = of_a_program(&arrival, folder.path());
    let TargetPlan::Embedded(embedded) = &mut plan.target else { panic!("it is embedded") };
    VirtualClock::run(|clock| async move {
        let foresight = EmbeddedTarget::new(embedded, plan.seed, clock.clone()).foresight();
        assert_eq!(foresight, Some(Foresight { events: 0, until: Duration::from_millis(700) }));
        embedded.policy = policy::Policy::parse(r#"{"lin_ucb":{}}"#).unwrap();
        let foresight = EmbeddedTarget::new(embedded, plan.seed, clock).foresight();
        assert_eq!(foresight, None);
    });
}
