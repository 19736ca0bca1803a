"""Where roles are late, an assignment that is added counts some seconds after it; those there were count at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from localazure.access.access import Access, Refused
from localazure.access.policy import Need
from localazure.strict import LATE_SECONDS, Strict, late_seconds
from running_azure import access

READ = Need("read", access.ACCOUNT)
ROLES = {"reader": {"actions": ["read"]}}


def written(file: Path, *names: str) -> Path:
    given = [(name, "reader", access.ACCOUNT) for name in names]
    return access.write(file, roles=ROLES, assignments=given)


@pytest.mark.parametrize("names", [{"roles-late"}, set()])
def test_a_new_assignment_takes_its_time_where_that_is_asked_for(tmp_path: Path, names: set[str]) -> None:
    now, file = [0.0], written(tmp_path / "access.json", "before")
    strict = Strict(frozenset(names))
    asked = Access(file, "test", late_seconds=strict.late_seconds, now=lambda: now[0])

    def lets_in(name: str) -> bool:
        try:
            asked.check(asked.identity(name), "look", [(READ,)])
        except Refused:
            return False
        return True

    assert lets_in("before")
    written(file, "before", "new")
    assert (lets_in("before"), lets_in("new")) == (True, not names)
    now[0] = LATE_SECONDS
    assert lets_in("new")
    written(file, "before")
    assert not lets_in("nobody")
    written(file, "before", "new")
    assert lets_in("new") is not bool(names)  # given again, it is new again


def test_nothing_is_late_unless_it_is_asked_for() -> None:
    assert (late_seconds({"keyless"}), late_seconds({"roles-late"})) == (0.0, LATE_SECONDS)
