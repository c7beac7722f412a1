"""The mean reward of each action in each context, and a tenth of exploration. It uses nothing
but Python, and shows every line of the protocol."""

import json
import sys
from collections import defaultdict

times, rewards = defaultdict(float), defaultdict(float)


def key(context, action):
    return json.dumps(context), action["id"]


def mean(context, action):
    of = key(context, action)
    return rewards[of] / times[of] if of in times else 1.0


for line in sys.stdin:
    request = json.loads(line)
    if request["type"] == "hello":
        answer = {"type": "hello", "name": "means", "saves": True}
    elif request["type"] == "rank":
        actions = request["actions"]
        means = [mean(request["context"], action) for action in actions]
        best = means.index(max(means))
        probabilities = [0.1 / len(actions)] * len(actions)
        probabilities[best] += 0.9
        answer = {"probabilities": probabilities}
    elif request["type"] == "learn":
        for event in request["events"]:
            of = key(event["context"], event["actions"][event["chosen"]])
            times[of] += 1
            rewards[of] += event["reward"]
        answer = {"ok": True}
    elif request["type"] == "save":
        answer = {"state": json.dumps([[*of, times[of], rewards[of]] for of in times])}
    elif request["type"] == "load":
        for *of, count, reward in json.loads(request["state"]):
            times[tuple(of)], rewards[tuple(of)] = count, reward
        answer = {"ok": True}
    else:
        break
    print(json.dumps(answer), flush=True)
