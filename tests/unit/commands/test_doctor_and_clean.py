"""What `./dev doctor` tells of a checkout, and what `./dev clean` removes of it, and what it leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stub_server import Answer, Request, stub_server

from commands import catalog, clean, doctor
from commands.setup import inventory, needs
from commands.stack import found
from commands.stack.errors import StackError
from commands.stack.state import Stack

Capsys = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with Python packages in order, environments of another lock, nothing else; and a stack that was stopped."""
    for name in ("LOCALAZURE_HOME", "LOCALAZURE_UV", "UV_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for module in (clean, doctor):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    for name, part in needs.PARTS.items():
        monkeypatch.setitem(
            needs.PARTS, name, replace(part, is_ready=lambda root, name=name: name in (catalog.UP,))
        )
    for lock in ("requirements-up.txt", "commands/setup/uv-requirements.txt"):
        (tmp_path / lock).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / lock).write_bytes((ROOT / lock).read_bytes())
    for folder in (".venv", ".environments", ".data", ".hypothesis", "shared/__pycache__", "shared/code"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_bytes(bytes(2_000_000))
    (tmp_path / ".environments" / "same").hardlink_to(tmp_path / ".venv" / "file")
    Stack(tmp_path / ".campanha" / "demo").prepare()
    return tmp_path


def test_each_part_is_told_with_its_size_and_what_to_do(checkout: Path, capsys: Capsys) -> None:
    assert doctor.main([]) == 0
    lines = {
        part.label: line
        for line in capsys.readouterr().out.splitlines()
        for part in needs.PARTS.values()
        if line.startswith(f"  {part.label} ")
    }
    told = {name: lines[part.label] for name, part in needs.PARTS.items()}
    assert "2 MB  .venv" in told[catalog.UP]
    assert "packages of requirements-up.txt" in told[catalog.UP]
    assert "2 MB  .environments" in told[catalog.ENVIRONMENTS], "what .venv has too is not counted again"
    assert "missing, or of another lock: ./dev demo installs it" in told[catalog.ENVIRONMENTS]
    assert "missing: ./dev demo installs it" in told[catalog.STORAGE]
    assert "missing: ./dev test installs it" in told[catalog.LINTERS]


def test_programs_are_told_the_same(checkout: Path, capsys: Capsys) -> None:
    assert doctor.main(["--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    parts = {part["part"]: part for part in told["parts"]}
    assert list(parts) == list(needs.PARTS)
    assert parts[catalog.UP]["ready"]
    assert parts[catalog.UP]["bytes"] == pytest.approx(2_000_000, rel=0.1)
    assert parts[catalog.STORAGE]["installedBy"] == "demo"
    assert told["states"] == [
        {
            "folder": str(checkout / ".campanha" / "demo"),
            "running": [],
            "bytes": told["states"][0]["bytes"],
            "unwell": [],
        }
    ]


def test_clean_removes_what_can_be_laid_again_and_says_how_much(checkout: Path, capsys: Capsys) -> None:
    assert clean.main([]) == 0
    told = capsys.readouterr().out
    assert "10 MB freed" in told
    assert not list(checkout.rglob("__pycache__"))
    left = {path.name for path in checkout.iterdir()}
    assert left == {"commands", "shared", "requirements-up.txt", ".campanha", ".dev.lock"}
    assert (checkout / "shared" / "code" / "file").exists()
    assert (checkout / ".campanha" / "demo" / "stack.json").exists()
    assert clean.main([]) == 0
    assert "nothing to free" in capsys.readouterr().out


def test_a_dry_run_frees_nothing(checkout: Path, capsys: Capsys) -> None:
    assert clean.main(["--dry-run"]) == 0
    assert "10 MB would be freed" in capsys.readouterr().out
    assert (checkout / ".venv" / "file").exists()


def test_nothing_is_removed_under_a_running_stack(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "_running", lambda folder: ("storage", "host"))
    with pytest.raises(StackError, match=r"\./dev down --state .*demo"):
        clean.main([])
    assert (checkout / ".venv" / "file").exists()


def test_an_interrupted_removal_leaves_nothing_that_looks_whole(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(place: Path, *, ignore_errors: bool = False) -> None:
        if place.exists():
            raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        clean.main([])
    assert not any(place.exists() for place, _ in inventory.removable(checkout))
    monkeypatch.undo()


def test_they_run_before_anything_is_installed() -> None:
    assert catalog.COMMANDS["doctor"].needs == catalog.COMMANDS["clean"].needs == ()


def test_the_doctor_says_what_the_app_says_of_itself(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: Request) -> Answer:
        asked.append((request.path, request.headers["x-functions-key"]))
        checks = {
            "ledger:read": [{"status": "pass"}],
            "alerts:notifier": [{"status": "warn", "output": "nobody can be told"}],
        }
        return Answer(body=json.dumps({"status": "warn", "checks": checks}).encode())

    monkeypatch.setattr(found, "_running", lambda _: ("host",))
    monkeypatch.setattr(Stack, "keys", {"reader": "a key"})
    with stub_server(answer) as address:
        monkeypatch.setattr(Stack, "host_url", address)
        assert doctor.main([]) == 0
    assert "! nobody can be told" in capsys.readouterr().out
    assert asked == [("/api/health", "a key")]
    assert doctor.main(["--json"]) == 0
    (state,) = json.loads(capsys.readouterr().out)["states"]
    assert state["unwell"] == ["the app does not answer (URLError)"]
