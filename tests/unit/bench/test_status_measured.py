"""`./dev bench status` run for real over two small ledgers in the tests' own Azurite: what it writes is what it says."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from azure.data.tables import TableServiceClient

from bench import status

ENTRIES = 600


def test_every_thing_is_asked_of_both_ledgers(
    azurite: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def tables() -> Iterator[TableServiceClient]:
        with TableServiceClient.from_connection_string(azurite) as service:
            yield service
            for name in ("few", "many"):
                service.delete_table(f"ledger{name}")
                service.delete_table(f"ledger{name}now")

    monkeypatch.setattr(status, "_own_tables", tables)
    monkeypatch.setattr(status, "FEW", 100)
    given = argparse.ArgumentParser()
    status.add_options(given)
    results = status.run(given.parse_args(["--entries", str(ENTRIES), "--requests", "2"]))
    assert results["few"]["entries"] >= 100
    assert results["many"]["entries"] >= ENTRIES
    for answers in (results["few"]["answers"], results["many"]["answers"]):
        assert answers.keys() == status.REQUESTS.keys()
        assert all(0 < answer["medianMs"] <= answer["p95Ms"] for answer in answers.values())
        assert answers["304"]["calls"] < answers["summary"]["calls"]
    same_cost, *_ = results["goals"]
    assert same_cost["met"] is True
    assert f"{results['many']['entries']:,} entries written in" in capsys.readouterr().err
