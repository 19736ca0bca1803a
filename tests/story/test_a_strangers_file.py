"""The story of a file that nobody has described: a draft of its contract, a model, and a scored batch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from commands import ROOT, new_contract
from commands.packaging import sources
from commands.stack.state import Packed, Stack
from tests.story.running import Running, running
from tests.unit.commands import strangers


@pytest.mark.slow
@pytest.mark.parametrize("name", ["leads", "cards"])
def test_from_a_strangers_file_to_a_scored_batch(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a copy of the app, which knows the drafted contract and no other."""
    monkeypatch.setattr(strangers, "ROWS", 4000)
    file, app = tmp_path / f"{name}.csv", tmp_path / "app"
    file.write_text(strangers.text_of(name), newline="")
    _copied(app)
    assert new_contract.main([str(file), "--out", str(app / "contracts" / f"{name}.yaml")]) == 0
    Stack(tmp_path / "state").run_packed(Packed(app=app, python=Path(sys.executable)))
    with running(tmp_path / "state") as story:
        _goes_round(story, file)


def _copied(app: Path) -> None:
    sources.copy_sources(ROOT, app)
    for known in (app / "contracts").glob("*.yaml"):
        known.unlink()


def _goes_round(story: Running, file: Path) -> None:
    header, *rows = file.read_bytes().splitlines()
    story.drop("incoming", file.name, [header, *rows])
    assert story.model_of(file.name)["model"]["state"] == "released"
    delimiter = b"|" if b"|" in header else b"\t"
    clients = [line.rpartition(delimiter)[0] for line in [header, *rows[:100]]]
    story.drop("scoring", "clients.csv", clients)
    batch = story.batch_of("clients.csv")
    assert (batch["state"], batch["rows"], batch.get("rejectedRows", 0)) == ("scored", 100, 0)
