"""Experimentation, step 2, search: learners, columns, weights, votes and calibrations compared in a box of time.

Each candidate is scored prequentially, as a trial scores recipes: a refit on what came before a drop says what it thinks
of the drop's rows. It begins with the newest drops and goes on to more only while it is among the better half of those
that came as far (successive halving, in its asynchronous form: whenever the time is over, some have come to the end).
Nothing goes live from here: what is found is a recipe, which drops to come judge like any other.

source: L. Li et al., A system for massively parallel hyperparameter tuning, MLSys 2020 (halving); R. Caruana et al.,
Ensemble selection from libraries of models, ICML 2004 (votes)
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pipelines.experimentation.rolling import Rolling
from pipelines.experimentation.space import TEMPERATURES, Candidate, candidates
from pipelines.experimentation.time_box import OutOfTime, time_box
from pipelines.experimentation.trials import DONE, DropScore, Ended, Kind, Trial, ranked
from pipelines.training import prepared
from pipelines.training.evidence import Evidence, read_evidence
from pipelines.training.learners import apart_from_recipe, can_be_learned
from pipelines.training.trial import Past
from shared.domain.models.leaderboard import LEADERBOARD, RECIPE
from shared.domain.models.recipe import Recipe, RecipeMember, recipes_from
from shared.domain.models.recipe_gate import LEAST_DROPS, LEAST_ROWS
from shared.domain.models.recipe_text import text_of

RUNGS = (3, 6)
"""Drops after which a candidate must be among the better half, to go on to more."""
MOST_DROPS = 12
"""That a candidate is scored on: the newest."""
MEMBERS_SHARE = 0.9
"""Of the time, for members; the rest is for votes and calibrations, which fit nothing."""
MOST_VOTERS = 12
"""Members, the best, that a vote is made of,"""
MOST_VOTES = 6
"""and the votes that they have together."""
LEAST_GAIN = 0.25
"""Standard errors a drop by which a find must be better than every recipe that is known: with less it would take some two
hundred drops to show, and each recipe more makes all the others wait longer for their evidence."""
TOO_LITTLE = (
    f"there are fewer than {LEAST_DROPS} drops of {LEAST_ROWS} rows or more before which a model was trained;"
    " gather more"
)

SearchEnded = Literal["finished", "out of time", "too little to search on"]


@dataclass(kw_only=True)
class Search:
    """What has been tried so far."""

    rolling: Rolling
    known: Sequence[Recipe]
    """The recipes that there are, the live one first."""
    trials: list[Trial] = field(default_factory=list)
    ended: SearchEnded = "finished"

    def run(self, grid: Sequence[Candidate], seconds: float) -> None:
        """Ends as soon as that has taken so long."""
        began = time.monotonic()
        try:
            with time_box(seconds * MEMBERS_SHARE):
                for recipe in self.known:
                    self._try(recipe, "known", halving=False)
                for number, candidate in enumerate(grid, 1):
                    self._try(candidate.recipe(f"{candidate.member.name}-{number}"), "member", halving=True)
        except OutOfTime:
            self.ended = "out of time"
        try:
            with time_box(seconds - (time.monotonic() - began)):
                self._vote(list_columns=True)
                self._vote(list_columns=False)
                self._calibrate()
        except OutOfTime:
            self.ended = "out of time"

    def complete(self) -> list[Trial]:
        """Scored on every drop; the best first."""
        return [trial for trial in ranked(self.trials) if trial.complete]

    def find(self) -> Trial | None:
        """The best, where it is better than every known recipe; None while those are not all scored."""
        complete = self.complete()
        known = [trial.gain for trial in complete if trial.kind == "known"]
        if len(known) < len(self.known):
            return None
        best = complete[0]
        return best if best.gain >= max(known) + LEAST_GAIN else None

    def _try(self, recipe: Recipe, kind: Kind, *, halving: bool) -> None:
        began, scores = time.monotonic(), list[DropScore]()
        ended: Ended = "out of time"
        try:
            for version in self.rolling.drops:
                scores.append(self.rolling.score(recipe, self.known[0], version))
                if halving and len(scores) in RUNGS and not self._is_in_better_half(scores):
                    ended = "not among the better half"
                    return
            ended = DONE
        finally:
            seconds = time.monotonic() - began
            self.trials.append(
                Trial(recipe=recipe, kind=kind, scores=tuple(scores), seconds=seconds, ended=ended)
            )

    def _is_in_better_half(self, scores: Sequence[DropScore]) -> bool:
        """Of all that were scored on so many drops."""
        ours = _sum(scores)
        others = [_sum(one.scores[: len(scores)]) for one in self.trials if len(one.scores) >= len(scores)]
        return sum(other >= ours for other in others) <= len(others) / 2

    def _vote(self, *, list_columns: bool) -> None:
        """Soft votes (means of log-odds), greedily: whose vote helps most gets one more, as long as it helps."""
        pool, votes, last = self._voters(list_columns), Counter[int](), None
        while pool and votes.total() < MOST_VOTES:
            name = f"vote-{votes.total() + 1}{'' if list_columns else '-plain'}"
            ballots = [votes + Counter([voter]) for voter in range(len(pool))]
            trials = [self._scored(_vote_of(name, pool, each, list_columns), "vote") for each in ballots]
            best = max(range(len(pool)), key=lambda voter: trials[voter].gain)
            if last is not None and trials[best].gain <= last.gain:
                return
            last, votes = trials[best], ballots[best]
            if len(votes) > 1:  # one voter alone is on the board already
                self.trials.append(last)

    def _voters(self, list_columns: bool) -> list[RecipeMember]:
        """Members of what is scored on every drop, each once, the best first."""
        complete = [one.recipe for one in self.complete() if one.recipe.list_columns == list_columns]
        found = {apart_from_recipe(member): member for recipe in complete for member in recipe.members}
        return list(found.values())[:MOST_VOTERS]

    def _calibrate(self) -> None:
        for best in self.complete()[:1]:
            for temperature in TEMPERATURES:
                name = f"{best.recipe.name}-t{round(100 * temperature)}"
                recipe = replace(best.recipe, name=name, temperature=temperature)
                self.trials.append(self._scored(recipe, "calibration"))

    def _scored(self, recipe: Recipe, kind: Kind) -> Trial:
        """Of what is fitted already."""
        began = time.monotonic()
        scores = [self.rolling.score(recipe, self.known[0], version) for version in self.rolling.drops]
        seconds, done = time.monotonic() - began, DONE
        return Trial(recipe=recipe, kind=kind, scores=tuple(scores), seconds=seconds, ended=done)


def _sum(scores: Sequence[DropScore]) -> float:
    return sum(score.gain for score in scores)


def _vote_of(name: str, pool: Sequence[RecipeMember], votes: Counter[int], list_columns: bool) -> Recipe:
    members, named = list[RecipeMember](), Counter[str]()
    for voter, weight in sorted(votes.items()):
        base = pool[voter].name.rstrip("-0123456789")
        named[base] += 1
        called = base if named[base] == 1 else f"{base}-{named[base]}"
        members.append(replace(pool[voter], name=called, weight=float(weight)))
    return Recipe(name=name, members=tuple(members), list_columns=list_columns)


def drops_of(past: Past, known: Evidence) -> list[int]:
    """The drops of the book of evidence that are still there, the newest first: a trial has found them plausible."""
    doubted = [doubt.version for doubt in known.doubts]
    found = []
    for drop in sorted(known.drops, key=lambda one: -one.version):
        _, _, fresh = past.drop(drop.version)
        if fresh.sum() >= LEAST_ROWS and can_be_learned(past.before(drop.version, doubted).answers):
            found.append(drop.version)
    return found[:MOST_DROPS]


def search(
    past: Past, recipes: Sequence[Recipe], known: Evidence | None, *, seed: int, seconds: float
) -> Search | None:
    """known: the book of evidence; its live recipe is what candidates are held against. returns: None where there is too
    little to search on"""
    drops = drops_of(past, known) if known else []
    if known is None or len(drops) < LEAST_DROPS:
        return None
    doubted = frozenset(doubt.version for doubt in known.doubts)
    there = list({recipe.digest: recipe for recipe in (known.live, *recipes)}.values())
    made = Search(rolling=Rolling(past=past, drops=drops, doubted=doubted), known=there)
    made.run(candidates(there, has_lists=bool(past.matrix.list_names), seed=seed), seconds)
    return made


def found_recipe(search: Search, trial: Trial) -> Recipe:
    """The recipe as the dataset's next runs are given it."""
    newest = search.rolling.drops[0]
    name = f"found-v{newest}-{trial.recipe.digest[:8]}"
    return replace(trial.recipe, name=name, title=f"Found by a search on {_sized(search)}", searched=newest)


def _sized(search: Search) -> str:
    oldest, newest = search.rolling.drops[-1], search.rolling.drops[0]
    return f"the drops of versions {oldest} to {newest}"


def _reason(search: Search | None, trial: Trial | None) -> str:
    if search is None:
        return TOO_LITTLE
    tried = f"{len(search.trials)} trials on {_sized(search)}"
    if trial is not None:
        told = trial.to_json()
        interval = (
            f"{told['difference']:+.4f} [{told['difference_low']:+.4f}, {told['difference_high']:+.4f}]"
        )
        return f"log loss {interval} against {search.known[0].name}; {tried}"
    if len([one for one in search.trials if one.kind == "known" and one.complete]) < len(search.known):
        return f"the time was over before the known recipes were scored; {tried}; give it more seconds"
    return f"nothing is better than the known recipes by {LEAST_GAIN:g} standard errors a drop; {tried}"


def write(folder: Path, search: Search | None, *, given: dict[str, Any], seconds: float) -> str | None:
    """The leaderboard, and the recipe where there is one; its name."""
    folder.mkdir(parents=True, exist_ok=True)
    trial = search.find() if search else None
    recipe = found_recipe(search, trial) if search and trial else None
    reason = _reason(search, trial)
    body = {
        **given,
        "found": recipe.name if recipe else None,
        "reason": reason,
        "ended": search.ended if search else "too little to search on",
        "seconds": round(seconds, 3),
        "live": search.known[0].name if search else None,
        "drops": search.rolling.drops if search else [],
        "trials": [trial.to_json() for trial in ranked(search.trials)] if search else [],
    }
    (folder / LEADERBOARD).write_text(json.dumps(body, indent=1), encoding="utf-8")
    if recipe:
        (folder / RECIPE).write_bytes(text_of(recipe, comment=f"{recipe.title}:\n{reason}."))
    print(reason)
    return recipe.name if recipe else None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--earlier", type=Path, help="folder of the newest model")
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--model-version", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="the search takes no longer")
    parser.add_argument("--found", type=Path, required=True, help="folder to write")
    given = parser.parse_args(arguments)
    recipes = recipes_from(json.loads((given.prepared / prepared.RECIPES).read_text(encoding="utf-8")))
    known = read_evidence(given.earlier) if given.earlier else None
    past = Past.read(given.prepared)
    began = time.monotonic()  # what it takes to fetch the rows and the book is not the search's time
    found = search(past, recipes, known, seed=given.seed, seconds=given.seconds)
    about = {"dataset": given.model_name, "version": given.model_version, "seed": given.seed}
    write(given.found, found, given=about, seconds=time.monotonic() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
