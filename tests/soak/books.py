"""An independent client: it calls at a set rate, and remembers what was acknowledged."""

import http.client
import json
import threading
import time

THREADS = 8
ACTIONS = [{"id": name, "features": [{"kind": name, "size": len(name)}]} for name in ("tea", "coffee", "milk")]
# The log has at least so many events less than it may have: those that clients are about to send.
MARGIN = 500


class Books:
    """What the server said that it did."""

    def __init__(self, retained):
        self.retained = retained
        self.lock = threading.Lock()
        self.order = []  # events whose Rank was acknowledged, in that order
        self.actions = {}
        self.values = {}
        self.sent = {}  # every event that was sent, and its reward if one was sent
        self.given_up = set()  # events that a repair gave up, or under way while logs were deleted
        self.erased = set()
        self.problems = []
        self.ranked = 0
        self.rewarded = 0
        self.checks = 0

    def send_rank(self, event):
        with self.lock:
            self.sent[event] = None

    def send_reward(self, event, value):
        with self.lock:
            self.sent[event] = value

    def rank(self, event, action):
        with self.lock:
            self.ranked += 1
            self.order.append(event)
            self.actions[event] = action
            self.forget()

    def reward(self, event, value):
        with self.lock:
            self.rewarded += 1
            self.values[event] = value

    def forget(self):
        """Events that have left the log are no longer compared."""
        if len(self.order) <= 4 * self.retained:
            return
        for event in self.order[: -2 * self.retained]:
            for book in (self.actions, self.values, self.sent):
                book.pop(event, None)
        del self.order[: -2 * self.retained]

    def known(self):
        """The events whose Rank was acknowledged."""
        with self.lock:
            return set(self.order)

    def deleted(self, events):
        """The logs were deleted. Which of the events that were under way meanwhile is unknown."""
        with self.lock:
            self.erased.update(events)
            self.given_up.update(event for event in self.sent if event not in self.erased)
            self.order = [event for event in self.order if event not in events]

    def problem(self, text):
        self.problems.append(text)

    def check(self, server):
        """Compares the books with the log. Calls that are under way are not yet in the books."""
        with self.lock:
            expected = self.order[-(self.retained - MARGIN) :]
            actions, values = dict(self.actions), dict(self.values)
        known = {}
        for event in server.events():
            if event["EventId"] in known:
                self.problem(f"`{event['EventId']}` is in the log twice")
            known[event["EventId"]] = event
        with self.lock:
            sent = dict(self.sent)
        self.checks += 1
        for event in expected:
            if event in known:
                self.compare(event, known[event], actions[event], values.get(event))
            elif event not in self.given_up:
                self.problem(f"`{event}` was acknowledged, and is lost")
        for event, line in known.items():
            self.compare_sent(event, line, sent)

    def compare(self, event, line, action, value):
        chosen = line["c"]["_multi"][line["_labelIndex"]]["_tag"]
        if chosen != action:
            self.problem(f"`{event}` was answered with `{action}`, the log has `{chosen}`")
        observed = [one["v"] for one in line["o"] if "v" in one]
        if value is not None and observed != [value]:
            self.problem(f"`{event}` was rewarded with {value}, the log has {observed}")

    def compare_sent(self, event, line, sent):
        """The server knows nothing that was not sent."""
        if event not in sent:
            if not self.is_old(event):
                self.problem(f"`{event}` was never sent")
            return
        observed = [one["v"] for one in line["o"] if "v" in one]
        if observed not in ([], [sent[event]]):
            self.problem(f"`{event}` has the rewards {observed}, {sent[event]} was sent")

    def is_old(self, event):
        """Whether the books may have forgotten it."""
        with self.lock:
            return bool(self.order) and number(event) < number(self.order[0])

    def line(self):
        return f"{self.ranked} ranked, {self.rewarded} rewarded, {len(self.problems)} problems"

    def rows(self):
        return [
            ("Rank calls acknowledged", self.ranked),
            ("Reward calls acknowledged", self.rewarded),
            ("comparisons with the log", self.checks),
            ("events given up by repairs, or under way then", len(self.given_up)),
            ("events deleted", len(self.erased)),
            ("problems", len(self.problems)),
        ]


def number(event):
    return int(event.rsplit("-", 1)[1])


class Clients:
    """Threads that rank and reward, each with a connection of its own, at a common rate."""

    def __init__(self, books, rate):
        self.books = books
        self.period = 1 / rate
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.next = 0
        self.due = None
        self.statuses = {}
        self.lost = 0
        self.latencies = []
        self.threads = []

    def start(self, server):
        self.due = time.monotonic()
        self.threads = [threading.Thread(target=self.work, args=(server,), daemon=True) for _ in range(THREADS)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)

    def turn(self):
        """The number of the next event, and when it is due. What is missed is not made up for."""
        with self.lock:
            self.due = max(self.due + self.period, time.monotonic() - 1)
            self.next += 1
            return self.next, self.due

    def work(self, server):
        connection = server.connect(30)
        while not self.stopped.is_set():
            turn, due = self.turn()
            self.stopped.wait(max(0.0, due - time.monotonic()))
            try:
                self.visit(connection, f"visit-{turn}", turn)
            except (OSError, http.client.HTTPException):
                # Whether the call had an effect is unknown.
                connection.close()
                with self.lock:
                    self.lost += 1
                self.stopped.wait(0.2)
                connection = server.connect(30)

    def visit(self, connection, event, turn):
        self.books.send_rank(event)
        context = [{"hour": turn % 24, "canary": f"canary-{turn}"}]
        body = {"eventId": event, "contextFeatures": context, "actions": ACTIONS}
        began = time.monotonic()
        status, answer = self.call(connection, "/personalizer/v1.0/rank", body)
        if status != 201:
            return
        with self.lock:
            self.latencies.append(time.monotonic() - began)
        action = json.loads(answer)["rewardActionId"]
        self.books.rank(event, action)
        value = (turn % 8) / 8
        self.books.send_reward(event, value)
        status, _ = self.call(connection, f"/personalizer/v1.0/events/{event}/reward", {"value": value})
        if status == 204:
            self.books.reward(event, value)

    def call(self, connection, path, body):
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        with self.lock:
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status not in (201, 204, 503):
            self.books.problem(f"{path} was answered with {answer.status}: {content[:200]!r}")
        return answer.status, content

    def rows(self):
        latencies = sorted(self.latencies) or [0]
        share = lambda part: f"{latencies[min(len(latencies) - 1, int(len(latencies) * part))] * 1000:.1f} ms"
        return [
            ("events sent", self.next),
            ("refused with 503", self.statuses.get(503, 0)),
            ("calls that were cut off", self.lost),
            ("latency of Rank: p50, p99, largest", f"{share(0.5)}, {share(0.99)}, {share(1)}"),
        ]
