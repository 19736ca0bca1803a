"""Drift of what came in, from the drop to the retrain that it asks for."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flow.engine import release
from flow.test_lists_of_clients import BANK, learned
from flow.world import CONTRACTS, POLICY, World, bank_rows

from shared import flow
from shared.adapters.memory import MemoryEndpoint
from shared.domain.datasets.part_writer import PartWriter
from shared.domain.datasets.row_digest import row_digests
from shared.domain.drift.part_rows import PartRows
from shared.domain.facts import (
    DriftDue,
    RetrainDue,
    RunPostponed,
    ScoringDue,
    TrustRequested,
    WithdrawalRequested,
)
from shared.domain.kinds.kind import Change
from shared.domain.lists.column_tally import ColumnTally
from shared.domain.lists.list_drift import chance
from shared.domain.names import DATASETS
from shared.domain.tables.contract import Column
from shared.errors import Refused, Transient
from shared.ledger.append_log import SEGMENT
from shared.ports import Scores
from shared.procedures.drift_evidence import EVIDENCE, MOST_DROPS, note_seen, seen_of
from shared.procedures.drift_retrain import ask_for_retrain

DEAR = replace(POLICY, call_cost=40.0)
"""The memory endpoint's scores say nothing: at 14 % of positives a call at 40 loses 28.6, and half are called."""
ASKING = replace(DEAR, drift_retrain="on")


class Deaf(MemoryEndpoint):
    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        raise Refused("it knows no column 'contact'")


def serving(world: World, version: int, **policy: Any) -> World:
    """A model that says what it learned from clients of another kind."""
    world.policy = replace(world.policy, **policy)
    release(world, version)
    world.workspace.documents["bank", version] = {
        "model": {
            "features": [{"name": column.name} for column in BANK.features],
            "list_columns": [{"name": "size", "log_of": "rows"}],
            "call_cost": 40.0,
            "deposit_value": 80.0,
        },
        "profile": learned(),
        "evaluation": {"rows": 400, "challenger": {"profit": 100.0, "calls": 10}},
    }
    return world


@pytest.fixture
def dear(world: World) -> World:
    """One model has learned from a first file, and serves."""
    world.policy = DEAR
    world.tell(world.drop("first.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    return serving(world, 1)


def told(world: World, name: str) -> dict[str, Any]:
    """What is known of the newest upload of that name."""
    id_ = str(world.ledger.records.led_to("file", f"incoming/{name}")["upload"])
    found = world.ledger.find("upload", id_)
    assert found is not None
    return found.values


def drop(world: World, name: str, *, rows: int = 300, start: int = 1000) -> None:
    world.tell(world.drop(name, bank_rows(rows, start=start)), within=120)


def asked(world: World) -> list[RetrainDue]:
    return [fact for fact in world.bus.published if isinstance(fact, RetrainDue) and fact.drifted]


def test_an_upload_is_held_against_what_the_serving_model_learned(dear: World) -> None:
    drop(dear, "june.csv")
    found = told(dear, "june.csv")
    assert found["drift_model_version"] == 1
    columns = {each["column"]: each for each in found["column_drift"]}
    assert columns["contact"]["moved"], (
        "every fifth of the learned was called by telephone, and none of these"
    )
    assert not columns["housing"]["moved"]
    assert [each["psi"] for each in found["column_drift"]] == sorted(
        (c["psi"] for c in found["column_drift"]), reverse=True
    )
    assert not found["score_drift"]["moved"]
    cost = found["drift_cost"]
    assert (cost["rows"], cost["answers"]) == (300, 300)
    assert 0 < cost["loss_low"] < cost["loss"] < cost["loss_high"]
    assert cost["loss"] == pytest.approx(300 * 0.5 * 28.6, rel=0.2)
    assert "it takes 3 models" in cost["not_said_because"]


def test_25_records_of_many_columns_fit_a_row_of_storage() -> None:
    """An entity may have a MiB, and a letter takes two bytes of it."""
    (bank,) = (contract for contract in CONTRACTS if contract.dataset == "bank")
    more = [f"months_since_the_last_product_{n}" for n in range(234)]
    columns = [Column(name=name, type="integer", minimum=0, maximum=10**6) for name in more]
    wide = World(policy=DEAR, contracts=(replace(bank, columns=(*bank.columns, *columns)),))
    wide.tell(wide.drop("first.csv", _widened(bank_rows(30), more)))
    wide.finish_run("bank-v1-a1")
    profile = serving(wide, 1).workspace.documents["bank", 1]["profile"]
    (balance,) = (column for column in profile["columns"] if column["name"] == "balance")
    profile["columns"] += [{**balance, "name": name} for name in more]
    wide.tell(wide.drop("june.csv", _widened(bank_rows(300, start=1000), more)), within=120)
    clients = _widened(bank_rows(60), more).splitlines()
    wide.files.write("scoring", "clients.csv", "\n".join(line.rsplit(";", 1)[0] for line in clients).encode())
    wide.tell(ScoringDue(tick="1"))
    (batch,) = wide.ledger.newest("batch")
    for values, drift in ((told(wide, "june.csv"), "column_drift"), (batch.values, "drift")):
        assert len(values[drift]) == 40
        assert all(one["moved"] for one in values[drift])
        assert len(json.dumps(values)) * 2 * SEGMENT < 2**20
    assert batch.values["reason"].endswith(" columns more")


def _widened(text: str, names: list[str]) -> str:
    """With these columns before the last, each of other numbers."""
    header, *lines = text.splitlines()
    values = [f"{n * 7919 % 10**6}" for n in range(len(names))]
    rows = [(header, names), *((line, values) for line in lines)]
    return "\n".join(
        ";".join([*line.split(";")[:-1], *cells, line.rsplit(";", 1)[1]]) for line, cells in rows
    )


def test_the_first_files_are_held_against_nothing(world: World) -> None:
    drop(world, "first.csv")
    assert "drift_model_version" not in told(world, "first.csv")
    assert not [fact for fact in world.bus.published if isinstance(fact, DriftDue)]


def test_a_model_that_learned_from_the_rows_is_not_what_they_are_held_against(dear: World) -> None:
    drop(dear, "june.csv")
    before = told(dear, "june.csv")
    serving(dear, 2)
    flow.handle(DriftDue(dataset="bank", version=1), dear.services)
    assert told(dear, "june.csv") == before
    assert "drift_model_version" not in told(dear, "first.csv")


def test_few_answers_of_several_files_add_up_and_each_counts_once(dear: World) -> None:
    drop(dear, "june.csv", rows=60)
    assert "60 answers are known" in told(dear, "june.csv")["drift_cost"]["not_said_because"]
    due = next(fact for fact in dear.bus.published if isinstance(fact, DriftDue))
    flow.STEPS[DriftDue](due, dear.services)  # the worker died before its outcome was written down
    assert seen_of("bank", 1, dear.services).rows.sum() == 60
    drop(dear, "july.csv", rows=60, start=5000)
    assert told(dear, "july.csv")["drift_cost"]["answers"] == 120
    assert "loss" in told(dear, "july.csv")["drift_cost"]


def test_of_a_file_that_comes_with_all_its_history_only_rows_that_the_model_has_not_learned_from_count(
    dear: World,
) -> None:
    drop(dear, "june.csv")
    learns(dear, "june.csv")
    serving(dear, 2)
    drop(dear, "june.csv", rows=450)
    found = told(dear, "june.csv")
    assert (found["rows"], found["drift_cost"]["rows"], found["drift_cost"]["answers"]) == (450, 150, 150)
    assert seen_of("bank", 2, dear.services).rows.sum() == 150
    drop(dear, "copy.csv", rows=200, start=1050)
    found = told(dear, "copy.csv")
    assert found["column_drift"]
    assert "drift_cost" not in found
    assert found["drift_problem"] == "it has learned from each of the 200 rows"


def learns(world: World, name: str) -> None:
    """Version 2 of the model has learned from all rows of a file."""
    part = world.files.content(DATASETS, f"bank/parts/{told(world, name)['content_hash']}.parquet")
    rows = pq.read_table(io.BytesIO(part or b""))
    digests = row_digests(rows, [column.name for column in BANK.features])
    world.workspace.learned["bank", 2] = np.unique(digests)


def test_of_drops_that_say_enough_by_themselves_only_the_newest_counts(dear: World) -> None:
    drop(dear, "june.csv")
    drop(dear, "july.csv", rows=200, start=5000)
    assert told(dear, "july.csv")["drift_cost"]["answers"] == 200


def test_another_model_begins_anew_and_late_news_of_the_old_one_are_passed_over(dear: World) -> None:
    drop(dear, "june.csv")
    services = dear.services
    seen = seen_of("bank", 1, services)
    serving(dear, 2)
    note_seen("bank", 2, 3, seen, services)
    note_seen("bank", 1, 2, seen, services)
    assert not seen_of("bank", 1, services).rows.any()
    assert seen_of("bank", 2, services).rows.sum() == 300


def test_the_models_of_other_datasets_do_not_say_how_often_one_comes(dear: World) -> None:
    serving(dear, 1)
    for at in range(1, 13):
        dataset, version = ("bank", at) if at <= 3 else ("bank-additional", at)
        values = {"dataset": dataset, "version": version, "run": f"{dataset}-v{version}-a1"}
        change = Change(kind="model", id=f"{dataset}:{version}", state="refused", values=values)
        dear.ledger.records.apply([change], cause=f"model {at}")
        dear.pass_time(24 * 3600)
    drop(dear, "june.csv")
    said = told(dear, "june.csv")["drift_cost"]["not_said_because"]
    assert "the model has scored no batch yet" in said, "how often one comes is known"


def test_an_older_model_that_serves_again_is_measured_again(dear: World) -> None:
    """After a rollback, say."""
    serving(dear, 2)
    drop(dear, "may.csv", start=500)
    drop(dear, "june.csv")
    assert told(dear, "june.csv")["drift_model_version"] == 2
    serving(dear, 1)
    drop(dear, "july.csv", start=5000)
    found = told(dear, "july.csv")
    assert (found["drift_model_version"], found["drift_cost"]["answers"]) == (1, 300)
    assert not seen_of("bank", 2, dear.services).rows.any()


def test_only_the_newest_drops_count(dear: World) -> None:
    drop(dear, "june.csv", rows=100)
    seen = seen_of("bank", 1, dear.services)
    for version in range(3, 3 + MOST_DROPS):
        note_seen("bank", 1, version, seen, dear.services)
    found = dear.ledger.documents.read(EVIDENCE, "bank")
    assert found is not None
    assert [*map(int, found.value.drops)] == [*range(3, 3 + MOST_DROPS)]


def test_a_model_that_refuses_the_rows_leaves_the_columns(dear: World) -> None:
    dear.endpoint = Deaf()
    drop(dear, "june.csv")
    found = told(dear, "june.csv")
    assert found["column_drift"]
    assert "drift_cost" not in found
    assert "it knows no column 'contact'" in found["drift_problem"]


def test_no_more_rows_than_the_setting_says_are_scored(dear: World) -> None:
    dear.policy = replace(DEAR, drift_rows=120)
    drop(dear, "june.csv")
    assert told(dear, "june.csv")["drift_cost"]["rows"] == 120
    dear.policy = replace(DEAR, drift_rows=0)
    drop(dear, "july.csv", start=5000)
    found = told(dear, "july.csv")
    assert found["column_drift"]
    assert "drift_cost" not in found


def test_rows_that_were_readmitted_may_break_the_contract_and_are_measured_all_the_same(dear: World) -> None:
    rows = bank_rows(300, start=1000).splitlines()
    (contract,) = (one for one in dear.contracts if one.dataset == "bank")
    odd = [("150;astronaut;" + line.split(";", 2)[2]).split(";") for line in rows[1:]]
    names = rows[0].split(";")
    file = io.BytesIO()
    with PartWriter(contract, file) as writer:
        writer.add(
            {
                name: pa.array([int(row[at]) if row[at].lstrip("-").isdigit() else row[at] for row in odd])
                for at, name in enumerate(names)
            }
        )
    (read,) = PartRows(file.getvalue(), contract)
    tally = ColumnTally(
        next(c for c in learned()["columns"] if c["name"] == "job"), contract.columns[1].values
    )
    tally.add(read[0].column("job"))
    assert tally.to_json()["counts"][-1] == 300, "a category that nobody has learned"
    assert read[0].column("age").to_pylist() == [150] * 300


def test_a_part_that_is_gone_is_waited_for(dear: World) -> None:
    drop(dear, "june.csv", rows=100)
    due = next(fact for fact in dear.bus.published if isinstance(fact, DriftDue))
    hash_ = told(dear, "june.csv")["content_hash"]
    dear.files._blobs.pop((DATASETS, f"bank/parts/{hash_}.parquet"))
    with pytest.raises(Transient, match="restore the blob"):
        flow.STEPS[DriftDue](due, dear.services)


# --- the retrain that it asks for ---------------------------------------------------------------------------------


@pytest.fixture
def asking(dear: World) -> World:
    """Few new rows begin no run."""
    dear.policy = replace(ASKING, run_least_new_rows=1000)
    return dear


def test_unless_the_settings_say_so_drift_asks_for_nothing(dear: World) -> None:
    drop(dear, "june.csv")
    assert told(dear, "june.csv")["drift_cost"]["loss_low"] > 0
    assert not asked(dear)


def test_a_loss_asks_for_a_retrain_however_few_rows_are_new(asking: World) -> None:
    drop(asking, "june.csv")
    assert [fact.tick for fact in asked(asking)] == ["drift-1"]
    assert [request.version for request in asking.pipeline.submissions] == [1, 2]
    model = asking.ledger.find("model", "bank:1")
    assert model is not None
    assert "upload/june.csv" in model.values["retrain_asked_because"]
    assert "loses" in model.values["retrain_asked_because"]
    assert model.values["retrain_asked_at"]


def test_it_asks_once_for_each_model(asking: World) -> None:
    drop(asking, "june.csv")
    asking.finish_run("bank-v2-a1", status="Failed", within=120)
    drop(asking, "july.csv", start=5000)
    assert len(asked(asking)) == 1
    assert asking.told(RunPostponed), "and few new rows wait again"


def test_it_asks_again_for_another_model_after_its_cool_down(asking: World) -> None:
    drop(asking, "june.csv")
    asking.finish_run("bank-v2-a1", worse=True, within=120)
    serving(asking, 2)
    drop(asking, "july.csv", start=5000)
    assert len(asked(asking)) == 1, "a day has not passed"
    asking.pass_time(25 * 3600)
    drop(asking, "august.csv", start=9000)
    assert [fact.tick for fact in asked(asking)] == ["drift-1", "drift-2"]


def test_such_a_run_is_held_to_the_budget_of_the_day(asking: World) -> None:
    asking.policy = replace(asking.policy, runs_per_day=1)
    drop(asking, "june.csv")
    assert asked(asking)
    assert [request.version for request in asking.pipeline.submissions] == [1]
    assert "RUNS_PER_DAY is 1" in told_of_version(asking, 2)
    asking.pass_time(24 * 3600)
    asking.tell(within=120)
    assert [request.version for request in asking.pipeline.submissions] == [1, 2]


def told_of_version(world: World, version: int) -> str:
    found = world.ledger.find("dataset", f"bank:{version}")
    assert found is not None
    return str(found.values["postponed_because"])


def test_a_model_that_no_longer_serves_asks_for_nothing(asking: World) -> None:
    cost = {"rows": 300, "loss": 900.0, "loss_low": 500.0, "loss_high": 1300.0, "loss_probability": 1.0}
    serving(asking, 2)
    assert ask_for_retrain("batch late", cost, "bank", 1, asking.services) == []
    assert ask_for_retrain("batch new", cost, "bank", 2, asking.services)


def test_one_that_died_while_asking_asks_the_same_again(asking: World) -> None:
    cost = {"rows": 300, "loss": 900.0, "loss_low": 500.0, "loss_high": 1300.0, "loss_probability": 1.0}
    first = ask_for_retrain("batch b", cost, "bank", 1, asking.services)
    asking.pass_time(60)
    assert ask_for_retrain("batch b", cost, "bank", 1, asking.services) == first


# --- batches ------------------------------------------------------------------------------------------------------


def score(world: World, count: int = 200) -> Any:
    world.policy = replace(world.policy, implausible_lists="score")
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(count, start=1500).splitlines()) + "\n"
    world.files.write("scoring", "clients.csv", clients.encode())
    world.tell(ScoringDue(tick=str(world.now())), within=120)
    (found,) = world.ledger.newest("batch")
    return found


def test_a_scored_batch_says_what_drift_costs_on_it_by_the_answers_that_came(dear: World) -> None:
    drop(dear, "june.csv")
    found = score(dear).values
    assert found["score_drift"]["limit"] == chance(10, 1 / 200 + 1 / 400)
    cost = found["drift_cost"]
    assert (cost["rows"], cost["answers"]) == (200, 300)
    assert cost["loss"] == pytest.approx(200 * 0.5 * 28.6, rel=0.2)
    assert cost["judged_worth_per_client"] is not None


def test_without_answers_nothing_is_said_of_a_loss(dear: World) -> None:
    cost = score(dear).values["drift_cost"]
    assert "loss" not in cost
    assert "0 answers are known" in cost["not_said_because"]
    assert cost["worth_per_client"] > 0


def test_a_batch_asks_for_a_retrain_too(dear: World) -> None:
    drop(dear, "june.csv")
    dear.policy = ASKING
    batch = score(dear)
    assert [fact.tick for fact in asked(dear)] == ["drift-1"]
    model = dear.ledger.find("model", "bank:1")
    assert model is not None
    assert model.values["retrain_asked_because"].startswith(f"batch {batch.id}: ")


# --- rows that say nothing of the model ---------------------------------------------------------------------------


def test_rows_in_doubt_do_not_say_that_the_model_is_off(dear: World) -> None:
    drop(dear, "june.csv")
    assert seen_of("bank", 1, dear.services).rows.any()
    doubt = {"version": 2, "kind": "labels inverted", "reason": "the wrong way round"}
    dear.finish_run("bank-v2-a1", doubts=[doubt], worse=True, within=120)
    assert not seen_of("bank", 1, dear.services).rows.any()


def test_withdrawn_rows_do_not_either(dear: World) -> None:
    drop(dear, "june.csv")
    id_ = str(dear.ledger.records.led_to("file", "incoming/june.csv")["upload"])
    dear.tell(WithdrawalRequested(upload=id_, operation="1", by="key:operator", reason="another campaign"))
    assert not seen_of("bank", 1, dear.services).rows.any()


def test_trust_changes_nothing_of_what_counts(dear: World) -> None:
    drop(dear, "june.csv")
    dear.tell(TrustRequested(dataset="bank", version=2, operation="1", by="key:operator", reason="checked"))
    assert seen_of("bank", 1, dear.services).rows.sum() == 300


# --- how a part is read -------------------------------------------------------------------------------------------


def test_a_part_is_read_as_the_model_takes_clients(dear: World) -> None:
    drop(dear, "june.csv", rows=50)
    hash_ = told(dear, "june.csv")["content_hash"]
    parquet = dear.files.content(DATASETS, f"bank/parts/{hash_}.parquet")
    assert parquet is not None
    (contract,) = (one for one in dear.contracts if one.dataset == "bank")
    ((features, positive),) = PartRows(parquet, contract)
    table = pq.read_table(io.BytesIO(parquet))
    assert features.schema.names == [column.name for column in contract.features]
    assert features.column("job").to_pylist() == table.column("job").to_pylist()
    assert features.column("balance").to_pylist() == table.column("balance").to_pylist()
    assert positive.tolist() == [answer == "yes" for answer in table.column("y").to_pylist()]
