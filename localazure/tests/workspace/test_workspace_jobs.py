"""Pipelines of commands: submitted with the SDK, run for real, looked at, downloaded, cancelled.

No postponed annotations here: `dsl.pipeline` reads them as objects.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from running_azure.waiting import until
from running_azure.workspace import Server, Topic

CODE = """
import json, os, pathlib, sys
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
client = MLClient(DefaultAzureCredential(), os.environ["AZUREML_ARM_SUBSCRIPTION"],
                  os.environ["AZUREML_ARM_RESOURCEGROUP"], os.environ["AZUREML_ARM_WORKSPACE_NAME"])
print("in the workspace", client.workspace_name, "run", os.environ["AZUREML_ROOT_RUN_ID"])
pathlib.Path(sys.argv[1], "seen.json").write_text(json.dumps({"workspace": client.workspaces.get().name}))
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "look.py").write_text(CODE)
    return folder


def _two_steps(code: Path, first: str, second: str) -> Any:
    from azure.ai.ml import Input, Output, command, dsl

    one = command(
        name="one", code=str(code), environment="python@latest", command=first,
        inputs={"data": Input(type="uri_file"), "n": Input(type="integer", default=3),
                "opt": Input(type="string", optional=True)},
        outputs={"out": Output(type="uri_folder")},
    )  # fmt: skip
    two = command(
        name="two", code=str(code), environment="python@latest", command=second,
        inputs={"before": Input(type="uri_folder")}, outputs={"after": Output(type="uri_folder")},
    )  # fmt: skip

    @dsl.pipeline(name="two_steps", default_compute="serverless")
    def pipeline(data: Input(type="uri_file"), n: int = 4) -> Any:
        made = one(data=data, n=n)
        ended = two(before=made.outputs.out)
        return {"result": ended.outputs.after}

    return pipeline


@pytest.fixture
def data(client: Any, name: str, tmp_path: Path) -> Any:
    """A registered file, uploaded; and an environment without a conda file."""
    from azure.ai.ml.entities import Data, Environment

    file = tmp_path / "data.csv"
    file.write_text(f"{name}\n")
    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    return client.data.create_or_update(Data(name=name, path=str(file), type="uri_file"))


def _submit(client: Any, pipeline: Any, data: Any, name: str) -> Any:
    from azure.ai.ml import Input

    job = pipeline(data=Input(type="uri_file", path=f"{data.name}@latest"), n=7)
    job.name, job.experiment_name, job.tags = name, "jobs", {"shop.run": name}
    return client.jobs.create_or_update(job)


def _end(client: Any, name: str) -> Any:
    done = ("Completed", "Failed", "Canceled")
    return until(lambda: (job := client.jobs.get(name)).status in done and job, seconds=60)


def test_a_pipeline_runs_and_its_output_comes_back(
    *, client: Any, data: Any, name: str, code: Path, tmp_path: Path, topic: Topic
) -> None:
    first = (
        "cd ${{outputs.out}}; cat ${{inputs.data}} > n; echo ${{inputs.n}} $[[--opt ${{inputs.opt}}]] >> n"
    )
    second = "cp ${{inputs.before}}/n ${{outputs.after}}/ && python look.py ${{outputs.after}}"
    job = _submit(client, _two_steps(code, first, second), data, name)
    assert job.status == "NotStarted"
    ended = _end(client, name)
    assert ended.status == "Completed"
    client.jobs.download(name, download_path=str(tmp_path), output_name="result")
    result = tmp_path / "named-outputs" / "result"
    assert (result / "n").read_text() == f"{name}\n7\n"
    assert (result / "seen.json").exists()
    steps = list(client.jobs.list(parent_job_name=name))
    assert [(step.display_name, step.status) for step in steps] == [
        ("made", "Completed"),
        ("ended", "Completed"),
    ]
    assert client.jobs.get(steps[0].name).status == "Completed"
    until(lambda: "RunCompleted" in topic.statuses(name))
    assert topic.statuses(name) == ["NotStarted", "Preparing", "Running", "Completed", "RunCompleted"]


def test_a_failed_step_fails_the_run_and_says_why(client: Any, data: Any, name: str, code: Path) -> None:
    from azure.ai.ml.exceptions import JobException

    _submit(client, _two_steps(code, "echo no such luck; exit 3", "true"), data, name)
    assert _end(client, name).status == "Failed"
    steps = {step.display_name: step.status for step in client.jobs.list(parent_job_name=name)}
    assert steps == {"made": "Failed", "ended": "Canceled"}
    with pytest.raises(JobException, match="no such luck"):
        client.jobs.stream(name)


def test_cancelling_ends_the_processes(client: Any, data: Any, name: str, code: Path, server: Server) -> None:
    _submit(client, _two_steps(code, "sleep 1000 & sleep 1000", "true"), data, name)
    until(
        lambda: (
            client.jobs.get(name).status == "Running"
            and list((server.state / "workspace/processes").iterdir())
        )
    )
    started = time.monotonic()
    client.jobs.begin_cancel(name).wait()
    assert time.monotonic() - started < 10
    assert _end(client, name).status == "Canceled"
    assert not list((server.state / "workspace" / "processes").iterdir())


def test_independent_steps_run_side_by_side_and_pipelines_nest(
    client: Any, name: str, tmp_path: Path, server: Server
) -> None:
    """Each of the two inner steps waits for the other's mark, so neither can end alone."""
    from azure.ai.ml import Input, Output, command, dsl
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    meet = command(
        name="meet",
        environment="python@latest",
        command=f"cd {tmp_path}; touch ${{{{inputs.me}}}}; "
        "until [ -e ${{inputs.you}} ]; do sleep 0.05; done; "
        "echo ${{inputs.me}} > ${{outputs.note}}",
        inputs={"me": Input(type="string"), "you": Input(type="string")},
        outputs={"note": Output(type="uri_file")},
    )
    join = command(
        name="join",
        environment="python@latest",
        command="cat ${{inputs.a}} ${{inputs.b}} > ${{outputs.both}}/both",
        inputs={"a": Input(type="uri_file"), "b": Input(type="uri_file")},
        outputs={"both": Output(type="uri_folder")},
    )

    @dsl.pipeline(name="inner")
    def inner(left: str, right: str) -> Any:
        first, second = meet(me=left, you=right), meet(me=right, you=left)
        return {"one": first.outputs.note, "two": second.outputs.note}

    @dsl.pipeline(name="outer", default_compute="serverless")
    def outer(left: str = "l") -> Any:
        met = inner(left=left, right="r")
        joined = join(a=met.outputs.one, b=met.outputs.two)
        return {"both": joined.outputs.both}

    job = outer(left="x")
    job.name, job.outputs.both.name, job.outputs.both.version = name, f"both-{name}", "4"
    client.jobs.create_or_update(job)
    assert _end(client, name).status == "Completed"
    asset = client.data.get(f"both-{name}", version="4")
    assert asset.path.endswith(f"/azureml/{name}/both/")
    client.jobs.download(name, download_path=str(tmp_path), all=True)
    assert (tmp_path / "named-outputs" / "both" / "both").read_text() == "x\nr\n"


def test_a_model_registered_from_a_jobs_output_knows_its_job(
    client: Any, data: Any, name: str, code: Path
) -> None:
    from azure.ai.ml.entities import Model

    _submit(
        client,
        _two_steps(code, "echo 1 > ${{outputs.out}}/m", "cp ${{inputs.before}}/m ${{outputs.after}}/"),
        data,
        name,
    )
    _end(client, name)
    model = client.models.create_or_update(Model(name=name, path=f"azureml://jobs/{name}/outputs/result"))
    assert (model.version, model.job_name) == ("1", name)
    assert model.path.endswith(f"datastores/workspaceblobstore/paths/azureml/{name}/result/")


def test_a_command_job_streams_its_log(client: Any, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    job = command(
        name=name,
        command="echo said by a step; sleep 1",
        environment="python@latest",
        experiment_name="alone",
    )
    client.jobs.create_or_update(job)
    client.jobs.stream(name)
    assert "said by a step" in capsys.readouterr().out
    found = client.jobs.get(name)
    found.tags = {"seen": "yes"}
    assert client.jobs.create_or_update(found).tags["seen"] == "yes"
    client.jobs.archive(name)
    assert name not in [one.name for one in client.jobs.list()]
