"""The change feed over storage itself: its clock, its partitions, its transactions; eight writers and one reader."""

from __future__ import annotations

import random
import threading
import uuid
from functools import partial

from unit.ledger.following import Reader, read_anew

from shared.adapters.memory import system_clock
from shared.domain.kinds.kind import Change
from shared.ledger import Ledger

STATES = ("arrived", "admitted", "registered")


def test_each_move_is_told_once_under_eight_writers(azurite: str) -> None:
    from azure.data.tables import TableServiceClient

    from shared.adapters.tables import AzureTable
    from shared.adapters.transport import settled

    service = settled(partial(TableServiceClient.from_connection_string, azurite))
    tables = [AzureTable(service.create_table(f"t{uuid.uuid4().hex}")) for _ in range(2)]

    def ledger() -> Ledger:
        return Ledger(tables[0], present=tables[1], now=system_clock, lease_seconds=60)

    def write(writer: int) -> None:
        mine, chance = ledger(), random.Random(writer)
        for number in range(10):
            id_ = f"{chance.randrange(20)}" if number % 3 else f"{writer}-{number}"
            change = Change(kind="upload", id=id_, state=chance.choice(STATES), values={"name": id_})
            mine.outbox.append(mine.records.apply([change], cause=f"{writer}/{number}"))

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers[:4]:
        writer.start()
    for writer in writers[:2]:
        writer.join()
    for writer in writers[4:]:
        writer.start()
    reader = Reader(ledger(), page=7)
    reader.keep_up(writers)
    assert not reader.repeated()
    assert reader.state == read_anew(ledger())
    assert len(reader.state) >= 8 * 4
