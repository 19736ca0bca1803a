"""`infra/resources.json`: the one list of resources as Bicep reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from shared.resources import assignments, events, roles
from shared.resources.assignments import ASSIGNMENTS, OF_THE_PRIVATE_NETWORK, Assignment
from shared.resources.identities import DEPLOYER
from shared.resources.storage import CONTAINERS, QUEUE_NAMES, TABLES

Json = dict[str, Any]


def text() -> str:
    """What stands in the file."""
    of_apps = [each for each in ASSIGNMENTS if each.identity != DEPLOYER]
    of_deployer = [each for each in ASSIGNMENTS if each.identity == DEPLOYER]
    listed = {
        "containers": [each.name for each in CONTAINERS],
        "queues": list(QUEUE_NAMES),
        "tables": list(TABLES),
        "subscriptions": {source: _subscriptions(source) for source in events.TOPIC_TYPES},
        "roleIds": roles.BUILT_IN,
        "customRoles": [
            {"name": role.name, "says": role.says, "actions": list(role.actions)} for role in roles.CUSTOM
        ],
        "assignments": _by_scope(of_apps),
        "deployer": _by_scope(of_deployer),
        "privateNetwork": _by_scope(OF_THE_PRIVATE_NETWORK),
    }
    return json.dumps(listed, indent=2) + "\n"


def _subscriptions(source: str) -> list[Json]:
    return [
        {
            "name": each.name,
            "types": list(each.types),
            "subject": each.subject,
            "queue": each.queue,
            "deadLetters": each.dead_letters,
        }
        for each in events.SUBSCRIPTIONS
        if each.source == source
    ]


def _by_scope(of: Iterable[Assignment]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for scope in assignments.SCOPES:
        for each in of:
            if each.scope == scope:
                entry = {"identity": each.identity.name, "role": each.role, "on": each.on}
                found.setdefault(scope, []).append(entry)
    return found
