#!/usr/bin/env python3
"""Checks `runner capacity` against a live service whose limit is known: a queue with one server.

    cargo build --release
    tests/benches/capacity_md1.py

Ranks arrive as a Poisson process and are served one after the other, each in the same time: an
M/D/1 queue. Its mean response at a utilization u is D (1 + u / (2 (1 - u))) (Pollaczek and
Khinchine), so `rank.mean < 2 D` holds up to u = 2/3. The service measures the time that each
Rank really took, since a timer of a busy machine is late: the limit is 2/3 of its reciprocal.
The search must find it within 5 %. It takes a quarter of an hour.

`RUNNER` names the program, where it is elsewhere.
"""

import csv
import http.server
import json
import os
import socketserver
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PROJECT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
RUNNER = os.environ.get("RUNNER", os.path.join(PROJECT, "target/release/runner"))
SERVICE = 0.010
SECONDS = os.environ.get("SECONDS", "30")
REPEATS = os.environ.get("REPEATS", "5")
WITHIN = 0.05

server = threading.Lock()
took = []


class Queue(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not self.path.endswith("/rank"):
            return self.answer(204, b"")
        with server:
            start = time.perf_counter()
            time.sleep(max(0.0, SERVICE - 0.0002))
            while time.perf_counter() < start + SERVICE:
                pass
            took.append(time.perf_counter() - start)
        asked = json.loads(body)
        ids = [action["id"] for action in asked["actions"]]
        ranking = [{"id": name, "probability": 1 / len(ids)} for name in ids]
        answer = {"ranking": ranking, "eventId": asked["eventId"], "rewardActionId": ids[0]}
        self.answer(201, json.dumps(answer).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def setup(self):
        super().setup()
        self.connection.setsockopt(6, 1, 1)

    def log_message(self, *_):
        pass


class Service(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024


def main():
    service = Service(("127.0.0.1", 0), Queue)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        phase = (f"phases=[{{ iterate: {{ name: load, arrival: open, poisson: true, rate: 20/s, "
                 f"duration: {SECONDS}s }} }}]")
        command = [RUNNER, "capacity", os.path.join(PROJECT, "tests/benches/load.yaml"), "--allow-paths",
                   "--set", f"target.url=http://127.0.0.1:{service.server_port}", "--set", phase,
                   "--until", f"rank.mean < {2000 * SERVICE:g}ms", "--repeats", REPEATS, "--out", out]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=3600)
        print(ended.stdout, end="", flush=True)
        if ended.returncode != 0:
            sys.exit(f"`runner capacity` ended with {ended.returncode}")
        with open(os.path.join(out, "capacity.csv"), encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    limits = []
    for search in sorted({row["search"] for row in rows}):
        of = {outcome: [float(row["value"]) for row in rows if row["search"] == search and row["outcome"] == outcome]
              for outcome in ("holds", "fails")}
        limits.append((max(of["holds"]) * min(of["fails"])) ** 0.5)
    mean = statistics.fmean(took)
    limit, known = statistics.geometric_mean(limits), 2 / 3 / mean
    error = limit / known - 1
    print(f"a Rank took {1e3 * mean:.3f} ms, so the limit is {known:.2f}/s; found {limit:.2f}/s: {100 * error:+.1f} %")
    if abs(error) > WITHIN:
        sys.exit(f"more than {100 * WITHIN:g} % apart")


if __name__ == "__main__":
    main()
