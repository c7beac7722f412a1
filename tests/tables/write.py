#!/usr/bin/env python3
"""Writes `log.jsonl` and `log.parquet`, a log of the same content, by pyarrow 26.

    python3 tests/tables/write.py

The Parquet file has structs, lists, missing values, a column of a dictionary, numbers of several
widths, a time in nanoseconds, and row groups of 64 rows, compressed with Snappy.
"""

import json
import os
import random

import pyarrow
import pyarrow.parquet

HERE = os.path.dirname(os.path.abspath(__file__))
PRICES = {"latte": 1.5, "mocha": 2.25, "espresso": 0.75}
START = 1_767_225_600

draws = random.Random(7)
rows = []
for number in range(300):
    city = draws.choice(["x y", "z", None])
    preferred = "mocha" if city == "z" else "latte"
    item = draws.choice([preferred, *PRICES])
    probability = 0.5 if item == preferred else 0.25
    clicked = draws.random() < (0.6 if item == preferred else 0.3)
    user = {"age": draws.randrange(20, 60), "city": city, "taste": [draws.randrange(9) / 8, 1.0]}
    rows.append({"id": f"e{number}", "item": item, "click": clicked, "p": probability, "user": user,
                 "price": PRICES[item], "at": START + number})
with open(os.path.join(HERE, "log.jsonl"), "w", encoding="utf-8") as file:
    file.writelines(json.dumps(row) + "\n" for row in rows)

user = pyarrow.struct([("age", pyarrow.int16()), ("city", pyarrow.string()),
                       ("taste", pyarrow.list_(pyarrow.float32()))])
columns = {
    "id": pyarrow.array([row["id"] for row in rows]),
    "item": pyarrow.array([row["item"] for row in rows]).dictionary_encode(),
    "click": pyarrow.array([row["click"] for row in rows]),
    "p": pyarrow.array([row["p"] for row in rows], pyarrow.float32()),
    "user": pyarrow.array([row["user"] for row in rows], user),
    "price": pyarrow.array([row["price"] for row in rows]),
    "at": pyarrow.array([row["at"] * 10**9 for row in rows], pyarrow.timestamp("ns", "UTC")),
}
table = pyarrow.table(columns)
pyarrow.parquet.write_table(table, os.path.join(HERE, "log.parquet"), row_group_size=64,
                            compression="snappy", store_schema=False)
