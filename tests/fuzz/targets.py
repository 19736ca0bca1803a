"""What is fuzzed: whatever reads bytes of somebody else's, and what it may answer to them: a value, or its own error.

A target is called with any bytes. It returns when they were read, or refused as the reader says it refuses; anything
else that it raises is a crash. Seeds are where a fuzzer begins; `tests/fuzz/test_targets.py` runs them, and whatever was
found, without one.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from pydantic import SecretStr

from functions.delivery import fact_in
from functions.event_grid import event_in
from functions.http.views.delta_token import pack, unpack
from functions.runs import run_in
from shared.adapters.contracts import load_contracts
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.shard_plan import ShardPlan, plan_shards
from shared.domain.facts import Fact, ScoringDue, ShardDue, UploadArrived
from shared.domain.outcomes.outcome_file import OutcomeFile, batch_of
from shared.domain.tables import columnar
from shared.domain.tables.csv_reader import read_blocks
from shared.domain.tables.dialect import FileProblem, read_header
from shared.domain.tables.unreadable import UnreadableFile
from shared.domain.trace import Trace
from shared.errors import ConfigurationError, Transient, UnreadableMessage
from shared.ledger.change_feed import BEGINNING, Cursor
from shared.settings import Settings
from tests.unit.domain.clients import BANK, rows, written
from tests.unit.domain.test_columnar import read_whole

Read = Callable[[bytes], None]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One reader."""

    reads: Read
    modules: tuple[str, ...]
    """Whose branches lead the fuzzer."""
    seeds: tuple[bytes, ...]
    words: tuple[str, ...] = ()
    """What its inputs are made of: a fuzzer's dictionary."""

    def tried(self, data: bytes) -> None:
        """Reads it; raises: whatever the reader did, and what it left to the interpreter to print"""
        unheard: list[Any] = []
        with mock.patch.object(sys, "unraisablehook", unheard.append):
            self.reads(data)
        assert not unheard, f"a traceback was printed: {unheard[0].exc_value!r}"


def _admission(data: bytes) -> None:
    """Both readers find the same rows, refusals and counts. The first byte says how the file comes in pieces."""
    piece, file = 1 + (data[0] if data else 0) * 7, data[1:]
    with mock.patch.multiple(columnar, FIRST=100, LARGEST=1000):  # so that a small file has several stretches
        in_columns = read_whole(file, BANK, piece)
        with mock.patch.object(columnar, "can_read", return_value=False):
            assert read_whole(file, BANK, piece) == in_columns, "the two readers disagree"


def _fact(data: bytes) -> None:
    try:
        fact = fact_in(data)
    except (UnreadableMessage, Transient):
        return
    again = Fact.from_message(fact.to_message())
    assert (again, again.trace, again.key) == (fact, fact.trace, fact.key), (
        "it is another fact when it is read again"
    )


def _event(data: bytes) -> None:
    for read in (event_in, run_in):
        try:
            read(data)
        except UnreadableMessage:
            continue


def _trace(data: bytes) -> None:
    found = Trace.read(data.decode(errors="replace"))
    if found is not None:
        assert Trace.read(found.traceparent) == found, "it is another trace when it is read again"


def _page_token(data: bytes) -> None:
    try:
        cursor = unpack(data.decode(errors="replace"), "list")
    except ValueError:
        return
    assert unpack(pack(cursor, "list"), "list").next == cursor.next, (
        "it is another place when it is packed again"
    )


def _contract(data: bytes) -> None:
    file = _FOLDER / "contract.yaml"
    file.write_bytes(data)
    try:
        load_contracts(_FOLDER)
    except ConfigurationError:
        return


def _outcomes(data: bytes) -> None:
    header, rest = read_header([data])
    if isinstance(header, FileProblem):
        return
    try:
        blocks = [*read_blocks(rest, header)]
        batch_of("any.csv", header, blocks[0] if blocks else None)
        told = OutcomeFile.of(header, _PLAN)
        for block in blocks:
            told.add(block)
    except UnreadableFile:
        return
    assert len(told.answers) + told.rejected + told.blank + told.repeated == sum(
        len(block.rows) + len(block.broken) for block in blocks
    ), "a line is neither an answer nor a fault"


def _channels(data: bytes) -> None:
    try:
        made = Settings(**_NEEDED, alert_channels=SecretStr(data.decode(errors="replace")))
    except ValueError:
        return
    assert all(channel.name for channel in made.channel_list())


_NEEDED: dict[str, Any] = {
    "campanha_storage": SecretStr("UseDevelopmentStorage=true"),
    "azure_subscription_id": "s",
    "azure_resource_group": "g",
    "azureml_workspace": "w",
}
_FOLDER = Path(tempfile.mkdtemp(prefix="campanha-fuzz-"))


def _plan() -> BatchPlan:
    data = b"client;" + written([]) + b"".join(b"c%d;" % n + written([row]).splitlines()[1] + b"\n"
                                               for n, row in enumerate(rows(3)))  # fmt: skip
    cut = plan_shards(lambda start, end: data[start:end], len(data), [BANK], shard_bytes=1 << 20)
    assert isinstance(cut, ShardPlan)
    of = {
        "name": "may.csv",
        "etag": "1",
        "endpoint": "bank",
        "deployment": "model-1",
        "since": "2026-11-24T09:00:00+00:00",
    }
    return BatchPlan(batch="may-csv-00000000", version=1, cut=cut, **of)


_PLAN = _plan()
_TRACED = Trace("1" * 32, "2" * 16)
_ARRIVED = UploadArrived(name="may.csv", etag="0x1")
_CREATED = (
    b'{"eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/incoming/blobs/a.csv",'
    b'"data":{"api":"PutBlob","eTag":"0x1"}}'
)
_MOVED = (
    b'{"specversion":"1.0","type":"Microsoft.MachineLearningServices.RunCompleted","subject":"experiments/e/runs/r",'
    b'"data":{"runId":"bank-v1-a1"}}'
)

TARGETS: dict[str, Target] = {
    "admission": Target(
        reads=_admission,
        modules=("shared.domain.tables",),
        seeds=(
            b"\x20" + written(rows(20)),
            b"\x01" + written(rows(3), line_end="\r\n"),
            b"\x05" + written(rows(9)) + b'"a ""b"";c";\n;;\n' + written(rows(2)),
        ),
        words=(
            ";",
            '"',
            '""',
            "\r\n",
            "\n",
            "\0",
            "\ufeff",
            "sep=;",
            "age",
            "unknown",
            "-1",
            "1e5",
            "\u00e9",
        ),
    ),
    "fact": Target(
        reads=_fact,
        modules=("shared.domain.facts", "shared.domain.json_types", "shared.domain.trace"),
        seeds=tuple(
            fact.to_message().encode()
            for fact in (
                _ARRIVED,
                _ARRIVED.in_trace(_TRACED),
                ScoringDue(tick="1"),
                ShardDue(batch="may-csv-00000000", number=1),
            )
        ),
        words=(
            '"fact":',
            '"Traced"',
            '"of":',
            '"traceparent":',
            "NaN",
            "1e999",
            "null",
            "[[[[",
            "UploadArrived",
        ),
    ),
    "event": Target(
        reads=_event,
        modules=("functions.event_grid", "functions.runs", "shared.domain.json_types"),
        seeds=(_CREATED, _MOVED, b"[" + _CREATED + b"]"),
        words=(
            '"eventType":',
            '"specversion":',
            '"subject":',
            '"data":',
            '"runId":',
            "null",
            "[[[[",
            "\\ud800",
        ),
    ),
    "traceparent": Target(
        reads=_trace,
        modules=("shared.domain.trace",),
        seeds=(_TRACED.traceparent.encode(), b"01-" + b"1" * 32 + b"-" + b"2" * 16 + b"-00-more"),
    ),
    "page-token": Target(
        reads=_page_token,
        modules=("functions.http.views.delta_token",),
        seeds=(
            pack(Cursor(next=7, settled=BEGINNING, seen={1: 2, 9: 1}, seen_at=BEGINNING), "list").encode(),
            b"",
        ),
    ),
    "contract": Target(
        reads=_contract,
        modules=("shared.adapters.contracts", "shared.domain.tables.contract", "shared.domain.expectations"),
        seeds=tuple(
            file.read_bytes() for file in sorted((Path(__file__).parents[2] / "contracts").glob("*.yaml"))
        ),
        words=(
            "dataset:",
            "columns:",
            "expects:",
            "!!python/object/apply:os.system",
            "&a",
            "*a",
            "<<:",
            "[",
            "{",
            "null",
        ),
    ),
    "outcomes": Target(
        reads=_outcomes,
        modules=("shared.domain.outcomes.outcome_file", "shared.domain.tables"),
        seeds=(
            b"batch;row;y\nmay-csv-00000000;1;yes\nmay-csv-00000000;2;no\n",
            b"batch;client;called;y\nmay-csv-00000000;c1;yes;no\n",
        ),
        words=("batch", "row", "client", "called", "y", "yes", "no", ";", '"', "\u00b2", "may-csv-00000000"),
    ),
    "alert-channels": Target(
        reads=_channels,
        modules=("shared.settings", "shared.domain.network_reach"),
        seeds=(
            b'[{"type":"teams","url":"https://bank.example/x"},{"type":"slack","url":"https://10.1.2.3/x"}]',
            b'[{"type":"email","host":"smtp.bank.example","from":"a@b.example","to":["c@d.example"],"tls":"none"}]',
            b'[{"type":"pagerduty","routing_key":"0123456789012345678901234567890a"}]',
        ),
        words=('"type"', '"url"', "teams", "slack", "https://", "[::1]", "%", "@", "0x7f", "xn--", ":99999"),
    ),
}
