"""`bench setup`: what a newcomer's environment is, and what is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench import setup
from commands import ROOT

SET = ("UV_CACHE_DIR", "LOCALAZURE_HOME", "PYTHONDONTWRITEBYTECODE", "PATH", "PIP_INDEX_URL")


def test_nothing_leads_into_this_checkout_and_caches_are_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(ROOT / ".uv" / "cache"))
    monkeypatch.setenv("LOCALAZURE_HOME", str(ROOT / ".azurite"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PATH", f"{ROOT / '.venv' / 'bin'}:/usr/bin")
    monkeypatch.setenv("PIP_INDEX_URL", "https://of.the.user/simple")
    monkeypatch.setattr(os, "environ", {name: os.environ[name] for name in SET})
    told = setup.environment(tmp_path)
    assert [name for name, value in told.items() if str(ROOT) in value] == []
    assert "PYTHONDONTWRITEBYTECODE" not in told
    assert told["PATH"] == "/usr/bin"
    assert told["PIP_INDEX_URL"] == "https://of.the.user/simple"
    for cache in ("PIP_CACHE_DIR", "XDG_CACHE_HOME", "npm_config_cache"):
        assert Path(told[cache]).is_relative_to(tmp_path)


def test_a_goal_is_met_up_to_its_limit() -> None:
    assert setup._goal("a", 1.5, 1.5)["met"]
    assert not setup._goal("a", 1.51, 1.5)["met"]


def test_parts_and_the_comparison_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    setup.show(
        {
            "seconds": 30.5,
            "parts": [{"part": "uv", "seconds": 4.0, "megabytes": 65}],
            "diskMegabytes": {"checkout": 1100, "caches outside": 48},
            "plainPip": {"seconds": 40.0, "megabytes": 420},
            "againSeconds": 1.4,
            "machine": {
                "cores": 2,
                "python": "3.11.7",
                "platform": "Linux",
                "loadBefore": [0],
                "loadAfter": [1],
            },
            "goals": [setup._goal("at most 1.5 times", 0.76, 1.5)],
        }
    )
    shown = capsys.readouterr().out
    for figure in ("30.5", "65", "1148", "48", "420", "1.4", "0.76"):
        assert figure in shown
