"""Compiled trees say what LightGBM says, to the last bit, whatever the trees and the values; or refuse the model."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.compiled import compiled
from serving.trees import NotSupported, read_trees

ODD = [
    np.nan,
    np.inf,
    -np.inf,
    0.0,
    -0.0,
    1e-36,
    -1e-36,
    1.1e-35,
    -1.1e-35,
    -1.0,
    -0.5,
    0.5,
    1e9,
    2.0**31,
    1e300,
]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def columns(chance: np.random.Generator, rows: int, categories: int) -> Any:
    """Two plain numbers, one often zero, one often missing, and a category."""
    return np.column_stack(
        [
            chance.normal(size=rows),
            chance.integers(-5, 6, rows).astype(float),
            np.where(chance.random(rows) < 0.5, 0.0, chance.normal(size=rows)),
            np.where(chance.random(rows) < 0.3, np.nan, chance.normal(size=rows)),
            chance.integers(0, categories, rows).astype(float),
        ]
    )


def booster(seed: int, *, rows: int = 400, categories: int = 12, trees: int = 12, **parameters: Any) -> Any:
    """Read back from its text, as a deployment has it."""
    chance = np.random.default_rng(seed)
    matrix = columns(chance, rows, categories)
    pull = (
        np.nan_to_num(matrix[:, 3]) + matrix[:, 0] + chance.normal(size=categories)[matrix[:, 4].astype(int)]
    )
    given: dict[str, Any] = {
        "objective": "binary", "verbosity": -1, "num_threads": 1, "seed": seed, "deterministic": True,
        "min_data_in_leaf": 3, "cat_smooth": 1, "cat_l2": 1, "min_data_per_group": 5, **parameters,
    }  # fmt: skip
    dataset = lightgbm.Dataset(
        matrix,
        (pull > 0).astype(float),
        categorical_feature=[4],
        params={"max_bin": given.pop("max_bin", 255), "min_data_in_bin": 1, "verbosity": -1},
    )
    return lightgbm.Booster(model_str=lightgbm.train(given, dataset, trees).model_to_string())


def asked(seed: int, made: Any, rows: int = 500, categories: int = 12) -> Any:
    """Rows like those learned from, odd values anywhere, and every threshold itself and its neighbours."""
    chance = np.random.default_rng(seed)
    matrix = columns(chance, rows, categories + 3)
    odd = chance.random(matrix.shape) < 0.1
    matrix[odd] = chance.choice(ODD, odd.sum())
    nodes = [node for tree in read_trees(made.model_to_string()).trees for node in tree.nodes]
    for node, row in zip(nodes, range(rows), strict=False):
        value = node.threshold if node.categories is None else max(node.categories)
        matrix[row, node.feature] = chance.choice(
            [value, np.nextafter(value, 9e9), np.nextafter(value, -9e9)]
        )
    return matrix


def assert_same(made: Any, matrix: Any) -> None:
    said, known = compiled(made.model_to_string()).predict(matrix), made.predict(matrix, num_threads=1)
    np.testing.assert_array_equal(said, known)


@QUICK
@given(
    seed=st.integers(0, 10_000),
    leaves=st.integers(2, 40),
    missing=st.sampled_from([{}, {"zero_as_missing": True}, {"use_missing": False}]),
    kind=st.sampled_from(
        [
            {},
            {"boosting": "dart"},
            {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
            {"sigmoid": 0.7, "is_unbalance": True},
            {"extra_trees": True, "max_cat_to_onehot": 1},
        ]
    ),
    categories=st.sampled_from([2, 8, 9, 40, 300]),
)
def test_random_trees_say_the_same_to_the_last_bit(
    seed: int, leaves: int, missing: dict[str, Any], kind: dict[str, Any], categories: int
) -> None:
    made = booster(seed, num_leaves=leaves, categories=categories, **missing, **kind)
    assert_same(made, asked(seed, made, categories=categories))


def test_more_thresholds_than_eight_bits_tell_apart() -> None:
    made = booster(1, rows=5000, max_bin=1000, num_leaves=100, trees=60)
    assert compiled(made.model_to_string()).program.bits == 16
    assert_same(made, asked(1, made))


def test_more_leaves_than_eight_bits_tell_apart() -> None:
    made = booster(2, rows=5000, num_leaves=400, trees=3, min_data_in_leaf=1)
    assert compiled(made.model_to_string()).program.leaf_slots > 256
    assert_same(made, asked(2, made))


@pytest.mark.parametrize("rows", [0, 1, 2, 31, 32, 33, 255, 256, 257, 1000])
def test_any_number_of_rows(rows: int) -> None:
    made = booster(3)
    assert_same(made, asked(3, made)[:rows] if rows <= 500 else np.tile(asked(3, made), (2, 1)))


def test_trees_that_learned_nothing() -> None:
    made = booster(4, min_data_in_leaf=10_000)
    assert made.num_trees() >= 1
    assert_same(made, asked(4, made))


@pytest.mark.parametrize("trees", [1, 3, 4, 5])
def test_any_number_of_trees(trees: int) -> None:
    made = booster(5, trees=trees)
    assert_same(made, asked(5, made))


def test_values_by_row_by_column_and_as_a_view_are_the_same_rows() -> None:
    made = booster(6)
    matrix = asked(6, made)
    trees = compiled(made.model_to_string())
    known = trees.predict(matrix).tolist()
    assert trees.predict(np.asfortranarray(matrix)).tolist() == known
    assert trees.predict(matrix[::-1]).tolist() == known[::-1]
    assert trees.predict(np.repeat(matrix, 2, axis=0)[::2]).tolist() == known
    short = np.clip(matrix, -1e30, 1e30).astype(np.float32)
    assert trees.predict(short).tolist() == made.predict(short).tolist()


def test_another_number_of_features_is_refused() -> None:
    with pytest.raises(ValueError, match="5 features"):
        compiled(booster(7).model_to_string()).predict(np.zeros((3, 4)))


def test_threads_share_nothing() -> None:
    made = booster(8, trees=60)
    trees = compiled(made.model_to_string())
    parts = [asked(seed, made)[: 1 + seed * 7] for seed in range(40)]
    known = [made.predict(part, num_threads=1).tolist() for part in parts]
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda part: trees.predict(part).tolist(), parts * 10))
    assert said == known * 10


def trained(parameters: dict[str, Any], answers: Any = None) -> str:
    chance = np.random.default_rng(9)
    matrix = chance.normal(size=(300, 3))
    given = matrix[:, 0] > 0 if answers is None else answers
    dataset = lightgbm.Dataset(
        matrix,
        given.astype(float),
        params={"verbosity": -1, "linear_tree": parameters.get("linear_tree", False)},
    )
    text: str = lightgbm.train(
        {"verbosity": -1, "num_threads": 1, **parameters}, dataset, 3
    ).model_to_string()
    return text


def test_what_is_not_known_is_refused_by_name() -> None:
    three = np.arange(300) % 3
    for text, named in (
        (trained({"objective": "binary", "linear_tree": True}), "linear"),
        (trained({"objective": "multiclass", "num_class": 3}, three), "num_class=3"),
        (trained({"objective": "regression"}), "regression"),
        (trained({"objective": "cross_entropy"}), "cross_entropy"),
        (trained({"objective": "binary"}).replace("version=v4", "version=v5"), "'v5'"),
        (trained({"objective": "binary"}).replace("left_child=1", "left_child=0"), "no tree"),
        (trained({"objective": "binary"}).replace("split_feature=0", "split_feature=3"), "beyond"),
        (trained({"objective": "binary"}).replace("split_feature", "feature"), "split_feature"),
        ("not a model", "version"),
    ):
        with pytest.raises(NotSupported, match=named):
            read_trees(text)
