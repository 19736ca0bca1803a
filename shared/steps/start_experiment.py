"""Start the published experimentation pipeline on the newest trained dataset version: once for each, in the day's time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from shared.domain import names
from shared.domain.facts import (
    ExperimentDue,
    ExperimentPostponed,
    ExperimentStarted,
    Fact,
)
from shared.domain.policy import AUTOML_MINUTES
from shared.errors import Refused
from shared.ledger import Versioned
from shared.ports import ExperimentRequest
from shared.procedures.dataset_manifest import manifest_text
from shared.procedures.experiments import EXPERIMENT, Experiment, day_of, failed, part_of, spent_today
from shared.procedures.model_folders import newest_before
from shared.procedures.run_slot import SLOT
from shared.procedures.submission import submit_once
from shared.services import Services

LEAST_SECONDS = 5
"""A search in less finds nothing."""


def start_experiment(fact: ExperimentDue, services: Services) -> Iterable[Fact]:
    """POSTs to the published pipeline endpoint, once per dataset version and purpose, or says why not.

    It begins after the version's training run: until then the version's drop is in no book of evidence. The intent is
    written first, with the time it was given; `submit_once` sees to it that the POST is made once.
    raises: Transient when the version has no manifest
    """
    purpose = services.policy.experiment_with
    held = services.ledger.documents.read(EXPERIMENT, part_of(fact.dataset, purpose))
    if held is not None and held.value.state == "submitted":
        return [_started(held.value)]
    if held is None or held.value.state == "free":
        wanted = _wanted(held.value if held else None, purpose, fact, services)
        if isinstance(wanted, str):
            return [ExperimentPostponed(dataset=fact.dataset, cause=names.digest(fact.key), reason=wanted)]
        held = services.ledger.documents.write(EXPERIMENT, wanted.part, wanted, over=held)
    return _submit(held, fact, services)


def _wanted(
    last: Experiment | None, purpose: str, fact: ExperimentDue, services: Services
) -> Experiment | str:
    """The experiment that is to be, or why there is none now."""
    slot = services.ledger.documents.read(SLOT, fact.dataset)
    if slot is None:
        return "no model of the dataset has been trained yet: drop files to train on first"
    version = slot.value.version
    if slot.value.state != "free":
        return f"the training run of version {version} is not over: ask again when it is"
    again = last is not None and last.version == version
    if last is not None and again and not last.failed:
        return f"version {version} has been searched on: the next one may be, when more files were dropped"
    left = services.policy.experiment_daily_seconds - spent_today(fact.dataset, services)
    needed = LEAST_SECONDS if purpose == "search" else AUTOML_MINUTES * 60
    if left < needed:
        return (
            f"the day's time is spent, less {left:.0f} s of the {needed} that are needed: ask again tomorrow, or raise"
            " EXPERIMENT_DAILY_SECONDS"
        )
    given = left if purpose == "search" else needed  # AutoML's limit is part of its pipeline
    today = day_of(services.now())
    before = last.spent if last is not None and last.day == today else 0.0
    attempt = last.attempt + 1 if last is not None and again else 1
    return Experiment(
        state="intended",
        run=names.experiment_run_name(purpose, fact.dataset, version, attempt),
        dataset=fact.dataset,
        purpose=purpose,
        version=version,
        attempt=attempt,
        seconds=given,
        day=today,
        spent=before + given,
    )


def _submit(intent: Versioned[Experiment], fact: ExperimentDue, services: Services) -> list[Fact]:
    request = _request(intent.value, services)
    try:
        sent = submit_once(
            services.experiment_pipeline,
            request,
            document=EXPERIMENT,
            part=intent.value.part,
            intent=intent,
            services=services,
        )
    except Refused as no:
        return [failed(intent.value, str(no))]
    if sent.run is None:
        return [_retry_later(fact, sent.intent.value, sent.wait_seconds)]
    return [_started(sent.intent.value)]


def _request(intent: Experiment, services: Services) -> ExperimentRequest:
    manifest = manifest_text(intent.dataset, intent.version, services)
    return ExperimentRequest(
        name=intent.name,
        dataset=intent.dataset,
        version=intent.version,
        parts_url=services.files.url(names.DATASETS, names.parts_folder(intent.dataset)),
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        earlier=newest_before(intent.version + 1, services.workspace.model_folders(intent.dataset)),
        output=names.experiment_folder(intent.name),
        values=_values(intent, services),
    )


def _values(intent: Experiment, services: Services) -> dict[str, float]:
    """What the purpose's pipeline asks for."""
    if intent.purpose == "automl":
        return {"false_change": services.policy.false_recipe_change}
    return {"seed": intent.version, "seconds": intent.seconds}  # each version's search looks elsewhere first


def _started(intent: Experiment) -> ExperimentStarted:
    return ExperimentStarted(
        run=intent.run, dataset=intent.dataset, version=intent.version, purpose=intent.purpose
    )


def _retry_later(fact: ExperimentDue, intent: Experiment, seconds: int) -> ExperimentDue:
    tick = names.digest(f"{fact.key}/{intent.posted}/{seconds}")
    return ExperimentDue(dataset=fact.dataset, tick=tick, after_seconds=seconds)
