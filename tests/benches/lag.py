#!/usr/bin/env python3
"""Measures how late `runner` starts calls of an open arrival, and what its timer costs.

    cargo build --release
    tests/benches/lag.py

Open arrivals at 50, 1,000 and 10,000 a second for ten seconds, on loopback, at a service that
only answers. The lag is what `runner` records: from when an iteration was due until its Rank was
sent. The bounds are for a machine on which a core is free: beside each row stands which share of
the machine other processes used meanwhile, and the best of three turns is judged.

`SINK` names the program of the service, `RUNNER` that of the runner, where they are elsewhere.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import load_vs_peers as load

RATES = (50, 1_000, 10_000)
SECONDS = 10
TURNS = 3
MEDIAN_US = 50
P99_US = 300


def machine():
    """The seconds of CPU that all processes used, and those that were idle."""
    with open("/proc/stat", encoding="utf-8") as file:
        numbers = [int(word) for word in file.readline().split()[1:]]
    idle = numbers[3] + numbers[4]
    return (sum(numbers) - idle) / os.sysconf("SC_CLK_TCK"), idle / os.sysconf("SC_CLK_TCK")


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def of_process(process):
    with open(f"/proc/{process}/stat", encoding="utf-8") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def turn(folder, rate):
    """One run: its lag, its latencies, its seconds of CPU, and the share that others used."""
    with load.Sink() as sink:
        command, out = load.runner(folder, sink.url, {"rate": f"{rate}/s", "duration": f"{SECONDS}s"})
        (busy, idle), before, start = machine(), children(), time.monotonic()
        # A run that dropped iterations ends with 3: its lag says why.
        ended = subprocess.run(command, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if ended.returncode not in (0, 3):
            sys.exit(f"`{' '.join(command)}` ended with {ended.returncode}")
        cpu = children() - before
        (busy_now, idle_now), served = machine(), of_process(sink.process.pid)
        others = busy_now - busy - cpu - served
        total = busy_now - busy + idle_now - idle
        seconds = time.monotonic() - start
    with open(os.path.join(out, "summary.json"), encoding="utf-8") as file:
        phase = json.load(file)["phases"][0]
    return phase, cpu / seconds, max(0.0, others / total)


def main():
    if "SINK" in os.environ:
        load.PEERS = os.path.join(tempfile.mkdtemp(), "peers")
        os.makedirs(os.path.join(load.PEERS, "release"))
        os.symlink(os.path.abspath(os.environ["SINK"]), os.path.join(load.PEERS, "release/sink"))
    else:
        load.prepare()
    print(f"{'':10} {'lag p50':>9} {'p99':>9} {'max':>9} {'rank p50':>9} {'sent p50':>9} "
          f"{'of a core':>9} {'an iteration':>12} {'others':>7}")
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        for rate in RATES:
            lags = [row(rate, *turn(folder, rate)) for _ in range(TURNS)]
            if not any(p50 <= MEDIAN_US and p99 <= P99_US for p50, p99 in lags):
                missed.append(f"{rate:,}/s")
    if missed:
        sys.exit(f"later than {MEDIAN_US} µs in the median or {P99_US} µs in 99 of 100: {', '.join(missed)}")


def row(rate, phase, cpu, others):
    none = {"p50_us": 0, "p99_us": 0, "max_us": 0}
    lag, rank = phase.get("lag") or none, phase["rank"]
    sent = phase.get("rank_service") or rank
    times = (lag["p50_us"], lag["p99_us"], lag["max_us"], rank["p50_us"], sent["p50_us"])
    shown = " ".join(f"{time:>6} µs" for time in times)
    print(f"{rate:>8,}/s {shown} {100 * cpu:>7.1f} % {1e6 * cpu / rate:>9.1f} µs {100 * others:>5.1f} %")
    return lag["p50_us"], lag["p99_us"]


if __name__ == "__main__":
    main()
