"""A long run that was ended goes on from its checkpoint, and comes to what it would have come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation import checkpoint, explore
from simulation.checkpoint import Checkpoint, digest_of
from simulation.explore import Progress
from simulation.runs import Result

ROOT = Path(__file__).parents[2]


class Ended(Exception):
    """Somebody ends the run."""


@pytest.fixture(autouse=True)
def _always_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "EVERY_SECONDS", 0)


def pieces() -> list[explore.Piece]:
    return list(explore.pieces(450, 3, scenarios=["poison", "tell"], alone=False))


def test_a_run_that_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = explore.explored(pieces(), workers=1).account
    kept = Checkpoint(tmp_path / "kept.json", "these")

    def ended_after_two(progress: Progress) -> None:
        kept.keep(progress)
        if progress.pieces == 2:
            raise Ended

    with pytest.raises(Ended):
        explore.explored(pieces(), workers=1, told=ended_after_two)
    left = kept.read()
    assert left is not None
    assert (left.pieces, left.account.schedules) == (2, 200)
    worked = left.seconds
    again = explore.explored(pieces(), workers=1, progress=left)
    assert again.account == whole
    assert again.seconds > worked > 0


def test_it_counts_for_the_same_schedules_alone(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    Checkpoint(file, "these").keep(Progress(pieces=1, seconds=2.0))
    assert Checkpoint(file, "those").read() is None
    assert Checkpoint(file, "these").read() == Progress(pieces=1, seconds=2.0)
    Checkpoint(file, "those").over()
    assert Checkpoint(file, "these").read() == Progress(pieces=1, seconds=2.0)
    Checkpoint(file, "these").over()
    assert Checkpoint(file, "these").read() is None


def test_a_run_with_a_violation_is_not_gone_on_with(tmp_path: Path) -> None:
    failed = explore.Account(failures=[Result("tell", 0, (), 1, ("I1",), 0)])
    kept = Checkpoint(tmp_path / "kept.json", "these")
    kept.keep(Progress(pieces=1, account=failed))
    assert kept.read() is None


def test_other_code_is_other_schedules(tmp_path: Path) -> None:
    for source in checkpoint.SOURCES:
        assert (ROOT / source).exists()
    (tmp_path / "shared").mkdir()
    (tmp_path / "requirements.txt").write_text("a==1")
    module = tmp_path / "shared" / "flow.py"
    module.write_text("fence = 120")
    before = digest_of(tmp_path, [20])
    assert digest_of(tmp_path, [21]) != before
    (tmp_path / "shared" / "flow.pyc").write_bytes(b"1")
    assert digest_of(tmp_path, [20]) == before
    module.write_text("fence = 0")
    assert digest_of(tmp_path, [20]) != before
