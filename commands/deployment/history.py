"""What was deployed, in order, and how each did: which package runs, and which one to go back to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from commands.packaging.manifest import Manifest

INSTALLING, INSTALLED, PASSED, FAILED = "installing", "installed", "passed", "failed"
"""Of a deployment: begun; the package is where it runs; the smoke test's verdict."""
VERDICTS = (PASSED, FAILED)
REMEMBERED = 100
KEPT = 5
"""Packages that passed, and so may be gone back to."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One package on its way to where it runs."""

    release: str
    sha256: str
    commit: str
    at: str
    state: str
    back_from: str = ""
    """The release that this one replaced because it failed; empty mostly."""


@dataclass(frozen=True)
class History:
    """Oldest first."""

    deployments: tuple[Deployment, ...] = ()

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        told: list[dict[str, Any]] = json.loads(text)
        return cls(tuple(Deployment(**each) for each in told))

    def text(self) -> str:
        return json.dumps([asdict(each) for each in self.deployments[-REMEMBERED:]], indent=1) + "\n"

    @property
    def current(self) -> Deployment | None:
        return self.deployments[-1] if self.deployments else None

    @property
    def to_go_back_to(self) -> Deployment | None:
        """The newest package whose last verdict is good: one that failed since, or never had a verdict, is none."""
        return next(iter(self._passed()), None)

    def begun(self, manifest: Manifest, at: str, *, back_from: str = "") -> Self:
        new = Deployment(
            release=manifest.release,
            sha256=manifest.sha256,
            commit=manifest.commit,
            at=at,
            state=INSTALLING,
            back_from=back_from,
        )
        return type(self)((*self.deployments, new))

    def now(self, state: str) -> Self:
        """The current deployment in another state."""
        *before, last = self.deployments
        return type(self)((*before, replace(last, state=state)))

    def kept(self) -> set[str]:
        """Digests of the packages that may still be needed."""
        current = [self.current.sha256] if self.current else []
        return {*current, *[each.sha256 for each in self._passed()][:KEPT]}

    def _passed(self) -> Iterable[Deployment]:
        """One for each package, newest first."""
        verdicts: dict[str, Deployment] = {}
        for each in reversed(self.deployments):
            if each.state in VERDICTS:
                verdicts.setdefault(each.sha256, each)
        return [each for each in verdicts.values() if each.state == PASSED]
