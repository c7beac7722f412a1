#!/usr/bin/env python3
"""Times LinUCB and linear Thompson sampling side by side with coba's learners.

    python3 -m pip install coba==8.1.0
    cargo build --release
    python3 tests/benches/linear_vs_coba.py [RUNNER]

coba predicts and learns events of a context of five and four actions of three features, its
learner alone. `runner` plays a whole world of as many features: it draws visitors, ranks, waits
for rewards, joins, learns and records. Thompson sampling draws once an event on both sides.
"""

import os
import subprocess
import sys
import tempfile
import time

import numpy
from coba.learners import LinTSLearner, LinUCBLearner

PROJECT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
RUNNER = sys.argv[1] if len(sys.argv) > 1 else os.path.join(PROJECT, "target/release/runner")
EVENTS, ITERATIONS = 3_000, 200_000
SCENARIO = """
version: 1
name: speed
datasets: { generate: { seed: 3, contexts: { a: 2, b: 3 }, actions: 4, features: { price: 3 } } }
context: [a, b]
target: embedded
loop: { reward_wait_time: 15s, model_export_frequency: 15s }
phases:
  - iterate: { name: learn, iterations: ITERATIONS, concurrency: 8, rate: 20/s }
matrix: { seeds: [1], policies: { measured: POLICY } }
"""


def coba_rate(learner):
    numbers = numpy.random.default_rng(1)
    contexts = numbers.normal(size=(EVENTS, 5)).tolist()
    actions = numbers.normal(size=(EVENTS, 4, 3)).tolist()
    start = time.perf_counter()
    for context, offered in zip(contexts, actions):
        action, probability = learner.predict(context, offered)[:2]
        learner.learn(context, action, 1.0, probability)
    return EVENTS / (time.perf_counter() - start)


def runner_rate(policy):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "speed.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCENARIO.replace("ITERATIONS", str(ITERATIONS)).replace("POLICY", policy))
        command = [RUNNER, path, "--quiet", "--out", os.path.join(folder, "run")]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return ITERATIONS / (time.perf_counter() - start)


for name, learner, policy in (
    ("LinUCB", LinUCBLearner(), "{ lin_ucb: {} }"),
    ("LinTS", LinTSLearner(), "{ lin_ts: { samples: 1 } }"),
):
    theirs, ours = coba_rate(learner), runner_rate(policy)
    print(f"{name:8} coba {theirs:>8,.0f}/s  runner {ours:>10,.0f}/s  {ours / theirs:.1f} times")
