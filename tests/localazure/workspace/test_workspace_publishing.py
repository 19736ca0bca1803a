"""The training pipeline's publishing, by the unmodified SDK: again changes nothing, and the way back is there."""

from __future__ import annotations

from typing import Any

from pipelines import publish


def _silent(line: str) -> None:
    del line


def test_again_changes_nothing_and_another_compute_is_beside_it(client: Any) -> None:
    first = publish.publish(client, say=_silent)
    assert len(first.new) == 6
    endpoint = client.batch_endpoints.get(publish.ENDPOINT)
    assert endpoint.defaults["deploymentName"] == first.deployment
    said: list[str] = []
    again = publish.publish(client, say=said.append)
    assert again.new == ()
    assert (again.component, again.deployment) == (first.component, first.deployment)
    assert all(line.endswith(" is there") for line in said)
    moved = publish.publish(client, compute="serverless", say=_silent)
    assert moved.new == (
        f"component {moved.component}",
        f"deployment {moved.deployment} on serverless",
        f"default deployment {moved.deployment}",
    )
    back = publish.publish(client, say=_silent)
    assert (back.new, back.deployment) == ((f"default deployment {first.deployment}",), first.deployment)


def test_the_component_asks_for_what_a_run_is_given(client: Any) -> None:
    """The names are the app's too: a run is started with these inputs."""
    published = publish.publish(client, say=_silent)
    name, _, version = published.component.partition(":")
    component = client.components.get(name=name, version=version)
    assert set(component.inputs) == {
        "manifest", "parts", "model_name", "model_version", "champion", "call_cost", "deposit_value",
    }  # fmt: skip
    assert set(component.outputs) == {"candidate"}
