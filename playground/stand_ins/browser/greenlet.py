"""A stand-in for greenlet in a browser: each one is a promise that waits for its turn, by JavaScript Promise Integration.

greenlet moves pieces of the C stack about, which WebAssembly does not let anybody do. With JSPI the browser itself sets
a stack aside while it waits for a promise (`pyodide.ffi.run_sync`), and goes on with it later. One runs at a time here
too: who switches opens the gate of the other one and waits at its own.
"""

from __future__ import annotations

from collections.abc import Callable

import campanha_gates  # of worker.js
from pyodide.ffi import create_proxy, run_sync


class greenlet:
    """Something to run, on a stack of its own."""

    def __init__(self, run: Callable[[], None] | None = None, parent: greenlet | None = None) -> None:
        """run: none for the one that is there from the beginning"""
        self.run, self.parent, self.dead = run, parent, False
        self._begun = run is None
        self._open: Callable[[], None] | None = None
        self._raises: BaseException | None = None
        """Here, once its turn has come."""

    def switch(self) -> None:
        """It goes on now, and whoever calls this when somebody switches back."""
        global _current  # noqa: PLW0603  (there is one that runs)
        caller = _current
        gate = campanha_gates.gate()
        caller._open = gate.open
        self._goes_on()
        run_sync(gate.opened)
        _current = caller
        if caller._raises is not None:
            problem, caller._raises = caller._raises, None
            raise problem

    def throw(self, kind: type[BaseException]) -> None:
        """It goes on by raising that; what it does not catch is raised in its parent."""
        if not self._begun:
            self.dead = True
            raise kind
        self._raises = kind()
        self.switch()

    def _goes_on(self) -> None:
        global _current  # noqa: PLW0603
        _current = self
        if self._begun:
            opens, self._open = self._open, None
            opens()
        else:
            self._begun = True
            campanha_gates.begin(create_proxy(self._whole))

    def _whole(self) -> None:
        raised: BaseException | None = None
        try:
            self.run()
        except BaseException as problem:  # noqa: BLE001  (it is its parent's)
            raised = problem
        self.dead = True
        parent = self.parent
        while parent.dead:
            parent = parent.parent
        parent._raises = raised
        parent._goes_on()


_current = greenlet()


def getcurrent() -> greenlet:
    """The one that runs."""
    return _current
