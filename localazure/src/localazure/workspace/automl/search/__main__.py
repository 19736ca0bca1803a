"""`python -m localazure.workspace.automl.search FOLDER`: tries candidates until there is a reason to stop."""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from localazure.workspace.automl.search import ensemble, trial
from localazure.workspace.automl.search.candidates import Candidate, Seen, next_candidate
from localazure.workspace.automl.search.job import SEED, Job, load, prepare
from localazure.workspace.automl.search.table import BadData

if TYPE_CHECKING:  # not on every system
    from multiprocessing.context import ForkServerContext, ForkServerProcess, SpawnContext, SpawnProcess

_EARLY_AFTER, _EARLY_WINDOW = 20, 10
"""As Azure documents early termination: at least so many trials, none of the last few better than before."""


@dataclass
class _Running:
    number: int
    candidate: Candidate
    process: ForkServerProcess | SpawnProcess
    begun: float


@dataclass
class Search:
    """A search under way. What a trial tries follows from the trials so and so long before it, whichever of those that
    run at once ends first: the same job has the same trials again, as many as there is time for.

    seen: the trials that came to a good end, by their numbers; ensembles: those that did
    """

    job: Job
    deadline: float
    prefix: str
    context: ForkServerContext | SpawnContext
    seen: dict[int, Seen] = field(default_factory=dict)
    ensembles: list[int] = field(default_factory=list)
    running: list[_Running] = field(default_factory=list)
    begun: int = 0
    exit_reached: bool = False

    def run(self) -> int:
        """How many trials came to a good end, ensembles included."""
        room = self.job.task.most_trials - self._ensembles()
        while self.running or (self.begun < room and self._goes_on()):
            while self.begun < room and self._has_turn() and self._goes_on():
                self._begin()
            self._look()
        self._combine()
        return len(self.seen) + len(self.ensembles)

    def _ensembles(self) -> int:
        """They count as trials; there is no room for one without two others to combine."""
        task = self.job.task
        return min(int(task.vote) + int(task.stack), max(0, task.most_trials - 2))

    def _goes_on(self) -> bool:
        if time.monotonic() >= self.deadline or self.exit_reached:
            return False
        scores = [one.score for one in self._known()]
        if not self.job.task.early_end or len(scores) < _EARLY_AFTER:
            return True
        return max(scores[-_EARLY_WINDOW:]) > max(scores[:-_EARLY_WINDOW])

    def _has_turn(self) -> bool:
        """Whether the next trial may begin: there is room beside others, and what it follows from is over."""
        here = len(self.running) < self.job.task.at_once
        return here and not any(one.number < self._horizon() for one in self.running)

    def _horizon(self) -> int:
        """The next trial follows from those with a smaller number: with room for one that takes twice as long."""
        if self.begun < len(self.job.task.algorithms):
            return 0
        return self.begun - 2 * (self.job.task.at_once - 1)

    def _known(self) -> list[Seen]:
        return [self.seen[number] for number in sorted(self.seen) if number < self._horizon()]

    def _begin(self) -> None:
        number = self.begun
        candidate = next_candidate(number, self.job.task.algorithms, self._known(), SEED)
        self.begun += 1
        folder = self.job.trial(number)
        folder.mkdir(parents=True)
        about = {
            "algorithm": candidate.algorithm,
            "parameters": candidate.parameters,
            "run": f"{self.prefix}_{number}",
        }
        (folder / "candidate.json").write_text(json.dumps(about), encoding="utf-8")
        self.job.tell("begun", number=number, algorithm=candidate.algorithm, parameters=candidate.parameters)
        process = self.context.Process(target=trial.work, args=(str(self.job.folder), number))
        process.start()
        self.running.append(_Running(number, candidate, process, time.monotonic()))

    def _look(self) -> None:
        """Takes in what has ended, and ends what takes too long."""
        time.sleep(0.05)
        for one in list(self.running):
            if not one.process.is_alive():
                self.running.remove(one)
                self._ended(one)
            elif time.monotonic() > min(self.deadline, one.begun + self.job.task.trial_seconds):
                one.process.kill()
                one.process.join()
                self.running.remove(one)
                late = "the search's timeout" if time.monotonic() > self.deadline else "the trial's timeout"
                self._say(one, "Canceled", problem=f"ended by {late}")

    def _ended(self, one: _Running) -> None:
        file = self.job.trial(one.number) / "metrics.json"
        if one.process.exitcode != 0 or not file.exists():
            log = self.job.trial(one.number) / "log.txt"
            text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            problem = "\n".join(text.strip().splitlines()[-5:]) or f"ended with {one.process.exitcode}"
            self._say(one, "Failed", problem=problem)
            return
        told = json.loads(file.read_text(encoding="utf-8"))
        score = told.get(self.job.task.metric, float("-inf"))
        self.seen[one.number] = Seen(candidate=one.candidate, score=score)
        enough = self.job.task.exit_score
        self.exit_reached = self.exit_reached or (enough is not None and score >= enough)
        self._say(one, "Completed", metrics=told)

    def _say(self, one: _Running, status: str, **more: object) -> None:
        seconds = round(time.monotonic() - one.begun, 3)
        self.job.tell("ended", number=one.number, status=status, seconds=seconds, **more)
        print(
            f"trial {one.number} {one.candidate.algorithm}: {status} in {seconds} s {self._score(more)}",
            flush=True,
        )

    def _score(self, more: dict[str, object]) -> str:
        told = more.get("metrics")
        metric = self.job.task.metric
        return (
            f"{metric} {told[metric]:.5f}"
            if isinstance(told, dict) and metric in told
            else str(more.get("problem", ""))
        )

    def _combine(self) -> None:
        """The ensembles, over all good trials, the best first."""
        wanted = {"VotingEnsemble": ensemble.vote} if self.job.task.vote else {}
        wanted |= {"StackEnsemble": ensemble.stack} if self.job.task.stack else {}
        for name, combine in list(wanted.items())[: self._ensembles()]:
            if len(self.seen) < 2:
                print(f"{name}: not made, there are fewer than two good trials to combine", flush=True)
                return
            self._combined(name, combine)

    def _combined(self, name: str, combine: Callable[..., tuple[dict[str, float], dict[str, float]]]) -> None:
        number, begun = self.begun, time.monotonic()
        self.begun += 1
        self.job.trial(number).mkdir(parents=True)
        self.job.tell("begun", number=number, algorithm=name, parameters={})
        ranked = sorted(self.seen, key=lambda trial: (-self.seen[trial].score, trial))
        try:
            told, members = combine(self.job, number, ranked, f"{self.prefix}_{number}")
        except BadData as problem:
            self.job.tell("ended", number=number, status="Failed", seconds=0.0, problem=str(problem))
            return
        seconds = round(time.monotonic() - begun, 3)
        self.ensembles.append(number)
        self.job.tell(
            "ended", number=number, status="Completed", seconds=seconds, metrics=told, members=members
        )
        print(f"trial {number} {name}: Completed in {seconds} s {self._score({'metrics': told})}", flush=True)


def _context() -> ForkServerContext | SpawnContext:
    """Trials are processes that can be ended; where it can be, they come from one that has imported everything."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([trial.__name__])
    return context


def main() -> int:
    folder, prefix = Path(sys.argv[1]), sys.argv[2]
    begun = time.monotonic()
    try:
        prepare(folder)
        job = load(folder)
    except BadData as problem:
        print(f"the data cannot be learnt from: {problem}", flush=True)
        return 2
    rows, columns, classes = len(job.truth), len(job.features.spec), len(job.labels)
    ways = "held-out rows" if len(job.splits) == 1 else f"{len(job.splits)} folds"
    print(f"{rows} rows, {columns} useful columns, {classes} classes, checked on {ways}", flush=True)
    job.tell("data", rows=rows, columns=columns, classes=classes, splits=len(job.splits))
    good = Search(job, deadline=begun + job.task.seconds, prefix=prefix, context=_context()).run()
    if good == 0:
        print("no trial came to a good end in time", flush=True)
    return 0 if good else 3


if __name__ == "__main__":
    sys.exit(main())
