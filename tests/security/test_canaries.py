"""S9: words that must never leave the place they belong in: of a client's row, of a key, of a token. They are put into a
whole flow, and looked for in all that it says of itself: log lines, spans, metrics, events, records, alert messages, and
the answers of the API to whoever reads."""

from __future__ import annotations

import json
import logging

import pytest
from flow.alerting import Channel, Watched
from flow.exported import exporting
from flow.world import bank_rows

from functions.http.auth.scopes import Scope
from shared import telemetry
from shared.domain.facts import BatchDue, NotificationDue, ReconcileDue
from shared.errors import Refused
from shared.ledger import cloud_event
from tests.http.asking import KEYS, VERSION, app_over, client_of

ROW, TOKEN, QUERY = "CANARY-OF-A-ROW", "CANARY-OF-A-TOKEN", "CANARY-OF-A-QUERY"
NEVER = (ROW, TOKEN, QUERY, *KEYS.values())
SAS = "sv=2025-01-05&sig=CANARY-OF-A-TOKEN%3D"


class Saying:
    """All that the flow said of itself."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, *things: object) -> None:
        self.texts += map(repr, things)

    def leaks(self) -> list[str]:
        return [f"{word}: {text[:200]}" for word in NEVER for text in self.texts if word in text]


def _rows() -> str:
    """Good rows and bad ones: a category that there is not, a line too wide, a quote that is not closed."""
    good = bank_rows(30)
    first = good.splitlines()[1].split(";")
    wrong = [";".join([ROW, *first[1:]]), ";".join([*first, ROW]), f'"{ROW};{";".join(first)}']
    return good + "\n".join(wrong) + "\n"


def test_a_whole_flow_says_nothing_of_them(caplog: pytest.LogCaptureFixture) -> None:
    saying, world, channel = Saying(), Watched(), Channel()
    world.channels = (channel,)
    with (
        caplog.at_level(logging.INFO),
        caplog.at_level(logging.DEBUG, logger="campanha"),
        exporting() as exported,
    ):
        api = app_over(world)
        operator, reader = client_of(api, scope=Scope.OPERATOR), client_of(api)
        world.tell(world.drop("may.csv", _rows()))
        world.finish_run("bank-v1-a1")
        world.files.write("scoring", "clients.csv", _rows().encode())
        blob = world.files.stat("scoring", "clients.csv")
        assert blob is not None
        world.tell(BatchDue(name="clients.csv", etag=blob.etag))
        world.tell(world.drop_outcomes("came.csv", f"batch;row;y\n{ROW};1;yes\n"))
        world.tell(world.drop("broken.csv", f'age;job\n"{ROW}'))
        for headers in (
            {"authorization": f"Bearer {TOKEN}"},
            {"x-functions-key": TOKEN},
            {"cookie": f"campanha={TOKEN}"},
        ):
            saying.add(operator.post("/api/pause", headers={**headers, "idempotency-key": TOKEN}).content)
        reader.get("/api/uploads", params={**VERSION, "code": QUERY, "sig": QUERY})
        saying.add(operator.post("/api/pause", body={"reason": 7, "more": ROW}).content)
        saying.add(
            operator.post("/api/endpoints/bank/score", body={"data": [{"age": ROW}], "more": ROW}).status_code
        )
        world.minutes(3)
        world.tell(ReconcileDue(tick="1"), NotificationDue(tick="1"))
        for path in (
            "status",
            "uploads",
            "events",
            "failures",
            "batches",
            "models",
            "runs",
            "health",
            "alerts",
            "operations",
        ):
            saying.add(reader.get(f"/api/{path}").content)
    saying.add(
        *caplog.text.splitlines(), exported.spans, exported.measurements, world.bus.announced, channel.heard
    )
    ledger = world.ledger
    saying.add([cloud_event(entry, source="s") for entry in ledger.events.following(0, limit=1000)])
    saying.add(
        [
            ledger.newest(kind)
            for kind in ("upload", "batch", "dataset", "run", "model", "failure", "outcome", "alert")
        ]
    )
    assert len(exported.spans) > 5
    assert channel.heard
    assert len(saying.texts) > 10
    assert saying.leaks() == []


def test_what_a_service_answers_is_said_without_its_address(caplog: pytest.LogCaptureFixture) -> None:
    """A URL with a signature in it, in the words of an SDK's error of which we know nothing."""
    world = Watched()

    def leaks(*_: object, **__: object) -> None:
        raise RuntimeError(f"GET https://ours.blob.core.windows.net/incoming/may.csv?{SAS} failed for {ROW}")

    with caplog.at_level(logging.DEBUG, logger="campanha"), exporting() as exported:
        fact = world.drop("may.csv", bank_rows(3))
        world.files.read = leaks  # type: ignore[method-assign]
        for _ in range(world.policy.most_attempts + 1):
            try:
                world.deliver(fact)
            except RuntimeError:
                world.pass_time(world.policy.claim_seconds + 1)
        world.tell(ReconcileDue(tick="1"))
    saying = Saying()
    (failure,) = world.ledger.newest("failure")
    saying.add(failure, exported.spans, [record.getMessage() for record in caplog.records])
    saying.add(client_of(app_over(world)).get("/api/failures").content)
    assert "RuntimeError" in failure.values["reason"]
    assert saying.leaks() == []


@pytest.mark.parametrize(
    "name",
    [
        'a\r\n{"action":"dead_letter"}',
        "\x1b[2J\x1b]0;owned\x07",
        "%n%s%x",
        "x" * 1024,
        "\u2028\u202e",
        "${jndi:ldap://x}",
    ],
)
def test_a_name_begins_no_line_of_its_own_in_the_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Log injection: a line is one line, and its fields are JSON, whatever a file is called."""
    with caplog.at_level(logging.DEBUG, logger="campanha"):
        telemetry.say(telemetry.Action.DELIVER, "Another delivery is at it.", key=f"upload/{name}/0x1")
    (record,) = caplog.records
    text = record.getMessage()
    assert text.isprintable()
    assert json.loads(text[text.index("{") :])["key"] == f"upload/{name}/0x1"


def test_a_canary_would_be_heard() -> None:
    saying = Saying()
    saying.add(Refused(f"row: {ROW}"))
    assert saying.leaks() != []
