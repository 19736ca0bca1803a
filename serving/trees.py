"""Parser of LightGBM's model text: what each node of each tree tests and where its branches lead.

Only what is known to be read rightly is read: the rest is refused by name, and the caller goes on with LightGBM's
own prediction. The text's format is version v4 of LightGBM's `Tree::ToString`; what a node decides is in the
documentation of `Node`.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

VERSION = "v4"
NEARLY_ZERO = float.fromhex("0x1.a95a5cp-117")
"""1e-35 as a float: LightGBM takes it, its negative and what lies between them for zero before it tests anything.

source: kZeroThreshold in LightGBM's include/LightGBM/meta.h"""


class NotSupported(Exception):
    """A model of a kind that is not read here; the message names what it is."""


class Missing(IntEnum):
    """Which values a node sends its default way; the numbers are those of the text."""

    NONE = 0
    """None: NaN counts as 0."""
    ZERO = 1
    """NaN and what is nearly zero."""
    NAN = 2


@dataclass(frozen=True, kw_only=True)
class Node:
    """Asks one feature and goes left or right.

    A number goes left when it is at most `threshold`; a missing one, as `missing` says, goes left if `default_left`.
    A category goes left when its number, cut to an integer, is one of `categories`; NaN and negative ones go right.

    source: NumericalDecision and CategoricalDecision in LightGBM's include/LightGBM/tree.h
    """

    feature: int
    left: int
    """A node's place, or a leaf's as its complement: -1 is leaf 0, -2 leaf 1."""
    right: int
    threshold: float = 0.0
    missing: Missing = Missing.NONE
    default_left: bool = False
    categories: frozenset[int] | None = None


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Node 0 is the root; a tree of one leaf has no nodes."""

    nodes: tuple[Node, ...]
    leaves: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Trees:
    """The probability is 1 / (1 + exp(-sigmoid * s)), s the sum, or the mean if `averaged`, of each tree's leaf."""

    trees: tuple[Tree, ...]
    features: int
    sigmoid: float
    averaged: bool


def read_trees(text: str) -> Trees:
    """text: as `Booster.model_to_string` gives it. raises: NotSupported"""
    try:
        return _trees(text)
    except (KeyError, ValueError, IndexError) as cause:
        raise NotSupported(
            f"a model text that reads otherwise than known ({type(cause).__name__}: {cause})"
        ) from cause


def _trees(text: str) -> Trees:
    head, *bodies = text.partition("\nend of trees")[0].split("\nTree=")
    said = _pairs(head)
    if head.partition("\n")[0] != "tree" or said.get("version") != VERSION:
        raise NotSupported(f"a model text of version {said.get('version')!r}; {VERSION!r} is known")
    for name in ("num_class", "num_tree_per_iteration"):
        if said.get(name) != "1":
            raise NotSupported(f"{name}={said.get(name)}")
    features = int(said["max_feature_idx"]) + 1
    sigmoid, averaged = read_output(head)
    return Trees(
        trees=tuple(_tree(_pairs(body), features) for body in bodies),
        features=features,
        sigmoid=sigmoid,
        averaged=averaged,
    )


def read_output(text: str) -> tuple[float, bool]:
    """What `Trees` calls sigmoid and averaged. raises: NotSupported"""
    head = text.partition("\nTree=")[0]
    return _sigmoid(_pairs(head).get("objective", "none")), "average_output" in head.splitlines()


def _pairs(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _sigmoid(objective: str) -> float:
    name, _, options = objective.partition(" ")
    found = dict(word.split(":", 1) for word in options.split() if ":" in word)
    if name != "binary" or set(found) != {"sigmoid"}:
        raise NotSupported(f"the objective {objective!r}; binary is known")
    return float(found["sigmoid"])


def _tree(said: Mapping[str, str], features: int) -> Tree:
    if said.get("is_linear", "0") != "0":
        raise NotSupported("trees with linear leaves")
    leaves = tuple(float(value) for value in said["leaf_value"].split())
    if len(leaves) != int(said["num_leaves"]):
        raise NotSupported(f"a tree of {said['num_leaves']} leaves with {len(leaves)} values")
    nodes = tuple(_nodes(said)) if len(leaves) > 1 else ()
    _check_shape(nodes, len(leaves))
    if not all(0 <= node.feature < features for node in nodes):
        raise NotSupported(f"a node that tests a feature beyond the {features} there are")
    return Tree(nodes=nodes, leaves=leaves)


def _nodes(said: Mapping[str, str]) -> Iterator[Node]:
    fields = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
    rows = zip(*(said[name].split() for name in fields), strict=True)
    sets = _category_sets(said)
    for feature, threshold, decision, left, right in rows:
        kind = int(
            decision
        )  # bits: 1 a category, 2 missing goes left, 4 and 8 what is missing (LightGBM's tree.h)
        node = Node(feature=int(feature), left=int(left), right=int(right))
        yield (
            _by_category(node, sets[int(threshold)]) if kind & 1 else _by_number(node, kind, float(threshold))
        )


def _by_category(node: Node, categories: frozenset[int]) -> Node:
    return dataclasses.replace(node, categories=categories)


def _by_number(node: Node, kind: int, threshold: float) -> Node:
    if math.isnan(threshold):
        raise NotSupported("a threshold that is not a number")
    missing = Missing(kind >> 2 & 3)
    default_left = (
        bool(kind & 2) and missing != Missing.NONE
    )  # where nothing is missing there is no way for it
    return dataclasses.replace(node, threshold=threshold, missing=missing, default_left=default_left)


def _category_sets(said: Mapping[str, str]) -> list[frozenset[int]]:
    """Sets of categories are stored as bits of 32-bit words; boundaries say which words are whose."""
    ends = [int(value) for value in said.get("cat_boundaries", "0").split()]
    words = [int(value) for value in said.get("cat_threshold", "").split()]
    return [
        frozenset(
            32 * at + bit for at, word in enumerate(words[start:end]) for bit in range(32) if word >> bit & 1
        )
        for start, end in itertools.pairwise(ends)
    ]


def _check_shape(nodes: tuple[Node, ...], leaves: int) -> None:
    """Each node but the root and each leaf is the child of exactly one node, as walking them relies on."""
    children = sorted(child for node in nodes for child in (node.left, node.right))
    if nodes and children != [*range(-leaves, 0), *range(1, len(nodes))]:
        raise NotSupported("nodes that are no tree")
