"""What azd is given, before anything is made: complete, and such that it can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from commands.deployment import more_settings


@dataclass(frozen=True, kw_only=True)
class Input:
    """A variable of the azd environment that has no default, or few values."""

    name: str
    says: str
    fits: Callable[[str], bool]
    fits_again: Callable[[str], bool] | None = None
    """What is asked of it once the template was provisioned; none: the same."""
    optional: bool = False


CLIENT_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""As tokens spell it: the app compares letter by letter."""


PROVISIONED = "SERVICE_WORK_NAME"
"""An output of the template: where azd hands it on, the template was provisioned before."""


def _first_of_a_month(text: str) -> bool:
    try:
        return date.fromisoformat(text).day == 1
    except ValueError:
        return False


def _is_yet_to_start(text: str) -> bool:
    """Azure takes no start before the month that a budget is made in."""
    return _first_of_a_month(text) and date.fromisoformat(text) >= datetime.now(UTC).date().replace(day=1)


def _one_of(*values: str) -> Callable[[str], bool]:
    return lambda text: text in values


INPUTS = (
    Input(
        name="CAMPANHA_NETWORK",
        says="public or private; nothing else, since azd takes yes and on for no value at all",
        fits=_one_of("public", "private"),
    ),
    Input(
        name="CAMPANHA_ALERT_EMAIL",
        says="who is told when an alert fires",
        fits=lambda text: re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) is not None,
    ),
    Input(
        name="CAMPANHA_API_AUDIENCE",
        says="the API's application (client) id, a GUID in small letters: a v2 token's `aud` is never the id's URI",
        fits=lambda text: re.fullmatch(CLIENT_ID, text) is not None,
    ),
    Input(
        name="CAMPANHA_BUDGET_START",
        says="the first of this month or a later one, as 2027-01-01; once provisioned, what it was: it cannot be changed",
        fits=_is_yet_to_start,
        fits_again=_first_of_a_month,
    ),
    Input(
        name="CAMPANHA_DEPLOYER_TYPE",
        says="User, ServicePrincipal or Group: what AZURE_PRINCIPAL_ID is",
        fits=_one_of("User", "ServicePrincipal", "Group"),
        optional=True,
    ),
    Input(
        name="CAMPANHA_PYTHON",
        says="3.11, 3.12 or 3.13: Azure takes others, and the host is dead then",
        fits=_one_of("3.11", "3.12", "3.13"),
        optional=True,
    ),
)


def faults(environment: Mapping[str, str]) -> Iterator[str]:
    """A line for each input that is missing or cannot be."""
    again = bool(environment.get(PROVISIONED))
    for each in INPUTS:
        fits = (again and each.fits_again) or each.fits
        given = environment.get(each.name, "")
        if not given and not each.optional:
            yield f"{each.name} is not set: {each.says}"
        elif given and not fits(given):
            yield f"{each.name} is {given!r}: {each.says}"
    if more_settings.NAME in environment:  # empty too, which azd takes for JSON
        yield from more_settings.faults(environment[more_settings.NAME])
