"""The queries of alerts and workbook, and what our code emits that they may ask for."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from commands import ROOT
from commands.infrastructure.azure_types import FACTS
from commands.infrastructure.syntax import Source
from shared.telemetry import actions as vocabulary
from shared.telemetry.metrics import METRICS
from shared.telemetry.spans import ATTRIBUTES

METRIC_ATTRIBUTES = {
    metric.name: frozenset(attribute.name for attribute in metric.attributes) for metric in METRICS
}


def queries(source: Source) -> list[tuple[str, str]]:
    """Place and text of each."""
    alerts = json.loads(source.read("queries.json"))["alerts"]
    items = json.loads(source.read("workbook.json"))["items"]
    found = [(f"queries.json, {each['name']}", each["query"]) for each in alerts]
    return found + [
        (f"workbook.json, {each['name']}", each["content"]["query"]) for each in items if each["type"] == 3
    ]


def tables() -> dict[str, str]:
    """Of Application Insights."""
    read: dict[str, str] = json.loads(
        (FACTS / "application-insights-tables.json").read_text(encoding="utf-8")
    )
    return read


def asked_for(text: str) -> dict[str, set[str]]:
    """What a query asks for, by what it is."""
    of_metrics = text.startswith("customMetrics")
    dimensions = set(re.findall(r"\bcustomDimensions\.(\w+)", text))
    dimensions |= set(re.findall(r"\bcustomDimensions\['([^']*)'\]", text))
    return {
        "fields": set(re.findall(r"\bsaid\.(\w+)", text)),
        "actions": set(re.findall(r"said\.action\) == '([^']*)'", text)),
        "metrics": _names(text) if of_metrics else set(),
        "functions": set() if of_metrics else _names(text),
        "metric attributes": dimensions if of_metrics else set(),
        "span attributes": set() if of_metrics else dimensions,
    }


def strangers(text: str) -> Iterator[str]:
    """What a query asks for, and our code does not have."""
    wanted = asked_for(text)
    of_metrics = (METRIC_ATTRIBUTES.get(name, frozenset()) for name in wanted["metrics"])
    known = {
        "fields": fields(),
        "actions": actions(),
        "metrics": frozenset(METRIC_ATTRIBUTES),
        "functions": functions(),
        "metric attributes": frozenset().union(*of_metrics),
        "span attributes": frozenset(ATTRIBUTES),
    }
    for what, names in wanted.items():
        for name in sorted(names - known[what]):
            yield f"{name!r} is not among the {what} of our code; there are {', '.join(sorted(known[what]))}"


def _names(text: str) -> set[str]:
    asked = re.findall(r"\bname == '([^']*)'", text)
    for listed in re.findall(r"\bname in \(([^)]*)\)", text):
        asked += re.findall(r"'([^']*)'", listed)
    return set(asked)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def fields() -> frozenset[str]:
    """What stands in the JSON at the end of a line of our log."""
    return frozenset(vocabulary.fields())


@lru_cache(maxsize=1)
def actions() -> frozenset[str]:
    """What a line of our log can be about: the steps, and what is said beside them."""
    from shared.flow import FLOW

    return frozenset(vocabulary.Action) | {rule.do.__name__ for rule in FLOW}


@lru_cache(maxsize=1)
def functions() -> frozenset[str]:
    """What Azure knows our functions as."""
    decorated = ("queue_trigger", "timer_trigger", "route")
    found: set[str] = set()
    for file in sorted(Path(ROOT / "functions").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                isinstance(each, ast.Call) and _name(each.func).rpartition(".")[2] in decorated
                for each in node.decorator_list
            ):
                found.add(node.name)
    return frozenset(found)
