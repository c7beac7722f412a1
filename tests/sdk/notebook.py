"""The calls of the Personalizer tutorial's notebook, as it makes them: five addresses,
put together by hand, over `requests`.

usage: notebook.py ENDPOINT KEY
"""

import json
import sys
import time
import uuid

import requests

# The notebook's endpoint ends with a slash, and its paths begin without one.
BASE = sys.argv[1].rstrip("/") + "/"
HEADERS = {"Ocp-Apim-Subscription-Key": sys.argv[2], "Content-Type": "application/json"}
V1 = BASE + "personalizer/v1.0/"

RANK = V1 + "rank"
REWARD = V1 + "events/"
MODEL_DATE = V1 + "model/properties"
SETTINGS = V1 + "configurations/service"
POLICY = V1 + "configurations/policy"


def check(what, holds):
    if not holds:
        sys.exit(f"D {what}: failed")
    print(f"D {what}: ok")


def get(address):
    answer = requests.get(address, headers=HEADERS, timeout=30)
    check(address, answer.status_code == 200)
    return json.loads(answer.text)


check("model date", "lastModifiedTime" in get(MODEL_DATE))
settings = get(SETTINGS)
check("two settings", "rewardWaitTime" in settings and "modelExportFrequency" in settings)
check("policy", "arguments" in get(POLICY))

settings.update(rewardWaitTime="00:00:01", modelExportFrequency="00:00:01", explorationPercentage=0.2)
answer = requests.put(SETTINGS, data=json.dumps(settings), headers=HEADERS, timeout=30)
check("settings are put", answer.status_code == 200)

actions = [
    {"id": name, "features": [{"type": kind}]}
    for name, kind in (("Cappucino", "hot"), ("Cold brew", "cold"), ("Iced mocha", "cold"), ("Latte", "hot"))
]
before = get(MODEL_DATE)["lastModifiedTime"]
for _ in range(10):
    event_id = uuid.uuid4().hex
    request = {
        "eventId": event_id,
        "contextFeatures": [{"timeofday": "Morning", "weather": "Sunny", "name": "Alice"}],
        "actions": actions,
        "excludedActions": [],
        "deferActivation": False,
    }
    answer = requests.post(RANK, data=json.dumps(request), headers=HEADERS, timeout=30)
    check("rank", answer.status_code == 201 and json.loads(answer.text)["eventId"] == event_id)
    chosen = json.loads(answer.text)["rewardActionId"]
    reward = 1.0 if chosen == "Latte" else 0.0
    address = REWARD + event_id + "/reward"
    answer = requests.post(address, data=json.dumps({"value": reward}), headers=HEADERS, timeout=30)
    check("reward", answer.status_code == 204)

deadline = time.monotonic() + 30
while get(MODEL_DATE)["lastModifiedTime"] == before:
    if time.monotonic() > deadline:
        sys.exit("D the model changes: failed")
    time.sleep(0.2)
check("the model changes", True)
