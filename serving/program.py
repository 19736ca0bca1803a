"""Quantised, branch-free trees: a list of steps over small codes that `kernel` carries out for many rows at once.

A row's value becomes a code of 8 or 16 bits once, before any tree: a number's code is how many of the thresholds
that the trees know for it lie below it, so that "x <= threshold 3" is "code <= 3"; categories become bits, eight or
sixteen to a code, so that "one of these" is "has one of these bits". Every question is then the same one,
(code & mask) <= limit, and a tree is a list of questions, each of which chooses between two answers known already:
two leaves' numbers, or what earlier steps chose. Nothing branches on a row's values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.trees import Missing, Node, NotSupported, Tree, Trees

COLUMN = np.dtype(
    [
        ("feature", "<i4"),
        ("count", "<i4"),
        ("start", "<i4"),
        ("missing", "<i4"),
        ("missing_code", "<i4"),
        ("kind", "<i4"),
    ]
)
"""How a feature becomes codes. Of a number: `count` thresholds from `start` on. Of a category: the first of the
categories whose bits the code has, in `start`."""
NUMBER, CATEGORY = 0, 1
STEP = np.dtype(
    [("column", "<i4"), ("mask", "<i4"), ("limit", "<i4"), ("yes", "<i4"), ("no", "<i4"), ("into", "<i4")]
)
"""`yes`, `no` and `into` are slots, which hold a leaf's number for each row: first one for each leaf, with its own."""
TREE = np.dtype([("step", "<i4"), ("steps", "<i4"), ("leaf", "<i4"), ("answer", "<i4")])
"""`answer` is the slot that has the number of the leaf that the row falls into."""
GROUP = 4
"""Trees whose answers are there at the same time, and added together."""

Records = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Program:
    """All of it data: addresses of these arrays are what the kernel gets."""

    bits: int
    """Of a code: 8, or 16 when a feature has more thresholds, or a tree more leaves, than 8 bits distinguish."""
    columns: Records
    thresholds: npt.NDArray[np.float64]
    steps: Records
    trees: Records
    leaves: npt.NDArray[np.float64]
    features: int
    leaf_slots: int
    """As many as the largest tree has leaves."""
    slots: int
    """The leaves' and all others."""
    sigmoid: float
    divisor: float
    """What the sum of the leaves is divided by: 1, or the number of trees when they are averaged."""


def compile_program(trees: Trees) -> Program:
    """raises: NotSupported when 16 bits are too few"""
    thresholds = _thresholds(trees)
    bits = _bits(trees, thresholds)
    leaf_slots = max((len(tree.leaves) for tree in trees.trees), default=1)
    made = _Made(bits=bits, thresholds=thresholds, leaf_slots=leaf_slots)
    nothing = [Tree(nodes=(), leaves=(0.0,))] * (-len(trees.trees) % GROUP)
    rows = [made.tree(tree, place % GROUP) for place, tree in enumerate([*trees.trees, *nothing])]
    return Program(
        bits=bits,
        columns=np.array(list(made.columns), dtype=COLUMN),
        thresholds=np.array(
            [value for feature in thresholds for value in thresholds[feature]], dtype=np.float64
        ),
        steps=np.array(made.steps, dtype=STEP),
        trees=np.array(rows, dtype=TREE),
        leaves=np.array(made.leaves, dtype=np.float64),
        features=trees.features,
        leaf_slots=leaf_slots,
        slots=made.slots,
        sigmoid=trees.sigmoid,
        divisor=float(len(trees.trees)) if trees.averaged and trees.trees else 1.0,
    )


def _thresholds(trees: Trees) -> dict[int, list[float]]:
    """Each numeric feature's thresholds over all trees, rising."""
    found: dict[int, set[float]] = {}
    for tree in trees.trees:
        for node in tree.nodes:
            if node.categories is None:
                found.setdefault(node.feature, set()).add(node.threshold)
    return {feature: sorted(values) for feature, values in sorted(found.items())}


def _bits(trees: Trees, thresholds: dict[int, list[float]]) -> int:
    """The largest code is reserved for what is missing and goes right."""
    codes = max((len(values) + 1 for values in thresholds.values()), default=0)
    most = max(codes, max((len(tree.leaves) - 1 for tree in trees.trees), default=0))
    for bits in (8, 16):
        if most < 2**bits:
            return bits
    raise NotSupported(f"{most} thresholds of one feature, or leaves of one tree")


@dataclass(kw_only=True)
class _Made:
    """The program as far as it is written."""

    bits: int
    thresholds: dict[int, list[float]]
    leaf_slots: int
    columns: dict[tuple[int, ...], int] = field(default_factory=dict)
    """Each with its place."""
    steps: list[tuple[int, ...]] = field(default_factory=list)
    leaves: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slots = self.leaf_slots + GROUP
        counts = [len(values) for values in self.thresholds.values()]
        starts = [sum(counts[:place]) for place in range(len(counts))]
        self.starts = dict(zip(self.thresholds, starts, strict=True))
        self.ranks = {
            feature: {value: rank for rank, value in enumerate(values)}
            for feature, values in self.thresholds.items()
        }

    def tree(self, tree: Tree, member: int) -> tuple[int, int, int, int]:
        """member: its place in the group of trees whose answers are held until all are there"""
        first, leaf = len(self.steps), len(self.leaves)
        self.leaves += tree.leaves
        answer = self.leaf_slots + member if tree.nodes else 0
        slots = {~place: place for place in range(len(tree.leaves))}
        free = [*range(self.slots - 1, self.leaf_slots + GROUP - 1, -1)]
        for place in _children_first(tree):
            node = tree.nodes[place]
            into = answer if place == 0 else self._free_slot(free)
            self._node(node, slots[node.left], slots[node.right], into)
            free += [slots[child] for child in (node.left, node.right) if child >= 0]
            slots[place] = into
        return first, len(self.steps) - first, leaf, answer

    def _free_slot(self, free: list[int]) -> int:
        if not free:
            free.append(self.slots)
            self.slots += 1
        return free.pop()

    def _node(self, node: Node, left: int, right: int, into: int) -> None:
        """One step, or for categories in several codes one for each: left at one of them is left."""
        for column, mask, limit, yes_is_left in self._questions(node):
            yes, no = (left, right) if yes_is_left else (right, left)
            self.steps.append((column, mask, limit, yes, no, into))
            right = into

    def _questions(self, node: Node) -> Iterator[tuple[int, int, int, bool]]:
        """Column, mask, limit, and whether yes means left."""
        if node.categories is None:
            limit = self.ranks[node.feature][node.threshold]
            yield self._number(node), 2**self.bits - 1, limit, True
            return
        by_code: dict[int, int] = {}
        for category in node.categories:
            first = category // self.bits * self.bits
            by_code[first] = by_code.get(first, 0) | 1 << category % self.bits
        for first, mask in sorted(by_code.items()):
            yield self._column(node.feature, 0, first, 0, 0, CATEGORY), mask, 0, False

    def _number(self, node: Node) -> int:
        code = 0 if node.default_left else 2**self.bits - 1
        count = len(self.thresholds[node.feature])
        return self._column(
            node.feature, count, self.starts[node.feature], node.missing.value,
            code if node.missing != Missing.NONE else 0, NUMBER,
        )  # fmt: skip

    def _column(self, *row: int) -> int:
        return self.columns.setdefault(row, len(self.columns))


def _children_first(tree: Tree) -> list[int]:
    """Every node after those it leads to."""
    order, waiting = [], [0] if tree.nodes else []
    while waiting:
        place = waiting.pop()
        order.append(place)
        waiting += [child for child in (tree.nodes[place].left, tree.nodes[place].right) if child >= 0]
    return order[::-1]
