"""An event in one line says why, under whatever name its kind has for that."""

from __future__ import annotations

from typing import Any

import pytest

from commands.client.event_line import row


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("upload", {"reason": "no row fits"}, "no row fits"),
        ("quarantine", {"decidedBecause": "checked by hand"}, "checked by hand"),
        ("work", {"pausedBecause": "month end"}, "month end"),
        ("work", {"resumedBecause": "it is over"}, "it is over"),
        ("run", {}, None),
    ],
)
def test_a_line_says_why(kind: str, data: dict[str, Any], reason: str | None) -> None:
    head = {"kind": kind, "id": "a/b", "state": "x", "seq": 1}
    event = {"time": "2026-11-24T08:00:00Z", "type": "Campanha.X.v1", "data": {**head, **data}}
    assert row(event)["reason"] == reason


def test_every_name_for_why_is_a_field_of_a_kind() -> None:
    from commands.client.event_line import REASONS
    from shared.kinds import KINDS

    fields = {part.wire_name for kind in KINDS for part in kind.parts if part.about.public}
    assert {name for name in fields if name.lower().endswith(("reason", "because"))} == {*REASONS}
