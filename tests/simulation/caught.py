"""Plants one seeded bug in this process and looks for it: `python -m tests.simulation.caught NUMBER MOST` says, as JSON,
after how many schedules its oracle spoke. `python -m tests.simulation.caught all MOST` does so for each, in a process of
its own, and writes bench/results/seeded-bugs.json, which the docs show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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


RESULTS = Path(__file__).parents[2] / "bench" / "results" / "seeded-bugs.json"


def all_looked_for(most: str) -> list[dict[str, object]]:
    """Each of the table, with the schedules until it was found; None where it was not."""
    rows: list[dict[str, object]] = []
    for number, bug in enumerate(BUGS):
        program = [sys.executable, "-m", "tests.simulation.caught", str(number), most]
        told = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)
        schedules = told["schedules"] if told["violations"] else None
        rows.append(
            {"bug": bug.mutant.name, "scenario": bug.scenario, "oracle": bug.oracle, "schedules": schedules}
        )
    return rows


if __name__ == "__main__":
    if sys.argv[1] == "all":
        RESULTS.write_text(json.dumps(all_looked_for(sys.argv[2]), indent=1) + "\n", encoding="utf-8")
    else:
        chosen = BUGS[int(sys.argv[1])]
        sys.meta_path.insert(0, Finder(chosen.mutant))
        print(json.dumps(looked_for(chosen, int(sys.argv[2]))))
