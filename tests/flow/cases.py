"""Files that went wrong once, each a row of one table: how it is made, where it is dropped, and what must come of it.

The rows are made up, in the shape of the contracts. What must come of a file is the same whatever the ports are: those
in memory, Azurite's, or the simulation's.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable
from dataclasses import dataclass

from shared.domain import names

ROWS = 40
MARK = "\ufeff"

ECONOMY = ("emp.var.rate", "cons.price.idx", "cons.conf.idx", "nr.employed")
ADDITIONAL = (
    "age", "job", "marital", "education", "default", "housing", "loan", "contact", "month", "day_of_week", "duration",
    "campaign", "pdays", "previous", "poutcome", "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m",
    "nr.employed", "y",
)  # fmt: skip
"""Of contracts/bank-additional.yaml."""
BANK = (
    "age", "job", "marital", "education", "default", "balance", "housing", "loan", "contact", "day", "month", "duration",
    "campaign", "pdays", "previous", "poutcome", "y",
)  # fmt: skip
"""Of contracts/bank.yaml."""


def additional(at: int) -> list[str]:
    """The client at this place; no two are the same."""
    age, job = str(20 + at % 60), ("technician", "services", "admin.")[at % 3]
    called = ["telephone", "may", "mon", str(100 + at), "1", "999", "0", "nonexistent"]
    return [age, job, "married", "basic.4y", "no", "yes", "no", *called, "1.1", "93.994", "-36.4", "4.857", "5191",
            "yes" if at % 7 == 0 else "no"]  # fmt: skip


def bank(at: int) -> list[str]:
    called = ["cellular", "19", "oct", str(at), "1", "-1", "0", "unknown"]
    return [str(20 + at), "technician", "married", "primary", "no", str(at), "no", "no", *called,
            "yes" if at % 7 == 0 else "no"]  # fmt: skip


def lines(start: int = 0, count: int = ROWS) -> list[str]:
    """A header of `bank-additional` and its rows, without line ends."""
    return [";".join(ADDITIONAL), *(";".join(additional(start + at)) for at in range(count))]


def good_file(start: int = 10_000) -> str:
    """What a first model is trained on; none of its rows is in any case."""
    return "".join(line + "\n" for line in lines(start))


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of a file, or of what was put aside of it."""

    dataset: str = "bank-additional"
    taken: int = ROWS
    """Rows that were admitted, or scored."""
    aside: tuple[int, ...] = ()
    """Physical lines, the first being 1, that lie in quarantine."""
    unscored: int = 0
    """Rows of a batch that came out without a score, each with the reason."""
    refused: bool = False
    """The file as a whole."""


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    make: Callable[[int], bytes]
    """Its bytes; the rows are those from this place on, so that no two cases have the same."""
    container: str = names.INCOMING
    came: Came = Came()
    says: tuple[str, ...] = ()
    """Each stands in the reason, in what is said of a line, or of what was mended."""
    readmitted: str = ""
    """Where a person has the rejected rows read again: the state of what was put aside after it."""


def _encoded(of: list[str], end: str = "\n") -> bytes:
    return "".join(line + end for line in of).encode()


def _named(start: int, change: Callable[[str], str]) -> bytes:
    header, *rows = lines(start)
    return _encoded([change(header), *rows])


def _cell(start: int, line: int, column: str, text: str) -> list[str]:
    """The file with another text in one place; line: as it is counted, the header's being 1"""
    made = lines(start)
    cells = made[line - 1].split(";")
    cells[ADDITIONAL.index(column)] = text
    made[line - 1] = ";".join(cells)
    return made


def _without_answer(of: list[str]) -> list[str]:
    return [line.rpartition(";")[0] for line in of]


def _cr_then_crlf(start: int) -> bytes:
    header, *rows = lines(start)
    return f"{header}\r".encode() + _encoded(rows, "\r\n")


def _not_utf8(start: int) -> bytes:
    """A word with an é as Latin-1 has it, where a job should be."""
    return _encoded(_cell(start, 7, "job", "café")).replace("é".encode(), b"\xe9")


def _swallowed(_: int) -> bytes:
    """A quote that opens in a column that the contract ignores, and closes a line below: a line of its own between."""
    made = [";".join([*BANK, "id"]), *(";".join([*bank(at), str(at)]) for at in range(30))]
    made[6] = ";".join([*bank(5), '"5'])
    made[7] = '46;technician;married;lost row;6"'
    return _encoded(made)


def _long_line(start: int) -> bytes:
    made = _encoded(_without_answer(lines(start))).split(b"\n")
    made[2] = b"\xff" * 40_000
    return b"\n".join(made)


def _picture(_: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(range(256))


CASES = (
    Case(name="a byte order mark, twice", make=lambda at: (MARK + MARK).encode() + _encoded(lines(at))),
    Case(
        name="a byte order mark, twice, to score", container=names.SCORING,
        make=lambda at: (MARK + MARK).encode() + _encoded(_without_answer(lines(at))),
    ),
    Case(
        name="a byte order mark in the second name",
        make=lambda at: _named(at, lambda header: header.replace(";job", f"; {MARK}job")),
    ),
    Case(
        name="a byte order mark in the second name, to score", container=names.SCORING,
        make=lambda at: _encoded(_without_answer(lines(at))).replace(b";job", f"; {MARK}job".encode(), 1),
    ),
    Case(name="lines end in CR CR LF", make=lambda at: _encoded(_cell(at, 7, "job", "astronaut"), "\r\r\n"),
         came=Came(taken=39, aside=(7,)), says=("job",)),
    Case(name="the header ends in CR, rows in CR LF", make=_cr_then_crlf),
    Case(
        name="a line that is not UTF-8, readmitted", make=_not_utf8, came=Came(taken=39, aside=(7,)),
        says=("not UTF-8",), readmitted="held",
    ),
    Case(
        name="a quote in an ignored column swallows a line", make=_swallowed,
        came=Came(dataset="bank", taken=28, aside=(7, 8)), says=("opened and not closed",),
    ),
    Case(
        name="a header with underscores", make=lambda at: _named(at, lambda h: h.replace(".", "_")),
        came=Came(refused=True, taken=0),
        says=("nearest is bank-additional", *(f"write '{name}' for '{name.replace('.', '_')}'" for name in ECONOMY)),
    ),
    Case(name="a line sep= above it", make=lambda at: b"sep=;\n" + _encoded(lines(at)), says=("(sep=), skipped",)),
    Case(
        name="a header in capitals", make=lambda at: _named(at, str.upper), came=Came(refused=True, taken=0),
        says=("write 'age' for 'AGE'",),
    ),
    Case(
        name="a point for thousands", make=lambda at: _encoded(_cell(at, 8, "nr.employed", "5.191")),
        came=Came(taken=39, aside=(8,)), says=("nr.employed", "below 1000"),
    ),
    Case(
        name="a point for thousands, to score", container=names.SCORING,
        make=lambda at: _encoded(_without_answer(_cell(at, 8, "nr.employed", "5.191"))),
        came=Came(taken=39, unscored=1), says=("nr.employed", "below 1000"),
    ),
    Case(
        name="a long line of no text, to score", container=names.SCORING, make=_long_line,
        came=Came(taken=39, unscored=1), says=(r"\xff\xff", " ..."),
    ),
    Case(name="a picture", make=_picture, came=Came(refused=True, taken=0), says=("a PNG picture",)),
    Case(
        name="a packed file", make=lambda at: lzma.compress(_encoded(lines(at))), came=Came(refused=True, taken=0),
        says=("xz data; unpack it",),
    ),
)  # fmt: skip
