"""`runner serve` as a process, and what is seen of it from outside."""

import http.client
import json
import os
import signal
import subprocess
import time

WELL_WITHIN = 30.0
SETTINGS = {
    "rewardWaitTime": "PT2S",
    "defaultReward": 0,
    "rewardAggregation": "earliest",
    "explorationPercentage": 0.2,
    "modelExportFrequency": "PT1S",
    "logRetentionDays": 90,
}


class SoakError(Exception):
    """The server does not do what it must."""


class Server:
    def __init__(self, program, folder, retained):
        self.state = os.path.join(folder, "state")
        self.log = os.path.join(folder, "..", f"{os.path.basename(folder)}.log")
        self.command = [program, "serve", "--state", self.state, "--log", "json"]
        self.command += ["--log-events", str(retained), "--connections", "128"]
        self.process = None
        self.port = 0
        self.starts = []
        self.largest = {"memory": 0, "folder": 0}

    def start(self, *more):
        """Starts it; it listens where it listened before."""
        began = time.monotonic()
        stderr = open(self.log, "ab")
        command = [*self.command, "--port", str(self.port), *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
        stderr.close()
        line = self.process.stdout.readline().strip()
        if not line:
            raise SoakError(f"it does not start: exit code {self.process.wait()}: {self.last_message()}")
        self.starts.append(time.monotonic() - began)
        self.port = int(line.rsplit(":", 1)[1])
        if len(self.starts) == 1:
            self.call("PUT", "/personalizer/v1.0/configurations/service", SETTINGS)

    def refused(self):
        """How a start ends that must be refused: the exit code, none if it serves, and the message."""
        process = subprocess.Popen(
            [*self.command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        # Its address, as soon as it serves.
        serves = process.stdout.readline() != ""
        if serves:
            process.kill()
        stderr = process.communicate()[1]
        lines = [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]
        return None if serves else process.returncode, lines[-1]["message"] if lines else ""

    def end(self, name):
        """Sends a signal, and waits for the end. Returns the exit code."""
        self.process.send_signal(getattr(signal, f"SIG{name}"))
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def last_message(self):
        with open(self.log, encoding="utf-8") as file:
            lines = [line for line in file if line.startswith("{")]
        return json.loads(lines[-1])["message"] if lines else ""

    def connect(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def call(self, method, path, body=None):
        connection = self.connect(120)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def events(self):
        """Every event that the server knows, joined or open."""
        status, body = self.call("GET", "/log.dsjson?open=true")
        if status != 200:
            raise SoakError(f"the log is answered with {status}")
        return [json.loads(line) for line in body.splitlines()]

    def wait_until_well(self):
        """Service must resume by itself."""
        deadline = time.monotonic() + WELL_WITHIN
        while time.monotonic() < deadline:
            try:
                if self.call("GET", "/status")[0] == 200:
                    self.measure()
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)
        raise SoakError(f"it is not well again within {WELL_WITHIN:.0f} s: {self.last_message()}")

    def measure(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            memory = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmRSS"))
        files = [os.path.join(self.state, name) for name in os.listdir(self.state)]
        size = sum(os.path.getsize(path) for path in files if os.path.isfile(path))
        self.now = {"memory": memory, "folder": size}
        for name, value in self.now.items():
            self.largest[name] = max(self.largest[name], value)

    def figures(self):
        return ", ".join(f"{name} {value >> 20} MiB" for name, value in self.now.items())

    def rows(self):
        return [
            ("starts", len(self.starts)),
            ("longest start", f"{max(self.starts, default=0):.2f} s"),
            ("largest memory", f"{self.largest['memory'] >> 20} MiB"),
            ("largest folder", f"{self.largest['folder'] >> 20} MiB"),
        ]
