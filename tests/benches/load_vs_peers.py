#!/usr/bin/env python3
"""Measures `runner` as a load generator, side by side with its peers, on loopback.

    cargo build --release
    tests/benches/load_vs_peers.py [rate] [omission] [cost]

A service that only answers counts what arrives: what is printed of rates is what it saw,
not what clients say of themselves. Without a name all three are measured.

rate      Open arrival at 1,000, 5,000 and 20,000 a second, beside oha: the error of the mean
          rate over the middle four fifths, and the dispersion of arrivals in 10 ms (variance
          over mean: 0 is even, 1 is Poisson).
omission  500 a second at a service that stalls the last of every five seconds. The law of
          latencies is known: p90 500, p95 750, p99 950, at most 1,000 ms.
cost      Pairs of Rank and Reward over 64 connections as fast as they go, with everything
          recorded, beside bare reqwest that records nothing, goose, and wrk where it is
          installed: calls for each second of CPU of the client.

The peers are built and installed into target/peers.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PROJECT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
PEERS = os.path.join(PROJECT, "target/peers")
RUNNER = os.environ.get("RUNNER", os.path.join(PROJECT, "target/release/runner"))
SECONDS = 6
CONNECTIONS = 64
TURNS = 5
RATE_TURNS = 3
RATES = {1_000: 0.1, 5_000: 0.3, 20_000: 1.0}


class Sink:
    """The service that counts."""

    def __init__(self, *stall):
        program = os.path.join(PEERS, "release/sink")
        self.process = subprocess.Popen([program, *map(str, stall)], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def arrivals(self):
        with urllib.request.urlopen(f"{self.url}/arrivals", timeout=10) as answer:
            return json.load(answer)

    def reset(self):
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/reset", method="POST"), timeout=10)


def call(command, **environment):
    """Runs a client to its end; the seconds of CPU that it used."""
    before = os.times()
    subprocess.run(command, check=True, env={**os.environ, **environment}, timeout=120,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def runner(folder, url, settings):
    """Runs the scenario; the command line and the folder that it leaves."""
    out = os.path.join(folder, str(time.monotonic_ns()))
    scenario = os.path.join(PROJECT, "tests/benches/load.yaml")
    command = [RUNNER, "run", scenario, "--allow-paths", "--quiet", "--out", out]
    command += ["--set", f"target.url={url}"]
    for name, value in settings.items():
        command += ["--set", f"phases.load.{name}={value}"]
    return command, out


def rank_request(folder):
    """The file of a Rank request as `runner` sends them, for the peers."""
    with open(os.path.join(PROJECT, "data/coffee.json"), encoding="utf-8") as file:
        actions = json.load(file)
    context = [{"name": "Alice"}, {"weather": "Sunny"}, {"timeofday": "Morning"}]
    path = os.path.join(folder, "rank.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"contextFeatures": context, "actions": actions, "eventId": "0" * 32}, file)
    return path


def oha(url, rate, request, seconds=SECONDS):
    return [os.path.join(PEERS, "bin/oha"), "--no-tui", "-z", f"{seconds}s", "-c", str(CONNECTIONS),
            "-q", str(rate), "-m", "POST", "-D", request, "-T", "application/json",
            f"{url}/personalizer/v1.0/rank"]


def measure_rate(folder):
    print(f"rate: what the service saw, the median of {RATE_TURNS} turns")
    print(f"{'':28} {'mean':>10} {'error':>9} {'dispersion':>11} {'bound':>6}")
    request = rank_request(folder)
    for rate, bound in RATES.items():
        rows = {"runner": [], "oha": []}
        for _ in range(RATE_TURNS):
            for name, seen in rows.items():
                with Sink() as sink:
                    settings = {"rate": f"{rate}/s", "duration": f"{SECONDS}s"}
                    own, _ = runner(folder, sink.url, settings)
                    own += ["--set", f"target.connections={CONNECTIONS}"]
                    call(own if name == "runner" else oha(sink.url, rate, request))
                    seen.append(evenness(sink.arrivals()["ranks"]))
        for name, seen in rows.items():
            mean, dispersion = (statistics.median(figures) for figures in zip(*seen))
            error = 100 * (mean / rate - 1)
            print(f"{name:>10} {rate:>12,}/s    {mean:>10,.1f} {error:>+8.3f}% {dispersion:>11.3f} {bound:>6}")


def evenness(slots):
    """The mean rate of the middle four fifths, and the dispersion of arrivals in 10 ms."""
    tenth = len(slots) // 10
    middle = slots[tenth:-tenth]
    mean = statistics.fmean(middle)
    return mean * 100, statistics.pvariance(middle) / mean


def measure_omission(folder):
    print("omission: 500/s, and one second in five the service stalls")
    with Sink(5000, 1000) as sink:
        command, out = runner(folder, sink.url, {"rate": "500/s", "duration": "20s"})
        call(command)
        slots = sink.arrivals()["ranks"]
    with open(os.path.join(out, "summary.json"), encoding="utf-8") as file:
        latency = json.load(file)["phases"][0]["rank"]
    for name, expected in (("p90", 500), ("p95", 750), ("p99", 950), ("max", 1000)):
        print(f"  {name:>4} {latency[name + '_us'] / 1000:>8.1f} ms, expected {expected}")
    seconds = [sum(slots[start:start + 100]) for start in range(0, len(slots) - 99, 100)]
    print(f"  arrivals a second at the service: {min(seconds)} to {max(seconds)}")


def measure_cost(folder):
    print("cost: calls for each second of CPU of the client")
    request = rank_request(folder)
    seconds = str(SECONDS)
    clients = {
        "bare reqwest": lambda url: [os.path.join(PEERS, "release/bare"), url, str(CONNECTIONS), seconds, request],
        "goose": lambda url: [os.path.join(PEERS, "release/goose"), "-H", url, "-u", str(CONNECTIONS), "-r", "1000",
                              "-t", f"{seconds}s", "--no-telnet", "--no-websocket", "--no-reset-metrics", "-qq"],
    }
    if subprocess.run(["sh", "-c", "command -v wrk"], stdout=subprocess.DEVNULL).returncode == 0:
        script = os.path.join(PROJECT, "tests/benches/pairs.lua")
        clients["wrk"] = lambda url: ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script, url]
    rows = {name: [] for name in ("runner", *clients)}
    for _ in range(TURNS):
        for name in rows:
            with Sink() as sink:
                closed = {"arrival": "closed", "concurrency": CONNECTIONS, "iterations": 200_000}
                own = lambda url: closed_runner(folder, url, closed)
                used = call(clients.get(name, own)(sink.url), RANK_REQUEST=request)
                rows[name].append(sink.arrivals()["calls"] / used)
    for name, figures in rows.items():
        ratios = sorted(own / other for own, other in zip(rows["runner"], figures))
        print(f"  {name:>14} {statistics.median(figures):>10,.0f}    runner has {ratios[TURNS // 2]:.2f} times as many")


def closed_runner(folder, url, settings):
    """Rate and duration are of open arrivals."""
    command, _ = runner(folder, url, {})
    phase = ", ".join(f"{name}: {value}" for name, value in settings.items())
    return [*command, "--set", f"phases=[{{ iterate: {{ name: load, {phase} }} }}]"]


def build(*arguments):
    """Builds the service, and with `clients` the peers that are crates."""
    print(f"building {' '.join(arguments) or 'the service'} into target/peers …", file=sys.stderr, flush=True)
    manifest = os.path.join(PROJECT, "tests/benches/peers/Cargo.toml")
    subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", manifest,
                    "--target-dir", PEERS, *arguments], check=True)


def prepare():
    if not os.path.exists(os.path.join(PEERS, "bin/oha")):
        print("installing oha into target/peers, which takes minutes …", file=sys.stderr, flush=True)
        subprocess.run(["cargo", "install", "--quiet", "--locked", "--root", PEERS, "oha"], check=True)
    build("--features", "clients")


def main():
    measures = {"rate": measure_rate, "omission": measure_omission, "cost": measure_cost}
    wanted = sys.argv[1:] or list(measures)
    unknown = [name for name in wanted if name not in measures]
    if unknown:
        sys.exit(f"{', '.join(unknown)}: not one of {', '.join(measures)}")
    prepare()
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            measures[name](folder)


if __name__ == "__main__":
    main()
