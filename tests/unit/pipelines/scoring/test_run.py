"""The steps that score a batch, one after the other: the bytes are those the endpoint's way gives."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flow import engine
from flow.engine import output
from flow.world import POLICY, World

from pipelines.scoring import minibatches, predict, prepare, publish, retrieve
from pipelines.scoring.minibatches import WrongSource
from serving import compiled
from serving.answer import answer
from serving.arrow import CONTENT_TYPE
from serving.trusted import ready
from shared.domain import names
from shared.domain.facts import BatchScored, RunMoved, ScoringDue
from shared.domain.models.arrow_wire import packed, unpacked
from shared.ports import RunView, Scores
from tests.unit.domain.clients import BANK, rows, written
from tests.unit.pipelines.runs import part, trained

MODEL = f"{BANK.dataset}:1"
COLUMNS = [column.name for column in BANK.columns_for("training")][:-1]
"""A file of clients, as a bank has it: all but the answer."""


def drawn(count: int, seed: int) -> list[list[str]]:
    return [row[:-1] for row in rows(count, seed=seed)]


def clients(*, count: int = 400, line_end: str = "\n") -> bytes:
    """Good rows, and every kind that is not: a value out of bounds, another width, a quote left open, line ends
    inside a value, an empty line."""
    lines = written(drawn(count, seed=3), names=COLUMNS, line_end=line_end).decode().split(line_end)
    chance = random.Random(4)
    for number in chance.sample(range(1, count), 12):
        lines[number] = lines[number].replace(lines[number].split(";")[1], "astronaut", 1)
    lines[30], lines[200] = "1;2", ""
    lines[90] = '"' + lines[90]
    lines[150] = lines[150].replace(lines[150].split(";")[1], '"tech\n' + "nician\n" * 90 + '"', 1)
    return line_end.join(lines).encode()


FILES = {
    "plain": written(drawn(300, seed=5), names=COLUMNS),
    "with faults": clients(),
    "by Windows": b"\xef\xbb\xbf" + clients(line_end="\r\n"),
    "all faulty": written([["x"] * len(COLUMNS)] * 100, names=COLUMNS),
    "a header only": written([], names=COLUMNS),
}


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder, as training leaves it."""
    folder = tmp_path_factory.mktemp("trained")
    return trained(folder, [part(folder / "parts", 1500, 1)])


@pytest.fixture(autouse=True)
def _one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minibatches, "cores", lambda: 1)


@dataclass
class Behind:
    """The model behind an endpoint, without the wire: the code that answers requests."""

    folder: Path

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        said = answer(ready(self.folder), packed([rows]), CONTENT_TYPE)
        assert said.status == 200
        version, answers = unpacked(said.body, rows=rows.num_rows)
        return Scores(model_version=version, answers=answers)


def through_the_endpoint(file: bytes, candidate: Path) -> World:
    world = planned(file, engine_bytes=0)
    world.endpoint = Behind(candidate)  # type: ignore[assignment]
    world.tell(ScoringDue(tick="1"))
    return world


def planned(file: bytes, **policy: Any) -> World:
    world = World(policy=replace(POLICY, **{"engine_bytes": 1, "shard_bytes": 6000, **policy}))
    engine.release(world, 1)
    world.files.write("scoring", "clients.csv", file)
    return world


@dataclass
class Run:
    """A run's folders and files on the cluster."""

    world: World
    home: Path
    model: Path
    """Its folder."""

    def __post_init__(self) -> None:
        self.world.tell(ScoringDue(tick="1"))
        (self.request,) = self.world.scoring_pipeline.submissions
        self.batch = self.request.output.rstrip("/")
        self.plan, self.source = self.home / "plan.json", self.home / "clients.csv"
        self.plan.write_bytes(self.world.files.content("scored", names.batch_plan_blob(self.batch)) or b"")
        self.profile = self.home / "profile.json"
        self.profile.write_bytes(
            self.world.files.content("scored", names.batch_profile_blob(self.batch)) or b""
        )
        self.source.write_bytes(self.world.files.content("scoring", "clients.csv") or b"")

    def retrieve(self) -> None:
        given = ["--plan", self.plan, "--profile", self.profile, "--source", self.source]
        self._do(retrieve, [*given, "--model", self.model], "retrieved")

    def prepare(self) -> None:
        self._do(prepare, [*self._has("retrieved"), "--source", self.source], "prepared")

    def predict(self) -> None:
        self._do(predict, self._has("retrieved", "prepared"), "predicted")

    def publish(self) -> None:
        self._do(publish, [*self._has("retrieved", "predicted"), "--source", self.source], "scored")

    def _has(self, *folders: str) -> list[Any]:
        return [text for folder in folders for text in (f"--{folder}", self.home / folder)]

    def _do(self, script: Any, given: list[Any], out: str) -> None:
        assert script.main([str(text) for text in [*given, f"--{out}", self.home / out]]) == 0

    def whole(self) -> World:
        """All steps, the upload of what they put out, and the news that the run is over."""
        for step in (self.retrieve, self.prepare, self.predict, self.publish):
            step()
        for file in (self.home / "scored").rglob("*"):
            if file.is_file():
                blob = f"{self.request.output}{file.relative_to(self.home / 'scored').as_posix()}"
                self.world.files.write("scored", blob, file.read_bytes())
        self.world.workspace.runs[self.request.name] = RunView(name=self.request.name, status="Completed")
        self.world.tell(RunMoved(run=self.request.name))
        return self.world


@pytest.mark.parametrize("file", FILES)
def test_the_bytes_and_the_manifest_are_those_of_the_endpoint(
    candidate: Path, tmp_path: Path, file: str
) -> None:
    by_run = Run(planned(FILES[file]), tmp_path, candidate).whole()
    by_endpoint = through_the_endpoint(FILES[file], candidate)
    assert by_run.told(BatchScored) == by_endpoint.told(BatchScored) != []
    assert output(by_run) == output(by_endpoint)
    assert "manifest.json" in output(by_run)


def test_faults_and_scores_are_what_this_compares(candidate: Path) -> None:
    world = through_the_endpoint(FILES["with faults"], candidate)
    (scored,) = world.told(BatchScored)
    assert 480 < scored.rows < 491  # a value over 92 lines is as many broken records
    assert 14 + 91 <= scored.rejected < 30 + 91
    manifest = json.loads(output(world)["manifest.json"])
    assert len(manifest["shards"]) > 4
    assert sum(manifest["decile_counts"]) == scored.rows - scored.rejected


def test_several_processes_put_out_the_same(
    candidate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minibatches, "cores", lambda: 2)
    assert output(Run(planned(clients()), tmp_path, candidate).whole()) == output(
        through_the_endpoint(clients(), candidate)
    )


def test_without_compiled_trees_the_booster_says_the_same(
    candidate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: str) -> None:
        raise OSError("no compiler here")

    with monkeypatch.context() as patch:
        patch.setattr(compiled, "compiled", broken)
        by_run = Run(planned(clients()), tmp_path, candidate).whole()
    assert output(by_run) == output(through_the_endpoint(clients(), candidate))


def test_a_step_done_again_puts_out_the_same(candidate: Path, tmp_path: Path) -> None:
    run = Run(planned(clients()), tmp_path, candidate)
    once = output(run.whole())
    for step in (run.publish, run.predict, run.prepare, run.publish):
        step()
    again = {
        f.relative_to(tmp_path / "scored").as_posix(): f.read_bytes()
        for f in (tmp_path / "scored").rglob("*.*")
    }
    assert {**once, **again} == {**once, "shards.json": again["shards.json"]}


# --- what ends a run --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["retrieve", "prepare", "publish"])
def test_a_file_of_another_size_is_not_the_one_that_was_planned(
    candidate: Path, tmp_path: Path, step: str
) -> None:
    run = Run(planned(clients()), tmp_path, candidate)
    for each in ("retrieve", "prepare", "predict"):
        if each == step:
            break
        getattr(run, each)()
    run.source.write_bytes(run.source.read_bytes()[:-1])
    with pytest.raises(WrongSource, match="bytes, its plan says"):
        getattr(run, step)()


def test_a_run_that_was_given_another_model_than_the_plans_ends(candidate: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(candidate, other)
    described = json.loads((other / "model.json").read_text())
    (other / "model.json").write_text(json.dumps({**described, "version": "7"}))
    with pytest.raises(SystemExit, match=r"was given the model bank:7, the plan .* says bank:1"):
        Run(planned(clients()), tmp_path, other).retrieve()


def test_rows_nobody_answered_end_the_run(candidate: Path, tmp_path: Path) -> None:
    run = Run(planned(clients()), tmp_path, candidate)
    run.retrieve()
    run.prepare()
    (tmp_path / "prepared" / "00001.arrow").unlink()
    with pytest.raises(SystemExit, match=r"rows were to be scored and .* were"):
        run.predict()


@pytest.mark.parametrize("change", [lambda body: body[: len(body) // 2], lambda body: b""])
def test_an_answer_that_is_none_ends_the_run(candidate: Path, tmp_path: Path, change: Any) -> None:
    run = Run(planned(clients()), tmp_path, candidate)
    run.retrieve()
    run.prepare()
    run.predict()
    answer = tmp_path / "predicted" / "00001.arrow"
    answer.write_bytes(change(answer.read_bytes()))
    with pytest.raises((ValueError, OSError)):
        run.publish()
    assert not (tmp_path / "scored" / "shards.json").exists()
