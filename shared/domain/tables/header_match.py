"""Which contract a file's header fits, and what it calls the file's columns; else how it differs from the nearest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from shared.domain.tables.contract import INDEX_NAMES, MENDS, Contract, Purpose, listed
from shared.domain.tables.dialect import DELIMITERS, LONGEST, FileProblem, Header, read_header, split
from shared.errors import ConfigurationError

MOST_TITLE_LINES = 10
"""Lines above a header that are looked at to say that they are titles."""


@dataclass(frozen=True, kw_only=True)
class HeaderProblem:
    """The header fits no contract; how it differs from the nearest one."""

    dataset: str
    """The nearest contract."""
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    misspelt: tuple[tuple[str, str], ...] = ()
    """Names that differ from the contract's in case and signs alone, each with the contract's."""

    @property
    def message(self) -> str:
        differences = [
            f"{what} {listed(columns)}"
            for what, columns in (
                ("missing", self.missing),
                ("unexpected", self.unexpected),
                ("more than once", self.duplicated),
            )
            if columns
        ]
        written = [f"write {wanted!r} for {found[:60]!r}" for found, wanted in self.misspelt[:10]]
        more = len(self.misspelt) - len(written)
        written += [f"and {more} more alike"] if more > 0 else []
        found = "; ".join([*differences, ", ".join(written)] if written else differences) or "nothing differs"
        nearest = f"nearest is {self.dataset} (columns {found})"
        return f"the header fits no contract; {nearest}; mend the header and drop the file again"


def match(
    header: Sequence[str], contracts: Iterable[Contract], purpose: Purpose = "training"
) -> Contract | HeaderProblem:
    """The contract whose columns the header has, in any order; else the difference from the nearest.

    A file to score may have columns that no contract knows, the clients' keys for instance: they go through it unread.
    If it fits several contracts so, it is the one that knows most of its columns.

    header: clean names, as `dialect.Header` has them
    """
    problems = [_difference(header, contract, purpose) for contract in contracts]
    fitting = _knowing_most(header, [contract for contract, faults in problems if not faults], purpose)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        both = listed([contract.dataset for contract in fitting])
        raise ConfigurationError(f"a header may fit only one contract, and {both} share one; tell them apart")
    return min((fault for _, fault in problems if fault), key=_distance)


def read_as(header: Header, contract: Contract, purpose: Purpose) -> Header:
    """The header as the contract that it fits reads it."""
    names, _ = renamed(header.names, contract, purpose)
    known_as = () if names == header.names else names
    return replace(header, known_as=known_as, line_ends_in=contract.line_ends_in)


def explained(
    problem: HeaderProblem,
    header: Header,
    after: bytes,
    contracts: Sequence[Contract],
    purpose: Purpose,
) -> FileProblem:
    """What is to be said of a header that fits no contract: the likeliest cause, else how it differs.

    after: some bytes of the file from where the header ends
    """
    if header.width == 1:
        cells = max((split(header.names[0], sign) for sign in DELIMITERS), key=len)
        if isinstance(match(cells, contracts, purpose), Contract):
            return FileProblem(
                message="each line stands in quotes as one value; write the file without these quotes"
            )
    line = header.line
    for _ in range(MOST_TITLE_LINES):
        below, rest = read_header([after])
        if isinstance(below, FileProblem):
            break
        line += below.line
        fit = match(below.names, contracts, purpose)
        if isinstance(fit, Contract):
            above = (
                f"line {header.line} is"
                if line == header.line + 1
                else f"lines {header.line} to {line - 1} are"
            )
            return FileProblem(
                message=f"{above} no header: that of contract {fit.dataset} stands on line {line}; remove what is above it"
            )
        after = b"".join(islice(rest, 1))[:LONGEST]
    return FileProblem(message=problem.message)


def _difference(
    header: Sequence[str], contract: Contract, purpose: Purpose
) -> tuple[Contract, HeaderProblem | None]:
    names, _ = renamed(header, contract, purpose)
    if "index-column" in contract.mend and names and names[0] in INDEX_NAMES:
        names = names[1:]
    needed = [column.name for column in contract.columns_for(purpose)]
    counts = Counter(names)
    missing = [name for name in needed if name not in counts]
    unexpected = [name for name in counts if name not in contract.known(purpose)]
    alike = {_plain(name): name for name in missing}
    misspelt = {name: alike[_plain(name)] for name in unexpected if _plain(name) in alike}
    if purpose == "scoring" and set(missing) <= set(misspelt.values()):
        features = {
            _plain(name) for name in needed
        }  # what goes through unread must be none, written otherwise
        unexpected = [name for name in unexpected if _plain(name) in features]
    problem = HeaderProblem(
        dataset=contract.dataset,
        missing=tuple(name for name in missing if name not in misspelt.values()),
        unexpected=tuple(name for name in unexpected if name not in misspelt),
        duplicated=tuple(name for name, count in counts.items() if count > 1),
        misspelt=tuple(misspelt.items()),
    )
    return contract, problem if missing or unexpected or problem.duplicated else None


def renamed(
    header: Sequence[str], contract: Contract, purpose: Purpose
) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """What the contract calls the file's columns, and each it had to mend for that, with how."""
    known = contract.known(purpose)
    alike = _alike(known, contract.aliases) if "names" in contract.mend else {}
    names: list[str] = []
    mended: list[tuple[str, str]] = []
    for name in header:
        meant = name if name in known else contract.aliases.get(name) or alike.get(_plain(name), name)
        if meant != name:
            mended.append((meant, "an alias of its name" if name in contract.aliases else MENDS["names"]))
        names.append(meant)
    if "index-column" in contract.mend and names and names[0] in INDEX_NAMES:
        mended.append(("", MENDS["index-column"]))
    return tuple(names), mended


def _alike(known: Iterable[str], aliases: Mapping[str, str]) -> dict[str, str]:
    """By the plain form of a name the column it can only mean."""
    meant = [(_plain(name), name) for name in known] + [
        (_plain(alias), name) for alias, name in aliases.items()
    ]
    columns: dict[str, set[str]] = {}
    for plain, name in meant:
        columns.setdefault(plain, set()).add(name)
    return {plain: names.pop() for plain, names in columns.items() if len(names) == 1}


def _knowing_most(names: Sequence[str], fitting: Sequence[Contract], purpose: Purpose) -> list[Contract]:
    """Of the names as each contract reads them."""
    known = [
        len(contract.known(purpose).intersection(renamed(names, contract, purpose)[0]))
        for contract in fitting
    ]
    return [contract for contract, count in zip(fitting, known, strict=True) if count == max(known)]


def _plain(name: str) -> str:
    """A name without what people write now so, now otherwise: case, blanks, dots, underscores, dashes."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _distance(problem: HeaderProblem) -> tuple[int, int]:
    return len(problem.missing) + len(problem.unexpected) + len(problem.duplicated), len(problem.misspelt)
