"""The call list beside the scores: the scored file's own lines, whoever scored them, and nobody who must not be called."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from flow.test_outcomes import clients, scored
from flow.world import POLICY, World


def list_of(world: World, batch: str) -> list[str]:
    return (world.files.content("scored", f"{batch}/call-list.csv") or b"").decode().splitlines()


def about(world: World, batch: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.files.content("scored", f"{batch}/call-list.json") or b"")
    return found


def values(world: World, batch: str) -> dict[str, Any]:
    record = world.ledger.find("batch", batch)
    assert record is not None
    return record.values


def scored_lines(world: World, batch: str) -> list[str]:
    return (world.files.content("scored", f"{batch}/scored.csv") or b"").decode().splitlines()


def test_the_list_is_the_scored_lines_best_first() -> None:
    world = World()
    batch = scored(world)
    lines, whole = list_of(world, batch), scored_lines(world, batch)
    assert lines[0] == f"{whole[0]};row"
    at = whole[0].split(";").index("probability")
    for line in lines[1:]:
        own, _, row = line.rpartition(";")
        assert whole[int(row)] == own
    probabilities = [float(line.split(";")[at]) for line in lines[1:]]
    assert probabilities == sorted(probabilities, reverse=True)
    left_out = sum(one["rows"] for one in values(world, batch)["call_list"]["left_out"])
    assert len(lines) - 1 + left_out == len(whole) - 1
    assert values(world, batch)["expected"]["calls"] == len(lines) - 1


def test_shards_and_pieces_do_not_show_in_it() -> None:
    small, large = World(policy=replace(POLICY, shard_bytes=500)), World()
    one, other = scored(small), scored(large)
    assert values(small, one)["shards"] > 3
    assert list_of(small, one) == list_of(large, other)


def test_nobody_is_called_who_must_not_be() -> None:
    world = World()
    world.files.write("suppression", "do-not-call.csv", b"client;since\n C002 ;2026\nC039;2025\n")
    batch = scored(world)
    called = {line.split(";")[0] for line in list_of(world, batch)[1:]}
    assert not {"C002", "C039"} & called
    assert about(world, batch)["left_out"]["do-not-call"] == 2
    assert about(world, batch)["do_not_call"]["clients"] == 2


@pytest.mark.parametrize(
    ("barred", "problem"),
    [
        (b"phone\n123\n", "the file has no such column"),
        (b'client\nC001\n"C0', "line 3"),
        (b"", "empty"),
    ],
)
def test_without_a_do_not_call_list_that_works_there_is_no_call_list(barred: bytes, problem: str) -> None:
    world = World()
    world.files.write("suppression", "do-not-call.csv", barred)
    batch = scored(world)
    assert problem in values(world, batch)["call_list_problem"]
    assert "call_list" not in values(world, batch)
    assert not list_of(world, batch)
    assert values(world, batch)["expected"]["rows"] == 40


def test_clients_who_were_contacted_enough_are_left_alone() -> None:
    world = World(policy=replace(POLICY, most_contacts=3))
    head, first, *others = clients().splitlines()
    cells = first.split(";")
    cells[head.split(";").index("campaign")] = "3"
    batch = scored(world, "\n".join([head, ";".join(cells), *others]) + "\n")
    assert about(world, batch)["left_out"]["contacted-enough"] == 1
    assert not any(line.startswith("C001;") for line in list_of(world, batch))


def test_no_list_where_none_is_wanted() -> None:
    world = World(policy=replace(POLICY, call_list=False))
    batch = scored(world)
    assert not list_of(world, batch)
    assert "expected" in values(world, batch)


def test_a_file_with_a_column_row_keeps_it() -> None:
    world = World()
    batch = scored(world, clients().replace("client;", "row;", 1))
    assert list_of(world, batch)[0] == scored_lines(world, batch)[0]


def test_groups_stand_in_the_output_only_where_chance_draws() -> None:
    plain, drawing = World(), World(policy=replace(POLICY, control_share=0.25))
    one, other = scored(plain), scored(drawing)
    before, after = scored_lines(plain, one), scored_lines(drawing, other)
    assert after[0] == f"{before[0]};group;propensity"
    groups = [line.rsplit(";", 2)[1:] for line in after[1:]]
    assert [line.rsplit(";", 2)[0] for line in after] == before
    assert {tuple(group) for group in groups} == {("control", "0.25"), ("model", "0.75")}
    manifest = json.loads(drawing.files.content("scored", f"{other}/manifest.json") or b"")
    assert manifest["control"] == {"share": 0.25, "rows": sum(group[0] == "control" for group in groups)}
    plan = json.loads(plain.files.content("scored", f"{one}/plan.json") or b"")
    assert "control_share" not in plan["cut"]


def test_a_file_that_has_a_column_group_says_so_where_chance_draws() -> None:
    world = World(policy=replace(POLICY, control_share=0.25))
    batch = scored(world, clients().replace("client;", "group;", 1))
    assert "'group'" in values(world, batch)["reason"]
