"""What the page needs beforehand, computed by CPython with the browser's libraries: `python playground/bake.py FOLDER`.

Its path has `stand_ins/libraries` first, so that beginnings and traces are what the browser itself would find.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = Path(__file__).parent / "stand_ins" / "libraries"
SUGGESTED = (
    ("start", "pipeline.submit", "died after it", "Kill it right after it has submitted a run"),
    ("admit", "blob-events: delivery", "lost", "Lose the event that a file has arrived"),
    ("judge", "steps: delivery", "delivered twice at once", "Deliver a message twice at once"),
    (
        "release",
        "workspace.set_traffic",
        "did it, and the answer was lost",
        "Lose the answer when the traffic is moved",
    ),
    ("gather", "present.commit", "stood still for 200 s", "Let an instance sleep past its lease"),
)
"""What to try first: where, at which kind of choice point, the way to go there, and how a person says it."""
SCENARIOS = (
    "start", "admit", "gather", "gather-more", "judge", "release", "approve", "refuse", "undecided", "promote", "roll-back",
    "plan", "score", "unanswered", "withdraw", "readmit", "overwrite", "search", "fail", "alert", "tell", "configure",
    "poison", "give-up", "retry", "probe", "stray",
)  # fmt: skip
"""Those whose tables the stand-ins of NumPy and Arrow are whole enough for, the one that is shown first in front."""


def main(folder: Path) -> None:
    from docs.flow_picture import EXTERNAL, rows
    from simulation import beginnings, explore
    from simulation.scenarios import SCENARIOS as ALL
    from simulation.trace import traced
    from tests.simulation.bugs import BUGS

    explore.begin()
    for name in ("beginnings", "traces"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    plain = {name: traced(ALL[name], 0, {}) for name in SCENARIOS}
    for name in SCENARIOS:
        (folder / "beginnings" / f"{name}.pickle").write_bytes(beginnings.written(name))
        _write(folder / "traces" / f"{name}.json", plain[name])
    flow = [
        {"when": row.when, "do": row.step, "says": row.sentence, "leadsTo": row.leads_to} for row in rows()
    ]
    _write(
        folder / "story.json",
        {
            "scenarios": [{"name": name, "says": ALL[name].says} for name in SCENARIOS],
            "suggested": [{"says": says, "replay": _suggested(plain[of], *where)} for of, *where, says in SUGGESTED],
            "flow": flow,
            "outside": EXTERNAL,
            "bugs": [
                {"id": one.mutant.name.replace(",", "").replace(" ", "-"), "says": one.mutant.name,
                 "scenario": one.scenario, "light": one.oracle, "module": one.mutant.module,
                 "before": one.mutant.before, "after": one.mutant.after}
                for one in BUGS if one.scenario in SCENARIOS
            ],
        },
    )  # fmt: skip


def _suggested(trace: dict[str, Any], point: str, way: str) -> str:
    """The schedule in which it goes that way where it first can. raises: LookupError"""
    at = next((step["at"] for step in trace["steps"] if step["point"] == point), None)
    if at is None:
        raise LookupError(f"{trace['scenario']} never comes to {point}")
    return f"{trace['scenario']}:0:{at}={trace['options'][point].index(way) + 1}"


def _write(file: Path, body: Any) -> None:
    file.write_text(json.dumps(body, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    sys.path[:0] = [str(LIBRARIES), str(ROOT)]
    main(Path(sys.argv[1]))
