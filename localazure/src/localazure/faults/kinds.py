"""What can go wrong between an app and Azure: a table of kinds, and one of the parts that they can be asked of."""

from __future__ import annotations

from dataclasses import dataclass

from localazure import agents


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One row of the table."""

    name: str
    does: str
    takes_effect: bool
    """Whether the request is carried out all the same."""
    shown_by: str
    seconds: float = 0.0
    """Of waiting, where the order names none."""


_TESTS = "tests/faults/test_faults.py"
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="throttle",
            does="503 ServerBusy of storage, 429 TooManyRequests of all others, with Retry-After (`--seconds`, 1)",
            takes_effect=False,
            seconds=1,
            shown_by=f"{_TESTS}::test_a_throttled_call_is_tried_again_by_the_sdk_and_refused_without_retries",
        ),
        Kind(
            name="error",
            does="500, or what `--status` says, in the service's own form",
            takes_effect=False,
            shown_by=f"{_TESTS}::test_an_error_is_said_as_the_service_says_it",
        ),
        Kind(
            name="timeout",
            does="no answer for so long (`--seconds`, 60), then the connection is closed",
            takes_effect=False,
            seconds=60,
            shown_by=f"{_TESTS}::test_no_answer_comes_within_a_clients_patience",
        ),
        Kind(
            name="request-lost",
            does="the connection is closed, and the request never arrives",
            takes_effect=False,
            shown_by=f"{_TESTS}::test_a_lost_reply_was_carried_out_and_a_lost_request_was_not",
        ),
        Kind(
            name="reply-lost",
            does="the request is carried out, and the connection is closed before the reply",
            takes_effect=True,
            shown_by=f"{_TESTS}::test_a_lost_reply_was_carried_out_and_a_lost_request_was_not",
        ),
        Kind(
            name="half-reply",
            does="the request is carried out, and the connection breaks in the middle of the reply's body",
            takes_effect=True,
            shown_by=f"{_TESTS}::test_half_a_download_is_never_taken_for_the_whole",
        ),
        Kind(
            name="delay",
            does="the request waits so long (`--seconds`, 1), and is then carried out",
            takes_effect=True,
            seconds=1,
            shown_by=f"{_TESTS}::test_a_delayed_call_comes_late",
        ),
        Kind(
            name="swallow",
            does="201, and nothing is done: what Azure never does to an app, and what a lost event is (part `deliveries`)",
            takes_effect=False,
            shown_by=f"{_TESTS}::test_an_event_that_is_swallowed_never_comes",
        ),
    )
}
STORAGE = ("blob", "queue", "table")
FRONTS = (*STORAGE, "events", "workspace", "identity")
"""What has a port of its own."""
PARTS = {
    "blob": "blob storage, by its own address or the workspace's",
    "queue": "queue storage: an app's own calls, and those of the Functions host",
    "table": "table storage",
    "events": "publishing to Event Grid",
    "deliveries": "what Event Grid delivers to storage queues",
    "workspace": "Azure Resource Manager and the data plane of the workspace",
    "endpoints": "scoring by online endpoints",
    "identity": "tokens of managed identities",
}
_SCORED = "/online/"


def part_of(front: str, path: str, agent: str) -> str | None:
    """Which part a request is for; None for what the embedded Azure calls of itself.

    front: whose port it came to
    """
    if agents.EVENTS in agent:
        return "deliveries" if front == "queue" else None
    if agents.WORKSPACE in agent:
        return None
    if front == "workspace" and path.startswith(_SCORED):
        return "endpoints"
    if front == "workspace" and path.startswith("/devstoreaccount"):
        return "blob"
    return front
