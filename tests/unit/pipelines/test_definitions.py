"""The pipelines as Azure ML is given them: each step's command, inputs and outputs, and how they are connected."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipelines.automl import pipeline as automl
from pipelines.code import module_of
from pipelines.command_step import THREADS
from pipelines.experimentation import pipeline as experimentation
from pipelines.scoring import pipeline as scoring
from pipelines.training import pipeline as training

pytestmark = pytest.mark.filterwarnings("ignore:.*")  # the SDK warns about its own internals
ENVIRONMENT = "azureml:campanha-training:1"
WIRES = {
    training.NAME: {
        "prepare.manifest": "inputs.manifest",
        "prepare.parts": "inputs.parts",
        "trial.prepared": "jobs.prepare.outputs.prepared",
        "trial.earlier": "inputs.earlier",
        "trial.false_change": "inputs.false_change",
        "train.prepared": "jobs.prepare.outputs.prepared",
        "train.trial": "jobs.trial.outputs.trial",
        "train.model_name": "inputs.model_name",
        "train.model_version": "inputs.model_version",
        "train.call_cost": "inputs.call_cost",
        "train.deposit_value": "inputs.deposit_value",
        "evaluate.prepared": "jobs.prepare.outputs.prepared",
        "evaluate.model": "jobs.train.outputs.model",
        "evaluate.champion": "inputs.champion",
        "evaluate.call_cost": "inputs.call_cost",
        "evaluate.deposit_value": "inputs.deposit_value",
        "register.candidate": "jobs.evaluate.outputs.candidate",
        "register.place": "jobs.evaluate.outputs.candidate",
        "register.model_name": "inputs.model_name",
        "register.model_version": "inputs.model_version",
    },
    experimentation.NAME: {
        "prepare.manifest": "inputs.manifest",
        "prepare.parts": "inputs.parts",
        "search.prepared": "jobs.prepare.outputs.prepared",
        "search.earlier": "inputs.earlier",
        "search.model_name": "inputs.model_name",
        "search.model_version": "inputs.model_version",
        "search.seed": "inputs.seed",
        "search.seconds": "inputs.seconds",
    },
    automl.NAME: {
        "prepare.manifest": "inputs.manifest",
        "prepare.parts": "inputs.parts",
        "split.prepared": "jobs.prepare.outputs.prepared",
        "split.earlier": "inputs.earlier",
        "automl.training_data": "jobs.split.outputs.table",
        "score.table": "jobs.split.outputs.table",
        "score.model": "jobs.automl.outputs.best_model",
        "judge.prepared": "jobs.prepare.outputs.prepared",
        "judge.table": "jobs.split.outputs.table",
        "judge.predicted": "jobs.score.outputs.predicted",
        "judge.earlier": "inputs.earlier",
        "judge.model_name": "inputs.model_name",
        "judge.model_version": "inputs.model_version",
        "judge.false_change": "inputs.false_change",
    },
    scoring.NAME: {
        "retrieve.plan": "inputs.plan",
        "retrieve.source": "inputs.source",
        "retrieve.model": "inputs.model",
        "retrieve.profile": "inputs.profile",
        "prepare.retrieved": "jobs.retrieve.outputs.retrieved",
        "prepare.source": "inputs.source",
        "predict.retrieved": "jobs.retrieve.outputs.retrieved",
        "predict.prepared": "jobs.prepare.outputs.prepared",
        "publish.retrieved": "jobs.retrieve.outputs.retrieved",
        "publish.source": "inputs.source",
        "publish.predicted": "jobs.predict.outputs.predicted",
    },
}
"""By pipeline: where each input of each step comes from."""


@pytest.fixture(params=[training, scoring, experimentation, automl], ids=lambda module: module.NAME)
def pipeline(request: pytest.FixtureRequest) -> Any:
    return request.param


def steps(pipeline: Any, folder: Path) -> Any:
    return [step() for step in pipeline.steps(folder, ENVIRONMENT)]


def test_a_command_names_every_input_and_output_of_its_step_and_no_other(
    pipeline: Any, tmp_path: Path
) -> None:
    for step in steps(pipeline, tmp_path):
        component = step.component
        named = set(re.findall(r"\$\{\{(\w+\.\w+)\}\}", component.command))
        given = {f"inputs.{name}" for name in component.inputs} | {
            f"outputs.{name}" for name in component.outputs
        }
        assert named == given, component.name


def test_an_option_is_called_as_what_it_is_given(pipeline: Any) -> None:
    """`--model-name ${{inputs.model_name}}`: a line that crosses two of them would run, with the wrong values."""
    for line in pipeline.COMMANDS:
        pairs = re.findall(r"--([a-z-]+) \$\{\{\w+\.(\w+)\}\}", line)
        assert pairs
        assert all(option.replace("-", "_") == name for option, name in pairs), line


def test_a_step_does_without_none_of_its_options(pipeline: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A default would hide that a command line forgot one."""
    for line in pipeline.COMMANDS:
        step = import_module(module_of(line))
        options = re.findall(r"(?<!\[)--[a-z-]+", line)  # those in [[...]] may be left out
        for lacking in options:
            with pytest.raises(SystemExit) as ended:
                step.main([text for option in options if option != lacking for text in (option, "1")])
            assert ended.value.code == 2
            assert f"the following arguments are required: {lacking}\n" in capsys.readouterr().err


def test_steps_share_code_and_environment_and_do_not_spin(pipeline: Any, tmp_path: Path) -> None:
    for step, line in zip(steps(pipeline, tmp_path), pipeline.COMMANDS, strict=True):
        assert step.component.command == line
        assert (step.component.code, step.component.environment) == (str(tmp_path), ENVIRONMENT)
        assert step.environment_variables == THREADS


def test_each_component_has_a_name_of_its_own(tmp_path: Path) -> None:
    """All pipelines have a step that prepares; the workspace keeps all components under their names. An experiment's is
    that of training."""
    pipelines = (training, scoring, experimentation, automl)
    names = [step.component.name for each in pipelines for step in steps(each, tmp_path)]
    assert len(names) == 15
    assert len(set(names)) == 13
    assert {"campanha_training_prepare", "campanha_scoring_prepare"} < set(names)


def test_the_steps_of_a_run_are_connected_as_they_should_be(pipeline: Any, tmp_path: Path) -> None:
    made = pipeline.component(tmp_path, ENVIRONMENT)()
    jobs = made.component.jobs
    assert list(jobs) == list(dict.fromkeys(name.partition(".")[0] for name in WIRES[pipeline.NAME]))
    found = {
        f"{name}.{given}": str(value._to_job_input().path if hasattr(value, "_to_job_input") else value)
        for name, job in jobs.items()
        for given, value in job.inputs.items()
    }
    for name, job in jobs.items():
        if job.type == "automl":  # its data is no input among others
            found[f"{name}.training_data"] = str(job.training_data)
    assert found == {name: f"${{{{parent.{source}}}}}" for name, source in WIRES[pipeline.NAME].items()}


def test_only_a_batch_and_a_search_are_done_anew_when_they_are_asked_for_again(tmp_path: Path) -> None:
    """Azure ML hands back the outputs of a step that had the same inputs, where the step lets it."""
    assert {step.component.is_deterministic for step in steps(training, tmp_path)} == {True}
    assert {step.component.is_deterministic for step in steps(scoring, tmp_path)} == {False}
    assert [step.component.is_deterministic for step in steps(experimentation, tmp_path)] == [True, False]


def test_a_training_run_can_do_without_earlier_models_and_money(tmp_path: Path) -> None:
    inputs = training.component(tmp_path, ENVIRONMENT)().component.inputs
    defaults = {name: given.default for name, given in inputs.items() if given.default is not None}
    assert defaults == {"call_cost": 10, "deposit_value": 80, "false_change": 0.05}
    assert {name for name, given in inputs.items() if given.optional} == {"champion", "earlier"}


def test_a_model_is_told_where_its_files_are_and_fetches_none_of_them_twice(tmp_path: Path) -> None:
    register = training.component(tmp_path, ENVIRONMENT)().component.jobs["register"]
    modes = {name: given.mode for name, given in register.inputs.items()}
    assert modes["place"] == "direct"
    assert modes["candidate"] in (None, "ro_mount")
