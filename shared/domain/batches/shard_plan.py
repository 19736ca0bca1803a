"""Where a file of clients is cut into shards: found by reading a little around each cut, never the whole file.

    plan = plan_shards(read, size, contracts, shard_bytes=4 << 20)              # or a FileProblem
    for shard in plan.shards:                                                   # anywhere, in any order
        rows = read_shard(read(shard.start, shard.end), plan)                   # shared.domain.batches.shard_rows

A line that is a record by itself is one whatever stands before it (`shared.domain.tables.csv_reader`), so a cut before
such a line is right without knowing how many quotes were opened and closed above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from shared.domain.batches.control_group import COLUMNS as OF_CONTROL
from shared.domain.tables.contract import Contract
from shared.domain.tables.csv_reader import read_blocks, stands_alone
from shared.domain.tables.dialect import LONGEST, FileProblem, Header, read_header
from shared.domain.tables.header_match import HeaderProblem, explained, match, read_as

Read = Callable[[int, int], bytes]
"""The file's bytes from the first number to the second, exclusive."""

ADDED = ("probability", "decile", "decision", "model_version", "problem")
"""The columns of the output after those of the input."""
WINDOW = 16 * 1024
"""Bytes read around a cut to find a line end: some hundred lines."""
MOST_WINDOW = 8 * WINDOW
"""Without a sound line in so many bytes, the reader has to come all the way from the last cut."""


@dataclass(frozen=True, kw_only=True)
class ShardRange:
    """A stretch of the file that begins with a record and holds whole records."""

    number: int
    """From 0, which also carries the header into the output."""
    start: int
    end: int
    """Bytes of the file, end exclusive."""


@dataclass(frozen=True, kw_only=True)
class ShardPlan:
    """How a file is read and cut; goes through JSON unchanged, so that each shard is read alike."""

    contract: Contract
    header: Header
    shards: tuple[ShardRange, ...]
    """At least one: a file without rows has an empty one, since its output has a header all the same."""
    control_share: float = 0.0
    """Of its rows that are drawn by chance (`control_group`); fraction of 1."""

    @property
    def added(self) -> tuple[str, ...]:
        """The output's columns after those of the file."""
        return ADDED + OF_CONTROL if self.control_share else ADDED

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.shards[-1].end

    def to_json(self) -> dict[str, Any]:
        cuts = [shard.start for shard in self.shards]
        drawn = {"control_share": self.control_share} if self.control_share else {}
        return {
            "contract": self.contract.to_json(),
            "header": self.header.to_json(),
            "cuts": cuts,
            "size": self.size,
            **drawn,
        }

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        return cls(
            contract=Contract.from_json(body["contract"]),
            header=Header.from_json(body["header"]),
            shards=_ranges(body["cuts"], body["size"]),
            control_share=body.get("control_share", 0.0),
        )


def plan_shards(
    read: Read, size: int, contracts: Sequence[Contract], *, shard_bytes: int, control_share: float = 0.0
) -> ShardPlan | FileProblem:
    """Cuts the file at the first record at or after every `shard_bytes`.

    size: bytes of the file.
    control_share: of its rows that chance is to draw; fraction of 1
    """
    header, _ = read_header([read(0, min(size, LONGEST + 1))])
    if isinstance(header, FileProblem):
        return header
    contract = match(header.names, contracts, "scoring")
    if isinstance(contract, HeaderProblem):
        after = read(header.end, min(size, header.end + LONGEST))
        return explained(contract, header, after, contracts, "scoring")
    added = ADDED + OF_CONTROL if control_share else ADDED
    taken = [name for name in header.names if name.casefold() in added]
    if taken:
        named = ", ".join(map(repr, taken))
        return FileProblem(
            message=f"the output has columns of its own called {named}; leave them out, or name them otherwise"
        )
    header = read_as(header, contract, "scoring")
    cuts = [header.end]
    for at in range(header.end + shard_bytes, size, shard_bytes):
        if at > cuts[-1]:
            cut = _record_from(read, at, size, header, known=cuts[-1])
            if cut < size:
                cuts.append(cut)
    return ShardPlan(
        contract=contract, header=header, shards=_ranges(cuts, size), control_share=control_share
    )


def sound_cut(window: bytes, header: Header, *, last: bool) -> int | None:
    """Where the first line begins that is a record by itself, among those that begin in the window after a line end.

    last: the window ends with the file, so its last line is whole without a line end.
    """
    newline = header.newline.encode()
    start = window.find(newline) + 1
    while start:
        end = window.find(newline, start)
        line = window[start:end] if end >= 0 else window[start:]
        if (end >= 0 or last) and stands_alone(line, header):
            return start
        start = end + 1
    return None


def _record_from(read: Read, at: int, size: int, header: Header, *, known: int) -> int:
    """The byte of the first record at or after `at`; the file's size when there is none.

    known: where a record before `at` begins.
    """
    begin, window = at - 1, b""  # from the line end before `at`, if there is one
    while len(window) < MOST_WINDOW:
        window += read(begin + len(window), min(size, begin + max(WINDOW, 2 * len(window))))
        last = begin + len(window) == size
        found = sound_cut(window, header, last=last)
        if found is not None:
            return begin + found
        if last:
            break
    return next((start for start in _starts(read, known, size, header) if start >= at), size)


def _starts(read: Read, known: int, size: int, header: Header) -> Iterator[int]:
    """The first byte of each record, read through from a known one: for stretches without a sound line."""
    chunks = (read(at, min(at + (1 << 20), size)) for at in range(known, size, 1 << 20))
    for block in read_blocks(chunks, header, first_line=1, start=known):
        yield from (start for _, start in block.starts(header.newline))


def _ranges(cuts: Sequence[int], size: int) -> tuple[ShardRange, ...]:
    ends = [*cuts[1:], max(size, cuts[0])]
    return tuple(
        ShardRange(number=number, start=start, end=end)
        for number, (start, end) in enumerate(zip(cuts, ends, strict=True))
    )
