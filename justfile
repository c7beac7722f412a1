# What there is to do. `just` lists it.

[private]
default:
    @just --list

# Run the tutorial's scenario.
run scenario="scenarios/baseline.yaml":
    cargo run --release -- {{scenario}}

# Everything that CI checks, and a short fuzzing of what reads texts from outside.
ci:
    .ci/run
    tests/fuzz/run 20

# Fuzz the policy parser and the DSJSON reader, each for so many seconds.
fuzz seconds="600":
    tests/fuzz/run {{seconds}}

# Compare random policies on random logs with the Python wheel of Vowpal Wabbit.
fuzz-vw seconds="600":
    VW_FUZZ_SECONDS={{seconds}} RUNNER_REQUIRE_TOOLS=1 cargo test -p bandit-runner-learner --test vowpal_wabbit fresh_seeds -- --nocapture

# The benchmarks.
bench:
    cargo build --release
    cargo bench --package bandit-runner-benches

# Side by side with peers: `runner evaluate` with the driver of Vowpal Wabbit and the Open Bandit
# Pipeline (`tests/obd/install`), the virtual world with coba, load with oha, reqwest, goose and wrk.
peers:
    cargo build --release
    tests/benches/evaluate_vs_vw.py
    tests/benches/evaluate_vs_obp.py
    tests/benches/iterations_vs_coba.py
    tests/benches/load_vs_peers.py

# How often verdicts, intervals, bands and sequential gates are wrong: the tables of the guides
# `comparing` and `evaluating`; takes some twenty minutes.
study:
    cargo run --release -p bandit-runner-statistics --example statistics_study
    cargo run --release -p bandit-runner-evaluation --example evaluation_study
    RUNNER_STUDY=1 cargo test --test command_line null -- --nocapture
    RUNNER_STUDY=1 cargo test --test command_line seldom_differs_from_itself -- --nocapture

# What a build costs: wall and CPU seconds, cold and after an edit.
build-cost:
    tests/benches/build_cost.py

# Whether a load from four processes holds its rate.
shards:
    cargo build --release
    tests/benches/shards.py

# The tests.
test:
    cargo test

# How late an open arrival starts its calls, and what its timer costs.
lag:
    cargo build --release
    tests/benches/lag.py

# Compare two algorithms of BanditDB, which listens on port 8080 of every interface meanwhile. It
# is installed first, which takes ten minutes.
banditdb:
    #!/bin/sh
    set -e
    cargo install banditdb --ignore-rust-version --root target/banditdb
    cargo build --release
    mkdir -p target/banditdb/data
    (cd target/banditdb/data && BANDITDB_RATE_LIMIT_PER_SEC=100000 exec ../bin/banditdb) &
    trap "kill $!" EXIT
    sleep 2
    target/release/runner scenarios/banditdb.yaml

# The guides as a site, in target/site.
site:
    cargo run -- guide --html target/site

# The picture of a report in the guides, by a Chromium.
report-picture:
    rm -rf target/report-picture
    cargo run --release -- run scenarios/policies.yaml --quiet --out target/report-picture
    cargo run --release -- report target/report-picture --out target/report-picture.html
    "${CHROMIUM:-chromium}" --headless --no-sandbox --hide-scrollbars --window-size=1060,620 \
        --screenshot=src/cli/guide/pictures/report.png "file://$PWD/target/report-picture.html"

# What the page of `--live` costs a load, and how soon it shows each second.
live-page:
    cargo build --release
    tests/benches/live_page.py

# Formatting and lints, as CI wants them.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# The documentation of the crates.
doc:
    cargo doc --workspace --no-deps --document-private-items --open

# Write the golden files of the tests again; look at the difference before you commit.
golden:
    UPDATE_GOLDEN=1 cargo test

# Check a scenario without sending anything.
check scenario="scenarios/baseline.yaml":
    cargo run --release -- check {{scenario}}

# Install the official SDKs into target/sdk, and run them and schemathesis against `runner serve`.
sdk:
    cargo build
    tests/sdk/run

# Kill a served loop and a client a hundred times each: nothing acknowledged may be lost.
kills:
    RUNNER_KILLS=100 cargo test --test command_line serve::killed -- --nocapture
    RUNNER_KILLS=100 cargo test --test command_line faults::resumed::a_killed_client -- --nocapture

# Soak a served loop with a state: kills, full disks, deleted logs, damaged files, slow clients;
# an hour, or as many seconds as are given. It ends with a balance.
soak seconds="3600":
    cargo build --release
    tests/soak/soak.py {{seconds}}

# Change 1,000 random bytes of a served state: each is refused by name; then search it for deleted
# events.
damage flips="1000":
    cargo build --release
    tests/soak/damage.py {{flips}}

# What the history of a served loop costs (speed, start, memory, folder), and how long a small
# Rank takes beside other calls.
serve-cost:
    cargo build --release
    tests/benches/serve_history.py
    tests/benches/serve_beside.py --state

# Slurm on this machine runs an experiment while a node of it dies: the bytes are those of one process.
slurm:
    cargo build --release
    tests/slurm/run

# What .ci/Containerfile makes, made and run without an engine for containers.
image:
    tests/image/run
