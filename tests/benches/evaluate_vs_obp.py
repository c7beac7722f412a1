#!/usr/bin/env python3
"""Times `runner evaluate` on a table of a million rows, side by side with the Open Bandit Pipeline.

    tests/obd/install
    python3 -m pip install pandas scikit-learn
    cargo build --release
    python3 tests/benches/evaluate_vs_obp.py [RUNNER]

Both read the same CSV (ten actions, four features of the context, a candidate's distribution) in
turns, three times each. `obp` reads with pandas, and gives IPS and SNIPS with bootstrap intervals
of 100 samples, a hundredth of its default; `runner` gives its table, which has these, the
empirical likelihood and Cressie-Read, for four policies. Printed are the best wall times, their
ratio, also without any interval of `obp`, the largest memory of each, that of `runner` on a tenth
of the rows, and whether IPS and SNIPS agree.
"""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import types

ROWS, ACTIONS, TURNS = 1_000_000, 10, 3
FOLDER = os.path.dirname(os.path.abspath(__file__))
OBD = os.path.join(FOLDER, "../../target/obd")
COLUMNS = "action=item,reward=click,probability=pscore,context=user_*"


def write(path, rows):
    generator = random.Random(1)
    names = [f"p_{action}" for action in range(ACTIONS)]
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["item", "click", "pscore", "user_age", "user_city", "user_plan", "user_hour", *names])
        for _ in range(rows):
            best, action = generator.randrange(ACTIONS), generator.randrange(ACTIONS)
            click = int(generator.random() < (0.3 if action == best else 0.1))
            pmf = [0.82 if other == best else 0.02 for other in range(ACTIONS)]
            user = [generator.randrange(18, 80), f"c{generator.randrange(50)}", "abc"[best % 3], generator.randrange(24)]
            table.writerow([action, click, 0.1, *user, *pmf])


def of_obp(path, samples):
    """Runs in a process of its own."""
    import numpy as np
    import pandas

    sys.modules["torch"] = types.ModuleType("torch")
    sys.modules["torch"].Tensor = type("Tensor", (), {})
    for package in ["obp", "obp.ope"]:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [os.path.join(OBD, *package.split("."))]
    from obp.ope.estimators import InverseProbabilityWeighting, SelfNormalizedInverseProbabilityWeighting

    table = pandas.read_csv(path)
    names = [f"p_{action}" for action in range(ACTIONS)]
    arguments = {
        "reward": table["click"].to_numpy(),
        "action": table["item"].to_numpy(),
        "pscore": table["pscore"].to_numpy(),
        "action_dist": table[names].to_numpy()[:, :, np.newaxis],
        "position": np.zeros(len(table), dtype=int),
    }
    found = {}
    for name, estimator in [("ips", InverseProbabilityWeighting()), ("snips", SelfNormalizedInverseProbabilityWeighting())]:
        found[name] = float(estimator.estimate_policy_value(**arguments))
        if samples:
            estimator.estimate_interval(**arguments, n_bootstrap_samples=samples, random_state=1)
    print(json.dumps(found))


def timed(command):
    """Seconds, the largest memory in MB, and what was printed."""
    start = time.perf_counter()
    done = subprocess.run(["/usr/bin/env", "python3", "-c", MEASURE, *command], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    return seconds, float(done.stderr.splitlines()[-1]), json.loads(done.stdout)


MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)
"""


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "--obp":
        return of_obp(sys.argv[2], int(sys.argv[3]))
    binary = sys.argv[1] if len(sys.argv) > 1 else os.path.join(FOLDER, "../../target/release/runner")
    with tempfile.TemporaryDirectory() as folder:
        path, tenth = (os.path.join(folder, name) for name in ["rows.csv", "tenth.csv"])
        write(path, ROWS)
        write(tenth, ROWS // 10)
        options = ["--columns", COLUMNS, "--candidate", "mine=p_{action}", "--format", "json", "--quiet"]
        runner = lambda log: timed([binary, "evaluate", log, *options])
        obp = lambda samples: timed([sys.executable, __file__, "--obp", path, str(samples)])
        turns = [(runner(path), obp(100), obp(0)) for _ in range(TURNS)]
        ours, theirs, plain = (min(turn[which][0] for turn in turns) for which in range(3))
        print(f"{ROWS:,} rows, {os.path.getsize(path) / 1e6:.0f} MB")
        print(f"runner {ours:.2f} s, {turns[0][0][1]:.0f} MB; on a tenth {runner(tenth)[1]:.0f} MB")
        print(f"obp with intervals {theirs:.2f} s, {turns[0][1][1]:.0f} MB: {theirs / ours:.1f} times as long")
        print(f"obp without {plain:.2f} s: {plain / ours:.1f} times as long")
        estimates = turns[0][0][2]["policies"][-1]["whole"]["estimates"]
        for name, value in turns[0][1][2].items():
            assert abs(estimates[name]["value"] - value) < 1e-6, (name, estimates[name], value)
            print(f"{name} {value:.6f} of both")
    return None


if __name__ == "__main__":
    main()
