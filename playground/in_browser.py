"""What the page's worker calls: runs of the real flow, in the browser's Python, told as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

SEED = 1
"""Of the schedules by chance."""


def plant(bug: str) -> None:
    """Has a module of the product imported with a fault in it. bug: JSON, {"module", "before", "after"}"""
    told = json.loads(bug)
    sys.meta_path.insert(0, _Planted(told["module"], told["before"], told["after"]))


class _Planted(MetaPathFinder):
    def __init__(self, module: str, before: str, after: str) -> None:
        self._module, self._change = module, (before, after)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        file = Path(__file__).parent / f"{fullname.replace('.', '/')}.py"
        return spec_from_file_location(fullname, file, loader=_Loader(fullname, str(file), self._change))


class _Loader(SourceFileLoader):
    def __init__(self, module: str, path: str, change: tuple[str, str]) -> None:
        super().__init__(module, path)
        self._change = change

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text(encoding="utf-8")
        before, after = self._change
        if source.count(before) != 1:
            raise LookupError(f"the fault fits {fullname} no more")
        return compile(source.replace(before, after), self.path, "exec", dont_inherit=True)


def begin() -> None:
    """Once, after everything is in its place; takes some seconds."""
    from simulation import explore

    explore.begin()


def beginning(name: str, data: Any) -> None:
    """Where that scenario begins. data: of `simulation.beginnings`"""
    from simulation import beginnings

    beginnings.read(name, data.to_bytes() if hasattr(data, "to_bytes") else bytes(data))


def traced(replay: str) -> str:
    """raises: ValueError, KeyError when that is no schedule"""
    from simulation.runs import read_replay
    from simulation.trace import traced as trace_of

    return json.dumps(trace_of(*read_replay(replay)))


class Search:
    """Looks for a schedule that breaks something, for as long as it is asked to."""

    def __init__(self, scenario: str) -> None:
        self._results, self.schedules = _tried(scenario), 0

    def goes_on(self, seconds: float) -> str:
        """returns: JSON, {"schedules": how many so far, "found": null, or the shrunk schedule}"""
        from simulation.shrink import shrunk

        until = time.monotonic() + seconds
        while time.monotonic() < until:
            result = next(self._results)
            self.schedules += 1
            if result.violations:
                smallest = shrunk(result)
                told = {"replay": smallest.replay, "violations": list(smallest.violations)}
                return json.dumps({"schedules": self.schedules, "found": told})
        return json.dumps({"schedules": self.schedules, "found": None})


def _tried(name: str) -> Iterator[Any]:
    """The plain order; then by turns each way to go differently alone, and some by chance: most bugs need one of the two,
    and nobody waits for the end of the first."""
    from simulation.explore import by_chance, points_of
    from simulation.runs import run, scenario_of

    scenario = scenario_of(name)
    yield run(scenario, 0, {}, thorough=True)
    points = enumerate(points_of(scenario, {}), 1)
    alone = iter([{at: option} for at, point in points for option in range(1, len(point.options) + 1)])
    for number in count():
        if (one := next(alone, None)) is not None:
            yield run(scenario, 0, one)
        yield by_chance(SEED, number, [name])
