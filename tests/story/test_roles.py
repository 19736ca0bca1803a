"""The story with roles: everybody signs in, nobody has a key, and each assignment of infra/ is needed for a call."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.stack.state import Stack
from localazure.storage.account import KEY
from shared.resources import identities
from shared.resources.assignments import ASSIGNMENTS
from tests.story.probing import Prober
from tests.story.running import running
from tests.story.with_roles import SETTINGS, Call, asked, everything, refused, without


@pytest.mark.slow
def test_everything_is_done_by_the_roles_of_infra_and_none_is_surplus(tmp_path: Path) -> None:
    with running(tmp_path, roles=True, **SETTINGS) as story:
        everything(story)
        calls = asked(story.stack)
        assert refused(calls, story.stack) == []
        surplus = [str(each) for each in ASSIGNMENTS if not refused(calls, story.stack, without=each)]
        assert surplus == []
        _each_is_refused_for_real(story.stack, calls)
        for app in ("work", "api"):
            assert KEY not in story.stack.settings_file_of(app).read_text()


INNER = {
    "work is Monitoring Metrics Publisher on insights insights",
    "api is Monitoring Metrics Publisher on insights insights",
    "work is EventGrid Data Sender on topic campanha",
    "work is Managed Identity Operator on identity endpoint",
    "cluster is AcrPull on registry registry",
    "endpoint is AcrPull on registry registry",
    "endpoint is AzureML Metrics Writer (preview) on workspace workspace",
    "deployer is Storage Blob Data Contributor on account workspace",
    "deployer is Managed Identity Operator on identity endpoint",
}
"""Assignments whose calls are not made again so: they publish events, send telemetry, make endpoints or places for code,
or are those of the embedded Azure itself. What they need is compared all the same."""


def _each_is_refused_for_real(stack: Stack, calls: list[Call]) -> None:
    """Each assignment is taken away from what runs, and one of its calls is made again, by whoever made it."""
    prober = Prober(stack, {each.name: each for each in identities.IDENTITIES})
    inner = set()
    for each in ASSIGNMENTS:
        call = prober.first(refused(calls, stack, without=each))
        if call is None:
            inner.add(str(each))
            continue
        assert prober.status(call) != 403, (
            f"{call.identity} is refused {call.name} with all that infra/ assigns"
        )
        with without(stack, each):
            status = prober.status(call)
        assert status == 403, f"without `{each}` {call.identity} may still {call.name}: {status}"
    assert inner == INNER
