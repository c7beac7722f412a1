"""The choices of coba's linear learners and of MABWiser's, as lines of JSON.

Each line is an event: the context, the features of the actions, what each learner would choose,
the draws it made, the action that was taken, and its reward. Every learner learns every event.
"""

import json

import numpy
from coba.learners import LinTSLearner, LinUCBLearner
from mabwiser.mab import MAB, LearningPolicy

EVENTS, CONTEXT, ACTIONS, FEATURES = 1000, 3, 4, 2
TERMS = [1, "a", "ax"]

numbers = numpy.random.default_rng(7)
truth = numbers.normal(size=(CONTEXT + 1, FEATURES))
ucb, thompson = LinUCBLearner(alpha=0.7, features=TERMS), LinTSLearner(v=0.3, features=TERMS)
# The stream of normal draws that the learner of coba makes.
draws = numpy.random.default_rng(1)
disjoint = MAB(list(range(ACTIONS)), LearningPolicy.LinUCB(alpha=0.7, l2_lambda=2.0))
plain = MAB(list(range(ACTIONS)), LearningPolicy.UCB1(alpha=0.8))


def best(pmf):
    return [index for index, probability in enumerate(pmf) if probability > 0]


for index in range(EVENTS):
    context = numbers.normal(size=CONTEXT).round(6).tolist()
    actions = numbers.normal(size=(ACTIONS, FEATURES)).round(6).tolist()
    taken = index % ACTIONS
    mean = numpy.dot(numpy.dot([1, *context], truth), actions[taken])
    reward = round(float(mean + numbers.normal()), 6)
    event = {
        "context": context,
        "actions": actions,
        "lin_ucb": best(ucb._pmf(context, actions)),
        "lin_ts": best(thompson._pmf(context, actions)),
        "draws": draws.standard_normal(1 + FEATURES + FEATURES * CONTEXT).tolist(),
        "taken": taken,
        "reward": reward,
    }
    if index >= ACTIONS:
        event["disjoint"] = disjoint.predict([context])
        event["ucb1"] = plain.predict()
    print(json.dumps(event))
    ucb.learn(context, actions[taken], reward, 1.0)
    thompson.learn(context, actions[taken], reward, 1.0)
    for learner, contexts in ((disjoint, [context]), (plain, None)):
        if index == 0:
            learner.fit([taken], [reward], contexts)
        else:
            learner.partial_fit([taken], [reward], contexts)
