"""Keeps the rows that have both values."""

import csv
import pathlib
import sys

with open(sys.argv[1]) as file:
    rows = [row for row in csv.DictReader(file) if row["age"] and row["height"]]
with open(pathlib.Path(sys.argv[2]) / "clean.csv", "w") as file:
    writer = csv.DictWriter(file, ["age", "height"])
    writer.writeheader()
    writer.writerows(rows)
print(len(rows), "rows")
