"""A decision service as a team writes its own: FastAPI around a bandit of MABWiser.

    tests/services/install
    target/services/python/bin/python tests/services/own_service.py --port 8000 --state state.db

A model is created with its arms; it decides, with a probability, and learns from feedback, one
linear model an arm. Decisions and feedback are kept in a database, from which a model is trained
again when the service starts.
"""

import argparse
import json
import random
import sqlite3
import threading
import uuid

import numpy
import uvicorn
from fastapi import FastAPI, HTTPException
from mabwiser.mab import MAB, LearningPolicy
from pydantic import BaseModel, ConfigDict

EXPLORATION = 0.2


class NewModel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    arms: list[str]
    features: int
    seed: int = 0


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid")
    features: list[float]
    visit: str


class Feedback(BaseModel):
    model_config = ConfigDict(extra="forbid")
    value: float


class Bandit:
    """Epsilon-greedy over one ridge regression an arm."""

    def __init__(self, arms: list[str], features: int, seed: int):
        self.arms, self.features = arms, features
        self.random = random.Random(seed)
        self.mab = MAB(arms, LearningPolicy.LinGreedy(epsilon=0, l2_lambda=1), seed=seed)
        self.start()

    def start(self) -> None:
        # A library wants an observation before it predicts: one without features is no news.
        zeros = numpy.zeros((len(self.arms), self.features))
        self.mab.fit(self.arms, [0.0] * len(self.arms), zeros)

    def choose(self, features: list[float]) -> tuple[str, float]:
        expectations = self.mab.predict_expectations([features])
        most = max(expectations.values())
        best = [arm for arm in self.arms if expectations[arm] == most]
        explore = EXPLORATION / len(self.arms)
        weights = [explore + (1 - EXPLORATION) / len(best) * (arm in best) for arm in self.arms]
        arm = self.random.choices(self.arms, weights)[0]
        return arm, weights[self.arms.index(arm)]

    def learn(self, arm: str, features: list[float], value: float) -> None:
        self.mab.partial_fit([arm], [value], [features])


class Store:
    """Models, decisions and feedback on disk."""

    def __init__(self, path: str):
        self.database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.database.executescript(
            """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
            CREATE TABLE IF NOT EXISTS models (id TEXT PRIMARY KEY, spec TEXT);
            CREATE TABLE IF NOT EXISTS decisions
              (id TEXT PRIMARY KEY, model TEXT, arm TEXT, features TEXT, value REAL);
            """
        )

    def execute(self, statement: str, *values):
        return self.database.execute(statement, values)


def application(path: str) -> FastAPI:
    app, store, lock = FastAPI(), Store(path), threading.Lock()
    models: dict[str, Bandit] = {}

    for model, spec in store.execute("SELECT id, spec FROM models").fetchall():
        models[model] = Bandit(**json.loads(spec))
        learned = "SELECT arm, features, value FROM decisions WHERE model = ? AND value IS NOT NULL"
        for arm, features, value in store.execute(learned, model).fetchall():
            models[model].learn(arm, json.loads(features), value)

    def model_of(model: str) -> Bandit:
        if model not in models:
            raise HTTPException(404, f"there is no model {model}")
        return models[model]

    @app.post("/models", status_code=201)
    def create(new: NewModel):
        with lock:
            model = uuid.uuid4().hex[:8]
            models[model] = Bandit(new.arms, new.features, new.seed)
            store.execute("INSERT INTO models VALUES (?, ?)", model, new.model_dump_json())
            return {"model": {"id": model}}

    @app.get("/models/{model}")
    def describe(model: str):
        bandit = model_of(model)
        learned = "SELECT COUNT(value) FROM decisions WHERE model = ?"
        (count,) = store.execute(learned, model).fetchone()
        return {"arms": bandit.arms, "learned": count}

    @app.delete("/models/{model}", status_code=204)
    def delete(model: str):
        with lock:
            model_of(model)
            del models[model]
            store.execute("DELETE FROM models WHERE id = ?", model)
            store.execute("DELETE FROM decisions WHERE model = ?", model)

    @app.post("/models/{model}/decide")
    def decide(model: str, question: Question):
        with lock:
            bandit = model_of(model)
            if len(question.features) != bandit.features:
                raise HTTPException(422, f"expected {bandit.features} features")
            arm, propensity = bandit.choose(question.features)
            decision = f"{model}-{question.visit}"
            features = json.dumps(question.features)
            insert = "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, NULL)"
            store.execute(insert, decision, model, arm, features)
            return {"decision": {"id": decision, "arm": arm, "propensity": propensity}}

    @app.post("/decisions/{decision}/feedback", status_code=202)
    def feedback(decision: str, given: Feedback):
        with lock:
            found = "SELECT model, arm, features FROM decisions WHERE id = ? AND value IS NULL"
            row = store.execute(found, decision).fetchone()
            if row is None:
                raise HTTPException(404, f"no decision {decision} waits for feedback")
            model, arm, features = row
            model_of(model).learn(arm, json.loads(features), given.value)
            store.execute("UPDATE decisions SET value = ? WHERE id = ?", given.value, decision)
            return {"accepted": True}

    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--state", default=":memory:")
    arguments = parser.parse_args()
    uvicorn.run(
        application(arguments.state), host="127.0.0.1", port=arguments.port, log_level="warning"
    )


if __name__ == "__main__":
    main()
