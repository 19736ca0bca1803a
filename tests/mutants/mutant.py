"""A guard that is taken out of the product, and the test that has to see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A guard that is not there."""

    name: str
    """What is wrong then."""
    module: str
    before: str
    """Stands once in the module."""
    after: str
    test: str
    """That goes red."""

    @property
    def file(self) -> Path:
        return ROOT / (self.module.replace(".", "/") + ".py")

    @property
    def source(self) -> str:
        """The module with the fault in it."""
        return self.file.read_text().replace(self.before, self.after)


def mutant(name: str, module: str, before: str, after: str, test: str) -> Mutant:
    return Mutant(name=name, module=module, before=before, after=after, test=f"tests/{test}")
