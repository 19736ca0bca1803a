"""A pytest plugin that plants one mutant: its module is imported with the fault in it, and no file is touched."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType

from tests.mutants.mutant import Mutant
from tests.mutants.table import MUTANTS

CHOSEN = "CAMPANHA_MUTANT"
"""Which one: its place in the table."""


class _Loader(SourceFileLoader):
    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.file))
        self._source = mutant.source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


class Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        return spec_from_file_location(fullname, self._mutant.file, loader=_Loader(self._mutant))


chosen = os.environ.get(CHOSEN)
if chosen is not None:
    sys.meta_path.insert(0, Finder(MUTANTS[int(chosen)]))
