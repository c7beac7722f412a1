"""Learning policies in Python for `runner`; see `runner guide programs`."""

import json
import sys

__all__ = ["serve"]


def serve(policy, name=None):
    """Answers the requests of `runner` until it ends.

    `policy.rank(context, actions)` returns a probability for each action;
    `policy.learn(events)` is told what came of earlier choices. `policy.start(seed)`, if there
    is one, is called first: draw nothing before it. `policy.save()`, if there is one, returns
    what was learned as a text, and `policy.load(text)` takes it back in a new process.
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
            saves = hasattr(policy, "save") and hasattr(policy, "load")
            answer({"type": "hello", "name": name or type(policy).__name__, "saves": saves})
        elif kind == "rank":
            probabilities = policy.rank(request["context"], request["actions"])
            answer({"probabilities": [float(probability) for probability in probabilities]})
        elif kind == "learn":
            policy.learn(request["events"])
            answer({"ok": True})
        elif kind == "save":
            answer({"state": policy.save()})
        elif kind == "load":
            policy.load(request["state"])
            answer({"ok": True})
        elif kind == "end":
            return
