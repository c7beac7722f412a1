"""Makes off_policy.json: logs of a contextual bandit, and what others estimate from them.

    pip install vw-estimators==0.2.2 numpy==2.4.6 scipy==1.17.1
    python src/statistics/tests/golden/make_off_policy.py

IPS, SNIPS, Cressie-Read, empirical likelihood and the intervals come from vw-estimators;
the doubly robust estimate is written out from its paper with numpy, and the paired difference
as the quadratic program that it is, example by example.
"""

import json
import math
import pathlib

import numpy as np
from estimators.bandits import cressieread, gaussian, ips, mle, snips
from scipy import stats

ALPHAS = [0.01, 0.05, 0.25]
Z = stats.norm.ppf(0.975)


def explore(greedy, epsilon, actions):
    pmf = np.full(actions, epsilon / actions)
    pmf[greedy] += 1 - epsilon
    return pmf


def simulated(seed, n, epsilon, target_epsilon, reward):
    """A log over three contexts and four actions, with a crude reward model."""
    rng = np.random.default_rng(seed)
    logging = [explore(a, epsilon, 4) for a in (0, 2, 1)]
    target = [explore(a, target_epsilon, 4) for a in (1, 2, 3)]
    means = np.round(rng.uniform(0.1, 0.9, (3, 4)), 2)
    events = []
    for _ in range(n):
        x = int(rng.integers(3))
        a = int(rng.choice(4, p=logging[x]))
        events.append([x, a, reward(rng, means[x, a])])
    model = np.round(np.clip(means + rng.normal(0, 0.2, (3, 4)), 0, 1), 1)
    return table(events, logging, target, model)


def table(events, logging, target, model):
    rows = lambda pmfs: [[float(p) for p in pmf] for pmf in pmfs]
    return {"logging": rows(logging), "target": rows(target), "model": rows(model), "events": events}


def bernoulli(rng, mean):
    return float(rng.random() < mean)


def signed(rng, mean):
    return round(float(np.clip(rng.normal(2 * mean - 1, 0.4), -1, 1)), 3)


def rare(rng, mean):
    return float(rng.random() < 0.05 * mean)


def small():
    """Twelve examples by hand, some of which the target never chooses."""
    logged = [0.5, 0.5, 0.25, 0.25, 0.8, 0.1, 0.1, 0.6, 0.4, 1.0, 0.2, 0.2]
    chosen = [0.25, 0.75, 0.5, 0.1, 0.9, 0.2, 0.05, 0.6, 0.0, 1.0, 0.8, 0.4]
    rewards = [1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1]
    pmf = lambda p: [p, 1 - p]
    events = [[i, 0, float(r)] for i, r in enumerate(rewards)]
    return table(events, map(pmf, logged), map(pmf, chosen), [[0.5, 0.5]] * 12)


def same(n):
    """The logging policy judged by its own log."""
    log = simulated(5, n, 0.4, 0.4, bernoulli)
    return log | {"target": log["logging"]}


def logs():
    return {
        "bernoulli": (simulated(1, 400, 0.4, 0.1, bernoulli), (0, 1), 10),
        "deterministic": (simulated(2, 300, 0.3, 0.0, bernoulli), (0, 1), 40 / 3),
        "signed": (simulated(3, 300, 0.4, 0.1, signed), (-1, 1), 10),
        "rare": (simulated(4, 500, 0.2, 0.1, rare), (0, 1), 20),
        "same": (same(150), (0, 1), 2),
        "small": (small(), (0, 1), 40),
        "constant": (simulated(6, 60, 0.5, 0.2, lambda rng, mean: 1.0), (0, 1), 8),
    }


def of_vw(weights, rewards, bounds, highest):
    def fed(estimator):
        for w, r in zip(weights, rewards):
            estimator.add_example(1.0, r, w)
        return estimator

    low, high = bounds
    free, bound = {"wmin": 0, "wmax": math.inf}, {"wmin": 0, "wmax": highest}
    points = {
        "ips": ips.Estimator(),
        "snips": snips.Estimator(),
        "mle": mle.Estimator(),
        "mle_bound": mle.Estimator(**bound),
        "cressie_read": cressieread.Estimator(**free),
        "cressie_read_bound": cressieread.Estimator(**bound),
    }
    intervals = {
        "gaussian": gaussian.Interval(),
        "cressie_read": cressieread.Interval(**free, rmin=low, rmax=high),
        "cressie_read_bound": cressieread.Interval(**bound, rmin=low, rmax=high),
    }
    each = lambda interval: [[alpha, *map(float, interval.get(alpha))] for alpha in ALPHAS]
    return {
        "points": {name: float(fed(point).get()) for name, point in points.items()},
        "intervals": {name: each(fed(interval)) for name, interval in intervals.items()},
    }


def mean(scores):
    value, error = np.mean(scores), np.std(scores, ddof=1) / math.sqrt(len(scores))
    return [float(value), float(value - Z * error), float(value + Z * error)]


def program(u, y, t_squared, free):
    """The lowest q·y with Σq = 1, q·u = 0 and n²·|q - 1/n|² within t² of the least possible,
    `free` being that least: by projections, with every mass of every example."""
    n = len(u)
    constraints = np.stack([np.ones(n), u])
    likeliest = np.full(n, 1 / n) + np.linalg.pinv(constraints) @ ([1, 0] - constraints.mean(axis=1))
    apart = n * (n * (likeliest - 1 / n) ** 2).sum()
    if apart > free + t_squared:
        return None
    along = y - np.linalg.pinv(constraints) @ (constraints @ y)
    radius = math.sqrt((free + t_squared - apart) / n / n)
    return likeliest @ y - radius * np.linalg.norm(along)


def difference(w, r, bounds, highest):
    """Cressie-Read(-2) intervals of (w - 1)·r given that w - 1 averages zero."""
    low, high = bounds
    pulling = lambda a, b: [(-1, -a), (highest - 1, (highest - 1) * b)]
    u, lacking = w - 1, highest - 1 if w.sum() < len(w) else -1
    joined = np.append(u, lacking)
    free = len(joined) * joined.mean() ** 2 / joined.var() if joined.var() else 0
    rows = []
    for alpha in ALPHAS:
        t_squared = stats.f.ppf(1 - alpha, 1, len(w))
        lowest = lambda sign, ends: min(
            found
            for end, score in ends
            if (found := program(np.append(u, end), sign * np.append(u * r, score), t_squared, free)) is not None
        )
        rows.append([alpha, float(lowest(1, pulling(high, low))), float(-lowest(-1, pulling(low, high)))])
    return rows


def of_numpy(log, w, r):
    """Value and 95 % interval of what vw-estimators lacks."""
    n = len(w)
    target, model = np.array(log["target"]), np.array(log["model"])
    x, a = (np.array([int(event[i]) for event in log["events"]]) for i in (0, 1))
    direct = (target * model).sum(axis=1)[x]
    normalised = (w * r).sum() / w.sum()
    error = math.sqrt(((w * (r - normalised)) ** 2).sum() * n / (n - 1)) / w.sum()
    return {
        "snips": [float(normalised), float(normalised - Z * error), float(normalised + Z * error)],
        "doubly_robust": mean(direct + w * (r - model[x, a])),
        "effective": [float(w.sum() ** 2 / (w * w).sum())],
        "match_fraction": [float((w > 0).mean())],
        "highest_share": [float(w.max() / w.sum())],
        "mean_weight": [float(w.mean())],
    }


def judged(log, bounds, highest):
    w = np.array([log["target"][x][a] / log["logging"][x][a] for x, a, _ in log["events"]])
    r = np.array([reward for _, _, reward in log["events"]])
    vw = of_vw(w.tolist(), r.tolist(), bounds, highest)
    vw["intervals"]["difference"] = difference(w, r, bounds, highest)
    return log | vw | {"bounds": bounds, "highest_weight": highest, "numpy": of_numpy(log, w, r)}


if __name__ == "__main__":
    golden = {name: judged(*log) for name, log in logs().items()}
    path = pathlib.Path(__file__).with_name("off_policy.json")
    lines = (f"{json.dumps(name)}: {json.dumps(log)}" for name, log in golden.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
