"""Times are storage's, whatever this machine's clock says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import Response, Session

from shared.adapters.storage_clock import StorageClock
from shared.adapters.tables import AzureTable
from shared.adapters.transport import StraightSession

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Machine:
    """A machine whose clock is off by so many seconds, and storage, which has the right time."""

    def __init__(self, off: float) -> None:
        self.time, self.off = NOON, off
        self.clock = StorageClock(wall=lambda: self.time.timestamp() + off, steady=self._steady)

    def _steady(self) -> float:
        return (self.time - NOON).total_seconds() + 1000

    def asks(self, there: float = 0.01, back: float = 0.01) -> None:
        """One request, and how many seconds it and its answer are on the way."""
        started = self.clock.started()
        self.time += timedelta(seconds=there)
        date = format_datetime(self.time.replace(microsecond=0), usegmt=True)
        self.time += timedelta(seconds=back)
        self.clock.heard(date, started=started)

    @property
    def wrong_by(self) -> float:
        return abs((self.clock.now() - self.time).total_seconds())


@pytest.mark.parametrize("off", [20 * 60, -20 * 60, 86_400 * 400])
def test_one_answer_puts_the_clock_right_to_a_second(off: float) -> None:
    machine = Machine(off)
    assert machine.wrong_by == pytest.approx(abs(off))
    machine.asks()
    assert machine.wrong_by <= 1.02


def test_a_right_clock_is_left_alone() -> None:
    machine = Machine(0.0)
    for _ in range(50):
        machine.asks(0.2, 0.13)
    assert machine.wrong_by == pytest.approx(0, abs=1e-6)


@given(
    off=st.floats(-1e5, 1e5),
    ways=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=1, max_size=20),
)
def test_it_is_never_wrong_by_more_than_the_slowest_answer_and_a_second(
    off: float, ways: list[tuple[float, float]]
) -> None:
    machine = Machine(off)
    for there, back in ways:
        machine.asks(there, back)
        assert machine.wrong_by <= there + back + 1.001


@pytest.mark.parametrize("date", [None, "", "yesterday", "Thu, 99 Nov 2026 12:00:00 GMT"])
def test_what_says_no_time_changes_nothing(date: str | None) -> None:
    machine = Machine(30)
    machine.clock.heard(date, started=machine.clock.started())
    assert machine.wrong_by == pytest.approx(30)


def test_the_transport_tells_it_of_each_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(20 * 60)
    answer = Response()
    answer.headers["Date"] = format_datetime(NOON, usegmt=True)
    answer._content = b""

    class Adapter:
        def send(self, *_: Any, **__: Any) -> Response:
            return answer

    monkeypatch.setattr(Session, "get_adapter", lambda self, url: Adapter())
    how: dict[str, Any] = {"timeout": 1, "verify": True, "cert": None, "proxies": {}, "headers": {}}
    StraightSession(machine.clock).request("GET", "https://bank.test/a", **how)
    assert machine.wrong_by <= 1


def test_every_client_of_the_apps_storage_tells_it() -> None:
    from azure.storage.blob import BlobServiceClient

    from shared import wiring

    account = "DefaultEndpointsProtocol=https;AccountName=bank;AccountKey=YQ==;EndpointSuffix=bank.test"
    settings = mock.Mock(campanha_storage=mock.Mock(get_secret_value=lambda: account))
    client = wiring._storage_client(BlobServiceClient, settings, None, mock.Mock())
    transport = client._pipeline._transport
    assert transport.session._storage_clock is wiring.storage_clock()


def test_transactions_of_the_ledgers_tables_tell_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.data.tables import TableClient, TableServiceClient

    from shared import wiring

    def made(self: TableServiceClient, name: str) -> TableClient:
        return self.get_table_client(name)

    monkeypatch.setattr(TableServiceClient, "create_table_if_not_exists", made)
    account = "DefaultEndpointsProtocol=https;AccountName=bank;AccountKey=YQ==;EndpointSuffix=bank.test"
    settings = mock.Mock(campanha_storage=mock.Mock(get_secret_value=lambda: account), ledger_table="ledger")
    for table in wiring._tables(settings, mock.Mock()):
        assert isinstance(table, AzureTable)
        transport: Any = table._calls._client._pipeline._transport
        assert transport.session._storage_clock is wiring.storage_clock()


def test_by_identity_no_table_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app may not: what made them says who else may."""
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableServiceClient

    from shared import wiring

    monkeypatch.setattr(
        TableServiceClient, "create_table_if_not_exists", mock.Mock(side_effect=AssertionError)
    )
    settings = mock.Mock(campanha_storage=None, table_uri="https://bank.table.test", ledger_table="ledger")
    past, present = wiring._tables(settings, mock.Mock(spec=TokenCredential))
    assert [table._client.table_name for table in (past, present)] == ["ledger", "ledgernow"]  # type: ignore[attr-defined]
