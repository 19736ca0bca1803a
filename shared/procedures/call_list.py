"""The call list of a sealed batch: who is on it, found shard by shard, and its lines written best first."""

from __future__ import annotations

import hashlib
import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from shared.domain import names
from shared.domain.batches.control_group import CONTROL
from shared.domain.json_text import in_lines
from shared.domain.tables.contract import listed
from shared.procedures.admission import IN_MEMORY
from shared.procedures.do_not_call import PLACE, DoNotCall, UnreadableList, read_do_not_call
from shared.procedures.sealed_batch import SealedBatch, SealedShard
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.outcomes.call_list import CallList
    from shared.domain.tables.column_check import ColumnCheck


LINES_AT_ONCE = 50_000


class Unlistable(ValueError):
    """There is no call list of this batch; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A call list in the making."""

    sealed: SealedBatch
    calls: CallList
    do_not_call: DoNotCall | None
    contacts: str
    """The column that counts a client's contacts, by its name in the file; empty where none is asked."""
    check: ColumnCheck | None
    most_contacts: int

    @property
    def columns(self) -> list[str]:
        """Those that say who is on the list."""
        group = ["group"] if self.sealed.plan.control else []
        key = [self.do_not_call.column] if self.do_not_call else []
        return list(dict.fromkeys(["probability", *group, *key, *([self.contacts] if self.contacts else [])]))

    def add(self, shard: SealedShard) -> None:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from shared.domain.outcomes.call_list import Stretch

        nobody = np.zeros(shard.rows, dtype=np.bool_)

        def is_in(column: str, values: Any) -> Any:
            texts = pc.utf8_trim_whitespace(shard.table.column(column).cast(pa.string()))
            return pc.fill_null(pc.is_in(texts, value_set=values), False).to_numpy()

        probability = shard.table.column("probability").to_numpy()
        control = is_in("group", pa.array([CONTROL])) if self.sealed.plan.control else nobody
        barred = is_in(self.do_not_call.column, self.do_not_call.clients) if self.do_not_call else nobody
        self.calls.add(
            Stretch(
                first=shard.first,
                probability=probability.astype(np.float64),
                control=control,
                suppressed=barred,
                contacted=self._contacted(shard, nobody),
            )
        )

    def _contacted(self, shard: SealedShard, nobody: Any) -> Any:
        import pyarrow as pa

        if self.check is None:
            return nobody
        texts = shard.table.column(self.contacts).cast(pa.string()).combine_chunks()
        checked = self.check(texts.dictionary_encode())
        enough = checked.values[checked.codes] >= self.most_contacts
        return enough if checked.bad is None else enough & ~checked.bad


def begin_listing(sealed: SealedBatch, services: Services) -> Listing:
    """raises: Unlistable"""
    from shared.domain.outcomes.call_list import CallList
    from shared.domain.tables.column_check import ColumnCheck

    plan, policy = sealed.plan, services.policy
    header, contract = plan.cut.header, plan.cut.contract
    try:
        barred = read_do_not_call(services)
    except UnreadableList as fault:
        raise Unlistable(f"{fault}; mend it, then score the file anew") from fault
    if barred is not None and barred.column not in header.names:
        raise Unlistable(
            f"{PLACE} names clients by {listed([barred.column])}, and the file has no such column: nobody can say who"
            " may be called; drop the file again with it"
        )
    counting = bool(policy.most_contacts and contract.contacts)
    column = next((column for column in contract.features if column.name == contract.contacts), None)
    return Listing(
        sealed=sealed,
        calls=CallList(
            batch=plan.batch,
            places=policy.places_on_call_list,
            control_share=plan.cut.control_share,
            call_cost=policy.call_cost,
            deposit_value=policy.deposit_value,
        ),
        do_not_call=barred,
        contacts=header.names[header.columns.index(contract.contacts)] if counting else "",
        check=ColumnCheck(column, contract.mend) if counting and column else None,
        most_contacts=policy.most_contacts,
    )


def write_call_list(listing: Listing, services: Services) -> dict[str, Any]:
    """Writes the list and what it holds; the values of `kinds.batch.CallListed`. raises: Unlistable

    The chosen lines are gathered in the file's order and put out in the list's by their places, so that no sort has them
    in memory.
    """
    from shared.domain.outcomes.scored_lines import Unfindable

    rows, worth = listing.calls.chosen()
    batch, policy = listing.sealed.plan.batch, services.policy
    with tempfile.TemporaryFile() as gathered, tempfile.SpooledTemporaryFile(IN_MEMORY) as out:
        try:
            sha256 = _write_sorted(listing.sealed, rows, gathered, out, services)
        except Unfindable as fault:
            raise Unlistable(
                f"the scored CSV cannot be taken apart ({fault}); score the file anew"
            ) from fault
        out.seek(0)
        services.files.write(names.SCORED, names.call_list_blob(batch), out)
    left_out = {reason: count for reason, count in listing.calls.left_out.items() if count}
    money = float(worth.sum())
    figures = {
        "calls": len(rows),
        "deposits": round((money + len(rows) * policy.call_cost) / policy.deposit_value, 2),
        "money": round(money, 2),
    }
    manifest = {
        "batch": batch,
        **figures,
        "sha256": sha256,
        "left_out": left_out,
        "limits": {
            "most_calls": policy.places_on_call_list,
            "most_contacts": policy.most_contacts if listing.check else 0,
            "call_cost": policy.call_cost,
            "deposit_value": policy.deposit_value,
        },
        "control_share": listing.sealed.plan.cut.control_share,
        "do_not_call": listing.do_not_call.to_json() if listing.do_not_call else None,
    }
    services.files.write(names.SCORED, names.call_list_manifest_blob(batch), in_lines(manifest))
    return {
        **figures,
        "blob": f"{names.SCORED}/{names.call_list_blob(batch)}",
        "manifest": f"{names.SCORED}/{names.call_list_manifest_blob(batch)}",
        "left_out": [{"reason": reason, "rows": count} for reason, count in left_out.items()],
    }


def _write_sorted(
    sealed: SealedBatch, rows: Any, gathered: IO[bytes], out: IO[bytes], services: Services
) -> str:
    """The lines of these rows, in this order, after the header; each with the number of its row, unless the file has a
    column `row` of its own. Returns the SHA-256 of what it wrote; raises: Unfindable"""
    import numpy as np

    from shared.domain.batches.scored_file import head

    cut = sealed.plan.cut
    title, line_end = head(cut.header, cut.added), cut.header.line_end.encode()
    number = cut.header.delimiter.encode() + b"%d" if names.ROW not in cut.header.names else b""
    wanted = np.sort(rows)
    ends = _gather(sealed, wanted, title, gathered, services)
    starts, places = np.concatenate(([0], ends[:-1])), np.searchsorted(wanted, rows)
    digest = hashlib.sha256()

    def put(text: bytes) -> None:
        digest.update(text)
        out.write(text)

    put(title.removesuffix(line_end) + number.replace(b"%d", names.ROW.encode()) + line_end)
    with _mapped(gathered) as lines:
        for begin in range(0, len(rows), LINES_AT_ONCE):
            here = places[begin : begin + LINES_AT_ONCE]
            spans = zip(starts[here].tolist(), ends[here].tolist(), wanted[here].tolist(), strict=True)
            ending = number + line_end
            put(b"".join(lines[at:end] + (ending % row if number else ending) for at, end, row in spans))
    return digest.hexdigest()


def _gather(sealed: SealedBatch, wanted: Any, title: bytes, gathered: IO[bytes], services: Services) -> Any:
    """Writes the lines of these rows, which are in the file's order, one behind another; returns where each ends.

    title: the header line; raises: Unfindable
    """
    import numpy as np

    from shared.domain.outcomes.scored_lines import records, scored_header

    header = scored_header(sealed.plan.cut.header, sealed.plan.cut.added)
    lengths, done = np.zeros(len(wanted), dtype=np.int64), 0
    for first, count, data in sealed.lines(services):
        here = wanted[done : np.searchsorted(wanted, first + count)] - first
        body = data.removeprefix(title) if first == 1 else data
        lines = records(body, header, here, rows=count)
        gathered.write(b"".join(lines))
        lengths[done : done + len(lines)] = [len(line) for line in lines]
        done += len(lines)
    return np.cumsum(lengths)


@contextmanager
def _mapped(file: IO[bytes]) -> Iterator[Any]:
    """The file's bytes, of which the system holds in memory what it likes."""
    file.flush()
    if not file.tell():  # what is empty cannot be mapped
        yield b""
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as found:
        yield found
