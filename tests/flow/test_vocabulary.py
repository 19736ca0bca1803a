"""What the log, the spans and the metrics are made of is what the tables say; alerts and workbook ask for nothing else."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import azure.functions as func
import pytest
from flow.exported import SEEN_ELSEWHERE, Exported, exporting
from flow.season import lived
from flow.test_traces import Queued

from commands import ROOT
from commands.infrastructure import telemetry as asked
from commands.infrastructure.syntax import Source
from functions import api, steps
from functions.delivery import deliver
from shared import flow, wiring
from shared.domain.facts import FACTS, DatasetDue
from shared.errors import ConfigurationError, InProgress
from shared.telemetry.actions import Action, fields
from shared.telemetry.metrics import METRICS
from shared.telemetry.spans import ATTRIBUTES
from tests.http.asking import app_over, client_of

STEPS = {rule.do.__name__ for rule in flow.FLOW}


@dataclass
class Emitted(logging.Handler):
    """What a season, and what goes wrong around it, says: the details of each line, spans and metrics."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    exported: Exported = field(default_factory=Exported)

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.campanha)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def emitted() -> Iterator[Emitted]:
    """By the real flow and the real triggers."""
    handler, log = Emitted(), logging.getLogger("campanha")
    log.addHandler(handler)
    before = log.level
    log.setLevel(logging.INFO)
    try:
        with exporting(handler.exported):
            world = lived(Queued())
            with mock.patch.object(wiring, "services", return_value=world.services):
                _what_goes_wrong(world)
        yield handler
    finally:
        log.setLevel(before)
        log.removeHandler(handler)


def _what_goes_wrong(world: Queued) -> None:
    steps.step_due.build(None).get_user_function()(func.QueueMessage(body=b"{"))
    with mock.patch.object(flow, "handle", side_effect=InProgress):
        deliver(DatasetDue(dataset="bank", cause="x"), expected=True)
    request = func.HttpRequest(method="GET", url="/api/status", body=b"")
    with mock.patch.object(api, "_app", side_effect=ConfigurationError("a setting")):
        _run(api._answer(request, mock.Mock()))
    app = app_over(world)
    with mock.patch.object(app.state, "services", side_effect=RuntimeError):
        client_of(app).get("/api/uploads")


def _run(coroutine: Any) -> None:
    import asyncio

    asyncio.run(coroutine)


def test_each_line_is_of_the_vocabulary(emitted: Emitted) -> None:
    assert len(emitted.lines) > 200
    assert {line["action"] for line in emitted.lines} <= {*Action, *STEPS}
    assert {name for line in emitted.lines for name in line} <= fields().keys()


def test_every_field_of_the_vocabulary_comes_about(emitted: Emitted) -> None:
    assert {name for line in emitted.lines for name in line} == fields().keys()


def test_each_span_has_the_attributes_that_there_are_and_few_names(emitted: Emitted) -> None:
    spans = emitted.exported.spans
    assert {name for span in spans for name in span.attributes} <= ATTRIBUTES.keys()
    names = {span.name for span in spans if "campanha.fact" in span.attributes}
    assert names <= STEPS | FACTS.keys()
    assert {"GET /api/uploads", "GET nowhere"} >= {span.name for span in spans} - names


def test_every_query_asks_for_what_really_is_emitted(emitted: Emitted) -> None:
    """The tables say what may come; this says that it came."""
    said = {name for line in emitted.lines for name in line}
    actions = {line["action"] for line in emitted.lines}
    measured = {one.metric.name for one in emitted.exported.measurements}
    attributes = {name for span in emitted.exported.spans for name in span.attributes}
    found = 0
    for place, text in asked.queries(Source(ROOT / "infra")):
        wanted = asked.asked_for(text)
        found += sum(map(len, wanted.values()))
        assert wanted["fields"] <= said, place
        assert wanted["actions"] <= actions, place
        assert wanted["metrics"] <= measured | SEEN_ELSEWHERE, place
        assert wanted["span attributes"] <= attributes, place
        assert list(asked.strangers(text)) == [], place
    assert found > 15


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("said.milliseconds", "said.miliseconds"),
        ("'dead_letter'", "'dead-letter'"),
        ("campanha.queue.time", "campanha.queue_time"),
        ("customDimensions.dataset", "customDimensions.data"),
        ("campanha.fact", "campanha.type"),
        ("'reconcile_due'", "'reconcile'"),
    ],
)
def test_a_typing_error_in_a_query_is_found(before: str, after: str) -> None:
    texts = [text for _, text in asked.queries(Source(ROOT / "infra")) if before in text]
    assert texts
    for text in texts:
        assert list(asked.strangers(text.replace(before, after))) != []


def test_every_action_is_said_somewhere_and_said_by_its_name() -> None:
    """`say` takes no text: mypy holds that; here, that no action outlives what said it."""
    said = set[str]()
    for file in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("telemetry.say", "say"):
                first = ast.unparse(node.args[0])
                assert re.match(r"(telemetry\.)?Action\.", first), f"{file}: {first}"
                said.add(first.rpartition(".")[2])
    assert said == {action.name for action in Action}


def test_names_and_units_are_written_as_opentelemetry_has_them() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith("campanha.")
        assert metric.unit == "s" or metric.unit[0] + metric.unit[-1] == "{}"
        assert metric.sentence.endswith(".")
