"""Tables between whose calls something happens: the process dies, or somebody else is quicker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from shared.errors import Transient
from shared.ports import Row, Table

VERBS = ("get", "insert", "replace", "delete", "put", "commit", "rows")


class Killed(BaseException):
    """The process is gone; no except clause of ours may see it coming."""


class Interrupted:
    """A table that calls `before` and `after` around each of its calls, with the verb and what it was given.

    A range is read whole at once, as storage answers it: what happens while it is gone through is not in it.
    """

    def __init__(
        self,
        table: Table,
        *,
        before: Callable[[str, tuple[Any, ...]], object] = lambda verb, given: None,
        after: Callable[[str, tuple[Any, ...]], object] = lambda verb, given: None,
    ) -> None:
        self._table, self._before, self._after = table, before, after
        self.calls: Counter[str] = Counter()
        self.rows_read = 0

    def __getattr__(self, verb: str) -> Any:
        if verb not in VERBS:
            raise AttributeError(verb)
        method = getattr(self._table, verb)

        def call(*given: Any, **named: Any) -> Any:
            self._before(verb, given)
            self.calls[verb] += 1
            answer = method(*given, **named)
            if isinstance(answer, Iterator):
                answer = iter(read := list(answer))
                self.rows_read += len(read)
            elif isinstance(answer, Row):
                self.rows_read += 1
            self._after(verb, given)
            return answer

        return call


class Fuse:
    """Kills at the call it is set to, before or after that took effect; counts the calls of all tables it is in."""

    def __init__(self, at: int | None = None, *, after: bool = False) -> None:
        self.at, self.after, self.calls = at, after, 0

    def over(self, table: Table) -> Any:
        return Interrupted(table, before=self._begins, after=self._ends)

    def _begins(self, verb: str, given: tuple[Any, ...]) -> None:
        self.calls += 1
        if self.calls == self.at and not self.after:
            raise Killed

    def _ends(self, verb: str, given: tuple[Any, ...]) -> None:
        if self.calls == self.at:
            raise Killed


class Once:
    """Does something once, before the first call of this verb (for which `when` holds)."""

    def __init__(
        self,
        verb: str,
        do: Callable[[], object],
        *,
        when: Callable[[tuple[Any, ...]], bool] = lambda given: True,
    ) -> None:
        self._verb, self._do, self._when, self.done = verb, do, when, False

    def __call__(self, verb: str, given: tuple[Any, ...]) -> None:
        if verb == self._verb and not self.done and self._when(given):
            self.done = True
            self._do()


def unanswered(verb: str, given: tuple[Any, ...]) -> None:
    """Storage did what it was asked, and the answer is lost."""
    raise Transient
