"""AutoML, step 5, judge: its frozen model beside the live recipe's, by the recipe gate, on drops that neither knew.

Both learned from the same rows, and neither is fitted again, so that what is compared is how they were made. That the
live recipe is refitted at every drop, and so does better still, stands beside it on the leaderboard.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pipelines.automl.score import PREDICTED, PROBABILITY
from pipelines.automl.split import SPLIT, Cut, cut, later
from pipelines.experimentation.trials import DONE, DropScore, Trial, board_line, drop_score
from pipelines.training import trial
from pipelines.training.evidence import read_evidence
from pipelines.training.metrics import losses
from pipelines.training.trial import SUREST, Past, drop_of
from serving.features import Floats
from shared.domain.models.leaderboard import LEADERBOARD, Verdict
from shared.domain.models.recipe import Recipe
from shared.domain.models.recipe_gate import Drop, Standing, choose

AUTOML, LIVE = "automl", "live"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What later drops say of AutoML's model."""

    verdict: Verdict
    standing: Standing
    asked: float
    automl: tuple[DropScore, ...]
    """Against the live recipe's model of the same rows."""
    refitted: tuple[DropScore, ...]
    """The live recipe as it is operated, against the same."""

    @property
    def reason(self) -> str:
        """A sentence, with the figures."""
        line = board_line(AUTOML, AUTOML, self.automl, 0.0, DONE)
        interval = (
            f"{line['difference']:+.4f} [{line['difference_low']:+.4f}, {line['difference_high']:+.4f}]"
        )
        return (
            f"AutoML's model is {self.verdict}: log loss {interval} against the live recipe's of the same rows on"
            f" {len(self.automl)} later drops; e-value {self.standing.e_value:.3g}, {self.asked:.3g} asked for"
        )


def judge(past: Past, at: Cut, live: Recipe, said: Floats, *, false_change: float) -> Judgement:
    """said: AutoML's probabilities of the later drops' rows, one drop after the other"""
    learned, drops = at.learned(past), list[Drop]()
    automl, refitted = list[DropScore](), list[DropScore]()
    start = 0
    for version in at.judged:
        rows = later(past, version)
        told = said[start : start + len(rows.answers)]
        start += len(rows.answers)
        (frozen,) = trial.scored([live], learned, rows)
        (fresh,) = trial.scored([live], past.before(version, at.doubted), rows)
        lost = [losses(rows.answers, np.clip(each, SUREST, 1 - SUREST)) for each in (told, frozen, fresh)]
        automl.append(drop_score(version, lost[0], lost[1]))
        refitted.append(drop_score(version, lost[2], lost[1]))
        drops.append(drop_of(version, (LIVE, AUTOML), (lost[1], lost[0])))
    if start != len(said):
        raise SystemExit(f"the model scored {len(said)} rows, and the later drops have {start}")
    choice = choose(drops, live=LIVE, since=0, challengers=[AUTOML], false_change=false_change)
    other = choose(drops, live=AUTOML, since=0, challengers=[LIVE], false_change=false_change)
    return Judgement(
        verdict="better" if choice.replaced else "worse" if other.replaced else "undecided",
        standing=choice.standings[0],
        asked=choice.asked,
        automl=tuple(automl),
        refitted=tuple(refitted),
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--table", type=Path, required=True, help="folder that the split step wrote")
    parser.add_argument("--predicted", type=Path, required=True, help="folder that the score step wrote")
    parser.add_argument("--earlier", type=Path, help="folder of the newest model")
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--model-version", type=int, required=True)
    parser.add_argument("--false-change", type=float, required=True, help="probability of a needless change")
    parser.add_argument("--found", type=Path, required=True, help="folder to write")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    past = Past.read(given.prepared)
    known = read_evidence(given.earlier) if given.earlier else None
    at = cut(past, known)
    if known is None or list(at.judged) != json.loads((given.table / SPLIT).read_text())["judged"]:
        raise SystemExit("the drops are no longer cut as the split step cut them; start the run again")
    said = pq.read_table(given.predicted / PREDICTED).column(PROBABILITY).to_numpy()
    found = judge(past, at, known.live, said, false_change=given.false_change)
    about = {"dataset": given.model_name, "version": given.model_version}
    write(given.found, found, known.live, about=about, seconds=time.monotonic() - began)
    print(found.reason)
    return 0


def write(folder: Path, found: Judgement, live: Recipe, *, about: dict[str, Any], seconds: float) -> None:
    """The leaderboard."""
    refitted = Trial(recipe=live, kind="known", scores=found.refitted, seconds=0.0, ended=DONE)
    body = {
        **about,
        "found": None,
        "verdict": found.verdict,
        "reason": found.reason,
        "seconds": round(seconds, 3),
        "live": live.name,
        "drops": [score.version for score in found.automl],
        "e_value": found.standing.e_value,
        "asked": found.asked,
        "trials": [board_line(AUTOML, AUTOML, found.automl, 0.0, DONE), refitted.to_json()],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LEADERBOARD).write_text(json.dumps(body, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
