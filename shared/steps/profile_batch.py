"""Profile of a batch: its file read once as a whole, held against what the model learned, before any row is scored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from shared.domain import names
from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.facts import (
    BatchApproved,
    BatchHeld,
    BatchRefused,
    BatchRunDue,
    Fact,
    ProfileDue,
    ShardDue,
)
from shared.domain.kinds.kind import Change
from shared.domain.lists.list_check import implausible, reasons
from shared.domain.lists.list_column import ListColumn
from shared.domain.lists.list_drift import kept, list_drift
from shared.domain.lists.list_values import Whole
from shared.domain.tables.unreadable import UnreadableFile, each_read
from shared.errors import Superseded
from shared.procedures.file_version import GONE_MEANWHILE
from shared.procedures.held_batches import free_batch, hold_batch
from shared.procedures.open_batches import close_batch, read_plan, read_shard_bytes
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.batches.plan import BatchPlan


MOST_TOLD = 10
"""Columns for which a list is held that its record names: 25 records share a row of storage, which may have a MiB."""


def profile_batch(fact: ProfileDue | BatchApproved, services: Services) -> Iterable[Fact | Change]:
    """Leaves the profile beside the plan, and has each shard scored, or all by one run on a cluster; a file that is
    implausible as a whole is held until a person approves of it, or drops a mended version."""
    plan = read_plan(fact.batch, services)
    model = services.workspace.model_documents(plan.cut.contract.dataset, plan.version)
    try:
        profile = _profile(plan, model, services)
    except Superseded:
        return _refused(plan, GONE_MEANWHILE, services)
    except UnreadableFile as fault:
        return _refused(plan, str(fault), services)
    if isinstance(fact, BatchApproved):
        free_batch(plan, services)
        return _to_be_scored(plan, {}, services)
    learned = model.get("profile", {})
    values = {"drift": kept(list_drift(profile.columns, learned))} if profile.columns else {}
    found = implausible(profile.columns, learned) if services.policy.implausible_lists == "hold" else []
    if found:
        hold_batch(plan, services)
        told, more = found[:MOST_TOLD], len(found) - MOST_TOLD
        reason = reasons(told) + (f"; and {more} columns more" if more > 0 else "")
        held = BatchHeld(batch=plan.batch, name=plan.name, reason=reason, columns=told)
        return [held, Change(kind="batch", id=plan.batch, values=values)]
    return _to_be_scored(plan, values, services)


def _to_be_scored(plan: BatchPlan, values: dict[str, Any], services: Services) -> list[Fact | Change]:
    """By whom. A file for a cluster needs no deployment."""
    change = Change(kind="batch", id=plan.batch, state="scoring", values=values)
    if _is_for_the_engine(plan, services):
        close_batch(plan.batch, services)
        return [BatchRunDue(batch=plan.batch), change]
    return [*(ShardDue(batch=plan.batch, number=shard.number) for shard in plan.cut.shards), change]


def _is_for_the_engine(plan: BatchPlan, services: Services) -> bool:
    """Whether a run on a cluster scores it. Azure ML puts an input's name into a step's command as it is: a name
    that a shell could misread stays with the endpoint, which takes files of any size."""
    return 0 < services.policy.engine_bytes <= plan.cut.size and names.is_plain(plan.name)


def _refused(plan: BatchPlan, reason: str, services: Services) -> list[Fact | Change]:
    free_batch(plan, services)
    close_batch(plan.batch, services)
    return [BatchRefused(batch=plan.batch, name=plan.name, reason=reason)]


def _profile(plan: BatchPlan, model: Mapping[str, Any], services: Services) -> BatchProfile:
    """As an earlier delivery left it, or read now; raises: Superseded, UnreadableFile"""
    blob = names.batch_profile_blob(plan.batch)
    known = services.files.content(names.SCORED, blob)
    if known is not None:
        return BatchProfile.from_json(known)
    profile = _read(plan, model, services)
    services.files.write(names.SCORED, blob, json.dumps(profile.to_json()).encode())
    return profile


def _read(plan: BatchPlan, model: Mapping[str, Any], services: Services) -> BatchProfile:
    """Reads the file shard by shard, unless nobody wants to know of it."""
    description = model.get("model", {})
    list_columns = tuple(ListColumn.from_json(one) for one in description.get("list_columns", ()))
    learned = model.get("profile", {})
    if not list_columns and services.policy.implausible_lists != "hold":
        nothing = Whole(rows=0, counted={})
        return BatchProfile(list_columns=(), whole=nothing, shards=(), columns=())

    from shared.domain.batches.profiler import BatchProfiler
    from shared.domain.batches.shard_rows import read_shard

    profiler = BatchProfiler(list_columns, learned, plan.cut.contract.features)
    for shard in plan.cut.shards:
        for piece in each_read(read_shard(read_shard_bytes(plan, shard, services), plan.cut)):
            profiler.add(piece.features)
        profiler.end_shard()
    return profiler.profile()
