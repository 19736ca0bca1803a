"""Training, step 2, trial: recipes judged on the newest drops, which no refit has learned from yet; then one is chosen.

Prequential evaluation (A. P. Dawid, Statistical theory: the prequential approach, JRSS A 147, 1984): a drop is scored
by each recipe's refit on the versions before it. Nothing of a later version can be read here while an earlier one is
scored. A drop whose rows are not plausible is no evidence, and nothing is learned from it, now or later.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.training import prepared
from pipelines.training.evidence import EVIDENCE, Evidence, in_order, read_evidence
from pipelines.training.holdout import Digests, Mask
from pipelines.training.learners import Fitted, Matrix, can_be_learned, columns_of, fit
from pipelines.training.metrics import auc, losses
from pipelines.training.plausibility import Doubt, Expected, doubts
from pipelines.training.prepared import Decisions
from serving.features import Floats
from serving.members import Variant, loaded
from shared.domain.models.recipe import Recipe, recipes_from
from shared.domain.models.recipe_gate import LEAST_ROWS, Drop, choose

SCORES = "scores"
"""Folder: a Parquet file for each drop with what each recipe said to each of its rows."""
TRIAL = "trial.json"
"""The choice, and how the challengers stand."""
MOST_DROPS_AT_ONCE = 12
"""Drops that no earlier run has scored, the newest: each costs a refit of every recipe. What came before them is evidence
for no recipe, but looked at for doubts, by about as many refits of the live one."""
SUREST = 0.005
"""Probabilities are cut here before they are judged, or one row could outweigh a month."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """All rows of a dataset version, by the version that each came in with."""

    matrix: Matrix
    versions: npt.NDArray[np.int64]
    held_out: Mask
    digests: Digests
    """Of the features."""

    @classmethod
    def read(cls, folder: Path) -> Past:
        files = (prepared.TRAIN, prepared.HOLDOUT)
        parts = [prepared.read_matrix(folder, file) for file in files]
        features = prepared.features_of(prepared.read_contract(folder))
        return cls(
            matrix=Matrix(
                inputs=parts[0].inputs,
                values=np.concatenate([part.values for part in parts]),
                answers=np.concatenate([part.answers for part in parts]),
                lists=np.concatenate([part.lists for part in parts]),
                list_names=parts[0].list_names,
            ),
            versions=np.concatenate(
                [prepared.read_numbers(folder, file, prepared.VERSION) for file in files]
            ),
            held_out=np.repeat([False, True], [len(part.answers) for part in parts]),
            digests=np.concatenate([prepared.read_digests(folder, file, features) for file in files]),
        )

    def before(self, version: int, doubted: Collection[int] = ()) -> Matrix:
        """What a refit may learn from when `version` comes in: of the rows that were there, those not held out.

        doubted: versions whose rows are not plausible
        """
        kept = (self.versions < version) & ~self.held_out & ~np.isin(self.versions, [*doubted])
        return self.matrix.only(kept)

    def drop(self, version: int) -> tuple[Matrix, Digests, Mask]:
        """The version's rows, their digests, and which of them have features that no earlier row had."""
        there = self.versions == version
        fresh = ~np.isin(self.digests[there], self.digests[self.versions < version])
        return self.matrix.only(there), self.digests[there], fresh


NOTHING_DECIDED = Decisions()


def trial(
    past: Past,
    recipes: Sequence[Recipe],
    known: Evidence | None,
    scores: Path,
    decided: Decisions = NOTHING_DECIDED,
) -> Evidence:
    """The evidence with the drops that it lacked, and those that people have decided about since. A recipe that was found
    by a search is judged on no drop that it was searched on. scores: folder to write the rows' scores into"""
    begun = known or Evidence(drops=(), live=recipes[0], since=0)
    found, again = begun.reconsidered(decided)
    live = found.live.digest
    # The live one first: what it says is what a drop is expected to be like.
    candidates = list({recipe.digest: recipe for recipe in (found.live, *recipes)}.values())
    doubted = {doubt.version for doubt in found.doubts}
    numbers, rows_of = np.unique(past.versions, return_counts=True)
    there = set(numbers[rows_of >= LEAST_ROWS].tolist())
    coming = sorted({each for each in there if each > begun.newest} - doubted - again)
    drops: list[Drop] = []
    raised: list[Doubt] = []
    for versions, is_drop in _stretches(there & again, coming):
        judged = [
            recipe
            for recipe in candidates
            if recipe.digest == live or (is_drop and recipe.searched < versions[0])
        ]
        learned = past.before(versions[0], doubted)
        refits = refitted(judged, learned) if can_be_learned(learned.answers) else None
        before = [drop for drop in (*found.drops, *drops) if drop.version < versions[0]]
        recent = [drop.auc for drop in in_order(before) if drop.auc is not None]
        for version in versions:
            rows, digests, fresh = past.drop(version)
            said = [refit.predict(rows.values) for refit in refits] if refits else None
            expected = Expected(probabilities=said[0], learned=learned, recent=recent) if said else None
            why = [] if version in decided.trusted else doubts(version, rows, expected)
            if why:
                raised += why
                doubted.add(version)
            elif is_drop and said and fresh.sum() >= LEAST_ROWS:
                new, told = rows.only(fresh), [each[fresh] for each in said]
                _write_scores(scores / f"{version}.parquet", judged, told, new, digests[fresh])
                drops.append(_drop(version, judged, told, new.answers))
    return found.with_drops(drops, raised)


def _stretches(again: Collection[int], coming: Sequence[int]) -> Iterator[tuple[list[int], bool]]:
    """Versions that the same refits judge, and whether they are drops then. Of many, the old ones share refits: the first
    ones with few others, since what was learned before them is little."""
    yield from (([version], True) for version in sorted(again))
    older, newest = coming[:-MOST_DROPS_AT_ONCE], coming[-MOST_DROPS_AT_ONCE:]
    starts = {len(older) * at**2 // MOST_DROPS_AT_ONCE**2 for at in range(MOST_DROPS_AT_ONCE)} | {1}
    for start, end in pairwise([*sorted(at for at in starts if at < len(older)), len(older)]):
        yield list(older[start:end]), False
    yield from (([version], True) for version in newest)


def scored(recipes: Sequence[Recipe], learned: Matrix, rows: Matrix) -> list[Floats]:
    """What each recipe's refit says."""
    return [each.predict(rows.values) for each in refitted(recipes, learned)]


def refitted(recipes: Sequence[Recipe], learned: Matrix) -> list[Variant]:
    fitted: Fitted = {}
    members = (fit(recipe, learned, columns_of(recipe, learned), fitted) for recipe in recipes)
    return [loaded(each, learned.inputs) for each in members]


def _drop(version: int, recipes: Sequence[Recipe], said: Sequence[Floats], answers: Floats) -> Drop:
    lost = [losses(answers, np.clip(each, SUREST, 1 - SUREST)) for each in said]
    made = drop_of(version, [recipe.digest for recipe in recipes], lost)
    return replace(made, auc=auc(answers, said[0]))


def drop_of(version: int, names: Sequence[str], lost: Sequence[Floats]) -> Drop:
    """lost: of each name the rows' log losses"""
    table = np.stack(list(lost))
    return Drop(
        version=version,
        rows=table.shape[1],
        recipes=tuple(names),
        losses=tuple(table.mean(axis=1).tolist()),
        covariance=tuple(map(tuple, np.atleast_2d(np.cov(table, bias=True)).tolist())),
    )


def _write_scores(
    file: Path, recipes: Sequence[Recipe], said: Sequence[Floats], rows: Matrix, digests: Digests
) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = {"row": digests, "answer": rows.answers.astype(np.int8)}
    columns |= {recipe.digest: each for recipe, each in zip(recipes, said, strict=True)}
    pq.write_table(pa.table(columns), file)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--earlier", type=Path, help="folder of the newest model before this one")
    parser.add_argument("--false-change", type=float, required=True, help="probability of a needless change")
    parser.add_argument("--trial", type=Path, required=True, help="folder to write")
    given = parser.parse_args(arguments)
    recipes = recipes_from(json.loads((given.prepared / prepared.RECIPES).read_text(encoding="utf-8")))
    known = read_evidence(given.earlier) if given.earlier else None
    decided = prepared.read_decisions(given.prepared)
    found = trial(Past.read(given.prepared), recipes, known, given.trial / SCORES, decided)
    by_digest = {recipe.digest: recipe for recipe in (found.live, *recipes)}
    choice = choose(
        found.drops,
        live=found.live.digest,
        since=found.since,
        challengers=[recipe.digest for recipe in recipes],
        false_change=given.false_change,
    )
    chosen = replace(found, live=by_digest[choice.live], since=choice.since)
    given.trial.mkdir(parents=True, exist_ok=True)
    (given.trial / EVIDENCE).write_text(json.dumps(chosen.to_json(), indent=1), encoding="utf-8")
    names = {digest: recipe.name for digest, recipe in by_digest.items()}
    (given.trial / TRIAL).write_text(json.dumps({**choice.to_json(), "names": names}), encoding="utf-8")
    print(f"{chosen.live.name} is live; {len(found.drops)} drops scored before they were learned from")
    for doubt in found.doubts:
        print(f"the rows of version {doubt.version} are left out: {doubt.reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
