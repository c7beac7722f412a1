#!/usr/bin/env python3
"""Times the virtual world side by side with coba's `Experiment` and its `VowpalLearner`.

    python3 -m pip install coba==8.1.0 vowpalwabbit==9.11.9
    cargo build --release
    python3 tests/benches/iterations_vs_coba.py [RUNNER]

Both play the tutorial's scenario under the default learning policy on one core, in turns:
draw a visitor, rank four coffees, reward the liked one, learn, record. `runner` does it
as one cell of an experiment: as coba's, it records what each interaction brought. Printed
are interactions a second and their ratio, with the start and the results folder counted;
at the end the median of the ratios, and the ratio of the best turns, since what else a
machine does only ever slows one side down.
(coba learns at once; `runner` waits for rewards, joins them and exports models, too.)
"""

import json
import os
import subprocess
import sys
import tempfile
import time

TURNS = 7
INTERACTIONS = 4_000
ITERATIONS = 200_000
ARGUMENTS = "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::"
PROJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


def users():
    """(name, weather, time of day, the preferred coffee) of every visitor."""
    with open(os.path.join(PROJECT, "data/users.json"), encoding="utf-8") as file:
        tree = json.load(file)
    return [
        (name, weather, hour, coffee)
        for name, weathers in tree.items()
        for weather, hours in weathers.items()
        for hour, coffee in hours.items()
    ]


def coffees():
    with open(os.path.join(PROJECT, "data/coffee.json"), encoding="utf-8") as file:
        actions = json.load(file)
    return [
        (action["id"], {"id": action["id"], **{k: v for part in action["features"] for k, v in part.items()}})
        for action in actions
    ]


def coba_seconds():
    import coba as cb
    import random

    visitors, actions = users(), coffees()
    generator = random.Random(1)

    def context(_index):
        name, weather, hour, _ = visitors[drawn[_index]]
        return {"name": name, "weather": weather, "timeofday": hour}

    drawn = [generator.randrange(len(visitors)) for _ in range(INTERACTIONS)]

    class Coffee:
        params = {"type": "coffee"}

        def read(self):
            for index in range(INTERACTIONS):
                liked = visitors[drawn[index]][3]
                rewards = [1.0 if identity == liked else 0.0 for identity, _ in actions]
                yield cb.SimulatedInteraction(context(index), [features for _, features in actions], rewards)

    cb.CobaContext.logger.sink = cb.pipes.NullSink() if hasattr(cb, "pipes") else cb.CobaContext.logger.sink
    learner = cb.VowpalLearner(ARGUMENTS)
    experiment = cb.Experiment(cb.Environments(Coffee()), learner)
    start = time.perf_counter()
    experiment.run(quiet=True, processes=1)
    return time.perf_counter() - start


def runner_seconds(binary, folder, turn):
    scenario = os.path.join(PROJECT, "tests/benches/iterations.yaml")
    command = [binary, "run", scenario, "--allow-paths", "--quiet", "--out", os.path.join(folder, str(turn))]
    command += ["--set", f"phases.baseline.iterations={ITERATIONS}"]
    command += ["--set", "matrix={seeds: [42]}", "--threads", "1"]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else os.path.join(PROJECT, "target/release/runner")
    try:
        import coba  # noqa: F401
    except ImportError:
        sys.exit("coba is not installed: python3 -m pip install coba==8.1.0 vowpalwabbit==9.11.9")
    turns = []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(TURNS):
            own = ITERATIONS / runner_seconds(binary, folder, turn)
            other = INTERACTIONS / coba_seconds()
            turns.append((own, other))
            print(f"runner {own:,.0f}/s ({1e6 / own:.1f} µs), coba {other:,.0f}/s, ratio {own / other:.0f}")
    ratios = sorted(own / other for own, other in turns)
    own, other = (max(rates) for rates in zip(*turns))
    print(f"median ratio {ratios[TURNS // 2]:.0f}, of the best turns {own / other:.0f}")


if __name__ == "__main__":
    main()
