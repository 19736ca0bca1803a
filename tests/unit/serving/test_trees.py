"""A model's text, read: what each line means, and that nothing unreadable is taken for trees."""

from __future__ import annotations

from functools import cache
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.trees import Missing, Node, NotSupported, Tree, Trees, read_trees

HEAD = {
    "version": "v4",
    "num_class": "1",
    "num_tree_per_iteration": "1",
    "max_feature_idx": "1",
    "objective": "binary sigmoid:0.5",
}
STUMP = {
    "num_leaves": "2",
    "num_cat": "0",
    "split_feature": "1",
    "threshold": "1.5",
    "decision_type": "0",
    "left_child": "-1",
    "right_child": "-2",
    "leaf_value": "-0.25 0.5",
}


def text(*trees: dict[str, str], flags: str = "", **head: str) -> str:
    """As LightGBM writes it; a line that is set to nothing is left out."""
    lines = [f"{name}={value}" for name, value in {**HEAD, **head}.items() if value]
    bodies = [
        "\n".join([f"Tree={at}", *(f"{name}={value}" for name, value in tree.items() if value)])
        for at, tree in enumerate(trees)
    ]
    return "\n".join(["tree", *lines, flags, "", *bodies, "end of trees", "", "parameters:", "num_class=9"])


def only(**lines: str) -> Tree:
    (tree,) = read_trees(text({**STUMP, **lines})).trees
    return tree


def node(**lines: str) -> Node:
    (found,) = only(**lines).nodes
    return found


def test_a_stump_is_read_as_it_is_written() -> None:
    assert read_trees(text(STUMP)) == Trees(
        trees=(Tree(nodes=(Node(feature=1, left=-1, right=-2, threshold=1.5),), leaves=(-0.25, 0.5)),),
        features=2,
        sigmoid=0.5,
        averaged=False,
    )


def test_what_stands_behind_the_trees_is_not_looked_at() -> None:
    assert "num_class=9" in text(STUMP)
    assert len(read_trees(text(STUMP, STUMP)).trees) == 2
    assert read_trees(text()).trees == ()


def test_a_random_forest_says_that_it_averages() -> None:
    assert read_trees(text(STUMP, flags="average_output")).averaged is True


@pytest.mark.parametrize(
    ("decision", "missing", "default_left"),
    [
        (0, Missing.NONE, False),
        (2, Missing.NONE, False),  # where nothing is missing there is no way for it
        (4, Missing.ZERO, False),
        (6, Missing.ZERO, True),
        (8, Missing.NAN, False),
        (10, Missing.NAN, True),
    ],
)
def test_the_kind_of_a_question_is_in_its_bits(decision: int, missing: Missing, default_left: bool) -> None:
    found = node(decision_type=str(decision))
    assert (found.missing, found.default_left, found.categories) == (missing, default_left, None)


@pytest.mark.parametrize(
    ("words", "categories"), [("1", {0}), ("2147483648", {31}), ("5 0 1", {0, 2, 64}), ("0", set())]
)
def test_categories_are_bits_of_words(words: str, categories: set[int]) -> None:
    ends = f"0 {len(words.split())}"
    found = node(decision_type="1", threshold="0", num_cat="1", cat_boundaries=ends, cat_threshold=words)
    assert found.categories == categories


def test_each_question_has_its_own_words() -> None:
    two = {
        "num_leaves": "3", "split_feature": "0 1", "decision_type": "1 1", "threshold": "1 0",
        "left_child": "1 -1", "right_child": "-3 -2", "leaf_value": "1 2 3", "num_cat": "2",
        "cat_boundaries": "0 1 3", "cat_threshold": "1 2 4",
    }  # fmt: skip
    (tree,) = read_trees(text({**STUMP, **two})).trees
    assert [each.categories for each in tree.nodes] == [{1, 34}, {0}]


def test_a_tree_of_one_leaf_asks_nothing() -> None:
    lone = {name: "" for name in STUMP} | {"num_leaves": "1", "leaf_value": "-1.25"}
    (tree,) = read_trees(text(lone)).trees
    assert tree == Tree(nodes=(), leaves=(-1.25,))


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ({"num_leaves": "3"}, "3 leaves with 2 values"),
        ({"threshold": "nan"}, "threshold that is not a number"),
        ({"threshold": ""}, "KeyError"),
        ({"threshold": "1.5 2.5"}, "ValueError"),
        ({"threshold": "much"}, "ValueError"),
        ({"decision_type": "12"}, "ValueError"),
        ({"decision_type": "1", "threshold": "4"}, "IndexError"),
        ({"split_feature": "2"}, "beyond the 2"),
        ({"split_feature": "-1"}, "beyond the 2"),
        ({"left_child": "0"}, "no tree"),
        ({"left_child": "-2"}, "no tree"),
        ({"right_child": "-3"}, "no tree"),
        ({"is_linear": "1"}, "linear leaves"),
    ],
)
def test_a_tree_that_reads_otherwise_is_refused_by_name(lines: dict[str, str], named: str) -> None:
    with pytest.raises(NotSupported, match=named):
        only(**lines)


@pytest.mark.parametrize(
    ("head", "named"),
    [
        ({"version": "v3"}, "'v3'; 'v4' is known"),
        ({"version": ""}, "version None"),
        ({"num_class": "3"}, "num_class=3"),
        ({"num_class": ""}, "num_class=None"),
        ({"num_tree_per_iteration": "2"}, "num_tree_per_iteration=2"),
        ({"max_feature_idx": ""}, "KeyError"),
        ({"objective": ""}, "'none'"),
        ({"objective": "binary"}, "'binary'"),
        ({"objective": "binary sigmoid:1 sigmoids:2"}, "binary is known"),
        ({"objective": "multiclass num_class:3"}, "multiclass"),
        ({"objective": "binary sigmoid:steep"}, "ValueError"),
    ],
)
def test_a_model_that_reads_otherwise_is_refused_by_name(head: dict[str, str], named: str) -> None:
    with pytest.raises(NotSupported, match=named):
        read_trees(text(STUMP, **head))


@cache
def real() -> str:
    chance = np.random.default_rng(1)
    matrix = np.column_stack([chance.normal(size=200), chance.integers(0, 40, 200)])
    data = lightgbm.Dataset(
        matrix,
        (matrix[:, 0] > matrix[:, 1] / 40).astype(float),
        categorical_feature=[1],
        params={"verbosity": -1},
    )
    given: dict[str, Any] = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}
    return str(lightgbm.train(given, data, 3).model_to_string())


@settings(max_examples=300, deadline=None)
@given(
    cut=st.integers(0, 3000),
    hits=st.lists(st.tuples(st.integers(0, 3000), st.sampled_from("0123456789-. =\nnaT\0")), max_size=4),
)
def test_a_text_that_was_hurt_is_read_as_trees_or_refused(cut: int, hits: list[tuple[int, str]]) -> None:
    """Whatever else were raised would end a deployment that could go on with LightGBM."""
    hurt = list(real()[: max(cut, 200)])
    for place, letter in hits:
        hurt[place % len(hurt)] = letter
    try:
        found = read_trees("".join(hurt))
    except NotSupported:
        return
    assert all(len(tree.nodes) + 1 == len(tree.leaves) for tree in found.trees)


@given(said=st.text(max_size=200))
def test_any_text_is_refused(said: str) -> None:
    with pytest.raises(NotSupported):
        read_trees(said)
