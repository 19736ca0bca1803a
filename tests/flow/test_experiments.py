"""Experiments: stories of clock and operator, what a run may leave, and a crash at every call."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flow.test_crashes import Fuse, Wired, drain
from flow.world import DATASET, POLICY, RECIPES, World, bank_rows

from shared.domain import names
from shared.domain.facts import (
    ExperimentDue,
    ExperimentFailed,
    ExperimentPostponed,
    ExperimentStarted,
    NothingFound,
    ReconcileDue,
    RivalJudged,
    RunMoved,
    WorkPaused,
    WorkResumed,
)
from shared.domain.models.leaderboard import LEADERBOARD, RECIPE
from shared.domain.models.recipe import Recipe, RecipeMember
from shared.domain.models.recipe_text import text_of
from shared.ports import RunView
from shared.procedures import found_recipes
from shared.procedures.experiments import EXPERIMENT, part_of, spent_today

RUN = "search-bank-v1-a1"
FOUND = Recipe(
    name="found-v1-1a2b3c4d",
    members=(RecipeMember(name="ridge", learner="ridge", parameters={"strength": 30}),),
    searched=1,
)


TRIALS = [
    {
        "name": f"ridge-{number}",
        "ended": "scored on every drop",
        "drops": 3,
        "seconds": 1,
        "difference": -0.01,
    }
    for number in range(20)
]


@pytest.fixture
def trained(world: World) -> World:
    """Version 1 has its model."""
    return train(world)


def train(world: World, *, version: int = 1) -> World:
    world.tell(world.drop(f"{version}.csv", bank_rows(30, start=1000 * version)))
    world.finish_run(f"bank-v{version}-a1")
    return world


def ask(world: World, tick: str = "1") -> None:
    world.tell(ExperimentDue(dataset=DATASET, tick=tick))


def leave(world: World, run: str = RUN, *, recipe: Recipe | None = FOUND, **board: Any) -> None:
    """What the search's step writes."""
    name = recipe.name if recipe else None
    body = {"found": name, "reason": "log loss -0.0100", "seconds": 12.5, "trials": TRIALS, **board}
    folder = names.experiment_folder(run)
    world.files.write(names.RECIPES, folder + LEADERBOARD, json.dumps(body).encode())
    if recipe:
        world.files.write(names.RECIPES, folder + RECIPE, text_of(recipe, comment="why"))


def end(world: World, run: str = RUN, *, status: str = "Completed") -> None:
    world.workspace.runs[run] = RunView(name=run, status=status)
    world.tell(RunMoved(run=run))


def recipes_of(world: World, version: int) -> list[str]:
    """By the manifest."""
    text = world.files.content(names.DATASETS, names.manifest_blob(DATASET, version))
    assert text is not None
    return [recipe["name"] for recipe in json.loads(text)["recipes"]]


# --- stories -----------------------------------------------------------------------------------------------------


def test_what_an_experiment_finds_challenges_from_the_next_version_on(trained: World) -> None:
    ask(trained)
    (request,) = trained.experiment_pipeline.submissions
    assert (request.name, request.version, request.values["seconds"]) == (RUN, 1, 1800)
    assert request.output == "experiments/search-bank-v1-a1/"
    before = dict(trained.workspace.traffic)
    leave(trained)
    end(trained)
    record = trained.ledger.find("run", RUN)
    assert record is not None
    assert (record.state, record.values["recipe"], record.values["trials"]) == ("accepted", FOUND.name, 20)
    assert record.values["pipeline"] == "experimentation"
    assert [one["name"] for one in record.values["best"]] == [f"ridge-{number}" for number in range(12)]
    assert record.values["leaderboard"] == "experiments/search-bank-v1-a1/leaderboard.json"
    assert trained.workspace.traffic == before
    train(trained, version=2)
    assert recipes_of(trained, 1) == [recipe.name for recipe in RECIPES]
    assert recipes_of(trained, 2) == [*recipes_of(trained, 1), FOUND.name]
    text = trained.files.content(names.DATASETS, names.manifest_blob(DATASET, 2))
    assert json.loads(text or b"")["recipes"][-1]["searched"] == 1


def test_one_version_has_one_experiment(trained: World) -> None:
    for tick in ("1", "2"):
        ask(trained, tick)
    leave(trained)
    end(trained)
    ask(trained, "3")
    assert len(trained.experiment_pipeline.submissions) == 1
    assert "version 1 has been searched on" in trained.told(ExperimentPostponed)[-1].reason
    train(trained, version=2)
    ask(trained, "4")
    assert [one.name for one in trained.experiment_pipeline.submissions] == [RUN, "search-bank-v2-a1"]


def test_one_that_failed_is_made_again_when_it_is_asked_for(trained: World) -> None:
    ask(trained)
    end(trained, status="Failed")
    assert trained.state("run", RUN) == "failed"
    assert spent_today(DATASET, trained.services) == 1800  # what it did with them is not known
    ask(trained, "2")
    assert "the day's time is spent" in trained.told(ExperimentPostponed)[-1].reason
    trained.pass_time(24 * 3600)
    ask(trained, "3")
    assert trained.experiment_pipeline.submissions[-1].name == "search-bank-v1-a2"


def test_unused_time_is_the_days_again(trained: World) -> None:
    ask(trained)
    assert spent_today(DATASET, trained.services) == 1800
    leave(trained, recipe=None, seconds=100.0)
    end(trained)
    assert trained.state("run", RUN) == "refused"
    assert trained.told(NothingFound)
    train(trained, version=2)
    ask(trained, "2")
    assert trained.experiment_pipeline.submissions[-1].values["seconds"] == 1700


def test_without_time_for_a_day_nothing_is_searched(trained: World) -> None:
    trained.policy = replace(POLICY, experiment_daily_seconds=0)
    ask(trained)
    assert not trained.experiment_pipeline.submissions
    assert "EXPERIMENT_DAILY_SECONDS" in trained.told(ExperimentPostponed)[-1].reason


def test_before_a_model_and_while_one_is_trained_nothing_is_searched(world: World) -> None:
    ask(world)
    assert "no model of the dataset has been trained yet" in world.told(ExperimentPostponed)[-1].reason
    world.tell(world.drop("may.csv", bank_rows(30)))
    ask(world, "2")
    assert "the training run of version 1 is not over" in world.told(ExperimentPostponed)[-1].reason
    assert not world.experiment_pipeline.submissions


def test_a_pause_holds_experiments_back(trained: World) -> None:
    trained.tell(WorkPaused(operation="p", by="key:operator", reason=""))
    ask(trained)
    assert not trained.experiment_pipeline.submissions
    trained.tell(WorkResumed(operation="r", by="key:operator", reason=""))
    assert len(trained.experiment_pipeline.submissions) == 1


@pytest.mark.parametrize("lost", ["request", "reply"])
def test_a_submission_without_an_answer_is_one_run(trained: World, lost: str) -> None:
    trained.experiment_pipeline.loses = lost
    began = trained.time
    ask(trained)
    assert len(trained.experiment_pipeline.submissions) == len(trained.told(ExperimentStarted)) == 1
    assert (trained.time - began).total_seconds() >= trained.policy.submit_fence_seconds


def test_a_service_that_names_the_run_itself_is_followed_all_the_same(trained: World) -> None:
    trained.experiment_pipeline.ignores_names = True
    ask(trained)
    (run,) = [fact.run for fact in trained.told(ExperimentStarted)]
    assert run != RUN
    leave(trained)
    end(trained, run)
    assert trained.state("run", run) == "accepted"


def test_without_the_pipeline_it_fails_and_says_what_to_do(trained: World) -> None:
    trained.experiment_pipeline.published = False
    ask(trained)
    assert "publish it" in trained.told(ExperimentFailed)[-1].reason
    assert trained.state("run", RUN) == "failed"
    trained.experiment_pipeline.published = True
    ask(trained, "2")
    assert trained.experiment_pipeline.submissions[-1].name == "search-bank-v1-a2"
    assert trained.experiment_pipeline.submissions[-1].values["seconds"] == 1800


def test_a_run_past_its_deadline_is_cancelled(trained: World) -> None:
    ask(trained)
    trained.workspace.runs[RUN] = RunView(name=RUN, status="Running")
    trained.pass_time(trained.policy.run_deadline_minutes * 60 + 1)
    trained.tell(ReconcileDue(tick="late"))
    assert trained.workspace.cancelled == [RUN]
    assert "past its deadline" in trained.told(ExperimentFailed)[-1].reason


@pytest.mark.parametrize(
    ("verdict", "state"), [("better", "accepted"), ("worse", "refused"), ("undecided", "undecided")]
)
def test_a_model_of_automls_is_judged_and_adds_no_challenger(
    trained: World, verdict: str, state: str
) -> None:
    trained.policy = replace(POLICY, experiment_with="automl")
    ask(trained)
    (request,) = trained.experiment_pipeline.submissions
    assert (request.name, request.values) == ("automl-bank-v1-a1", {"false_change": 0.05})
    before = dict(trained.workspace.traffic)
    leave(trained, request.name, recipe=None, verdict=verdict, reason=f"it is {verdict}")
    end(trained, request.name)
    record = trained.ledger.find("run", request.name)
    assert record is not None
    assert (record.state, record.values["purpose"], record.values["reason"]) == (
        state,
        "automl",
        f"it is {verdict}",
    )
    assert [fact.verdict for fact in trained.told(RivalJudged)] == [verdict]
    assert spent_today(DATASET, trained.services) == 900
    assert trained.workspace.traffic == before
    train(trained, version=2)
    assert recipes_of(trained, 2) == [recipe.name for recipe in RECIPES]


def test_each_purpose_has_its_own_experiment_of_a_version_and_the_day_is_theirs_together(
    trained: World,
) -> None:
    ask(trained)
    leave(trained, recipe=None, seconds=1000.0)
    end(trained)
    trained.policy = replace(POLICY, experiment_with="automl")
    ask(trained, "2")
    assert len(trained.experiment_pipeline.submissions) == 1
    assert "less 800 s of the 900 that are needed" in trained.told(ExperimentPostponed)[-1].reason
    trained.policy = replace(POLICY, experiment_with="automl", experiment_daily_seconds=2000)
    ask(trained, "3")
    assert [one.name for one in trained.experiment_pipeline.submissions] == [RUN, "automl-bank-v1-a1"]


# --- what a run may leave ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("board", "recipe", "says"),
    [
        (None, None, "left no recipes/experiments"),
        (b"{", None, "cannot be read"),
        (b'{"found": 1}', None, "it is no leaderboard"),
        ({"verdict": "best"}, None, "'best' is no verdict"),
        ({}, None, "left no recipes/experiments/search-bank-v1-a1/recipe.yaml"),
        ({}, b"name: [", "recipe.yaml: "),
        ({}, b"name: found-v1-1a2b3c4d\nmembers: [{name: a, learner: magic}]", "known are boosted-trees"),
        ({}, text_of(replace(FOUND, name="other")), "the leaderboard says found-v1-1a2b3c4d"),
        ({}, text_of(replace(FOUND, searched=0)), "up to 0"),
        ({}, text_of(replace(FOUND, searched=2)), "up to 2"),
    ],
)
def test_an_output_that_is_none_adds_no_challenger(
    trained: World, board: Any, recipe: bytes | None, says: str
) -> None:
    """A recipe that did not say what it was searched on would be judged by what it was chosen for."""
    ask(trained)
    leave(trained, **(board if isinstance(board, dict) else {}))
    folder = names.experiment_folder(RUN)
    for name, text in ((LEADERBOARD, None if isinstance(board, dict) else board), (RECIPE, recipe)):
        if not (name == LEADERBOARD and isinstance(board, dict)):
            del trained.files._blobs[names.RECIPES, folder + name]
        if text is not None:
            trained.files.write(names.RECIPES, folder + name, text)
    end(trained)
    assert trained.state("run", RUN) == "failed"
    assert says in trained.told(ExperimentFailed)[-1].reason
    train(trained, version=2)
    assert recipes_of(trained, 2) == [recipe.name for recipe in RECIPES]


def test_the_newest_finds_challenge_and_a_broken_file_stops_nothing(world: World) -> None:
    for number in range(found_recipes.MOST_FOUND + 1):
        recipe = replace(FOUND, name=f"found-{number}", temperature=1 + number / 10)
        world.files.write(names.RECIPES, f"bank/found-{number}.yaml", text_of(recipe))
        world.pass_time(1)
    twin = replace(FOUND, name="twin", temperature=1.4)
    world.files.write(names.RECIPES, "bank/found-2.yaml", b"name: [")
    world.files.write(names.RECIPES, "bank/twin.yaml", text_of(twin))
    world.files.write(names.RECIPES, "banker/other.yaml", text_of(replace(FOUND, name="other")))
    world.files.write(names.RECIPES, "bank/notes.txt", b"hello")
    train(world)
    assert recipes_of(world, 1) == [*(one.name for one in RECIPES), "found-3", "found-4"]


# --- a crash at every call ---------------------------------------------------------------------------------------


def live_through(fuse: Fuse, *, lost: bool = False) -> World:
    """An hour in which the clock ticks each ten minutes; the first experiment fails, the second finds a recipe.

    lost: the message of the killed worker does not come back
    """
    world = train(World(policy=replace(POLICY, experiment_daily_seconds=4000)))
    ports = ("table", "present", "files", "experiment_pipeline", "workspace", "bus")
    bare = {name: getattr(world, name) for name in ports}
    for name, port in bare.items():
        setattr(world, name, Wired(port, fuse))
    for minute in range(60):
        end_runs(world, bare)
        world.due.append((world.time, ReconcileDue(tick=str(minute))))
        if minute % 10 == 0:
            world.due.append((world.time, ExperimentDue(dataset=DATASET, tick=str(minute))))
        end_of_minute = world.time + timedelta(minutes=1)
        drain(world, bare, until=end_of_minute, lost=lost)
        world.time = end_of_minute
    for name, port in bare.items():
        setattr(world, name, port)
    return world


def end_runs(world: World, bare: dict[str, Any]) -> None:
    """They end without an event: the reconciler has to see it. What the first is given is not all that there is."""
    for request in bare["experiment_pipeline"].submissions:
        bare["workspace"].runs[request.name] = RunView(name=request.name, status="Completed")
        wired, world.files = world.files, bare["files"]
        leave(world, request.name)
        world.files = wired


def outcome(world: World) -> dict[str, Any]:
    """What anybody outside can see at the end."""
    held = world.ledger.documents.read(EXPERIMENT, part_of(DATASET, "search"))
    assert held is not None
    return {
        "submissions": [request.name for request in world.experiment_pipeline.submissions],
        "runs": [
            (r.id, r.state, r.values.get("trials"), r.values.get("recipe"))
            for r in world.ledger.newest("run")
        ],
        "recipes": [
            (blob.name, world.files.content("recipes", blob.name)) for blob in world.files.list("recipes")
        ],
        "held": (held.value.state, held.value.version, held.value.attempt, held.value.spent),
        "failures": len(world.ledger.newest("failure")),
        "unfinished": [fact.key for fact, _ in world.ledger.outbox.unfinished(older_than=timedelta(0))],
    }


def test_an_undisturbed_hour_ends_with_a_challenger() -> None:
    seen = outcome(live_through(Fuse()))
    assert seen["submissions"] == [RUN]
    assert seen["runs"][0] == (RUN, "accepted", 20, FOUND.name)
    assert f"bank/{FOUND.name}.yaml" in dict(seen["recipes"])
    assert seen["held"] == ("free", 1, 1, 12.5)
    assert (seen["failures"], seen["unfinished"]) == (0, [])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_at_any_call_changes_nothing(after: bool, every: int) -> None:
    """At some calls, and among the slow tests at each."""
    expected = outcome(live_through(Fuse()))
    fuse = Fuse()
    live_through(fuse)
    differing = []
    most = min(fuse.calls, 220)  # by then it is over; what follows are reconciliations that find nothing
    for at in range(1, most + 1, every):
        seen = outcome(live_through(Fuse(at, after=after), lost=(at + after) % 2 == 0))
        if seen != expected:
            differing.append(
                (at, {name: (seen[name], expected[name]) for name in seen if seen[name] != expected[name]})
            )
    assert differing == []
