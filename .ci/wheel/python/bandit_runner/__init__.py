"""Learning policies in Python for `runner`; see `runner guide programs`."""

import json
import sys

__all__ = ["serve"]


def serve(policy, name=None):
    """Answers the requests of `runner` until it ends.

    `policy.rank(context, actions)` returns a probability for each action;
    `policy.learn(events)` is told what came of earlier choices. `policy.start(seed)`, if there
    is one, is called first: draw nothing before it.
    """
    # What the policy prints must not be taken for an answer.
    answers, sys.stdout = sys.stdout.buffer, sys.stderr

    def answer(message):
        answers.write(json.dumps(message, allow_nan=False).encode() + b"\n")
        answers.flush()

    for line in iter(sys.stdin.buffer.readline, b""):
        request = json.loads(line)
        kind = request["type"]
        if kind == "hello":
            getattr(policy, "start", lambda seed: None)(request["seed"])
            answer({"type": "hello", "name": name or type(policy).__name__})
        elif kind == "rank":
            probabilities = policy.rank(request["context"], request["actions"])
            answer({"probabilities": [float(probability) for probability in probabilities]})
        elif kind == "learn":
            policy.learn(request["events"])
            answer({"ok": True})
        elif kind == "end":
            return
