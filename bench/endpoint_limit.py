"""What no server can beat: the same requests answered in this process, and its parts. Run by the serving interpreter.

Prints one line of JSON: microseconds for each, the median of many.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from serving import arrow
from serving.answer import JSON, answer
from serving.model import SINGLE, load
from serving.trusted import ready

SECONDS = 0.5


def main() -> int:
    folder = Path(sys.argv[1])
    plain = load(folder / "candidate")
    model = ready(folder / "candidate")
    bodies = {name: (folder / name).read_bytes() for name in ("one.json", "thousand.json", "thousand.arrow")}
    thousand = arrow.matrix_of(bodies["thousand.arrow"], model.features)
    said = {
        "compiled": model.variants[SINGLE].compiled,
        "one JSON record": _median(lambda: answer(model, bodies["one.json"], JSON)),
        "1,000 JSON records": _median(lambda: answer(model, bodies["thousand.json"], JSON)),
        "1,000 Arrow rows": _median(lambda: answer(model, bodies["thousand.arrow"], arrow.CONTENT_TYPE)),
        "compiled trees, 1 row": _median(lambda: model.predict(thousand[:1])),
        "compiled trees, 1,000 rows": _median(lambda: model.predict(thousand)),
        "Booster.predict, 1 row": _median(lambda: plain.predict(thousand[:1])),
        "Booster.predict, 1,000 rows": _median(lambda: plain.predict(thousand)),
    }
    print(json.dumps(said))
    return 0


def _median(do: Callable[[], object]) -> float:
    """Microseconds of one."""
    do()
    taken, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        began = time.perf_counter()
        do()
        taken.append(time.perf_counter() - began)
    return round(statistics.median(taken) * 1e6, 1)


if __name__ == "__main__":
    sys.exit(main())
