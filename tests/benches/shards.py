#!/usr/bin/env python3
"""Measures whether a load in shards holds the rate of the whole.

    cargo build --release
    python3 tests/benches/shards.py [RUNNER]

Four processes, planned to start at one moment, call one `runner serve` on the loopback at a
declared rate for ten seconds. Their folders are merged, and the merged events say at which
rate iterations were started: it must be within 0.2 % of what was declared, with nothing
dropped. Printed beside it are how far apart the shards began, and how late iterations were.
"""

import csv
import datetime
import json
import os
import subprocess
import sys
import tempfile

SHARDS = 4
RATE = 400
SECONDS = 10
TOLERANCE = 0.002
PROJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")

SCENARIO = """
version: 1
name: shards
datasets: {{ users: {data}/users.json, actions: {data}/coffee.json }}
context: [name, weather, timeofday]
target: {{ url: "{url}" }}
phases:
  - iterate: {{ name: warm-up, arrival: open, rate: {rate}/s, duration: 1s }}
  - iterate: {{ name: steady, arrival: open, rate: {rate}/s, duration: {seconds}s }}
"""


def main():
    runner = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else f"{PROJECT}/target/release/runner")
    serve = [runner, "serve", "--port", "0"]
    service = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return measure(runner, service.stdout.readline().strip(), folder)
    finally:
        service.terminate()
        service.wait()


def measure(runner, url, folder):
    scenario, plan, out = (os.path.join(folder, name) for name in ("load.yaml", "plan.json", "merged"))
    with open(scenario, "w", encoding="utf-8") as file:
        data = os.path.join(PROJECT, "data")
        file.write(SCENARIO.format(data=data, url=url, rate=RATE, seconds=SECONDS))
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    common = [scenario, "--allow-paths"]
    planned = ["--shards", str(SHARDS), "--start-at", start.isoformat(), "-o", plan]
    subprocess.run([runner, "plan", *common, *planned], check=True)
    shards = [os.path.join(folder, f"shard-{number}") for number in range(1, SHARDS + 1)]
    run = [runner, "run", *common, "--quiet", "--plan", plan, "--shard"]
    processes = [
        subprocess.Popen([*run, f"{number}/{SHARDS}", "--out", shard])
        for number, shard in enumerate(shards, 1)
    ]
    if any([process.wait() for process in processes]):
        return "a shard failed"
    subprocess.run([runner, "merge", *shards, "--out", out, "--quiet"], check=True)
    return judge(out)


def judge(out):
    with open(os.path.join(out, "events.csv"), encoding="utf-8") as file:
        steady = [row for row in csv.DictReader(file) if row["phase"] == "steady"]
    starts = sorted(int(row["rank_start_us"]) for row in steady)
    held = (len(starts) - 1) / (starts[-1] - starts[0]) * 1e6
    lags = sorted(int(row["rank_start_us"]) - int(row["due_us"]) for row in steady)
    with open(os.path.join(out, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    begun = [shard["phases"][1]["started_us"] for shard in manifest["shards"]]
    deviation = held / RATE - 1
    print(f"{len(starts)} iterations from {SHARDS} processes at {held:.3f}/s, declared {RATE}/s: {deviation:+.4%}")
    print(f"shards began {(max(begun) - min(begun)) / 1000:.1f} ms apart; late p99 {lags[len(lags) * 99 // 100] / 1000:.1f} ms")
    if len(starts) != RATE * SECONDS or any(row["outcome"] != "completed" for row in steady):
        return "not every iteration was completed"
    return None if abs(deviation) <= TOLERANCE else f"the rate is off by more than {TOLERANCE:.1%}"


if __name__ == "__main__":
    sys.exit(main())
