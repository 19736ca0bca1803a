"""Trees as steps over codes: carried out one by one in Python, they lead each row to the leaf the tree does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.compiled import Compiled, _tables
from serving.kernel import kernel
from serving.program import CATEGORY, GROUP, NUMBER, Program, compile_program
from serving.trees import NEARLY_ZERO, Missing, Node, NotSupported, Tree, Trees
from tests.unit.serving.drawn_trees import forests, leaf_of, matrices, probability


def code(program: Program, column: Any, value: float) -> int:
    """A value's code, by the words of the module's documentation."""
    if column["kind"] == CATEGORY:
        known = not np.isnan(value) and -1 < value < 2**31
        bit = int(value) - column["start"] if known else -1
        return 1 << int(bit) if 0 <= bit < program.bits else 0
    absent = np.isnan(value)
    if absent and column["missing"] == Missing.NAN:
        return int(column["missing_code"])
    value = 0.0 if absent or abs(value) <= NEARLY_ZERO else value
    if value == 0 and column["missing"] == Missing.ZERO:
        return int(column["missing_code"])
    known = program.thresholds[column["start"] : column["start"] + column["count"]]
    return int((known < value).sum())


def leaves_of(program: Program, row: Any) -> list[int]:
    """Which leaf each tree's steps lead a row to, those that fill up the last group too."""
    codes = [code(program, column, float(row[column["feature"]])) for column in program.columns]
    slots = [*range(program.leaf_slots), *[-1] * (program.slots - program.leaf_slots)]
    found = []
    for tree in program.trees:
        for step in program.steps[tree["step"] : tree["step"] + tree["steps"]]:
            yes = codes[step["column"]] & step["mask"] <= step["limit"]
            slots[step["into"]] = slots[step["yes"] if yes else step["no"]]
        found.append(slots[tree["answer"]])
    return found


@settings(max_examples=150, deadline=None)
@given(made=forests(), matrix=matrices(12))
def test_steps_lead_to_the_leaf_that_the_nodes_lead_to(made: Trees, matrix: Any) -> None:
    program = compile_program(made)
    for row in matrix:
        expected = [leaf_of(tree, row) for tree in made.trees]
        assert leaves_of(program, row)[: len(expected)] == expected


@settings(max_examples=100, deadline=None)
@given(made=forests(), matrix=matrices())
def test_the_kernel_says_what_the_nodes_say(made: Trees, matrix: Any) -> None:
    """Trees that LightGBM would never grow too: the same question twice, a category split with others inside."""
    program = compile_program(made)
    said = Compiled(program, kernel(program.bits), _tables(program)).predict(matrix)
    np.testing.assert_allclose(said, [probability(made, row) for row in matrix], rtol=1e-15)


@settings(max_examples=50, deadline=None)
@given(made=forests())
def test_a_step_reads_only_what_was_written_before_it(made: Trees) -> None:
    program = compile_program(made)
    for tree in program.trees:
        written = set(range(program.leaf_slots))
        for step in program.steps[tree["step"] : tree["step"] + tree["steps"]]:
            assert {int(step["yes"]), int(step["no"])} <= written
            assert program.leaf_slots <= step["into"] < program.slots
            written.add(int(step["into"]))
        assert int(tree["answer"]) in written


@settings(max_examples=50, deadline=None)
@given(made=forests())
def test_answers_of_a_group_are_kept_until_all_are_there(made: Trees) -> None:
    program = compile_program(made)
    assert len(program.trees) % GROUP == 0
    for first in range(0, len(program.trees), GROUP):
        group = program.trees[first : first + GROUP]
        kept: list[int] = []
        for tree in group:
            into = program.steps[tree["step"] : tree["step"] + tree["steps"]]["into"].tolist()
            assert not set(into) & set(kept), (
                "a later tree of the group would overwrite an earlier one's answer"
            )
            kept.append(int(tree["answer"]))


# --- by hand ------------------------------------------------------------------------------------------------------


def number(threshold: float, left: int = -1, right: int = -2, **more: Any) -> Node:
    return Node(feature=0, threshold=threshold, left=left, right=right, **more)


def forest(*trees: Tree, averaged: bool = False) -> Trees:
    return Trees(trees=trees, features=1, sigmoid=1.0, averaged=averaged)


def stump(node: Node) -> Tree:
    return Tree(nodes=(node,), leaves=(1.0, 2.0))


def test_thresholds_are_those_of_all_trees_once_each_and_rising() -> None:
    program = compile_program(forest(stump(number(3.0)), stump(number(1.0)), stump(number(3.0))))
    assert program.thresholds.tolist() == [1.0, 3.0]
    assert program.steps["limit"].tolist() == [1, 0, 1]
    assert len(program.columns) == 1


def test_ways_for_what_is_missing_are_columns_of_their_own() -> None:
    left, right = number(1.0, missing=Missing.NAN, default_left=True), number(1.0, missing=Missing.NAN)
    program = compile_program(forest(stump(left), stump(right), stump(number(1.0))))
    assert program.columns["missing_code"].tolist() == [0, 255, 0]
    assert set(program.columns["kind"]) == {NUMBER}


def test_categories_far_apart_take_a_step_for_each_code() -> None:
    node = Node(feature=0, left=-1, right=-2, categories=frozenset({0, 7, 8, 63}))
    program = compile_program(forest(stump(node)))
    assert program.columns["start"].tolist() == [0, 8, 56]
    assert program.steps["mask"].tolist() == [0b10000001, 0b1, 0b10000000]
    assert leaves_of(program, [7.0])[0] == leaves_of(program, [63.0])[0] == 0
    assert leaves_of(program, [9.0])[0] == leaves_of(program, [np.nan])[0] == 1


def ladder(steps: int) -> Tree:
    """One threshold after the other: a leaf more than there are."""
    nodes = [number(float(at), left=-1 - at, right=at + 1) for at in range(steps)]
    nodes[-1] = number(float(steps - 1), left=-steps, right=-steps - 1)
    return Tree(nodes=tuple(nodes), leaves=tuple(map(float, range(steps + 1))))


@pytest.mark.parametrize(("steps", "bits"), [(1, 8), (254, 8), (255, 16), (256, 16)])
def test_codes_are_as_wide_as_they_must_be(steps: int, bits: int) -> None:
    program = compile_program(forest(ladder(steps)))
    assert program.bits == bits
    assert leaves_of(program, [steps - 1.5])[0] == steps - 1
    assert leaves_of(program, [steps + 10.0])[0] == steps


def test_what_sixteen_bits_cannot_tell_apart_is_refused() -> None:
    many = [stump(number(float(at))) for at in range(2**16)]
    with pytest.raises(NotSupported, match="65537 thresholds of one feature"):
        compile_program(forest(*many))


@pytest.mark.parametrize(("averaged", "divisor"), [(False, 1.0), (True, 3.0)])
def test_a_mean_is_a_sum_over_the_trees_there_are(averaged: bool, divisor: float) -> None:
    """Not over those that only fill up the last group."""
    program = compile_program(forest(*[stump(number(1.0))] * 3, averaged=averaged))
    assert (program.divisor, len(program.trees)) == (divisor, 4)


def test_no_trees_at_all_say_nothing_either_way() -> None:
    program = compile_program(forest(averaged=True))
    assert program.divisor == 1.0
    said = Compiled(program, kernel(program.bits), _tables(program)).predict(np.zeros((3, 1)))
    assert said.tolist() == [0.5, 0.5, 0.5]


@given(leaves=st.integers(1, 40))
def test_slots_are_used_again(leaves: int) -> None:
    """A ladder needs two beside the leaves and the answers, one that is read and one written, however long it is."""
    program = compile_program(forest(ladder(leaves)))
    assert program.slots <= program.leaf_slots + GROUP + 2
