"""A line through the points, by least squares."""

import csv
import json
import pathlib
import sys

with open(pathlib.Path(sys.argv[1]) / "clean.csv") as file:
    points = [(float(row["age"]), float(row["height"])) for row in csv.DictReader(file)]
ages, heights = (sum(values) / len(points) for values in zip(*points, strict=True))
slope = sum((age - ages) * (height - heights) for age, height in points) / sum(
    (age - ages) ** 2 for age, _ in points
)
line = {"slope": slope, "start": heights - slope * ages}
(pathlib.Path(sys.argv[2]) / "line.json").write_text(json.dumps(line))
print("trained", line)
