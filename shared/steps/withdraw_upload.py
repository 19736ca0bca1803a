"""Withdrawal: a person takes an admitted upload out of its dataset; the next dataset version lacks its rows."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import DecisionNotPossible, Fact, RetrainDue, UploadWithdrawn, WithdrawalRequested
from shared.domain.kinds.kind import Change
from shared.ledger import Record
from shared.procedures.data_decisions import NOT_ADMITTED, Withdrawal, settled, withdraw, withdrawal_of
from shared.procedures.dataset_members import Members, read_members
from shared.procedures.drift_evidence import leave_out
from shared.services import Services


def withdraw_upload(fact: WithdrawalRequested, services: Services) -> Iterable[Fact | Change]:
    """Writes the decision down, whatever the upload's rows are in by then: whoever makes a version goes by it.

    The rows that were readmitted from its quarantine go with it, and what is held there is asked about no more. An upload
    that only repeats an older version of its own file takes that one with it: the file's rows are what is meant.
    """
    upload = services.ledger.find("upload", fact.upload)
    if upload is None or "dataset" not in upload.values:
        return [_no(fact, NOT_ADMITTED.get(upload.state if upload else "", "there is no such upload"))]
    dataset = upload.values["dataset"]
    standing = withdrawal_of(dataset, upload.id, services)  # ours, when an earlier delivery died
    if standing is None and upload.state in NOT_ADMITTED:
        return [_no(fact, NOT_ADMITTED[upload.state])]
    standing = standing or _withdrawn(upload, fact, dataset, services)
    if standing.operation != fact.operation:
        return [_no(fact, f"it was withdrawn already, by {standing.by}: {standing.reason}")]
    older = _repeated(upload, services)
    with_it = [one for one in older if _withdrawn(one, fact, dataset, services).operation == fact.operation]
    found = read_members(dataset, services)
    meant = [upload, *with_it]
    versions = [version for one in meant if (version := one.values.get("dataset_version"))]
    for version in versions:  # nor do the other files of it: which answers are whose is not kept
        leave_out(dataset, int(version.rpartition(":")[2]), services)
    told = [_told(one, found, fact, services) for one in meant]
    doubts = [change for version in versions for change in settled(version, services)]
    again = [RetrainDue(dataset=dataset, tick=f"withdrawn-{fact.operation}", asked=True)]
    return [*told, *(again if fact.retrain else []), *_decided(meant, fact, services), *doubts]


def _repeated(upload: Record, services: Services) -> list[Record]:
    """The older version of the same file that has the rows which this one repeats."""
    first = upload.values.get("same_as")
    found = services.ledger.find("upload", first) if first else None
    same_file = found is not None and found.values["name"] == upload.values["name"]
    return [found] if found is not None and same_file and found.state not in NOT_ADMITTED else []


def _withdrawn(upload: Record, fact: WithdrawalRequested, dataset: str, services: Services) -> Withdrawal:
    decision = Withdrawal(upload=upload.id, operation=fact.operation, by=fact.by, reason=fact.reason)
    return withdraw(dataset, decision, services)


def _told(upload: Record, found: Members, fact: WithdrawalRequested, services: Services) -> UploadWithdrawn:
    left, mine = found.staying(services).parts, _content_hash(upload, services)
    heir = next((part.source["name"] for part in left if part.content_hash == mine), "")
    return UploadWithdrawn(
        upload=upload.id,
        name=upload.values["name"],
        dataset=found.dataset,
        operation=fact.operation,
        by=fact.by,
        reason=fact.reason,
        rows_left=sum(part.rows for part in left),
        held_by=heir,
    )


def _content_hash(upload: Record, services: Services) -> str | None:
    """Of its rows; a copy has none of its own, but that of the upload which brought them first."""
    mine, first = upload.values.get("content_hash"), upload.values.get("same_as")
    brought = services.ledger.find("upload", first) if first and not mine else None
    return brought.values.get("content_hash") if brought else mine


def _decided(meant: Iterable[Record], fact: WithdrawalRequested, services: Services) -> Iterable[Change]:
    """What the uploads left in quarantine: nobody need decide about it any more."""
    values = {"decided_by": fact.by, "decided_because": fact.reason}
    for upload in meant:
        held = services.ledger.find("quarantine", upload.id)
        if held is not None and held.state == "held":
            yield Change(kind="quarantine", id=upload.id, state="discarded", values=values)


def _no(fact: WithdrawalRequested, reason: str) -> Fact:
    return DecisionNotPossible(operation=fact.operation, reason=f"{fact.upload} is not withdrawn: {reason}")
