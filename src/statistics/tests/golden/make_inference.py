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


def proportions():
    def wilson(k, n, level):
        return list(map(float, stats.binomtest(k, n).proportion_ci(level, "wilson")))

    def newcombe(k, n, m, o):
        (l1, u1), (l2, u2) = wilson(k, n, 0.95), wilson(m, o, 0.95)
        p, q = k / n, m / o
        return [p - q - math.hypot(p - l1, u2 - q), p - q + math.hypot(u1 - p, q - l2)]

    counts = [(0, 10), (1, 10), (7, 20), (10, 10), (337, 1000), (5000, 10_000), (0, 1), (1, 1)]
    pairs = [(56, 70, 48, 80), (9, 10, 3, 10), (10, 10, 0, 20), (337, 1000, 352, 1000), (0, 10, 0, 10)]
    discordant = [(10, 2), (59, 6), (5, 5), (0, 0), (130, 110), (0, 7)]
    return {
        "wilson": [[k, n, level, *wilson(k, n, level)] for k, n in counts for level in (0.95, 0.99)],
        "newcombe": [[*pair, *newcombe(*pair)] for pair in pairs],
        "mcnemar": [[a, b, stats.binomtest(a, a + b).pvalue if a + b else 1.0] for a, b in discordant],
    }


def sign_flips(d):
    signs = np.array(list(itertools.product((1, -1), repeat=len(d))))
    return float(np.mean(abs(signs @ d) >= abs(d.sum()) * (1 - 1e-12)))


def max_t(rows):
    """Step-down adjusted p's, straight from the definition."""
    signs = np.array(list(itertools.product((1, -1), repeat=rows.shape[1])))

    def t(values):
        return abs(values.mean(axis=-1)) / (values.std(axis=-1, ddof=1) / math.sqrt(rows.shape[1]))

    flipped = np.array([t(signs * row) for row in rows])
    observed, adjusted, running = t(rows), np.zeros(len(rows)), 0.0
    order = np.argsort(-observed)
    for rank, k in enumerate(order):
        largest = flipped[order[rank:]].max(axis=0)
        running = max(running, float(np.mean(largest >= observed[k] * (1 - 1e-12))))
        adjusted[k] = running
    return adjusted.tolist()


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
        wilcoxon = stats.wilcoxon(d, method="exact")
        sets.append({
            "first": first.tolist(), "second": second.tolist(),
            "paired": [d.mean(), interval.low, interval.high, paired.statistic, paired.pvalue],
            "welch": [welch.statistic, welch.df, welch.pvalue],
            "sign_flip": sign_flips(d),
            "wilcoxon": [wilcoxon.statistic, wilcoxon.pvalue],
        })
    rows = np.vstack([rng.normal(m, 1, 10).round(3) for m in (0.9, 0.0, 0.6, -0.8)])
    return {"sets": sets, "max_t": {"rows": rows.tolist(), "p": max_t(rows)}}


def adjusted():
    """Holm and Benjamini-Hochberg, by their definitions."""
    p = [0.042, 0.001, 0.06, 0.008, 0.039, 0.041, 0.216, 0.074, 0.205, 0.212]
    order, m = np.argsort(p), len(p)
    holm = np.zeros(m)
    holm[order] = np.minimum(1, np.maximum.accumulate([p[i] * (m - k) for k, i in enumerate(order)]))
    return {"p": p, "holm": holm.tolist(), "bh": stats.false_discovery_control(p).tolist()}


def power():
    def of(n, delta, sd, alpha):
        noncentral, critical = delta * math.sqrt(n) / sd, stats.t.ppf(1 - alpha / 2, n - 1)
        return float(stats.nct.sf(critical, n - 1, noncentral) + stats.nct.cdf(-critical, n - 1, noncentral))

    def seeds(delta, sd, wanted):
        return next(n for n in itertools.count(2) if of(n, delta, sd, 0.05) >= wanted)

    cases = [(0.0077, 0.01426, 0.8), (0.0077, 0.01426, 0.9), (0.01, 0.01, 0.8), (0.02, 0.01, 0.8), (0.005, 0.02, 0.8)]
    return {
        "power": [[n, 0.0077, 0.01426, of(n, 0.0077, 0.01426, 0.05)] for n in (2, 3, 5, 10, 20, 40, 80)],
        "seeds": [[*case, seeds(*case)] for case in cases],
    }


def newey_west(v, lags):
    d, n = v - v.mean(), len(v)
    gamma = [float((d[k:] * d[: n - k]).sum() / n) for k in range(lags + 1)]
    return gamma[0] + 2 * sum((1 - k / (lags + 1)) * gamma[k] for k in range(1, lags + 1))


def series():
    rng = np.random.default_rng(9)
    v = np.zeros(600)
    for i in range(1, 600):
        v[i] = 0.7 * v[i - 1] + rng.uniform(-0.5, 0.5)
    v = v.round(4)
    batches = v.reshape(30, 20).mean(axis=1)
    latency = (5 + 20 * rng.exponential(size=200)).round(3)
    hd = stats.mstats.hdquantiles
    quantiles = [0.1, 0.5, 0.9, 0.95, 0.99]
    return {
        "values": v.tolist(),
        "long_run": [[lags, newey_west(v, lags)] for lags in (0, 5, 10, 25)],
        "batch_error": float(batches.std(ddof=1) / math.sqrt(30)),
        "latency": latency.tolist(),
        "harrell_davis": [[p, float(hd(latency, [p])[0])] for p in quantiles],
    }


def order_statistics():
    rows = []
    for n, p in [(20, 0.5), (100, 0.5), (100, 0.9), (100, 0.99), (1000, 0.99), (10_000, 0.999), (1000, 0.999)]:
        low, high = (int(stats.binom.ppf(q, n, p)) for q in (0.025, 0.975))
        rows.append([n, p, low, high + 1 if high < n else 0])
    return rows


def golden():
    return {
        "quantiles": quantiles(),
        **proportions(),
        **pairs(),
        "adjusted": adjusted(),
        **power(),
        "series": series(),
        "order_statistics": order_statistics(),
    }


if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("inference.json")
    parts = (f"{json.dumps(name)}: {json.dumps(part)}" for name, part in golden().items())
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")
