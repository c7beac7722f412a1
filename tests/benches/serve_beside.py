#!/usr/bin/env python3
"""Measures how long a small Rank takes while another caller makes the server work.

    cargo build --release
    tests/benches/serve_beside.py [--runner PROGRAM] [--seconds SECONDS] [--state]

Beside nothing, and beside calls with bodies of 4 MB of several shapes, readers of the log, an
evaluation, and downloads of the model, one small Rank after the other is timed on a model that
was trained. None may take longer than 20 ms. Each caller is a process of its own: the threads of
one would wait for each other's interpreter. They share the cores with the server: `echo` is the
longest call, after each Rank, of a process that sends a byte back at once, so what the scheduler
alone costs, and the last row is beside a process for each core that only counts. With a state, a Rank waits for
the disk: `slow` counts the server's writes that took longer than 20 ms meanwhile, and `disk` is the
longest of a process that meanwhile writes and syncs half a kilobyte of a file that has its size, so
what the disk alone costs.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time

PROJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
LONGEST_MS = 20.0
WRITES = "runner_journal_write_seconds_bucket"
BODY = 4_000_000
V1 = "/personalizer/v1.0"
ACTIONS = [{"id": name, "features": [{"kind": name}]} for name in "abc"]
SMALL = {"contextFeatures": [{"hour": 3, "place": "here"}], "actions": ACTIONS}


def call(connection, method, path, body=None):
    content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    connection.request(method, path, content, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def repeated(part, joined=","):
    return joined.join([part] * (BODY // (len(part) + 1)))


def numbered(form):
    parts, size = [], 0
    while size < BODY:
        parts.append(form.format(len(parts)))
        size += len(parts[-1]) + 1
    return ",".join(parts)


def rank(context="", actions=json.dumps(ACTIONS), more=""):
    return f'{{"contextFeatures":[{context}],"actions":{actions}{more}}}'.encode()


def shapes():
    """What is sent: a method, a path and a body."""
    post = lambda path, body: ("POST", V1 + path, body if isinstance(body, bytes) else body.encode())
    nested = '{"a":' * 100 + "1" + "}" * 100
    action = '{{"id":"a{}","features":[{{"x":1}}]}}'
    return {
        "a long text": post("/rank", rank('{"a":"' + "x" * BODY + '"}')),
        "empty objects": post("/rank", rank(repeated("{}"))),
        "flat features": post("/rank", rank("{" + numbered('"f{}":1') + "}")),
        "small objects": post("/rank", rank(numbered('{{"f{}":1}}'))),
        "namespaces": post("/rank", rank("{" + numbered('"n{}":{{"a":1}}') + "}")),
        "deep objects": post("/rank", rank(repeated(nested))),
        "an array of numbers": post("/rank", rank('{"a":[' + repeated("1") + "]}")),
        "zeros": post("/rank", rank("{" + numbered('"f{}":0') + "}")),
        "nulls": post("/rank", rank("{" + numbered('"f{}":null') + "}")),
        "underscored keys": post("/rank", rank("{" + numbered('"_f{}":1') + "}")),
        "one key again and again": post("/rank", rank("{" + repeated('"a":"b"') + "}")),
        "actions": post("/rank", rank(actions="[" + numbered(action) + "]")),
        "an action with a long text": post(
            "/rank", rank(actions='[{"id":"a","features":[{"x":"' + "y" * BODY + '"}]}]')
        ),
        "excluded actions": post("/rank", rank(more=',"excludedActions":[' + repeated('"q"') + "]")),
        "unknown keys": post("/rank", rank(more="," + numbered('"k{}":1'))),
        "no JSON": post("/rank", "[" * BODY),
        "blanks": post("/rank", rank() + b" " * BODY),
        "a reward with more": post("/events/e/reward", '{"value":1,"more":"' + "x" * BODY + '"}'),
        "rewards of slots": post("/multislot/events/e/reward", '{"reward":[' + repeated('{"slotId":"s","value":1}') + "]}"),
        "slots": post(
            "/multislot/rank",
            rank("{" + numbered('"f{}":1') + "}", more=',"slots":[{"id":"s","baselineAction":"a"}]'),
        ),
        "an evaluation with policies": post("/evaluations", '{"policies":[' + repeated('{"name":"p","arguments":"a"}') + "]}"),
        "a policy": ("PUT", V1 + "/configurations/policy", b'{"name":"p","arguments":"' + b"-q ab " * (BODY // 6) + b'"}'),
        "settings": ("PUT", V1 + "/configurations/service", b'{"more":"' + b"x" * BODY + b'"}'),
        "a model": ("PUT", V1 + "/model", b"x" * BODY),
        "the log": ("GET", "/log.dsjson?open=true", None),
        "the model": ("GET", V1 + "/model", None),
        "the overview": ("GET", "/overview", None),
        "metrics": ("GET", "/metrics", None),
    }


class Beside:
    """A process that calls until it is stopped."""

    def __init__(self, address, request):
        self.answers, answers = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=repeat, args=(address, request, answers), daemon=True)
        self.process.start()

    def stop(self):
        """Returns how often there was which status."""
        self.answers.send("stop")
        return self.answers.recv() if self.answers.poll(60) else "none in time"


def repeat(address, request, control):
    connection = http.client.HTTPConnection(address, timeout=60)
    statuses = {}
    while not control.poll():
        try:
            status, _ = call(connection, *request)
        except (OSError, http.client.HTTPException):
            # A refused body is not read to its end.
            connection.close()
            status = "closed"
        statuses[status] = statuses.get(status, 0) + 1
    control.send(statuses)


def count():
    while True:
        pass


class Echo:
    """A process that sends each byte back at once."""

    def __init__(self):
        listener = socket.create_server(("127.0.0.1", 0))
        multiprocessing.Process(target=send_back, args=(listener,), daemon=True).start()
        self.connection = socket.create_connection(listener.getsockname())

    def call(self):
        """How long it takes, in milliseconds."""
        began = time.perf_counter()
        self.connection.sendall(b"?")
        self.connection.recv(1)
        return (time.perf_counter() - began) * 1e3


def send_back(listener):
    connection, _ = listener.accept()
    while content := connection.recv(1):
        connection.sendall(content)


def timed(address, seconds, echo):
    """The sorted latencies of Ranks, and the longest of the echoes between them."""
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.connect()
    latencies, echoes = [], []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        status, answer = call(connection, "POST", V1 + "/rank", SMALL)
        latencies.append((time.perf_counter() - began) * 1e3)
        assert status == 201, answer
        echoes.append(echo.call())
        time.sleep(0.002)
    return sorted(latencies), max(echoes)


def slow_writes(address):
    """How many writes of the server's journal have taken longer than what a Rank may."""
    connection = http.client.HTTPConnection(address, timeout=60)
    text = call(connection, "GET", "/metrics")[1].decode()
    buckets = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(WRITES))
    if not buckets:
        return 0
    return int(buckets[f'{WRITES}{{le="+Inf"}}']) - int(buckets[f'{WRITES}{{le="{LONGEST_MS / 1e3}"}}'])


class Disk:
    """A process that writes and syncs half a kilobyte again and again, as a journal would."""

    def __init__(self, folder):
        self.longest, longest = multiprocessing.Pipe()
        process = multiprocessing.Process(target=write, args=(os.path.join(folder, "alone"), longest), daemon=True)
        process.start()

    def take(self):
        """The longest since the last call, in milliseconds."""
        self.longest.send("take")
        return self.longest.recv()


def write(path, control):
    longest = 0.0
    with open(path, "w+b", buffering=0) as file:
        file.write(bytes(1 << 20))
        os.fsync(file.fileno())
        while True:
            began = time.perf_counter()
            os.pwrite(file.fileno(), bytes(512), 0)
            os.fdatasync(file.fileno())
            longest = max(longest, (time.perf_counter() - began) * 1e3)
            if control.poll(0.005):
                control.recv()
                control.send(longest)
                longest = 0.0


def report(name, latencies, echo, disk, answers, slow):
    p99 = latencies[len(latencies) * 99 // 100]
    late = sum(latency > LONGEST_MS for latency in latencies)
    print(
        f"{name:32} {latencies[len(latencies) // 2]:8.2f} {p99:8.2f} {latencies[-1]:8.2f} {echo:8.2f} {disk:8.2f} {late:5} {slow:5}  {answers}",
        flush=True,
    )
    return latencies[-1]


def train(address):
    connection = http.client.HTTPConnection(address, timeout=60)
    settings = json.loads(call(connection, "GET", V1 + "/configurations/service")[1])
    settings.update(rewardWaitTime="PT1S", modelExportFrequency="PT1S")
    call(connection, "PUT", V1 + "/configurations/service", settings)
    for number in range(20_000):
        context = [{"hour": number % 24, "place": f"place-{number % 100}"}]
        call(connection, "POST", V1 + "/rank", {"eventId": f"e{number}", "contextFeatures": context, "actions": ACTIONS})
        if number % 2:
            call(connection, "POST", f"{V1}/events/e{number}/reward", {"value": 1})
    while json.loads(call(connection, "GET", V1 + "/model/properties")[1])["lastModifiedTime"].startswith("0001"):
        time.sleep(0.1)


def evaluation(number):
    contract = {"name": f"beside {number}", "startTime": "2000-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z", "policies": [], "enableOfflineExperimentation": True}
    return ("POST", V1 + "/evaluations", contract)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", default=os.path.join(PROJECT, "target/release/runner"))
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--state", action="store_true", help="with a state on disk")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.runner, "serve", "--port", "0"]
        command += ["--state", os.path.join(folder, "state")] if arguments.state else []
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            address = server.stdout.readline().strip().removeprefix("http://")
            disk = Disk(folder) if arguments.state else None
            status = measure(address, arguments.seconds, server.pid, disk)
        finally:
            server.terminate()
            server.wait()
        return status


def measure(address, seconds, process, disk):
    train(address)
    echo = Echo()

    def beside(name, requests):
        """Times small Ranks beside these requests, again and again; returns the longest."""
        before = slow_writes(address)
        if disk:
            disk.take()
        others = [Beside(address, request) for request in requests]
        latencies, echoed = timed(address, seconds, echo)
        answers = [other.stop() for other in others]
        written = disk.take() if disk else 0.0
        return report(name, latencies, echoed, written, answers[0] if answers else "", slow_writes(address) - before)

    print(f"{'a small Rank beside':32} {'p50 ms':>8} {'p99 ms':>8} {'most ms':>8} {'echo ms':>8} {'disk ms':>8} {'late':>5} {'slow':>5}  answers to the other")
    worst = {"nothing": beside("nothing", [])}
    for name, request in shapes().items():
        readers = 8 if name == "the log" else 1
        name = "eight readers of the log" if readers == 8 else name
        worst[name] = beside(name, [request] * readers)
    connection = http.client.HTTPConnection(address, timeout=60)
    call(connection, *evaluation(0))
    worst["an evaluation"] = beside("an evaluation", [])
    counting = [multiprocessing.Process(target=count, daemon=True) for _ in range(os.cpu_count())]
    for other in counting:
        other.start()
    beside("(counting processes)", [])
    for other in counting:
        other.kill()
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        print(next(line.strip() for line in file if line.startswith("VmHWM")))
    late = [name for name, most in worst.items() if most > LONGEST_MS]
    if late:
        print(f"longer than {LONGEST_MS:.0f} ms beside: {', '.join(late)}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
