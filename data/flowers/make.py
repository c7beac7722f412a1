#!/usr/bin/env python3
"""Writes flowers.csv, a made-up classification data set beside this script.

Four kinds of flowers, each with a soil that it likes best and petals of a typical size; of
eight flowers one is of a kind that its features do not tell. No real flower was measured.
"""

import csv
import os
import random

KINDS = {
    # kind: petal length and width in cm, stem in cm, favourite soil
    "aster": (2.0, 0.5, 30, "sand"),
    "borage": (1.2, 0.9, 55, "clay"),
    "campion": (2.6, 1.6, 70, "loam"),
    "daffodil": (4.1, 2.4, 40, "loam"),
}
SOILS = ["sand", "clay", "loam", "peat"]
FLOWERS = 600


def main():
    generator = random.Random(20260101)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flowers.csv")
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["sample", "petal_length", "petal_width", "stem", "soil", "kind"])
        for sample in range(1, FLOWERS + 1):
            kind = generator.choice(sorted(KINDS))
            length, width, stem, favourite = KINDS[kind]
            measured = [f"{max(0.1, generator.gauss(mean, 0.12 * mean)):.2f}" for mean in (length, width)]
            soil = favourite if generator.random() < 0.8 else generator.choice(SOILS)
            label = kind if generator.random() < 0.875 else generator.choice(sorted(KINDS))
            table.writerow([sample, *measured, round(generator.gauss(stem, 6)), soil, label])


if __name__ == "__main__":
    main()
