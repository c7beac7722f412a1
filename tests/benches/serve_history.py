#!/usr/bin/env python3
"""Measures what the history of `runner serve --state` costs: speed, start, memory and folder.

    cargo build --release
    tests/benches/serve_history.py [EVENTS...] [--runner PROGRAM]

For each number of events (10000, 100000 and 1000000) a server that retains 50,000 of them is
filled by wrk with pairs of Rank and Reward on 64 connections. Server and client share all cores.
Printed are the calls a second, the p99 of all calls, the CPU of the server for a call; then, after
a restart, how long the start takes, the memory before, after, and after some load, since buffers
of the load are part of the memory before (it adds events to a log that is not full), and the
folder beside the gzip of the retained events. Where other programs use the cores too, look at the
CPU.
"""

import argparse
import gzip
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time

PROJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
RETAINED = 50_000
CONNECTIONS = 64
# So long without a call before the memory is read: what was freed is returned within seconds.
SETTLED = 4
# The seconds of load after the restart.
LOADED = 5
SETTINGS = {
    "rewardWaitTime": "PT2S",
    "defaultReward": 0,
    "rewardAggregation": "earliest",
    "explorationPercentage": 0.2,
    "modelExportFrequency": "PT15S",
    "logRetentionDays": 90,
}


class Server:
    def __init__(self, runner, state):
        began = time.monotonic()
        command = [runner, "serve", "--port", "0", "--state", state, "--log-events", str(RETAINED)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        self.call("GET", "/status")
        self.start = time.monotonic() - began

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=120)
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        return connection.getresponse().read()

    def state(self):
        return json.loads(self.call("GET", "/overview"))

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmRSS"))

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.terminate()
        return self.process.wait(60)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("events", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--runner", default=os.path.join(PROJECT, "target/release/runner"))
    arguments = parser.parse_args()
    print("   events   calls/s   p99 ms  us CPU  start s  memory MB  restarted  loaded  folder KB  gzip KB  folder")
    for events in arguments.events:
        with tempfile.TemporaryDirectory() as folder:
            measure(os.path.abspath(arguments.runner), events, os.path.join(folder, "state"))


def measure(runner, events, state):
    server = Server(runner, state)
    server.call("PUT", "/personalizer/v1.0/configurations/service", SETTINGS)
    calls, seconds, p99, cpu = fill(server, events)
    now = settle(server)
    before, kept = server.memory(), len(gzip.compress(server.call("GET", "/log.dsjson"), 6))
    folder = size(state)
    server.end()
    again = Server(runner, state)
    again.state()
    time.sleep(SETTLED)
    after = again.memory()
    wrk(again.url, LOADED)
    settle(again)
    loaded = again.memory()
    again.end()
    print(
        f"{now['ranked']:9} {calls / seconds:9.0f} {p99:8.1f} {cpu / calls * 1e6:7.1f} {again.start:8.2f} {before / 1e6:10.0f}"
        f" {after / 1e6:10.0f} {loaded / 1e6:7.0f} {folder >> 10:10} {kept >> 10:8} {folder / kept - 1:+7.0%}",
        flush=True,
    )


def settle(server):
    """Waits until all windows are closed, and what was freed is returned."""
    while (now := server.state())["waiting"] > 0:
        time.sleep(0.2)
    time.sleep(SETTLED)
    return now


def fill(server, events):
    """Lets wrk call until the server has so many events."""
    calls = seconds = cpu = 0
    p99 = 0.0
    while (ranked := server.state()["ranked"]) < events:
        rate = calls / seconds / 2 if seconds else 5000
        duration = min(60, max(1, round((events - ranked) / rate)))
        used = server.cpu()
        output = wrk(server.url, duration)
        cpu += server.cpu() - used
        figures = dict(line.split()[:2] for line in output.splitlines() if line.startswith("figure-"))
        calls += int(figures["figure-calls"])
        seconds += int(figures["figure-us"]) / 1e6
        p99 = max(p99, float(figures["figure-p99-us"]) / 1e3)
        if int(figures["figure-errors"]):
            sys.exit(f"{figures['figure-errors']} calls failed")
    return calls, seconds, p99, cpu


def wrk(url, seconds):
    script = os.path.join(PROJECT, "tests/benches/pairs.lua")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as request:
        with open(os.path.join(PROJECT, "data/coffee.json"), encoding="utf-8") as file:
            actions = json.load(file)
        context = [{"name": "Alice"}, {"weather": "Sunny"}, {"timeofday": "Morning"}]
        json.dump({"contextFeatures": context, "actions": actions}, request)
        request.flush()
        command = ["wrk", "-t", "2", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "-s", script, url]
        environment = {**os.environ, "RANK_REQUEST": request.name}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def size(folder):
    files = (os.path.join(folder, name) for name in os.listdir(folder))
    return sum(os.path.getsize(path) for path in files)


if __name__ == "__main__":
    main()
