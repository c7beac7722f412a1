"""Makes inference.json: numbers from scipy and numpy that the crate must match.

    pip install numpy==2.4.6 scipy==1.17.1
    python src/statistics/tests/golden/make_inference.py
"""

import itertools
import json
import math
import pathlib

import numpy as np
from scipy import stats


def quantiles():
    ps = [0.0005, 0.025, 0.3, 0.5, 0.95, 0.975, 0.995, 0.99999]
    frees = [1, 2, 4, 9, 39, 199.5, 999, 1000, 50_000, 1_000_000]
    shapes = [(7, 14), (0.5, 20.5), (1, 100), (30.2, 4.7), (900, 1101), (40_000.5, 60_000), (300_000, 4),
              (500_000, 500_000.5), (2_000_000, 3_000_000)]
    return {
        "normal": [[p, stats.norm.ppf(p)] for p in ps],
        "student": [[p, f, stats.t.ppf(p, f)] for p in ps for f in frees],
        "chi_squared": [[p, f, stats.chi2.ppf(p, f)] for p in ps for f in [1, 2, 9, 40]],
        "beta": [[p, a, b, stats.beta.ppf(p, a, b)] for p in ps for a, b in shapes if p != 0.5 or a + b < 1e6],
    }


def sign_flips(d):
    signs = np.array(list(itertools.product((1, -1), repeat=len(d))))
    return float(np.mean(abs(signs @ d) >= abs(d.sum()) * (1 - 1e-12)))


def pairs():
    rng = np.random.default_rng(7)
    sets = []
    for n, shift in [(6, 0.5), (10, 0.8), (12, 0.0), (15, 0.3)]:
        first = rng.normal(0, 1, n).round(3)
        second = (first + rng.normal(shift, 0.7, n)).round(3)
        d = second - first
        paired = stats.ttest_rel(second, first)
        welch = stats.ttest_ind(second, first, equal_var=False)
        interval = paired.confidence_interval(0.95)
        sets.append({
            "first": first.tolist(), "second": second.tolist(),
            "paired": [d.mean(), interval.low, interval.high, paired.statistic, paired.pvalue],
            "welch": [welch.statistic, welch.df, welch.pvalue],
            "sign_flip": sign_flips(d),
        })
    return {"sets": sets}


def partly_paired():
    """T_new2 of Derrick, Russ, Toher, White (2017), by its definition."""
    rng = np.random.default_rng(11)
    sets = []
    for pairs, alone in [(5, (15, 15)), (5, (7, 3)), (8, (12, 10))]:
        first = rng.normal(0, 1, pairs).round(3)
        second = (0.4 * first + rng.normal(0.5, 0.9, pairs)).round(3)
        only = [rng.normal(shift, scale, n).round(3) for n, shift, scale in zip(alone, (0, 0.5), (1, 1.5))]
        a, b = np.concatenate([first, only[0]]), np.concatenate([second, only[1]])
        va, vb, r = a.var(ddof=1), b.var(ddof=1), np.corrcoef(first, second)[0, 1]
        error = math.sqrt(va / len(a) + vb / len(b) - 2 * r * math.sqrt(va * vb) * pairs / (len(a) * len(b)))
        welch = stats.ttest_ind(b, a, equal_var=False).df
        free = pairs - 1 + (welch - pairs + 1) / (sum(alone) + 2 * pairs) * sum(alone)
        t = (b.mean() - a.mean()) / error
        sets.append({
            "first": first.tolist(), "second": second.tolist(),
            "first_only": only[0].tolist(), "second_only": only[1].tolist(),
            "t": t, "freedom": free, "p": float(2 * stats.t.sf(abs(t), free)),
        })
    return {"partly_paired": sets}


def adjusted():
    """Holm, by its definition."""
    p = [0.042, 0.001, 0.06, 0.008, 0.039, 0.041, 0.216, 0.074, 0.205, 0.212]
    order, m = np.argsort(p), len(p)
    holm = np.zeros(m)
    holm[order] = np.minimum(1, np.maximum.accumulate([p[i] * (m - k) for k, i in enumerate(order)]))
    return {"p": p, "holm": holm.tolist()}


def power():
    """Effect in standard errors, degrees of freedom, two-sided level, power."""
    def of(effect, free, level):
        critical = stats.t.ppf(1 - level / 2, free)
        return float(stats.nct.sf(critical, free, effect) + stats.nct.cdf(-critical, free, effect))

    effects, frees, levels = (0.0, 0.5, 2.8, 6.0), (1, 2, 4, 9, 13.7, 39, 400), (0.05, 0.01, 0.1 / 3)
    return [[e, f, a, of(e, f, a)] for e in effects for f in frees for a in levels]


def golden():
    return {
        "quantiles": quantiles(),
        **pairs(),
        **partly_paired(),
        "adjusted": adjusted(),
        "power": power(),
    }


if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("inference.json")
    parts = (f"{json.dumps(name)}: {json.dumps(part)}" for name, part in golden().items())
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")
