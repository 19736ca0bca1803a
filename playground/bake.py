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
SCENARIOS = (
    "start", "admit", "gather", "gather-more", "judge", "release", "approve", "plan", "score", "withdraw", "readmit",
    "overwrite", "search", "tell", "poison", "give-up",
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
    for name in SCENARIOS:
        (folder / "beginnings" / f"{name}.pickle").write_bytes(beginnings.written(name))
        _write(folder / "traces" / f"{name}.json", traced(ALL[name], 0, {}))
    flow = [
        {"when": row.when, "do": row.step, "says": row.sentence, "leadsTo": row.leads_to} for row in rows()
    ]
    _write(
        folder / "story.json",
        {
            "scenarios": [{"name": name, "says": ALL[name].says} for name in SCENARIOS],
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


def _write(file: Path, body: Any) -> None:
    file.write_text(json.dumps(body, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    sys.path[:0] = [str(LIBRARIES), str(ROOT)]
    main(Path(sys.argv[1]))
