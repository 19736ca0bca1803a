"""How well a deployment has answered: what the window of probes says."""

from __future__ import annotations

import pytest

from shared.domain.models.endpoint_health import SLOW_MS, WINDOW, summary, with_probe


def _window(*probes: float | str) -> list[dict[str, object]]:
    return [{"fault": probe} if isinstance(probe, str) else {"ms": probe} for probe in probes]


@pytest.mark.parametrize(
    ("probes", "status"),
    [
        ([20.0, 30.0], "pass"),
        ([20.0, "down"], "fail"),
        (["down", 20.0], "warn"),
        ([20.0, SLOW_MS * 2], "warn"),
        (["down"], "fail"),
        ([], "fail"),
    ],
)
def test_the_newest_look_decides_and_earlier_faults_warn(probes: list[float | str], status: str) -> None:
    assert summary(_window(*probes))["status"] == status


def test_times_are_told_to_two_digits() -> None:
    told = summary(_window(*[float(ms) for ms in range(1, 101)]))
    assert (told["p50_ms"], told["p95_ms"], told["requests"], told["errors"]) == (50, 95, 100, 0)
    assert summary(_window(12.3456))["p50_ms"] == 12
    assert summary(_window(0.01234))["p50_ms"] == 0.012
    assert summary(_window(1234.0))["p50_ms"] == 1200


def test_only_the_newest_looks_count() -> None:
    window = _window("down")
    for _ in range(WINDOW):
        window = with_probe(window, {"ms": 5.0})
    assert len(window) == WINDOW
    assert summary(window) == {
        "status": "pass",
        "requests": WINDOW,
        "errors": 0,
        "p50_ms": 5.0,
        "p95_ms": 5.0,
    }
