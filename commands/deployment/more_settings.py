"""Settings of the apps beyond the template's own: what CAMPANHA_MORE_SETTINGS holds, checked before it is deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from shared.resources.app_settings import APP_SETTINGS, CHOSEN_SCHEDULE, CONNECTION

NAME = "CAMPANHA_MORE_SETTINGS"
LIKE = '{"CALL_COST": "4"}'
KEYS = (CONNECTION, "EVENT_TOPIC_KEY")
"""Keys to what takes tokens alone in Azure."""
REFERENCE = "@Microsoft.KeyVault("
"""How a value begins that is a reference to a secret: the app gets what the vault holds."""


def faults(text: str) -> Iterator[str]:
    """What is wrong with it, by name and without a value: there may be a secret among them."""
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        yield f"{NAME} is no JSON object like {LIKE}; {{}} is none"
        return
    for name, value in given.items():
        fault = _fault(name, value)
        if fault:
            yield f"{NAME}: {name} {fault}"


def _fault(name: str, value: object) -> str | None:
    field = _settings().get(name)
    if name in {each.name for each in APP_SETTINGS}:
        return "is the template's own, which stays as it is"
    if name in KEYS:
        return "is a key, and nothing is opened by one"
    if field is None and name != CHOSEN_SCHEDULE:
        return "is no setting of docs/settings.md"
    if not isinstance(value, str):
        return "is no text: Azure takes all settings as texts"
    return _misfit(field, value) if field and not value.startswith(REFERENCE) else None


def _misfit(field: Any, value: str) -> str | None:
    """As the app would say it at its start, when it is too late."""
    from pydantic import TypeAdapter, ValidationError

    if "Secret" in str(field.annotation):
        return f"is a secret: give a reference to one, as {REFERENCE}SecretUri=...)"
    try:
        TypeAdapter(Annotated[field.annotation, field]).validate_python(value)
    except ValidationError as fault:
        return f"cannot be: {fault.errors()[0]['msg']}"
    return None


def _settings() -> dict[str, Any]:
    from shared.settings import Settings

    return {field.alias or name.upper(): field for name, field in Settings.model_fields.items()}
