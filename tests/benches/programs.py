#!/usr/bin/env python3
"""Times the virtual world under policies that are programs.

    cargo build --release
    cargo build --release -p bandit-runner-policy-program --example echo
    python3 tests/benches/programs.py [RUNNER [ECHO]]

The tutorial's visitors and coffees, one cell on one core. Printed are iterations a second with
`echo` (Rust, no JSON is parsed), with the Python helper of the wheel, and with a policy of
Vowpal Wabbit, the start and the results folder counted. Wanted: 50,000 and 8,000.
"""

import os
import subprocess
import sys
import tempfile
import time

PROJECT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
RUNNER = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(PROJECT, "target/release/runner")
ECHO = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else os.path.join(PROJECT, "target/release/examples/echo")
UNIFORM = """
from bandit_runner import serve

class Uniform:
    def rank(self, context, actions):
        return [1 / len(actions)] * len(actions)

    def learn(self, events):
        pass

serve(Uniform())
"""
SCENARIO = """
version: 1
name: speed
datasets: { users: PROJECT/data/users.json, actions: PROJECT/data/coffee.json }
context: [name, weather, timeofday]
target: embedded
loop: { reward_wait_time: 15s, model_export_frequency: 15s }
phases:
  - iterate: { name: learn, iterations: ITERATIONS, concurrency: 8, rate: 20/s }
matrix: { seeds: [1], policies: { measured: POLICY } }
"""


def seconds(folder, policy, iterations):
    path = os.path.join(folder, "speed.yaml")
    text = SCENARIO.replace("PROJECT", PROJECT).replace("POLICY", policy)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("ITERATIONS", str(iterations)))
    with tempfile.TemporaryDirectory() as out:
        command = [RUNNER, path, "--quiet", "--allow-paths", "--out", os.path.join(out, "run")]
        environment = {**os.environ, "PYTHONPATH": os.path.join(PROJECT, ".ci/wheel/python")}
        start = time.perf_counter()
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


with tempfile.TemporaryDirectory() as folder:
    uniform = os.path.join(folder, "uniform.py")
    with open(uniform, "w", encoding="utf-8") as file:
        file.write(UNIFORM)
    for name, policy, iterations in (
        ("echo, Rust", f"{{ command: ['{ECHO}'] }}", 200_000),
        ("helper, Python", f"{{ command: [{sys.executable}, uniform.py] }}", 40_000),
        ("Vowpal Wabbit", '"--cb_explore_adf --epsilon 0.2 -q ::"', 200_000),
        ("LinUCB", "{ lin_ucb: {} }", 200_000),
        ("LinTS", "{ lin_ts: {} }", 200_000),
    ):
        best = min(seconds(folder, policy, iterations) for _ in range(3))
        print(f"{name:16}{iterations / best:>10,.0f} iterations/s")
