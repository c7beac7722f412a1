#!/usr/bin/env python3
"""Writes the men's sample of both policies with a column of the other policy's probabilities.

    tests/obd/candidates.py FOLDER

`p_other` is how often the other policy showed the item at the position. With `obp` and its
estimators, prints for each file the click rate of the other policy, and IPS and SNIPS as `obp`
computes them, as JSON; without pandas or scikit-learn these are null.
"""

import collections
import csv
import json
import os
import shutil
import sys
import types

OBD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../target/obd")


def read(policy):
    path = os.path.join(OBD, "obp/dataset/obd", policy, "men/men.csv")
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def frequencies(rows):
    pairs = collections.Counter((row["position"], row["item_id"]) for row in rows)
    positions = collections.Counter(row["position"] for row in rows)
    return lambda position, item: pairs[position, item] / positions[position]


def of_obp(rows, frequency):
    """IPS and SNIPS by the code of obp. Its neural networks are not used, nor is torch."""
    try:
        import numpy as np
        import pandas  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError:
        return None
    sys.modules["torch"] = types.ModuleType("torch")
    sys.modules["torch"].Tensor = type("Tensor", (), {})
    # Without what the packages import: learners, charts.
    for package in ["obp", "obp.ope"]:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [os.path.join(OBD, *package.split("."))]
    from obp.ope.estimators import InverseProbabilityWeighting, SelfNormalizedInverseProbabilityWeighting

    action = np.array([int(row["item_id"]) for row in rows])
    items = [str(item) for item in range(action.max() + 1)]
    positions = {row["position"] for row in rows}
    of_position = {position: [frequency(position, item) for item in items] for position in positions}
    distribution = np.array([of_position[row["position"]] for row in rows])[:, :, None]
    arguments = {
        "reward": np.array([float(row["click"]) for row in rows]),
        "action": action,
        "pscore": np.array([float(row["propensity_score"]) for row in rows]),
        "action_dist": distribution,
        "position": np.zeros(len(rows), dtype=int),
    }
    return {
        "ips": float(InverseProbabilityWeighting().estimate_policy_value(**arguments)),
        "snips": float(SelfNormalizedInverseProbabilityWeighting().estimate_policy_value(**arguments)),
    }


def main():
    folder = sys.argv[1]
    logs = {policy: read(policy) for policy in ["random", "bts"]}
    found = {}
    for policy, rows in logs.items():
        other = logs["bts" if policy == "random" else "random"]
        frequency = frequencies(other)
        with open(os.path.join(folder, f"{policy}.csv"), "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, [*rows[0], "p_other"])
            table.writeheader()
            for row in rows:
                table.writerow({**row, "p_other": frequency(row["position"], row["item_id"])})
        rate = sum(int(row["click"]) for row in other) / len(other)
        found[policy] = {"other": rate, "obp": of_obp(rows, frequency)}
    catalogue = os.path.join(OBD, "obp/dataset/obd/random/men/item_context.csv")
    shutil.copy(catalogue, folder)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
