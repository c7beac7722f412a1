#!/usr/bin/env python3
"""Times `runner evaluate`, on one thread and on two, side by side with the driver of Vowpal Wabbit.

    python3 -m pip install vowpalwabbit==9.11.9
    cargo build --release
    python3 tests/benches/evaluate_vs_vw.py [RUNNER]

Both read the same generated log of 200,000 events in turns, five times each, under the default
learning policy and with `--cubic :::`. The driver takes two threads: it parses in one of its own.
Printed are the best wall times, their ratio, the median of the ratios of neighbouring runs, the
best processor times of all threads and their ratio, whether the driver's loss is minus the
estimate of `runner`, the memory, and, as the limit of any reader, how long a plain `memchr` for
the ends of the lines takes.

Where the time of `runner` goes stands in `runner guide evaluating`.
"""

import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
import typing

EVENTS = 200_000
TURNS = 5
THREADS = [1, 2]
DEFAULT = "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::"
POLICIES = [DEFAULT, f"{DEFAULT} --cubic :::"]
FOLDER = os.path.dirname(os.path.abspath(__file__))
COFFEES = [
    ("Cappucino", "hot", "kenya", "yes", "dark"),
    ("Cold brew", "cold", "brazil", "yes", "light"),
    ("Iced mocha", "cold", "ethiopia", "no", "light"),
    ("Latte", "hot", "brazil", "no", "dark"),
]
NAMES = ["Alice", "Bob", "Cathy", "Dave"]
WEATHERS = ["Sunny", "Rainy", "Snowy"]
TIMES = ["Morning", "Afternoon", "Evening"]


def action(coffee):
    name, kind, origin, organic, roast = coffee
    features = {"type": kind, "origin": origin, "organic": organic, "roast": roast}
    return {"_tag": name, "i": {"constant": 1, "id": name}, "j": [features]}


def line(generator, preferred):
    """An event of a policy that explores a fifth of the time around a fixed guess."""
    context = tuple(generator.choice(values) for values in (NAMES, WEATHERS, TIMES))
    guess = hash_of(context, 1) % 4
    probabilities = [0.85 if index == guess else 0.05 for index in range(4)]
    chosen = generator.choices(range(4), probabilities)[0]
    cost = -1.0 if preferred[context] == chosen else 0.0
    name, weather, hour = context
    order = [chosen] + [index for index in range(4) if index != chosen]
    event = {
        "_label_cost": cost,
        "_label_probability": probabilities[chosen],
        "_label_Action": chosen + 1,
        "_labelIndex": chosen,
        "Timestamp": "2026-01-01T00:00:00Z",
        "Version": "1",
        "EventId": f"{generator.getrandbits(128):032x}",
        "a": [index + 1 for index in order],
        "c": {
            "FromUrl": [{"timeofday": hour, "weather": weather, "name": name}],
            "_multi": [action(coffee) for coffee in COFFEES],
        },
        "p": [probabilities[index] for index in order],
        "VWState": {"m": "N/A"},
    }
    return json.dumps(event, separators=(",", ":"))


def hash_of(context, salt):
    return sum(ord(letter) * (index + salt) for index, letter in enumerate("".join(context)))


def write_log(path):
    generator = random.Random(1)
    contexts = [(name, weather, hour) for name in NAMES for weather in WEATHERS for hour in TIMES]
    preferred = {context: hash_of(context, 7) % 4 for context in contexts}
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(EVENTS):
            file.write(line(generator, preferred) + "\n")


class Timed(typing.NamedTuple):
    wall: float
    processor: float
    value: float


def timed(command):
    """Wall seconds, processor seconds of all threads, and what was printed."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, processor, done


def runner(binary, log, policy, threads):
    command = [binary, "evaluate", log, "--policy", policy, "--threads", str(threads), "--quiet"]
    wall, processor, done = timed([*command, "--format", "json"])
    report = json.loads(done.stdout)["policies"][-1]
    return Timed(wall, processor, report["whole"]["estimates"]["ips"]["value"])


def driver(log, policy):
    command = [sys.executable, "-m", "vowpalwabbit", *policy.split(), "--dsjson", "-d", log]
    wall, processor, done = timed(command)
    return Timed(wall, processor, float(re.search(r"average loss = (\S+)", done.stderr)[1]))


def memchr(log):
    """Seconds that finding the end of each line takes, the best of five turns."""
    with open(log, "rb") as file:
        text = file.read()
    best = float("inf")
    for _ in range(TURNS):
        start = time.perf_counter()
        end, lines = text.find(b"\n"), 0
        while end >= 0:
            end, lines = text.find(b"\n", end + 1), lines + 1
        assert lines == EVENTS
        best = min(best, time.perf_counter() - start)
    return best


def show(threads, runs, drivers):
    ours, theirs = (min(run.wall for run in of) for of in (runs, drivers))
    ratios = sorted(own.wall / other.wall for own, other in zip(runs, drivers))
    print(f"  {threads} thread{'s' * (threads > 1)}: runner {ours:.3f} s, driver {theirs:.3f} s", end="")
    print(f", ratio {ours / theirs:.2f} (median of {TURNS} turns {ratios[TURNS // 2]:.2f})", end="")
    ours, theirs = (min(run.processor for run in of) for of in (runs, drivers))
    print(f"; processor {ours:.2f} s and {theirs:.2f} s, ratio {ours / theirs:.2f}")


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else os.path.join(FOLDER, "../../target/release/runner")
    try:
        import vowpalwabbit  # noqa: F401
    except ImportError:
        sys.exit("Vowpal Wabbit is not installed: python3 -m pip install vowpalwabbit==9.11.9")
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log.dsjson")
        write_log(log)
        limit, size = memchr(log), os.path.getsize(log)
        print(f"{EVENTS:,} events, {size / 1e6:.0f} MB; memchr {limit:.3f} s, {size / limit / 1e9:.1f} GB/s")
        for policy in POLICIES:
            turns = [
                (driver(log, policy), *(runner(binary, log, policy, threads) for threads in THREADS))
                for _ in range(TURNS)
            ]
            drivers, *runners = zip(*turns)
            print(policy)
            for threads, runs in zip(THREADS, runners):
                show(threads, runs, drivers)
            value, loss = runners[0][0].value, drivers[0].value
            print(f"  estimate {value:.6f}, driver's loss {loss:.6f}")
            assert all(run.value == value for runs in runners for run in runs)
            assert abs(value + loss) < 1e-6, "the estimate is not minus the loss"
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print(f"largest process: {peak / 1024:.0f} MB")


if __name__ == "__main__":
    main()
