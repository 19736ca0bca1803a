"""Trees that never were, drawn at random, and the slow way to ask them: node by node, as their documentation says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from serving.trees import NEARLY_ZERO, Missing, Node, Tree, Trees

NUMBERS, CATEGORIES = 3, 2
"""Features 0 to 2 are numbers, 3 and 4 categories."""
FEATURES = NUMBERS + CATEGORIES
EDGES = [-3.0, -1.0, -0.5, 0.0, NEARLY_ZERO, 0.5, 1.0, 2.5, 1e300]
VALUES = [
    *EDGES,
    -0.0,
    2 * NEARLY_ZERO,
    -NEARLY_ZERO,
    np.nan,
    np.inf,
    -np.inf,
    0.9999999,
    70.0,
    2.0**31,
    -0.5,
]

Numbers = dict[int, Missing]
"""By feature: which of its values are missing. LightGBM has one answer for each feature of a model."""


@st.composite
def nodes(draw: Any, feature: int, missing: Numbers) -> Node:
    """A node that leads nowhere yet."""
    if feature >= NUMBERS:
        categories = draw(st.frozensets(st.integers(0, 70), min_size=1, max_size=5))
        return Node(feature=feature, left=0, right=0, categories=categories)
    kind = missing[feature]
    return Node(
        feature=feature,
        left=0,
        right=0,
        threshold=draw(st.sampled_from(EDGES)),
        missing=kind,
        default_left=kind != Missing.NONE and draw(st.booleans()),
    )


@st.composite
def trees(draw: Any, missing: Numbers, most: int = 12) -> Tree:
    """Grown leaf by leaf, as LightGBM grows one."""
    count = draw(st.integers(0, most))
    leaves = draw(st.lists(st.floats(-2, 2), min_size=count + 1, max_size=count + 1))
    ways: list[list[int]] = []
    made: list[Node] = []
    for place in range(count):
        if place:
            open_ways = [(at, side) for at, way in enumerate(ways) for side in (0, 1) if way[side] < 0]
            at, side = draw(st.sampled_from(open_ways))
            leaf, ways[at][side] = ways[at][side], place
        else:
            leaf = -1
        ways.append([leaf, ~(place + 1)])  # the leaf that was split stays left, the new one is right
        made.append(draw(nodes(draw(st.integers(0, FEATURES - 1)), missing)))
    joined = [
        Node(**{**vars(node), "left": left, "right": right})
        for node, (left, right) in zip(made, ways, strict=True)
    ]
    return Tree(nodes=tuple(joined), leaves=tuple(leaves))


@st.composite
def forests(draw: Any) -> Trees:
    missing = {feature: draw(st.sampled_from(Missing)) for feature in range(NUMBERS)}
    return Trees(
        trees=tuple(draw(st.lists(trees(missing), max_size=6))),
        features=FEATURES,
        sigmoid=draw(st.sampled_from([1.0, 0.5])),
        averaged=draw(st.booleans()),
    )


def matrices(most: int = 40) -> Any:
    value = st.sampled_from(VALUES)
    category = st.integers(-2, 75).map(float) | st.sampled_from([np.nan, 3.7, -0.5, 1e9, np.inf])
    row = st.tuples(*[value] * NUMBERS, *[category] * CATEGORIES)
    return st.lists(row, max_size=most).map(
        lambda rows: np.array(rows, dtype=np.float64).reshape(-1, FEATURES)
    )


# --- asked slowly -------------------------------------------------------------------------------------------------


def goes_left(node: Node, value: float) -> bool:
    if node.categories is not None:
        known = not math.isnan(value) and -1 < value < 2**31
        return known and int(value) in node.categories
    if math.isnan(value) and node.missing != Missing.NAN:
        value = 0.0
    if abs(value) <= NEARLY_ZERO:
        value = 0.0
    absent = math.isnan(value) if node.missing == Missing.NAN else node.missing == Missing.ZERO and value == 0
    return node.default_left if absent else value <= node.threshold


def leaf_of(tree: Tree, row: Any) -> int:
    place = 0 if tree.nodes else -1
    while place >= 0:
        node = tree.nodes[place]
        place = node.left if goes_left(node, float(row[node.feature])) else node.right
    return ~place


def probability(made: Trees, row: Any) -> float:
    total = 0.0
    for tree in made.trees:
        total += tree.leaves[leaf_of(tree, row)]
    if made.averaged and made.trees:
        total /= len(made.trees)
    return 1 / (1 + math.exp(-made.sigmoid * total))
