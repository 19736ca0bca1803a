"""Score through the model: one record given by hand, or every row of a CSV or JSON file."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from commands.client import tables
from commands.client.answering import answering
from commands.client.output import as_json
from commands.client.status_api import Client, Json
from commands.client.target import FINE, command, find, parser
from commands.stack.errors import StackError
from serving.payload import SHAPES, BadRequest, columns_of, place_of

AT_ONCE = 500
"""Records of one request; their JSON stays far below what the app takes."""
SHOWN = 50
COLUMNS = ("record", "probability", "decision", "version")


@command
def main(arguments: list[str]) -> int:
    made = parser("predict", __doc__)
    made.add_argument(
        "file", nargs="?", type=Path, help="a CSV (with a header) or JSON file; - reads JSON from stdin"
    )
    made.add_argument("--dataset", help="whose model (default: the only one that answers)")
    made.add_argument(
        "--record", metavar="JSON", help="""one record, such as '{"age": 41, "job": "admin."}'"""
    )
    made.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a value of one record"
    )
    made.add_argument(
        "--explain", nargs="?", type=int, const=3, default=0, metavar="N",
        help="also say why: the N columns that moved each score most (default: 3)",
    )  # fmt: skip
    made.add_argument("--fields", action="store_true", help="only say what the model takes")
    given = made.parse_args(arguments)
    if bool(given.file) + bool(given.record or given.set) + given.fields != 1:
        made.error("give a FILE, or a record by --record or --set, or --fields")
    client = find(given).client
    dataset = given.dataset or answering(client, None).dataset
    record = _record(client.get(f"endpoints/{dataset}/swagger"))
    if given.fields:
        return _fields(dataset, record["properties"], given_json=given.json)
    answers = _predicted(client, dataset, _records(given, record), given.explain)
    _print(answers, given_json=given.json)
    return FINE


def _record(swagger: Json) -> Json:
    """The schema of one record: Swagger 2, or OpenAPI 3."""
    found = swagger.get("definitions") or swagger.get("components", {}).get("schemas", {})
    record = found.get("ServiceInput", {}).get("properties", {}).get("data", {}).get("items", {})
    return {"properties": {}, "required": [], **record}


def _fields(dataset: str, schema: Json, *, given_json: bool) -> int:
    if given_json:
        as_json(schema)
        return FINE
    rows = [{"field": name, "type": "text" if about.get("enum") else about.get("type"),
             "values": ", ".join(about.get("enum", []))} for name, about in schema.items()]  # fmt: skip
    tables.show(f"What {dataset}'s model takes", rows, ("field", "type", "values"))
    return FINE


# --- records --------------------------------------------------------------------------------------------------


def _records(given: argparse.Namespace, record: Json) -> Iterator[Json]:
    """record: the schema of one"""
    if given.file is None:
        yield from _by_hand(given, record)
    elif str(given.file) == "-":
        yield from _from_json(_text(sys.stdin.buffer.read(), "stdin"), "stdin", record)
    elif not given.file.is_file():
        raise StackError(f"there is no file {given.file}.")
    elif given.file.suffix.lower() == ".json":
        yield from _from_json(_text(given.file.read_bytes(), str(given.file)), str(given.file), record)
    else:
        yield from _from_csv(given.file, record["properties"])


def _text(data: bytes, source: str) -> str:
    """raises: StackError for what is no UTF-8"""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = data.count(b"\n", 0, cause.start) + 1
        raise StackError(f"{source}, line {line}: it is no UTF-8. Save it as UTF-8.") from cause


def _by_hand(given: argparse.Namespace, about: Json) -> Iterator[Json]:
    schema: Json = about["properties"]
    record: Json = {}
    if given.record:
        found = _from_json(given.record, "--record", about)
        if len(found) != 1:
            raise StackError(f"--record must hold a record, not {len(found)}; give a FILE of several.")
        record = found[0]
    wrong = [pair for pair in given.set if "=" not in pair]
    if wrong:
        raise StackError(f"--set takes NAME=VALUE, not {wrong[0]!r}.")
    texts = dict(pair.split("=", 1) for pair in given.set)
    unknown = texts.keys() - schema.keys()
    if unknown:
        raise StackError(
            f"the model takes no {', '.join(sorted(unknown))}; `./dev predict --fields` lists what it takes."
        )
    missing = dict.fromkeys(schema)
    yield {**missing, **record, **{name: _typed(text, schema[name]) for name, text in texts.items()}}


def _from_json(text: str, source: str, record: Json) -> list[Json]:
    """Of one record, a list of them, or whatever shape of request the model's endpoint reads."""
    try:
        body = json.loads(text)
    except ValueError as cause:
        raise StackError(f"{source} is no JSON: {cause}") from cause
    if _are_records(body):
        body = {"data": body}
    if not isinstance(body, dict):
        raise StackError(f"{source} must hold a record, a list of records, or a request: {SHAPES}.")
    if place_of(body) is None:
        by_column = bool(body) and all(isinstance(values, list) for values in body.values())
        body = {"inputs": body} if by_column else {"data": [body]}
    if _are_records(body.get("data")):
        return list(body["data"])  # the model says what they lack
    optional = [name for name in record["properties"] if name not in record["required"]]
    try:
        columns = columns_of(body, record["required"], optional)
    except BadRequest as problem:
        raise StackError(f"{source}: {problem}.") from problem
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _are_records(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(record, dict) for record in found)


def _from_csv(file: Path, schema: Json) -> Iterator[Json]:
    text = _text(file.read_bytes(), str(file))
    header = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=header.count))
    try:
        for row in reader:
            yield {
                name: _typed(row[name], about) for name, about in schema.items() if row.get(name) is not None
            }
    except csv.Error as cause:
        raise StackError(f"{file}, line {reader.line_num}: {cause}. Save it as CSV UTF-8.") from cause


def _typed(text: str, about: Mapping[str, Any]) -> Any:
    """The text in the schema's type; empty is missing, and what is no number goes as it is, to be refused with words."""
    if text == "":
        return None
    if about.get("type") == "string":
        return text
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        return text


# --- answers --------------------------------------------------------------------------------------------------


def _predicted(client: Client, dataset: str, records: Iterator[Json], explain: int) -> Iterator[Json]:
    number = 0
    wish = {"explain": explain} if explain else {}
    while some := list(islice(records, AT_ONCE)):
        answer = client.post(f"endpoints/{dataset}/score", {"data": some, **wish})
        nothing = [None] * len(some)
        problems, reasons = (answer.get(name) or nothing for name in ("problem", "reasons"))
        for probability, decision, problem, why in zip(
            answer["probability"], answer["decision"], problems, reasons, strict=True
        ):
            number += 1
            said = {
                "record": number,
                "probability": probability,
                "decision": decision,
                "version": answer["version"],
                "reasons": why,
                "problem": problem,
            }
            yield {name: value for name, value in said.items() if value is not None}


def _print(answers: Iterator[Json], *, given_json: bool) -> None:
    found = list(answers)
    if given_json:
        as_json({"value": found})
        return
    more = tuple(name for name in ("reasons", "problem") if any(name in answer for answer in found))
    tables.show("What the model says", [_row(answer) for answer in found[:SHOWN]], (*COLUMNS, *more))
    if len(found) > SHOWN:
        calls = sum(answer.get("decision") == "call" for answer in found)
        print(
            f"... and {len(found) - SHOWN:,} more; of {len(found):,} clients {calls:,} are worth a call. --json has all."
        )


def _row(answer: Json) -> Json:
    """Reasons in words: the column, and how far it moved the log-odds."""
    if "reasons" not in answer:
        return answer
    told = (f"{reason['column']} {reason['contribution']:+.2f}" for reason in answer["reasons"])
    return {**answer, "reasons": ", ".join(told)}
