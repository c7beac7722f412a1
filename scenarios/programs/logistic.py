"""Logistic regression of scikit-learn, which learns online, under softmax exploration.

    pip install bandit-runner scikit-learn
"""

import base64
import pickle

import numpy
from bandit_runner import serve
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier


def features(context, action):
    """Pairs of a value of the context and the action."""
    return [f"{key}={value}&{action['id']}" for key, value in context.items()] + [action["id"]]


class Logistic:
    def start(self, seed):
        self.hasher = FeatureHasher(2**12, input_type="string")
        self.model = SGDClassifier(loss="log_loss", alpha=1e-5, random_state=seed % 2**32)
        self.is_fitted = False

    def rank(self, context, actions):
        scores = numpy.zeros(len(actions))
        if self.is_fitted:
            scores = self.model.decision_function(
                self.hasher.transform(features(context, action) for action in actions))
        shares = numpy.exp(2 * (scores - scores.max()))
        return 0.9 * shares / shares.sum() + 0.1 / len(actions)

    def learn(self, events):
        rows = [features(event["context"], event["actions"][event["chosen"]]) for event in events]
        rewards = [int(event["reward"] > 0.5) for event in events]
        self.model.partial_fit(self.hasher.transform(rows), rewards, classes=[0, 1])
        self.is_fitted = True

    def save(self):
        return base64.b64encode(pickle.dumps((self.model, self.is_fitted))).decode()

    def load(self, state):
        self.model, self.is_fitted = pickle.loads(base64.b64decode(state))


serve(Logistic())
