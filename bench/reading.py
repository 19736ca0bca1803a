"""Reading of a dropped file with types, all rules and line numbers: rows a second, and what hostile files cost.

A million rows of the bank's shape, drawn by a seed, read as an upload is: as they are, with one line in a hundred at fault,
and by the strict reader alone. Beside it, in the same run, what one would take instead, which checks nothing: pyarrow's
reader; and the limit: the same bytes through SHA-256. Then the worst files known to us, in two sizes: time and
memory grow with a file's size alone. Each in a process of its own, whose memory is measured.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from bench.goals import goals_table, machine_line
from commands import ROOT
from commands.setup.machine import load, machine

ROWS, SEED = 1_000_000, 20080501
DISTINCT = 50_000
"""Rows that are drawn; the file repeats them in another order."""
HOSTILE_BYTES = (3_000_000, 12_000_000)
RATE_GOAL, MEMORY_GOAL, GROWTH_GOAL = 1_000_000, 512, 1.25
"""Rows a second; MiB at most; how many times as long a byte of the larger file may take."""
PIECE = 4 << 20
HEADER = (
    "age;job;marital;education;default;balance;housing;loan;contact;day;month;duration;campaign;pdays;previous;"
    "poutcome;y"
)


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--rows", type=int, default=ROWS)


def run(given: argparse.Namespace) -> dict[str, Any]:
    load_before = load()
    with tempfile.TemporaryDirectory(prefix="campanha-reading-") as folder:
        plain, dirty = Path(folder) / "plain.csv", Path(folder) / "dirty.csv"
        _write(plain, given.rows, faulty=0)
        _write(dirty, given.rows, faulty=100)
        found = {
            "ours": _measured("admitted", plain),
            "ours, 1 % of the lines at fault": _measured("admitted", dirty),
            "the strict reader alone": _measured("strictly", plain),
            "pyarrow, which checks nothing": _measured("by_pyarrow", plain),
            "limit: SHA-256 of the bytes": _measured("hashed", plain),
        }
        hostile = {name: _hostile(Path(folder) / "hostile.csv", name) for name in HOSTILE}
    everything = [found["ours"], found["ours, 1 % of the lines at fault"], *hostile.values()]
    memory = max(one["mib"] for one in everything)
    growth = max(one["growth"] for one in hostile.values())
    rate = given.rows / found["ours"]["seconds"]
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "rows": given.rows,
        "readers": found,
        "hostile": hostile,
        "goals": [
            _goal(
                f"rows a second, with types, rules and lines: at least {RATE_GOAL:,}", rate, rate >= RATE_GOAL
            ),
            _goal(f"memory of any of these, MiB: at most {MEMORY_GOAL}", memory, memory <= MEMORY_GOAL),
            _goal(
                f"a byte of a hostile file four times as long, in time: at most {GROWTH_GOAL:g}",
                growth,
                growth <= GROWTH_GOAL,
            ),
        ],
    }


def _hostile(file: Path, name: str) -> dict[str, Any]:
    """The larger file's figures, and how many times as much processor time a byte of it takes as one of the smaller."""
    seconds = []
    for size in HOSTILE_BYTES:
        _write_hostile(file, name, size)
        found = _measured("admitted", file)
        seconds.append(found["processorSeconds"] / found["bytes"])
    return {**found, "growth": round(seconds[1] / seconds[0], 2)}


def _goal(goal: str, measured: float, met: bool) -> dict[str, Any]:
    return {"goal": goal, "measured": round(measured, 2), "met": met}


# --- what is read -------------------------------------------------------------------------------------------------


def _write(file: Path, rows: int, *, faulty: int) -> None:
    """faulty: every so many lines one has a value too many or a value that breaks a rule; 0: none"""
    chance = random.Random(SEED)
    drawn = [_row(chance) for _ in range(DISTINCT)]
    with file.open("w", encoding="utf-8") as out:
        out.write(f"{HEADER}\n")
        for number in range(rows):
            row = drawn[number * 7919 % DISTINCT]
            if faulty and number % faulty == 0:
                row = f"{row};x" if number % (2 * faulty) else f"x{row}"
            out.write(f"{row}\n")


def _row(chance: random.Random) -> str:
    of = chance.choice
    return (
        f"{chance.randint(18, 90)};{of(('admin.', 'technician', 'retired'))};{of(('married', 'single'))};"
        f"{of(('primary', 'secondary', 'tertiary'))};no;{chance.randint(-500, 20000)};{of(('yes', 'no'))};no;cellular;"
        f"{chance.randint(1, 31)};{of(('may', 'jun', 'nov'))};{chance.randint(0, 3000)};{chance.randint(1, 30)};-1;0;"
        f"unknown;{of(('yes', 'no'))}"
    )


GOOD = _row(random.Random(SEED))
HOSTILE: dict[str, Callable[[int], str]] = {
    "empty lines": lambda number: "",
    "two bytes a line": lambda number: "x",
    "a quote opened on each line": lambda number: f'"{GOOD}',
    "quotes inside values": lambda number: GOOD.replace(";", '";x"', 3),
    "a value too many on each line": lambda number: f"{GOOD};x",
    "each value at fault": lambda number: ";".join(["?"] * 17),
    "each value another text": lambda number: ";".join(f"{number}-{at}" for at in range(17)),
    "lines as long as may be": lambda number: "x" * 65_000,
    "one odd line in nine": lambda number: f"{GOOD};x" if number % 9 == 0 else GOOD,
    "a NUL on each line": lambda number: f"{GOOD}\0",
    "delimiters alone": lambda number: ";" * 60_000,
}
"""The line of each number, by what is wrong with the file."""


def _hostile_lines(name: str) -> Iterator[str]:
    yield HEADER
    for number in range(1_000):  # else none of the first rows fits, and the rest is not read
        yield _row(random.Random(number))
    yield from map(HOSTILE[name], count())


def _write_hostile(file: Path, name: str, most: int) -> None:
    size = 0
    with file.open("w", encoding="utf-8") as out:
        for line in _hostile_lines(name):
            out.write(f"{line}\n")
            size += len(line) + 1
            if size >= most:
                return


# --- in a process of its own --------------------------------------------------------------------------------------


def _measured(how: str, file: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.reading", how, str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "bytes": file.stat().st_size}


def admitted(file: Path) -> None:
    from shared.adapters.contracts import load_contracts
    from shared.domain.tables.admission import check_rows

    admission = check_rows(_chunks(file), load_contracts(ROOT / "contracts"))
    for _ in admission.batches():
        pass


def strictly(file: Path) -> None:
    from shared.domain.tables import columnar

    columnar.can_read = lambda header: False
    admitted(file)


def by_pyarrow(file: Path) -> None:
    from pyarrow import csv

    csv.read_csv(file, parse_options=csv.ParseOptions(delimiter=";"))


def hashed(file: Path) -> None:
    import hashlib

    digest = hashlib.sha256()
    for chunk in _chunks(file):
        digest.update(chunk)


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        yield from iter(lambda: opened.read(PIECE), b"")


def main(how: str, file: Path) -> None:
    """Prints seconds, processor seconds and MiB at most, without what loading the libraries takes."""
    small = file.with_suffix(".small")
    small.write_text(f"{HEADER}\n{_row(random.Random(1))}\n")
    read = {one.__name__: one for one in (admitted, strictly, by_pyarrow, hashed)}[how]
    read(small)
    small.unlink()
    began, processor = time.perf_counter(), time.process_time()
    read(file)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps({"seconds": round(seconds, 3), "processorSeconds": round(processor, 3), "mib": round(mib)})
    )


def show(results: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for title, found in (("A million rows", results["readers"]), ("Hostile files", results["hostile"])):
        table = Table(title=title, title_justify="left")
        for name in ("", "seconds", "processor seconds", "MB/s", "MiB"):
            table.add_column(name, justify="left" if not name else "right")
        for name, one in found.items():
            if one["seconds"]:
                speed = f"{one['bytes'] / one['seconds'] / 1e6:,.0f}"
                table.add_row(
                    name, f"{one['seconds']:.2f}", f"{one['processorSeconds']:.2f}", speed, str(one["mib"])
                )
        console.print(table)
    console.print(goals_table(results))
    console.print(machine_line(results))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
