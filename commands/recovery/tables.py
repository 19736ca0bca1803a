"""The ledger's two tables in storage, read whole and filled again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import groupby
from typing import Any

from commands.recovery.snapshot import PAST, PRESENT, Copied
from commands.stack.errors import StackError
from shared.adapters.tables import AzureTable
from shared.ledger.ledger import NOW
from shared.ports import Row, Table, Upsert
from shared.resources.storage import PRESENT as SUFFIX

MOST_WRITES, MOST_CHARACTERS = 100, 1_000_000
"""Of a transaction: storage takes 100, and 4 MiB."""


@dataclass(frozen=True)
class WholeTable:
    """One table. client: of azure-data-tables"""

    client: Any

    def partition(self, name: str) -> Iterator[Row]:
        return AzureTable(self.client).rows(name)

    def everything(self) -> Iterator[Row]:
        return AzureTable(self.client).everything()

    def is_empty(self) -> bool:
        return next(iter(self.client.list_entities(results_per_page=1)), None) is None


@dataclass(frozen=True)
class Tables:
    """Both. service: a TableServiceClient; ledger: the name of the large one"""

    service: Any
    ledger: str

    @property
    def past(self) -> WholeTable:
        return WholeTable(self.service.get_table_client(self.ledger))

    @property
    def present(self) -> WholeTable:
        return WholeTable(self.service.get_table_client(f"{self.ledger}{SUFFIX}"))

    def time(self) -> datetime:
        """By storage's clock, to the second, and never later than now."""
        told: list[datetime] = []

        def hear(response: Any) -> None:
            told.append(parsedate_to_datetime(response.http_response.headers["date"]))

        next(iter(self.past.client.list_entities(results_per_page=1, raw_response_hook=hear)), None)
        return told[0]

    def fill(self, rows: Sequence[Copied], *, over: bool) -> None:
        """What stands for the present last: a ledger that was not filled to the end has no open fact.

        over: write over what a restore that broke off has left
        raises: StackError where the tables hold anything
        """
        if not over and not (self.past.is_empty() and self.present.is_empty()):
            raise StackError(
                f"the tables `{self.ledger}` and `{self.ledger}{SUFFIX}` are not empty. A ledger is restored into empty"
                " ones; --over goes on with a restore that broke off."
            )
        of = {PAST: AzureTable(self.past.client), PRESENT: AzureTable(self.present.client)}
        write(rows, of)


def write(rows: Sequence[Copied], of: dict[str, Table] | dict[str, AzureTable]) -> None:
    """Into these tables, by the name of each."""
    ordered = sorted(
        rows, key=lambda row: (row.table == PRESENT, row.partition == NOW, row.table, row.partition)
    )
    for (table, partition), together in groupby(ordered, key=lambda row: (row.table, row.partition)):
        for some in _transactions(together):
            of[table].commit(partition, some)


def _transactions(rows: Iterable[Copied]) -> Iterator[list[Upsert]]:
    waiting: list[Upsert] = []
    size = 0
    for row in rows:
        weight = len(str(row.value))
        if waiting and (len(waiting) == MOST_WRITES or size + weight > MOST_CHARACTERS):
            yield waiting
            waiting, size = [], 0
        waiting.append(Upsert(row=row.row, value=row.value))
        size += weight
    if waiting:
        yield waiting
