"""The official Python SDK (PyPI azure-cognitiveservices-personalizer, v1.0) against a
served loop.

usage: python_sdk.py ENDPOINT KEY
"""

import sys

from azure.cognitiveservices.personalizer import PersonalizerClient
from azure.cognitiveservices.personalizer.models import (
    ErrorResponseException,
    RankableAction,
    RankRequest,
)
from msrest.authentication import CognitiveServicesCredentials

ENDPOINT, KEY = sys.argv[1], sys.argv[2]


def client(endpoint=ENDPOINT, key=KEY):
    return PersonalizerClient(endpoint, CognitiveServicesCredentials(key))


def action(name):
    return RankableAction(id=name, features=[{"kind": name, "nested": {"size": 3, "sweet": None}}])


ACTIONS = [action(name) for name in ("pasta", "ice cream", "juice", "salad")]
CONTEXT = [{"time": "morning"}, {"user": {"name": "Alice", "visits": 3, "card": True}}]


def check(number, what, holds):
    if not holds:
        sys.exit(f"A{number} {what}: failed")
    print(f"A{number} {what}: ok")


def refusal(call):
    try:
        call()
    except Exception as error:  # the SDK's errors of rank are typed, the others are not
        return error
    return None


personalizer = client()

ranked = personalizer.rank(RankRequest(actions=ACTIONS, context_features=CONTEXT))
check(1, "the service makes an id", len(ranked.event_id) > 32)

request = RankRequest(
    actions=ACTIONS, context_features=CONTEXT, excluded_actions=["juice"], event_id="mine"
)
mine = personalizer.rank(request)
check(2, "own id, nested features, exclusions", mine.event_id == "mine")

check(3, "no context", personalizer.rank(RankRequest(actions=ACTIONS)).reward_action_id)

check(4, "reward as a number", personalizer.events.reward("mine", value=0.5) is None)
check(4, "reward as a text", personalizer.events.reward("mine", value="1.0") is None)
check(5, "reward of an unknown event", personalizer.events.reward("unknown", value=1) is None)
check(6, "reward twice", personalizer.events.reward("mine", value=1) is None)

personalizer.rank(RankRequest(actions=ACTIONS, event_id="deferred", defer_activation=True))
check(7, "activate", personalizer.events.activate("deferred") is None)
check(7, "reward what was activated", personalizer.events.reward("deferred", value=1) is None)

odd = "a/b ?#é"
check(8, "an odd id is ranked", personalizer.rank(RankRequest(actions=ACTIONS, event_id=odd)).event_id == odd)
check(8, "an odd id is rewarded", personalizer.events.reward(odd, value=1) is None)
check(8, "an odd id is activated", personalizer.events.activate(odd) is None)

many = RankRequest(actions=[action(str(number)) for number in range(51)])
error = refusal(lambda: personalizer.rank(many))
check(9, "51 actions are refused", isinstance(error, ErrorResponseException))
check(9, "with the code", error.error.error.code == "InvalidRankRequest")

error = refusal(lambda: client(key="wrong").rank(RankRequest(actions=ACTIONS)))
check(10, "a wrong key is refused", error.response.status_code == 401 and error.error.error.code == "401")
error = refusal(lambda: client(key="wrong").events.reward("mine", value=1))
check(10, "a wrong key rewards nothing", error.response.status_code == 401)

for endpoint in (ENDPOINT.rstrip("/"), ENDPOINT.rstrip("/") + "/"):
    check(11, endpoint, client(endpoint).rank(RankRequest(actions=ACTIONS)).event_id)

names = {one.id for one in ACTIONS}
total = sum(one.probability for one in mine.ranking)
check(12, "probabilities sum to one", abs(total - 1) < 1e-6)
check(12, "the chosen one is an action", mine.reward_action_id in names - {"juice"})
check(12, "all are ranked", {one.id for one in mine.ranking} == names)
check(12, "the excluded one has no probability", mine.ranking[2].id == "juice" and mine.ranking[2].probability == 0)
