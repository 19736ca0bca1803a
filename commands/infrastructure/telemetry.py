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


def strangers(text: str) -> Iterator[str]:
    """Fields, actions and functions that a query asks for, and our code does not have."""
    for field in sorted(set(re.findall(r"\bsaid\.(\w+)", text)) - fields()):
        yield f"said.{field} is no field that our code logs; there are {', '.join(sorted(fields()))}"
    for action in sorted(set(re.findall(r"said\.action\) == '([^']*)'", text)) - actions()):
        yield f"{action!r} is no action that our code logs"
    asked = re.findall(r"\bname == '([^']*)'", text)
    for listed in re.findall(r"\bname in \(([^)]*)\)", text):
        asked += re.findall(r"'([^']*)'", listed)
    for name in sorted(set(asked) - functions()):
        yield f"{name!r} is no function of the app"


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
