use super::*;
use crate::Dimension;
use crate::Takes;

const PHASES: [PhaseScope<'static>; 4] = [
    PhaseScope { name: "baseline", iterations: Some(10_000), slots: 0, tags: &NO_TAGS },
    PhaseScope { name: "baseline.late", iterations: Some(10), slots: 0, tags: &NO_TAGS },
    PhaseScope { name: "improve", iterations: None, slots: 0, tags: &NO_TAGS },
    PhaseScope { name: "validation-2", iterations: Some(2_000), slots: 0, tags: &NO_TAGS },
];

fn parse(text: &str) -> Expectation {
    Expectation::parse(text, &PHASES).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

/// What is underlined, what is said, what is advised.
fn complaint(text: &str) -> (String, String, String) {
    let errors = Expectation::parse(text, &PHASES).expect_err(text);
    assert_eq!(errors.len(), 1, "{text}: {errors:?}");
    let ExpectationError { span, message, help } = errors[0].clone();
    (text[span].to_owned(), message, help.unwrap_or_default())
}

#[test]
fn everything_the_issue_shows_can_be_written() {
    let difference = parse("validation-2.success_rate - baseline.success_rate >= 0.25");
    assert_eq!(difference.test, Test::AtLeast(0.25));
    assert_eq!(difference.right.unwrap().0, Sign::Minus);
    let window = parse("baseline.success_rate[..100] in 0.15..0.40");
    assert_eq!((window.left.window, window.test), (Some(0..100), Test::Within(0.15, 0.40)));
    assert_eq!(parse("baseline.rank.p99 < 100ms").test, Test::Below(100_000.0));
    assert_eq!(parse("validation-2.success_rate >= 80%").test, Test::AtLeast(0.8));
    assert_eq!(parse("baseline.rate>=99.5/s").test, Test::AtLeast(99.5));
}

#[test]
fn the_longest_phase_name_is_meant() {
    assert_eq!(parse("baseline.late.errors == 0").left.phase, "baseline.late");
    assert_eq!(parse("baseline.errors == 0").left.phase, "baseline");
}

#[test]
fn blanks_are_as_one_likes() {
    let dense = parse("validation-2.rank.p99.9-baseline.rank.p99.9<=-5us");
    assert_eq!((dense.test, dense.right.unwrap().0), (Test::AtMost(-5.0), Sign::Minus));
    let airy = parse("  baseline.errors [ ..1_000 ]  in  0 .. 3  ".replace(" [", "[").as_str());
    assert_eq!((airy.left.window, airy.test), (Some(0..1000), Test::Within(0.0, 3.0)));
}

#[test]
fn every_metric_of_the_registry_can_be_named() {
    for definition in &crate::REGISTRY {
        let value = if definition.dimension == Dimension::Latency { "1ms" } else { "1" };
        let threshold = if definition.takes == Takes::Threshold { "[70%]" } else { "" };
        parse(&format!("baseline.{}{threshold} > {value}", definition.name));
    }
}

#[test]
fn any_percentile_can_be_named() {
    use crate::{Metric, Operation, Statistic};
    let metric = |text: &str| parse(text).left.definition.metric;
    let of_rank = |statistic| Metric::Latency(Operation::Rank, statistic);
    let Metric::Latency(_, Statistic::Quantile(share)) = metric("baseline.rank.p99.99 < 1s") else {
        panic!("a percentile is a quantile");
    };
    assert!((share - 0.9999).abs() < 1e-12);
    assert_eq!(metric("baseline.rank.p75 < 1s"), of_rank(Statistic::Quantile(0.75)));
    assert_eq!(metric("baseline.rank.p100 < 1s"), of_rank(Statistic::Max));
    for name in ["rank.p0", "rank.p100.5", "rank.p", "rank.p-1", "rate.p50", "rank.p1.p2"] {
        let text = format!("baseline.{name} < 1s");
        assert!(Expectation::parse(&text, &PHASES).is_err(), "{text}");
    }
    let service = Metric::Service(Statistic::Quantile(0.75));
    assert_eq!(metric("baseline.rank.service.p75 < 1s"), service);
    assert_eq!(metric("baseline.lag.p50 < 1s"), Metric::Lag(Statistic::Quantile(0.5)));
}

#[test]
fn margins_and_thresholds_know_their_range() {
    let term = |text: &str| Term::parse(text, &PHASES).unwrap();
    let rate = term("baseline.success_rate");
    assert_eq!((rate.value("5%").unwrap(), rate.value("1").unwrap()), (0.05, 1.0));
    assert!(rate.value("2").is_err() && rate.value("-1.1").is_err());
    assert_eq!(term("baseline.regret").value("200").unwrap(), 200.0);
    assert_eq!(term("baseline.rank.p99").value("5ms").unwrap(), 5_000.0);
    assert!(Term::parse("baseline.iterations_to[170%]", &PHASES).is_err());
    // A latency may be compared with a negative difference.
    parse("validation-2.rank.p99 - baseline.rank.p99 < -5ms");
}

#[test]
fn mistakes_are_underlined_named_and_advised_on() {
    for (text, span, message, help) in [
        (
            "baselin.errors == 0",
            "baselin",
            "there is no phase `baselin`",
            "did you mean `baseline`?",
        ),
        ("errors == 0", "errors", "`errors` of which phase?", "write `baseline.errors`"),
        (
            "baseline.sucess_rate > 0",
            "sucess_rate",
            "there is no metric `sucess_rate`",
            "did you mean `baseline.success_rate`?",
        ),
        (
            "improve.errors == 0",
            "improve",
            "phase `improve` makes no iterations",
            "phases with iterations: `baseline`, `baseline.late`, `validation-2`",
        ),
        (
            "baseline.rank.p99 < 0.1",
            "0.1",
            "a latency cannot be compared with `0.1`",
            "write a duration such as `100ms`",
        ),
        (
            "baseline.success_rate > 5s",
            "5s",
            "a share cannot be compared with `5s`",
            "write a number such as `0.8`, or a percentage such as `80%`",
        ),
        (
            "baseline.errors[10000..] == 0",
            "[10000..]",
            "there is no iteration in `10000..10000`",
            "",
        ),
        (
            "baseline.late.errors[..11] == 0",
            "[..11]",
            "the window needs 11 iterations, the phase makes 10",
            "",
        ),
        (
            "baseline.rank.p50[..11] < 1s",
            "[..11]",
            "`rank.p50` is known for a whole phase only",
            "windows are for `success_rate`, `mean_reward`, `regret`, `exploration_cost`, `iterations`, `errors`, `error_rate`, `dropped`",
        ),
        (
            "baseline.rank.p50 - baseline.errors < 1s",
            "baseline.rank.p50 - baseline.errors",
            "a latency and a count cannot be added or subtracted",
            "",
        ),
        (
            "baseline.errors in 3..2",
            "3..2",
            "the interval is empty: its low end is above its high end",
            "",
        ),
        ("baseline.errors in 3", "3", "`3` is not an interval", "write `in LOW..HIGH`"),
        ("baseline.errors == nan", "nan", "`nan` is not a value", "write a number"),
        (
            "baseline.success_rate < 90",
            "90",
            "a share lies between 0 and 1, found `90`",
            "write `90%` for 0.9",
        ),
        (
            "baseline.error_rate < 5",
            "5",
            "a share lies between 0 and 1, found `5`",
            "write `5%` for 0.05",
        ),
        ("baseline.errors > -1", "-1", "a count is not below 0, found `-1`", ""),
        (
            "baseline.success_rate - validation-2.success_rate < 1.5",
            "1.5",
            "the difference of shares lies between -1 and 1, found `1.5`",
            "write `1.5%` for 0.015",
        ),
        ("baseline.errors ==", "", "a value is missing", "write a number"),
        (
            "baseline.errors is 0",
            "is",
            "`is` is not a comparison",
            "compare with `>=`, `>`, `<=`, `<`, `==`, `!=`, or `in LOW..HIGH`",
        ),
        (
            "",
            "",
            "a metric is missing",
            "begin with a metric of a phase, such as `baseline.success_rate`",
        ),
    ] {
        let found = complaint(text);
        assert_eq!(found, (span.to_owned(), message.to_owned(), help.to_owned()), "{text}");
    }
}

#[test]
fn mistakes_on_both_sides_are_both_reported() {
    let errors = Expectation::parse("a.errors - b.errors > 0", &PHASES).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.span.clone()).collect::<Vec<_>>(), [0..1, 11..12]);
}

proptest::proptest! {
    /// Whatever is written, the parser answers, and points into the text.
    #[test]
    fn spans_lie_in_the_text(text in "(baseline|impröve|errors|rank|\\.|p99|\\[|\\]|in|>=|<|0|5ms|%| |-|\\PC){0,12}") {
        if let Err(errors) = Expectation::parse(&text, &PHASES) {
            for error in errors {
                proptest::prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error);
            }
        }
    }
}

/// Two regions on two devices, and a phase without tags.
fn tagged() -> [(&'static str, Tags); 4] {
    let tags = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    [
        ("eu-web", tags(&[("region", "eu"), ("device", "web")])),
        ("eu-app", tags(&[("region", "eu"), ("device", "app")])),
        ("us-web", tags(&[("region", "us"), ("device", "web")])),
        ("plain", Tags::new()),
    ]
}

fn parse_each(text: &str) -> Result<Vec<Expectation>, Vec<ExpectationError>> {
    let tagged = tagged();
    let scopes = tagged.iter().map(|(name, tags)| PhaseScope {
        name,
        iterations: Some(100),
        slots: 0,
        tags,
    });
    Expectation::parse_each(text, &scopes.collect::<Vec<_>>())
}

#[test]
fn tags_stand_for_each_phase_that_has_them() {
    for (text, expected) in [
        ("{region: eu}.rank.p99 < 50ms", &["eu-web", "eu-app"][..]),
        (
            " { device : web , region:us } .rank.p99 < 50ms".replace("} .", "}.").as_str(),
            &["us-web"],
        ),
        ("{device: web}.success_rate[last 10%] - plain.success_rate > 0", &["eu-web", "us-web"]),
        ("plain.errors == 0", &["plain"]),
    ] {
        let phases: Vec<String> =
            parse_each(text).unwrap().into_iter().map(|of| of.left.phase).collect();
        assert_eq!(phases, expected, "{text}");
    }
    let text = parse_each("{region: us}.rank.p99 < 50ms").unwrap()[0].text().to_owned();
    assert_eq!(text, "us-web.rank.p99 < 50ms");
}

#[test]
fn a_mistake_behind_tags_is_shown_where_it_is() {
    for (text, place, message) in [
        ("{region: asia}.errors == 0", "{region: asia}", "no phase has the tags `{region: asia}`"),
        ("{region}.errors == 0", "region", "`region` is not a tag"),
        ("{}.errors == 0", "", "`` is not a tag"),
        ("{region: eu.errors == 0", "{region: eu.errors == 0", "these braces have no end"),
        ("{region: eu}.erors == 0", "erors", "there is no metric `erors`"),
        ("{region: eu} errors == 0", "{region: eu}", "these tags have no metric"),
        ("{region: eu}.errors == x", "x", "`x` is not a value"),
    ] {
        let errors = parse_each(text).unwrap_err();
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        let ExpectationError { span, message: said, .. } = errors[0].clone();
        assert_eq!((&text[span], said.as_str()), (place, message), "{text}");
    }
}
