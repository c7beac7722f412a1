"""Reads exported results as their users do, and compares them with what the program says.

read.py FOLDER: it holds `export.parquet`, `export.csv`, `mlruns`, `report.html` and `guide.py`, all of
one experiment in windows of the report, and `curve.csv` and `run.csv`, a success curve of a run with
its export in windows of the curve's batch; and `events.csv` and `events.parquet` of a run in both forms.
"""

import html.parser
import json
import os
import re
import sys

os.environ.update(MLFLOW_ALLOW_FILE_STORE="true", MPLBACKEND="Agg")

import matplotlib.pyplot as plt
import mlflow
import pandas as pd

os.chdir(sys.argv[1])


def tables_are_equal():
    parquet, csv = pd.read_parquet("export.parquet"), pd.read_csv("export.csv")
    assert list(parquet.columns) == list(csv.columns)
    assert len(parquet) == len(csv) > 1000
    for column in parquet.columns:
        assert (parquet[column].to_numpy() == csv[column].to_numpy()).all(), column
    assert parquet.dtypes.astype(str)["seed"] == "uint64"
    return parquet


def events_are_equal():
    parquet = pd.read_parquet("events.parquet")
    csv = pd.read_csv("events.csv", float_precision="round_trip")
    assert list(parquet.columns) == list(csv.columns)
    assert len(parquet) == len(csv) > 2000
    for column in parquet.columns:
        ours, theirs = parquet[column], csv[column]
        assert (ours.isna() == theirs.isna()).all(), column
        if ours.dtype == "float32":
            theirs = theirs.astype("float32")
        there = ours.notna()
        assert (ours[there].to_numpy() == theirs[there].to_numpy()).all(), column
    types = parquet.dtypes.astype(str)
    assert types["iteration"] == types["rank_latency_us"] == "uint64", types
    assert types["reward"] == "float64" and types["probability"] == "float32", types


def curve_of_a_run():
    run, curve = pd.read_csv("run.csv"), pd.read_csv("curve.csv")
    for metric in ["success_rate", "mean_reward"]:
        rows = run[(run.scope == "window") & (run.metric == metric)]
        curve_of = curve[curve[metric].notna()]
        assert (rows.value.to_numpy() == curve_of[metric].to_numpy()).all(), metric
        assert (rows.last_iteration.to_numpy() == curve_of.last_iteration.to_numpy()).all()


def store_has_every_run(table):
    client = mlflow.MlflowClient(os.path.abspath("mlruns"))
    (experiment,) = [e for e in client.search_experiments() if e.name != "Default"]
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == len(table[["policy", "seed"]].drop_duplicates())
    for run in runs:
        params = run.data.params
        own = table[(table.policy == params["policy"]) & (table.seed == int(params["seed"]))]
        whole = own[own.scope == "phase"]
        for row in whole.itertuples():
            assert run.data.metrics[f"{row.phase}/{row.metric}"] == row.value, row
        windows = own[(own.scope == "window") & (own.metric == "success_rate")]
        for phase, rows in windows.groupby("phase"):
            history = client.get_metric_history(run.info.run_id, f"{phase}/window/success_rate")
            assert [(m.step, m.value) for m in history] == [
                (row.last_iteration + 1, row.value) for row in rows.itertuples()
            ]


class Readouts(html.parser.HTMLParser):
    """What the charts of a report say at each place."""

    def __init__(self):
        super().__init__()
        self.readouts = []

    def handle_starttag(self, tag, attributes):
        readout = dict(attributes).get("data-readout")
        if readout:
            self.readouts.append(json.loads(readout)["texts"])


def chart_equals_the_report():
    """The chart that the guide draws has the numbers of the report's, as far as it prints them."""
    with open("guide.py") as guide:
        exec(guide.read(), {})
    assert os.path.getsize("curve.png") > 1000
    drawn = {line.get_label(): dict(zip(*line.get_data())) for line in plt.gcf().axes[0].lines}
    with open("report.html") as report:
        page = Readouts()
        page.feed(report.read())
    compared = 0
    for text in page.readouts[0]:
        place, values = text.split(": ", 1)
        phase, iteration = place.split(", ")
        if phase != plt.gcf().axes[0].get_title():
            continue
        iteration = int(re.sub(r"\D", "", iteration))
        for value in values.split(" · "):
            name, percent = re.fullmatch(r"(.+?) ([\d.]+)\s*%.*", value).groups()
            assert abs(100 * drawn[name][iteration] - float(percent)) <= 0.5 + 1e-9, text
            compared += 1
    assert compared >= 2 * len(drawn), compared


table = tables_are_equal()
events_are_equal()
curve_of_a_run()
store_has_every_run(table)
chart_equals_the_report()
