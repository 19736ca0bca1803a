"""Plants one seeded bug in this process and looks for it: `python -m tests.simulation.caught NUMBER MOST` says, as JSON,
after how many schedules its oracle spoke."""

from __future__ import annotations

import json
import sys

from tests.mutants.plant import Finder
from tests.simulation.bugs import BUGS, Bug


def looked_for(bug: Bug, most: int) -> dict[str, object]:
    """The bug's scenario: each deviation alone, then by chance."""
    from simulation import explore
    from simulation.shrink import in_words, shrunk

    explore.begin()
    schedules = 0
    for piece in explore.pieces(most, 1, scenarios=[bug.scenario]):
        account = explore.done(
            piece, until=lambda account: any(_speaks(bug, one) for one in account.failures)
        )
        schedules += account.schedules
        found = next((one for one in account.failures if _speaks(bug, one)), None)
        if found is not None:
            smallest = shrunk(found)
            return {"schedules": schedules, "replay": smallest.replay, "inWords": in_words(smallest),
                    "violations": list(smallest.violations)}  # fmt: skip
        if schedules >= most:
            break
    return {"schedules": schedules, "violations": []}


def _speaks(bug: Bug, result: object) -> bool:
    return any(one.startswith(f"{bug.oracle}:") for one in result.violations)  # type: ignore[attr-defined]


if __name__ == "__main__":
    chosen = BUGS[int(sys.argv[1])]
    sys.meta_path.insert(0, Finder(chosen.mutant))
    print(json.dumps(looked_for(chosen, int(sys.argv[2]))))
