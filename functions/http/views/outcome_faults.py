"""The lines of a file of outcomes that could not be used, as the join has put them into quarantine."""

from __future__ import annotations

import json

from functions.http.problems import Problem
from functions.http.views.records import Json
from shared.domain import names
from shared.services import Services

MOST_FAULTS = 200


def outcome_faults(outcome: str, services: Services) -> Json:
    """The first of them; raises: Problem 404"""
    if services.ledger.find("outcome", outcome) is None:
        raise Problem(404, "There is no such file of outcomes; /api/outcomes lists them.")
    text = services.files.content(names.QUARANTINE, names.outcome_faults_blob(outcome)) or b""
    faults = [json.loads(line) for line in text.splitlines()[: MOST_FAULTS + 1]]
    return {"violations": faults[:MOST_FAULTS], "hasMore": len(faults) > MOST_FAULTS}
