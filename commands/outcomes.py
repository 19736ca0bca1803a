"""What calls brought: the batches with outcomes, expected beside realised; one batch by decile; a file's faults."""

from __future__ import annotations

from itertools import islice
from typing import Any

from commands.client import tables
from commands.client.output import as_json, end_of, listing, values
from commands.client.status_api import Client, Json
from commands.client.target import FINE, command, find, parser

TITLE = "Outcomes, expected and realised"
COLUMNS = (
    "id",
    "model",
    "rows",
    "deposits",
    "expectedDeposits",
    "auc",
    "expectedAuc",
    "logLoss",
    "calls",
    "money",
    "expectedMoney",
)
FILES = ("name", "id", "state", "rows", "rejectedRows", "blankRows", "reason", "lastModifiedAt")
DECILES = ("decile", "rows", "expectedDeposits", "deposits", "calls", "expectedMoney", "money")
FIGURES = ("rows", "deposits", "auc", "logLoss", "calls", "money")
VIOLATION = ("line", "column", "value", "rule", "remedy")


@command
def main(arguments: list[str]) -> int:
    made = parser("outcomes", __doc__)
    made.add_argument("batch", nargs="?", help="one batch's id (default: all that have outcomes)")
    made.add_argument(
        "--files", action="store_true", help="the files that were dropped, and what became of each"
    )
    made.add_argument("--faults", metavar="FILE-ID", help="the lines of one file that could not be used")
    made.add_argument(
        "--most", type=int, default=20, metavar="N", help="how many lines at most, the newest (default: 20)"
    )
    given = made.parse_args(arguments)
    client = find(given).client
    if given.faults:
        return _faults(client, given.faults, given_json=given.json)
    if given.files:
        found = client.listed("outcomes", most=given.most)
        return listing("Files of outcomes", found, FILES, given_json=given.json)
    if given.batch:
        return _one(client.get(f"batches/{given.batch}"), given_json=given.json)
    # They come weeks after their batch, so that the newest batches have none: all are looked through.
    known = (batch for batch in client.each("batches") if "outcomes" in batch)
    if given.json:
        return listing(TITLE, [*islice(known, given.most)], COLUMNS, given_json=True)
    every = [*known]
    shown = [_line(batch) for batch in every[: given.most]] + _by_model(every)
    return listing(TITLE, shown, COLUMNS, given_json=False)


def _faults(client: Client, outcome: str, *, given_json: bool) -> int:
    found = client.get(f"outcomes/{outcome}/faults")
    if given_json:
        as_json(found)
        return FINE
    tables.show(f"Lines of {outcome} that were not used", found["violations"], VIOLATION)
    return FINE


def _line(batch: Json) -> Json:
    came, expected = batch["outcomes"]["realised"], batch["outcomes"]["expected"]
    return {
        "id": batch["id"],
        "model": f"{batch['dataset']}:{batch['modelVersion']}",
        **came,
        "expectedDeposits": expected["deposits"],
        "expectedAuc": expected.get("auc"),
        "expectedMoney": expected["money"],
    }


def _by_model(batches: list[Json]) -> list[Json]:
    """A line for each model with several batches: what adds up."""
    sums: dict[str, dict[str, Any]] = {}
    counts: dict[str, int] = {}
    for line in map(_line, batches):
        of_model = sums.setdefault(line["model"], dict.fromkeys(ADDED_UP, 0))
        counts[line["model"]] = counts.get(line["model"], 0) + 1
        for name in ADDED_UP:
            of_model[name] = round(of_model[name] + line[name], 2)
    return [
        {"id": f"all {counts[model]}", "model": model, **figures}
        for model, figures in sums.items()
        if counts[model] > 1
    ]


ADDED_UP = ("rows", "deposits", "expectedDeposits", "calls", "money", "expectedMoney")


def _one(batch: Json, *, given_json: bool) -> int:
    known = batch.get("outcomes")
    if given_json:
        as_json({"id": batch["id"], "expected": batch.get("expected"), "outcomes": known})
        return end_of(batch)
    if batch.get("expected"):
        print(f"Expected of all of {batch['id']}, before anybody called")
        values(batch["expected"])
    if known is None:
        print(f"\nNo outcomes yet. Drop a file of them: ./dev drop --outcomes FILE --batch {batch['id']}")
        return end_of(batch)
    sides = [("expected", known["expected"]), ("realised", known["realised"])]
    sides += [("control group", known["control"])] if "control" in known else []
    records = [{"": name, **{one: figures.get(one) for one in FIGURES}} for name, figures in sides]
    error = known.get("calibrationError")
    tables.show(
        f"{known['rows']} rows of {known['files']} files; calibration error {error}", records, ("", *FIGURES)
    )
    tables.show("By tenth of the scores at training", known["deciles"], DECILES)
    print(f"The joined rows: {known['joined']}")
    return end_of(batch)
