"""The model format: a mean of members in up to two variants, stored as text, that turns rows into decisions.

The one place that scores: training, evaluation and the endpoint all use this module, so that a row's answer is the
same to each. A model reads the contract's features, and it may read list columns: numbers that describe the whole
list that a client stands on. Its variant `list` answers rows that have them, `single` those that have none, as when
one client is asked about alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.features import Columns, Feature, Floats, encode
from serving.members import Member, Variants, check, loaded

FORMAT = 2
DESCRIPTION = "model.json"
GOLDEN = "golden.json"
"""Held-out rows that evaluating a model puts beside it, and what the model says to them."""
DIGEST = "model_sha256"
"""In the description: the hash of what its answers follow from, so not of its name or of the threads it was made by."""
SINGLE, LIST = "single", "list"
"""The variants."""

Deciles = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]


class ModelBroken(Exception):
    """The folder is no model, or not the one its description speaks of; the message says what to do."""


class MixedList(Exception):
    """Rows of which some have list columns and some lack them; no variant answers both."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a model says to rows, one value each, in their order."""

    probability: Floats
    """Of the positive answer."""
    decile: Deciles
    """Which tenth of the held-out rows' probabilities it falls into: 10 for the highest, 1 for the lowest."""
    call: Flags
    """Whether a call is worth its cost."""
    variant: str
    """Which of the model's variants says so."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """Members and what their numbers mean; safe to use from several threads at once."""

    features: tuple[Feature, ...]
    variants: Variants
    description: Mapping[str, Any]
    """model.json."""
    lists: tuple[Feature, ...] = ()
    """The list columns, all of them numbers."""

    @property
    def name(self) -> str:
        return str(self.description["name"])

    @property
    def version(self) -> str:
        return str(self.description["version"])

    @property
    def threshold(self) -> float:
        """A call pays from this probability on: its cost over the value of a deposit."""
        return float(self.description["threshold"])

    @cached_property
    def cuts(self) -> Mapping[str, Floats]:
        """By variant: the nine probabilities between the tenths of the held-out rows. raises: ModelBroken"""
        said = self.description.get("deciles", {})
        found = {variant: np.array(said.get(variant, ()), dtype=np.float64) for variant in self.variants}
        for variant, cuts in found.items():
            if cuts.shape != (9,) or not (np.diff(cuts) >= 0).all():
                raise ModelBroken(
                    f"{self.name} {self.version} lacks the nine rising deciles of {variant} that evaluating a model"
                    f" adds to {DESCRIPTION}; use the folder that the evaluate step wrote"
                )
        return found

    @property
    def columns(self) -> list[str]:
        """The features' names: what every caller sends."""
        return [feature.name for feature in self.features]

    @property
    def list_columns(self) -> list[str]:
        """Names; what a caller sends of all rows or of none."""
        return [column.name for column in self.lists]

    def reads(self, variant: str) -> list[str]:
        """What a caller sends to be answered by this variant."""
        return [*self.columns, *self.list_columns] if variant == LIST else self.columns

    @cached_property
    def inputs(self) -> tuple[Feature, ...]:
        """Of the matrix, by column."""
        return (*self.features, *self.lists)

    def encode(self, columns: Columns) -> Floats:
        """The matrix of rows, NaN for list columns that are not there. raises: BadValue"""
        absent = [None] * len(columns[self.features[0].name])
        return encode(self.inputs, {**dict.fromkeys(self.list_columns, absent), **columns})

    def probabilities(self, columns: Columns) -> Floats:
        """Of the positive answer, a row each. raises: BadValue, MixedList"""
        return self.predict(self.encode(columns))

    def predict(self, matrix: Floats) -> Floats:
        """Of the positive answer, a row each. matrix: as `encode` makes it. raises: MixedList"""
        return self.variants[self.variant_of(matrix)].predict(matrix)

    def variant_of(self, matrix: Floats) -> str:
        """Which variant answers these rows. raises: MixedList"""
        if not self.lists or not len(matrix):
            return SINGLE
        absent = np.isnan(matrix[:, len(self.features) :])
        if absent.all():
            return SINGLE
        if not absent.any():
            return LIST
        row, column = np.argwhere(absent)[0].tolist()
        raise MixedList(
            f"row {row} lacks {self.list_columns[column]!r}, and other values that describe a list are there;"
            f" send {', '.join(self.list_columns)} of every row, or of none to have each client scored by itself"
        )

    def scores(self, matrix: Floats) -> Scores:
        """A row's answer does not depend on the rows beside it. raises: MixedList"""
        variant = self.variant_of(matrix)
        probability = self.variants[variant].predict(matrix)
        return Scores(
            probability=probability,
            decile=(self.cuts[variant].searchsorted(probability, side="right") + 1).astype(np.int8),
            call=probability >= self.threshold,
            variant=variant,
        )


def save(
    folder: Path,
    *,
    features: Sequence[Feature],
    list_columns: Sequence[Mapping[str, Any]] = (),
    variants: Mapping[str, Sequence[Member]],
    facts: Mapping[str, Any],
) -> None:
    """Writes text only: unlike a pickle, it cannot run code where it is loaded.

    list_columns: each with its `name`, and with `description`, `minimum` and `maximum` where there are any; whatever
        else defines one is kept as it is
    variants: `single`, and `list` where there are list columns
    facts: name, version, positive, negative (None where there is no one word), threshold, call_cost, deposit_value,
        base_rate, trained_rows, and any other JSON
    raises: ValueError for what would be no model
    """
    lists = _list_features(list_columns)
    _check(features, lists, variants)
    description = {
        "format": FORMAT,
        "name": facts["name"],
        "version": facts["version"],
        "features": [feature.to_json() for feature in features],
        "list_columns": [dict(column) for column in list_columns],
        "variants": {variant: _described(variant, members) for variant, members in variants.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for variant, members in variants.items():
        for member in members:
            (folder / member.file(variant)).write_bytes(member.stored.encode())
    body = {**description, DIGEST: _digest(description), **facts}
    (folder / DESCRIPTION).write_text(json.dumps(body, indent=1), encoding="utf-8")


def _check(
    features: Sequence[Feature], lists: Sequence[Feature], variants: Mapping[str, Sequence[Member]]
) -> None:
    """raises: ValueError"""
    expected = [SINGLE, LIST] if lists else [SINGLE]
    if sorted(variants) != sorted(expected):
        raise ValueError(
            f"the variants are {', '.join(variants)}; with {len(lists)} list columns they must be"
            f" {' and '.join(expected)}"
        )
    named = [feature.name for feature in (*features, *lists)]
    if len(set(named)) < len(named):
        raise ValueError(f"two columns have one name among {', '.join(named)}")
    for variant, members in variants.items():
        check(members, named if variant == LIST else named[: len(features)])


def _list_features(definitions: Sequence[Mapping[str, Any]]) -> tuple[Feature, ...]:
    return tuple(Feature.from_json({**definition, "type": "number"}) for definition in definitions)


def _described(variant: str, members: Sequence[Member]) -> dict[str, Any]:
    return {"members": [{**member.to_json(), "file": member.file(variant)} for member in members]}


def _digest(description: Mapping[str, Any]) -> str:
    """Of all that its probabilities follow from, and of nothing else: the same rows give the same one."""
    meant = {name: description[name] for name in ("features", "list_columns", "variants")}
    return hashlib.sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()


def describe(folder: Path, **facts: Any) -> None:
    """Adds to what model.json says."""
    file = folder / DESCRIPTION
    known = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**known, **facts}, indent=1), encoding="utf-8")


def load(folder: Path) -> Model:
    """raises: ModelBroken"""
    home = _home(folder)
    description = _read_description(home)
    features = tuple(map(Feature.from_json, description["features"]))
    lists = _list_features(description["list_columns"])
    members = {
        variant: [_member(home, one) for one in said["members"]]
        for variant, said in description["variants"].items()
    }
    try:
        _check(features, lists, members)
        variants = {variant: loaded(some, (*features, *lists)) for variant, some in members.items()}
    except ValueError as cause:
        raise ModelBroken(f"{home} holds no model that is known here: {cause}; train it again") from cause
    return Model(features=features, lists=lists, variants=variants, description=description)


def read_description(folder: Path) -> dict[str, Any]:
    """Of a model whose files are all as they were written, without loading it. raises: ModelBroken"""
    home = _home(folder)
    description = _read_description(home)
    for said in description["variants"].values():
        for one in said["members"]:
            _member(home, one)
    return description


def _read_description(home: Path) -> dict[str, Any]:
    """raises: ModelBroken"""
    description: dict[str, Any] = json.loads((home / DESCRIPTION).read_text(encoding="utf-8"))
    if description.get("format") != FORMAT:
        raise ModelBroken(
            f"{home} has format {description.get('format')!r}, known is {FORMAT}; train it again"
        )
    if _digest(description) != description[DIGEST]:
        raise ModelBroken(f"{home / DESCRIPTION} is not as it was written; fetch it again")
    return description


def _member(home: Path, said: Mapping[str, Any]) -> Member:
    """raises: ModelBroken"""
    if Path(said["file"]).name != said["file"]:
        raise ModelBroken(f"{home / DESCRIPTION} names a file that lies elsewhere; fetch it again")
    text = (home / said["file"]).read_bytes()
    if hashlib.sha256(text).hexdigest() != said["sha256"]:
        raise ModelBroken(f"{home / said['file']} is not what {DESCRIPTION} describes; fetch it again")
    return Member(
        name=said["name"],
        kind=said["kind"],
        columns=tuple(said["columns"]),
        weight=said["weight"],
        text=text.decode(),
    )


def golden_rows(folder: Path) -> Mapping[str, Columns]:
    """By variant the rows by which a deployment shows that it answers as it should; none for a model never evaluated."""
    file = _home(folder) / GOLDEN
    if not file.exists():
        return {}
    golden = json.loads(file.read_text(encoding="utf-8"))
    by_variant = {SINGLE: golden} | ({LIST: golden[LIST]} if LIST in golden else {})
    return {
        variant: dict(zip(said["columns"], zip(*said["rows"], strict=True), strict=True))
        for variant, said in by_variant.items()
    }


def _home(folder: Path) -> Path:
    """Azure ML puts a model's folder into the folder it names, sometimes one or two levels down."""
    found = [at for depth in ("", "*/", "*/*/") for at in sorted(folder.glob(depth + DESCRIPTION))]
    if not found:
        raise ModelBroken(f"{folder} holds no {DESCRIPTION}; a model's folder was expected")
    if len(found) > 1 and found[0].parent != folder:
        raise ModelBroken(f"{folder} holds {len(found)} models; one was expected")
    return found[0].parent
