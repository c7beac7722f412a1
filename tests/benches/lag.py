#!/usr/bin/env python3
"""Measures how late `runner` starts calls of an open arrival, and what its timer costs.

    cargo build --release
    tests/benches/lag.py

Open arrivals at 50, 1,000 and 10,000 a second for ten seconds, on loopback, at a service that
only answers. `lag` is what `runner` records: from when an iteration was due until its Rank was
sent. `seen` is what the service saw, of `runner` and of each peer that is installed (oha in
target/peers/bin or on the path; wrk2 and vegeta on the path): how long after the schedule a call
arrived, where the schedule begins such that no call is early. The bounds are for a machine on
which a core is free: beside each row stands which share of the machine other processes used
meanwhile, and the best of three turns is judged.

`SINK` names the program of the service, `RUNNER` that of the runner, where they are elsewhere.
It prints a row every ten seconds; a first time it builds the service for half a minute.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

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


def watched(command, sink, codes):
    """Runs a client: its share of a core, and the share of the machine that others used."""
    (busy, idle), before, start = machine(), children(), time.monotonic()
    ended = subprocess.run(command, timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE)
    if ended.returncode not in codes:
        sys.exit(f"`{' '.join(command)}` ended with {ended.returncode}: {ended.stderr.decode()}")
    cpu = children() - before
    (busy_now, idle_now), served = machine(), of_process(sink.process.pid)
    others, total = busy_now - busy - cpu - served, busy_now - busy + idle_now - idle
    return cpu / (time.monotonic() - start), max(0.0, others / total)


def seen(sink, rate):
    """How late calls arrived, in microseconds: the median, and 99 of 100."""
    with urllib.request.urlopen(f"{sink.url}/times", timeout=10) as answer:
        times = json.load(answer)
    early = [time - 1e6 * index / rate for index, time in enumerate(sorted(times))]
    first = min(early, default=0)
    late = sorted(time - first for time in early)
    return (quantile(late, 0.5), quantile(late, 0.99)) if late else (0, 0)


def quantile(ordered, share):
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))])


def turn(folder, rate):
    """One run: its lag, its latencies, what the service saw, and its costs."""
    with load.Sink() as sink:
        command, out = load.runner(folder, sink.url, {"rate": f"{rate}/s", "duration": f"{SECONDS}s"})
        # A run that dropped iterations ends with 3: its lag says why.
        costs = watched(command, sink, (0, 3))
        arrived = seen(sink, rate)
    with open(os.path.join(out, "summary.json"), encoding="utf-8") as file:
        phase = json.load(file)["phases"][0]
    none = {"p50_us": 0, "p99_us": 0, "max_us": 0}
    lag, rank = phase.get("lag") or none, phase["rank"]
    sent = phase.get("rank_service") or rank
    row("runner", rate, [lag["p50_us"], lag["p99_us"], *arrived, rank["p50_us"], sent["p50_us"]], costs)
    return lag["p50_us"], lag["p99_us"]


def peers(request):
    """The other clients that are installed, by their names: their command lines."""
    own = os.path.join(load.PEERS, "bin/oha")
    programs = {"oha": own if os.path.exists(own) else shutil.which("oha"),
                **{name: shutil.which(name) for name in ("wrk2", "vegeta")}}
    for name in [name for name, program in programs.items() if not program]:
        print(f"{name} is not installed: no row of it", file=sys.stderr)
    lines = {
        "oha": lambda url, rate: [programs["oha"], *load.oha(url, rate, request, SECONDS)[1:]],
        "wrk2": lambda url, rate: [programs["wrk2"], "-t1", f"-c{load.CONNECTIONS}", f"-d{SECONDS}s", f"-R{rate}",
                                   "-s", os.path.join(load.PROJECT, "tests/benches/pairs.lua"), url],
        "vegeta": lambda url, rate: ["sh", "-c", f"echo POST {url}/personalizer/v1.0/rank | {programs['vegeta']} attack "
                                     f"-rate={rate}/s -duration={SECONDS}s -body={request}"],
    }
    return {name: line for name, line in lines.items() if programs[name]}


def peer_turn(name, command, rate):
    with load.Sink() as sink:
        costs = watched(command(sink.url, rate), sink, (0,))
        row(name, rate, [None, None, *seen(sink, rate), None, None], costs)


def row(name, rate, times, costs):
    cpu, others = costs
    shown = " ".join(f"{'–':>9}" if time is None else f"{time:>6} µs" for time in times)
    print(f"{name:>7} {rate:>6,}/s {shown} {100 * cpu:>7.1f} % {1e6 * cpu / rate:>9.1f} µs {100 * others:>5.1f} %",
          flush=True)


def main():
    if "SINK" in os.environ:
        load.PEERS = os.path.join(tempfile.mkdtemp(), "peers")
        os.makedirs(os.path.join(load.PEERS, "release"))
        os.symlink(os.path.abspath(os.environ["SINK"]), os.path.join(load.PEERS, "release/sink"))
    else:
        load.build("--bin", "sink")
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        others = peers(load.rank_request(folder))
        heads = ("lag p50", "p99", "seen p50", "p99", "rank p50", "sent p50", "of a core")
        print(f"{'':16} {' '.join(f'{head:>9}' for head in heads)} {'an iteration':>12} {'others':>7}", flush=True)
        for rate in RATES:
            lags = [turn(folder, rate) for _ in range(TURNS)]
            if not any(p50 <= MEDIAN_US and p99 <= P99_US for p50, p99 in lags):
                missed.append(f"{rate:,}/s")
            for name, command in others.items():
                peer_turn(name, command, rate)
    if missed:
        sys.exit(f"later than {MEDIAN_US} µs in the median or {P99_US} µs in 99 of 100: {', '.join(missed)}")


if __name__ == "__main__":
    main()
