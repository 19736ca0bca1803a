"""What the scale page reckons with, counted: what one more file costs the partition that stands for the present."""

from __future__ import annotations

import runpy
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flow.test_table_calls import CountedWorld
from flow.world import bank_rows

from commands import ROOT
from shared.ledger.ledger import NOW
from shared.ports import Row


class Counting:
    """A table that counts transactions, and rows read or written, of one partition."""

    def __init__(self, table: Any, counted: Counter[str]) -> None:
        self._table, self._counted = table, counted

    def commit(self, partition: str, writes: Any) -> Any:
        if partition == NOW:
            self._counted["commits"] += 1
            self._counted["entities"] += len(writes)
        return self._table.commit(partition, writes)

    def rows(self, partition: str, **how: Any) -> Iterator[Row]:
        for row in self._table.rows(partition, **how):
            self._counted["entities"] += partition == NOW
            yield row

    def __getattr__(self, verb: str) -> Any:
        def counted(first: Any, *more: Any) -> Any:
            partition = first.partition if isinstance(first, Row) else first
            self._counted["entities"] += partition == NOW
            return getattr(self._table, verb)(first, *more)

        return counted


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        return runpy.run_path(str(ROOT / "docs" / "scale_page.py"))
    finally:
        sys.path.pop(0)


def test_one_more_file_costs_the_present_what_the_page_says(page: dict[str, Any]) -> None:
    """Whoever handles it knows nothing yet: the dearest case. Over fifty files, as the log's tail moves on as well."""
    world, counted, files = CountedWorld(), Counter[str](), 50
    world.present = Counting(world.present, counted)
    world.handle(*world.handle(world.drop("first.csv", bank_rows(3)))[1])
    counted.clear()
    for number in range(files):
        _, led_to = world.handle(world.drop(f"{number}.csv", bank_rows(3, start=10 + 3 * number)))
        world.handle(*led_to)
    assert round(counted["commits"] / files) == page["COMMITS_OF_A_FILE"], counted
    assert round(counted["entities"] / files) == page["ENTITIES_OF_A_FILE"], counted


def test_the_page_is_what_was_measured_counted_and_simulated(page: dict[str, Any]) -> None:
    assert page["page"]() == page["PAGE"].read_text(encoding="utf-8")


def test_one_alone_gets_through_what_its_times_allow(page: dict[str, Any]) -> None:
    """The simulation against what can be reckoned: nobody is in the way of one worker."""
    work = page["results"]("flow")["many"]["cpuMsPerFile"]["host"] / 1000 / page["COMMITS_OF_A_FILE"]
    assert page["together"](1) == pytest.approx(1 / (work + page["COMMIT_SECONDS"]), rel=0.05)
    assert page["together"](40) < 1 / page["COMMIT_SECONDS"] * 2


def test_instances_are_those_of_the_template(page: dict[str, Any]) -> None:
    text = (ROOT / "infra" / "function-app.bicep").read_text(encoding="utf-8")
    assert f"maximumInstanceCount: {page['INSTANCES']}\n" in text
