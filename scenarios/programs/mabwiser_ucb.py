"""LinUCB of MABWiser, with the values of the context as its features.

    pip install bandit-runner mabwiser
"""

from bandit_runner import serve
from mabwiser.mab import MAB, LearningPolicy

# Contexts as vectors: the hash of `key=value` says which number is one.
SIZE = 64


def vector(context):
    numbers = [0.0] * SIZE
    for key, value in context.items():
        numbers[sum(map(ord, f"{key}={value}")) % SIZE] = 1.0
    return numbers


class LinUcb:
    model = None

    def start(self, seed):
        self.seed = seed % 2**31

    def rank(self, context, actions):
        if self.model is None:
            return [1 / len(actions)] * len(actions)
        best = self.model.predict([vector(context)])
        shares = [0.1 / len(actions)] * len(actions)
        shares[[action["id"] for action in actions].index(best)] += 0.9
        return shares

    def learn(self, events):
        if self.model is None:
            arms = [action["id"] for action in events[0]["actions"]]
            self.model = MAB(arms, LearningPolicy.LinUCB(alpha=0.5), seed=self.seed)
        chosen = [event["actions"][event["chosen"]]["id"] for event in events]
        rewards = [event["reward"] for event in events]
        self.model.partial_fit(chosen, rewards, [vector(event["context"]) for event in events])


serve(LinUcb())
