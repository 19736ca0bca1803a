"""Jobs: a pipeline's way through its steps, its outputs, its failure, its end on request.

No postponed annotations here: `dsl.pipeline` reads them as objects.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from running_azure.target import Target
from running_azure.waiting import until


def _pipeline(python: str, second: str = "cat ${{inputs.before}}/n > ${{outputs.after}}/n") -> Any:
    from azure.ai.ml import Input, Output, command, dsl

    first = command(
        name="first", environment=python, command="echo ${{inputs.n}} $[[${{inputs.word}}]] > ${{outputs.out}}/n",
        inputs={"n": Input(type="integer"), "word": Input(type="string", optional=True)},
        outputs={"out": Output(type="uri_folder")},
    )  # fmt: skip
    last = command(
        name="last", environment=python, command=second,
        inputs={"before": Input(type="uri_folder")}, outputs={"after": Output(type="uri_folder")},
    )  # fmt: skip

    @dsl.pipeline(name="conformance")
    def pipeline(n: int = 1) -> Any:
        one = first(n=n)
        two = last(before=one.outputs.out)
        return {"result": two.outputs.after}

    return pipeline


def _submit(client: Any, target: Target, job: Any) -> Any:
    job.settings.default_compute = target.compute
    return client.jobs.create_or_update(job, experiment_name="conformance")


def test_a_pipeline_completes_and_its_output_is_downloaded(
    client: Any, target: Target, python: str, ended: Callable[[str], Any], tmp_path: Path
) -> None:
    job = _submit(client, target, _pipeline(python)(n=7))
    assert job.status in ("NotStarted", "Preparing", "Running")
    assert ended(job.name).status == "Completed"
    client.jobs.download(name=job.name, output_name="result", download_path=str(tmp_path))
    assert (tmp_path / "named-outputs" / "result" / "n").read_text() == "7\n"
    steps = {step.display_name: step.status for step in client.jobs.list(parent_job_name=job.name)}
    assert steps == {"one": "Completed", "two": "Completed"}
    model = f"azureml://jobs/{job.name}/outputs/result"
    from azure.ai.ml.entities import Model

    made = client.models.create_or_update(Model(name=f"m-{job.name}"[:40], path=model, type="custom_model"))
    assert made.path.startswith("azureml://")
    client.models.archive(name=made.name)


def test_a_failing_step_fails_the_pipeline(
    client: Any, target: Target, python: str, ended: Callable[[str], Any]
) -> None:
    from azure.ai.ml.exceptions import JobException

    job = _submit(client, target, _pipeline(python, "exit 3")(n=1))
    assert ended(job.name).status == "Failed"
    steps = {step.display_name: step.status for step in client.jobs.list(parent_job_name=job.name)}
    assert steps == {"one": "Completed", "two": "Failed"}
    with pytest.raises(JobException):
        client.jobs.stream(job.name)


def test_a_job_is_cancelled(client: Any, target: Target, python: str, ended: Callable[[str], Any]) -> None:
    from azure.ai.ml import command

    job = client.jobs.create_or_update(
        command(
            command="sleep 3600", environment=python, compute=target.compute, experiment_name="conformance"
        )
    )
    until(lambda: client.jobs.get(job.name).status == "Running", seconds=target.patience)
    client.jobs.begin_cancel(job.name).wait()
    assert ended(job.name).status == "Canceled"


def test_tags_and_names_change_and_archived_jobs_leave_the_list(
    client: Any, target: Target, python: str, ended: Callable[[str], Any]
) -> None:
    from azure.ai.ml import command

    job = client.jobs.create_or_update(
        command(command="true", environment=python, compute=target.compute, experiment_name="conformance")
    )
    ended(job.name)
    client.jobs.update(job.name, display_name="shown", tags={"seen": "yes"})
    found = client.jobs.get(job.name)
    assert (found.display_name, found.tags["seen"]) == ("shown", "yes")
    client.jobs.archive(job.name)
    assert job.name not in [one.name for one in client.jobs.list(max_results=20)]
    client.jobs.restore(job.name)


def test_a_published_pipeline_is_called(
    client: Any, target: Target, python: str, ended: Callable[[str], Any], name: str
) -> None:
    """A pipeline component behind a batch endpoint."""
    from azure.ai.ml.entities import BatchEndpoint, PipelineComponentBatchDeployment

    component = client.components.create_or_update(_pipeline(python)(n=1).component)
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    deployment = PipelineComponentBatchDeployment(
        name="v1", endpoint_name=name, component=component, settings={"default_compute": target.compute}
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    endpoint = client.batch_endpoints.get(name)
    endpoint.defaults = {"deployment_name": "v1"}
    client.batch_endpoints.begin_create_or_update(endpoint).result()
    job = client.batch_endpoints.invoke(endpoint_name=name, inputs={})
    assert ended(job.name).status == "Completed"
    assert job.name in [one.name for one in client.batch_endpoints.list_jobs(endpoint_name=name)]
    client.batch_endpoints.begin_delete(name).result()


def test_a_schedule_is_made_triggered_and_deleted(
    client: Any, target: Target, python: str, ended: Callable[[str], Any], name: str
) -> None:
    from azure.ai.ml.entities import CronTrigger, JobSchedule

    job = _pipeline(python)(n=2)
    job.settings.default_compute = target.compute
    schedule = JobSchedule(
        name=name, trigger=CronTrigger(expression="0 3 * * 1", time_zone="UTC"), create_job=job
    )
    assert client.schedules.begin_create_or_update(schedule).result().is_enabled
    assert client.schedules.get(name).trigger.expression == "0 3 * * 1"
    assert ended(client.schedules.trigger(name).job_name).status == "Completed"
    assert client.schedules.begin_disable(name).result().is_enabled is False
    client.schedules.begin_delete(name).result()
    assert name not in [one.name for one in client.schedules.list(list_view_type="All")]
