"""Which package to go back to, from what the history says."""

from __future__ import annotations

import pytest

from commands.deployment.history import FAILED, INSTALLED, INSTALLING, KEPT, PASSED, History
from commands.packaging.manifest import Manifest


def a(name: str) -> Manifest:
    return Manifest(
        release=name, sha256=f"{name}-digest", size=1, python="3.13", commit="c", changed=(), functions={}
    )


def told(*ended: tuple[str, str]) -> History:
    """Deployments of these packages, each with its end."""
    history = History()
    for number, (name, state) in enumerate(ended):
        history = history.begun(a(name), f"2026-12-{number + 1:02}").now(state)
    return history


@pytest.mark.parametrize(
    ("ended", "back_to"),
    [
        ((), None),
        ((("A", FAILED),), None),
        ((("A", INSTALLED),), None),
        ((("A", PASSED), ("B", FAILED)), "A"),
        ((("A", PASSED), ("B", INSTALLING)), "A"),
        ((("A", PASSED), ("B", PASSED), ("C", FAILED)), "B"),
        ((("A", PASSED), ("B", PASSED), ("B", FAILED)), "A"),  # it passed once, and does not any more
        (
            (("A", PASSED), ("B", FAILED), ("A", INSTALLING)),
            "A",
        ),  # the way back was cut off: the same way again
        ((("A", PASSED), ("B", FAILED), ("A", FAILED)), None),
        ((("A", FAILED), ("A", PASSED), ("B", FAILED)), "A"),
    ],
)
def test_back_goes_to_the_newest_whose_last_verdict_is_good(
    ended: tuple[tuple[str, str], ...], back_to: str | None
) -> None:
    found = told(*ended).to_go_back_to
    assert (found.release if found else None) == back_to


def test_it_is_read_as_it_was_written() -> None:
    history = told(("A", PASSED), ("B", FAILED)).begun(a("A"), "now", back_from="B")
    assert History.parse(history.text()) == history


def test_what_may_be_gone_back_to_is_kept_and_what_is_long_past_is_not() -> None:
    history = told(*((name, PASSED) for name in "ABCDEFGH"), ("X", FAILED))
    assert history.kept() == {f"{name}-digest" for name in ["X", *"ABCDEFGH"[-KEPT:]]}
