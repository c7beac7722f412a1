use super::*;

fn resolved(choice: &str, variables: &[(&str, &str)]) -> Result<String, ShardError> {
    let value = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let choice: ShardChoice = choice.parse().unwrap();
    choice.resolve(None, &value).map(|shard| shard.to_string())
}

/// Every engine, as it tells the last of four processes, and the second of them.
#[test]
fn every_engine_is_understood() {
    type Variables = &'static [(&'static str, &'static str)];
    let table: [(&str, Variables); 30] = [
        (
            "4/4",
            &[
                ("SLURM_ARRAY_TASK_ID", "4"),
                ("SLURM_ARRAY_TASK_MIN", "1"),
                ("SLURM_ARRAY_TASK_STEP", "1"),
                ("SLURM_ARRAY_TASK_COUNT", "4"),
            ],
        ),
        (
            "2/4",
            &[
                ("SLURM_ARRAY_TASK_ID", "10"),
                ("SLURM_ARRAY_TASK_MIN", "0"),
                ("SLURM_ARRAY_TASK_STEP", "10"),
                ("SLURM_ARRAY_TASK_COUNT", "4"),
            ],
        ),
        ("4/4", &[("SLURM_PROCID", "3"), ("SLURM_NTASKS", "4")]),
        ("2/4", &[("SLURM_PROCID", "1"), ("SLURM_NTASKS", "4")]),
        ("4/4", &[("JOB_COMPLETION_INDEX", "3"), ("RUNNER_SHARDS", "4")]),
        ("2/4", &[("JOB_COMPLETION_INDEX", "1"), ("RUNNER_SHARDS", "4")]),
        ("4/4", &[("AWS_BATCH_JOB_ARRAY_INDEX", "3"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")]),
        ("2/4", &[("AWS_BATCH_JOB_ARRAY_INDEX", "1"), ("RUNNER_SHARDS", "4")]),
        ("4/4", &[("BATCH_TASK_INDEX", "3"), ("BATCH_TASK_COUNT", "4")]),
        ("2/4", &[("BATCH_TASK_INDEX", "1"), ("BATCH_TASK_COUNT", "4")]),
        ("4/4", &[("CLOUD_RUN_TASK_INDEX", "3"), ("CLOUD_RUN_TASK_COUNT", "4")]),
        ("2/4", &[("CLOUD_RUN_TASK_INDEX", "1"), ("CLOUD_RUN_TASK_COUNT", "4")]),
        ("4/4", &[("NOMAD_ALLOC_INDEX", "3"), ("RUNNER_SHARDS", "4")]),
        ("2/4", &[("NOMAD_ALLOC_INDEX", "1"), ("RUNNER_SHARDS", "4")]),
        ("4/4", &[("PBS_ARRAY_INDEX", "4"), ("RUNNER_SHARDS", "4")]),
        ("2/4", &[("PBS_ARRAY_INDEX", "2"), ("RUNNER_SHARDS", "4")]),
        (
            "4/4",
            &[
                ("SGE_TASK_ID", "4"),
                ("SGE_TASK_FIRST", "1"),
                ("SGE_TASK_LAST", "4"),
                ("SGE_TASK_STEPSIZE", "1"),
            ],
        ),
        (
            "2/4",
            &[
                ("SGE_TASK_ID", "3"),
                ("SGE_TASK_FIRST", "1"),
                ("SGE_TASK_LAST", "7"),
                ("SGE_TASK_STEPSIZE", "2"),
            ],
        ),
        ("4/4", &[("LSB_JOBINDEX", "4"), ("LSB_JOBINDEX_END", "4")]),
        ("2/4", &[("LSB_JOBINDEX", "2"), ("RUNNER_SHARDS", "4")]),
        ("4/4", &[("STRATEGY_JOB_INDEX", "3"), ("STRATEGY_JOB_TOTAL", "4")]),
        ("2/4", &[("STRATEGY_JOB_INDEX", "1"), ("STRATEGY_JOB_TOTAL", "4")]),
        ("4/4", &[("CI_NODE_INDEX", "4"), ("CI_NODE_TOTAL", "4")]),
        ("2/4", &[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "4")]),
        ("4/4", &[("CIRCLE_NODE_INDEX", "3"), ("CIRCLE_NODE_TOTAL", "4")]),
        ("2/4", &[("CIRCLE_NODE_INDEX", "1"), ("CIRCLE_NODE_TOTAL", "4")]),
        ("4/4", &[("BUILDKITE_PARALLEL_JOB", "3"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")]),
        ("2/4", &[("BUILDKITE_PARALLEL_JOB", "1"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")]),
        ("4/4", &[("PARALLEL_SEQ", "4"), ("RUNNER_SHARDS", "4")]),
        ("2/4", &[("PARALLEL_SEQ", "2"), ("RUNNER_SHARDS", "4")]),
    ];
    for engine in ENGINES {
        let of_engine =
            |(_, variables): &&(&str, Variables)| variables[0].0 == engine.index.variable();
        assert_eq!(table.iter().filter(of_engine).count(), 2, "{}", engine.name);
    }
    for (shard, variables) in table {
        assert_eq!(resolved("auto", variables).as_deref(), Ok(shard), "{variables:?}");
    }
}

#[test]
fn the_command_line_may_say_how_many() {
    assert_eq!(resolved("auto/4", &[("PARALLEL_SEQ", "2")]).unwrap(), "2/4");
    assert_eq!(resolved("auto/4", &[("PARALLEL_SEQ", "2"), (COUNT, "9")]).unwrap(), "2/4");
    assert_eq!(resolved("3/4", &[("PARALLEL_SEQ", "2")]).unwrap(), "3/4");
    let planned = ShardChoice::Auto(None)
        .resolve(NonZero::new(4), &|name| (name == "NOMAD_ALLOC_INDEX").then(|| "0".to_owned()));
    assert_eq!(planned.unwrap().to_string(), "1/4");
}

#[test]
fn what_is_one_of_one_says_nothing_beside_another() {
    let circle = [("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "1")];
    assert_eq!(resolved("auto", &circle).unwrap(), "1/1");
    let parallel = [circle[0], circle[1], ("PARALLEL_SEQ", "2"), (COUNT, "3")];
    assert_eq!(resolved("auto", &parallel).unwrap(), "2/3");
}

/// The script of an array is process 0 of its own task.
#[test]
fn an_array_of_slurm_is_no_second_engine() {
    let mut variables = vec![
        ("SLURM_ARRAY_TASK_ID", "3"),
        ("SLURM_ARRAY_TASK_MIN", "1"),
        ("SLURM_ARRAY_TASK_COUNT", "4"),
        ("SLURM_PROCID", "0"),
    ];
    assert_eq!(resolved("auto", &variables).unwrap(), "3/4");
    variables.push(("SLURM_NTASKS", "1"));
    assert_eq!(resolved("auto", &variables).unwrap(), "3/4");
}

#[test]
fn what_is_no_array_is_no_engine() {
    let outside = [("SGE_TASK_ID", "undefined"), ("LSB_JOBINDEX", "0"), ("SLURM_PROCID", "0")];
    for variables in outside.map(|variable| [variable]) {
        let variables = &variables[..];
        let error = resolved("auto", variables).unwrap_err();
        assert!(error.message.contains("finds no engine"), "{error}");
    }
}

/// Variables, what is said of them, and the remedy.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

#[test]
fn what_is_missing_or_ambiguous_is_said_with_the_variables_seen() {
    let slurm = |id, first, count| {
        [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_MIN", first),
            ("SLURM_ARRAY_TASK_STEP", "1"),
            ("SLURM_ARRAY_TASK_COUNT", count),
        ]
    };
    let mut both = slurm("2", "1", "4").to_vec();
    both.extend([("PARALLEL_SEQ", "3")]);
    let mut differ = slurm("2", "1", "4").to_vec();
    differ.extend([(COUNT, "5")]);
    let table: [Row<'_>; 9] = [
        (&[], "finds no engine: none of SLURM_ARRAY_TASK_ID, SLURM_PROCID, ", "--shard 2/5"),
        (
            &[("JOB_COMPLETION_INDEX", "2")],
            "Kubernetes Indexed Job (JOB_COMPLETION_INDEX=2) does not say how many shards",
            "RUNNER_SHARDS=5",
        ),
        (
            &both,
            "disagree: Slurm array (SLURM_ARRAY_TASK_ID=2, SLURM_ARRAY_TASK_MIN=1, \
             SLURM_ARRAY_TASK_STEP=1, SLURM_ARRAY_TASK_COUNT=4) and GNU parallel (PARALLEL_SEQ=3)",
            "--shard 2/5",
        ),
        (&differ, "says 4 shards, but RUNNER_SHARDS says 5", "--shard 2/5"),
        (&slurm("9", "1", "4"), "shards count from 1 to 4, found 9", "--shard 2/5"),
        (&slurm("4", "4", "1"), "one task alone may be a part of a larger array", "--shard 2/5"),
        (
            &[("SLURM_ARRAY_TASK_ID", "4")],
            "`SLURM_ARRAY_TASK_ID` is set, but `SLURM_ARRAY_TASK_MIN` is not",
            "--shard 2/5",
        ),
        (
            &[("NOMAD_ALLOC_INDEX", "first")],
            "`NOMAD_ALLOC_INDEX` must be a whole number, found `first`",
            "--shard 2/5",
        ),
        (
            &[
                ("CI_NODE_INDEX", "2"),
                ("CI_NODE_TOTAL", "3"),
                ("CIRCLE_NODE_INDEX", "1"),
                ("CIRCLE_NODE_TOTAL", "4"),
            ],
            "GitLab `parallel` (CI_NODE_INDEX=2, CI_NODE_TOTAL=3) and CircleCI (CIRCLE_NODE_INDEX=1, CIRCLE_NODE_TOTAL=4)",
            "--shard 2/5",
        ),
    ];
    for (variables, message, help) in table {
        let error = resolved("auto", variables).unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert!(error.help.contains(help), "{}", error.help);
    }
}

#[test]
fn a_choice_that_cannot_be_read_is_refused() {
    for text in ["auto/", "auto/0", "auto5", "2", "0/3"] {
        assert!(text.parse::<ShardChoice>().is_err(), "{text}");
    }
}
