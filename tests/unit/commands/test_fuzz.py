"""`./dev fuzz`: the time is shared, a crash is said and is an exit code, and the fuzzer itself runs."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from commands import fuzz
from tests.fuzz.targets import TARGETS


def test_each_target_has_its_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run: list[tuple[str, str]] = []

    def called(command: list[str], **_: Any) -> int:
        run.append((command[-3], command[-1]))
        return int(command[-3] == "contract")

    monkeypatch.setattr(fuzz, "_install", lambda: None)
    monkeypatch.setattr(subprocess, "call", called)
    assert fuzz.main(["--seconds", "80"]) == 1
    assert run == [(name, str(80 // len(TARGETS))) for name in TARGETS]
    assert "Crashed: contract." in capsys.readouterr().out
    assert fuzz.main(["fact"]) == 0
    assert run[-1] == ("fact", "600")


@pytest.mark.slow
def test_a_target_is_fuzzed(capfd: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["traceparent", "--seconds", "2"]) == 0
    said = capfd.readouterr()
    assert "No crash: traceparent." in said.out
    assert "runs in" in said.err
