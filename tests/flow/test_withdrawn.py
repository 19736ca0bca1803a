"""Uploads that a person withdraws: which dataset versions lack their rows, and what is said; and rows that one trusts."""

from __future__ import annotations

from contextlib import suppress

import pytest
from flow.test_overwritten import WITH_FAULT, A, B, C, drop, manifest, members, values
from flow.world import DATASET, World, bank_rows

from shared import kinds
from shared.adapters.memory import MemoryWorkspace
from shared.domain.facts import (
    DatasetDue,
    DecisionNotPossible,
    NothingNew,
    ReadmissionRefused,
    ReadmissionRequested,
    RetrainDue,
    TrustRequested,
    UploadArrived,
    UploadDuplicated,
    UploadWithdrawn,
    WithdrawalRequested,
)
from shared.errors import Transient
from shared.procedures import content_claim
from shared.procedures.dataset_head import HEAD, Head
from shared.procedures.gather_window import gathered
from shared.steps import judge_run
from shared.steps.withdraw_upload import withdraw_upload

REDELIVERED = 31
"""Seconds until a message whose step failed is delivered again (`visibilityTimeout` in host.json), and one to take it."""
BY, WHY = "key:engineer", "the labels of another campaign"


def withdrawal(
    upload: UploadArrived | str, operation: str = "o1", *, retrain: bool = False
) -> WithdrawalRequested:
    id_ = upload if isinstance(upload, str) else upload.key
    return WithdrawalRequested(upload=id_, operation=operation, by=BY, reason=WHY, retrain=retrain)


def withdraw(
    world: World, upload: UploadArrived | str, operation: str = "o1", *, retrain: bool = False
) -> None:
    world.tell(withdrawal(upload, operation, retrain=retrain))


def retrain(world: World) -> None:
    world.pass_time(60)
    world.tell(RetrainDue(dataset=DATASET, tick=world.now().isoformat(), asked=True))


def newest(world: World) -> int:
    return max(version for _, version in world.workspace.datasets)


def refusals(world: World) -> list[str]:
    return [fact.reason for fact in world.told(DecisionNotPossible)]


def test_the_next_version_lacks_the_rows_and_its_record_says_who_and_why(world: World) -> None:
    bad, good = drop(world, "may.csv", A), drop(world, "june.csv", B)
    withdraw(world, bad)
    assert (newest(world), members(world)) == (2, {"may.csv": 30, "june.csv": 40})
    assert world.state("upload", bad.key) == "withdrawn"
    assert (values(world, bad)["withdrawn_by"], values(world, bad)["withdrawn_because"]) == (BY, WHY)
    drop(world, "july.csv", C)
    assert members(world) == {"june.csv": 40, "july.csv": 20}
    (gone,) = manifest(world).withdrawn
    assert (gone.upload, gone.version, gone.gone, gone.by, gone.reason) == (bad.key, 1, 3, BY, WHY)
    assert (values(world, bad)["dataset_version"], values(world, bad)["gone_from"]) == ("bank:1", "bank:3")
    version = world.ledger.find("dataset", "bank:3")
    assert version is not None
    assert version.values["withdrawn_uploads"] == [bad.key]
    assert world.state("upload", good.key) == "registered"
    drop(world, "august.csv", bank_rows(5, start=3000))
    assert manifest(world).withdrawn == (gone,)
    version = world.ledger.find("dataset", "bank:4")
    assert version is not None
    assert "withdrawn_uploads" not in version.values


def test_a_retrain_makes_the_version_without_it(world: World) -> None:
    bad = drop(world, "may.csv", A)
    drop(world, "june.csv", B)
    world.finish_run("bank-v1-a1")
    world.finish_run("bank-v2-a1")
    withdraw(world, bad)
    retrain(world)
    assert members(world) == {"june.csv": 40}
    assert [one.version for one in world.pipeline.submissions] == [1, 2, 3]
    world.finish_run("bank-v3-a1")
    retrain(world)
    assert newest(world) == 3


def test_or_it_is_asked_for_in_one_go(world: World) -> None:
    bad = drop(world, "may.csv", A)
    drop(world, "june.csv", B)
    world.finish_run("bank-v1-a1")
    world.finish_run("bank-v2-a1")
    withdraw(world, bad, retrain=True)
    assert members(world) == {"june.csv": 40}
    assert world.pipeline.submissions[-1].version == 3


def test_a_version_of_fewer_rows_has_its_run_when_the_one_under_way_is_over(world: World) -> None:
    """No number of new rows is below none."""
    bad = drop(world, "may.csv", A)
    drop(world, "june.csv", B)
    world.finish_run("bank-v1-a1")
    withdraw(world, bad, retrain=True)
    assert world.state("dataset", "bank:3") == "waiting"
    world.finish_run("bank-v2-a1")
    assert [one.version for one in world.pipeline.submissions] == [1, 2, 3]


def test_readmitted_rows_go_with_the_upload_they_stood_in(world: World) -> None:
    bad = drop(world, "may.csv", WITH_FAULT)
    world.tell(ReadmissionRequested(upload=bad.key, operation="o"))
    drop(world, "june.csv", B)
    assert sorted(part.rows for part in manifest(world).parts) == [1, 29, 40]
    withdraw(world, bad)
    retrain(world)
    assert members(world) == {"june.csv": 40}
    assert world.state("upload", f"readmitted/{bad.key}") == "withdrawn"


def test_readmitted_rows_alone_can_be_withdrawn(world: World) -> None:
    bad = drop(world, "may.csv", WITH_FAULT)
    world.tell(ReadmissionRequested(upload=bad.key, operation="o"))
    withdraw(world, f"readmitted/{bad.key}")
    retrain(world)
    assert members(world) == {"may.csv": 29}
    assert world.state("upload", bad.key) == "registered"


def test_nothing_is_readmitted_from_a_withdrawn_upload(world: World) -> None:
    bad = drop(world, "may.csv", WITH_FAULT)
    drop(world, "june.csv", B)
    withdraw(world, bad)
    held = world.ledger.find("quarantine", bad.key)
    assert held is not None
    assert (held.state, held.values["decided_by"]) == ("discarded", BY)
    world.tell(ReadmissionRequested(upload=bad.key, operation="o"))
    (kept,) = world.told(ReadmissionRefused)
    assert kept.reason == f"the upload was withdrawn, by {BY}: {WHY}"


def test_rows_that_another_file_holds_too_stay(world: World) -> None:
    bad, copy = drop(world, "may.csv", A), drop(world, "archive/may.csv", A)
    withdraw(world, bad)
    (told,) = world.told(UploadWithdrawn)
    assert (told.held_by, told.rows_left) == ("archive/may.csv", 30)
    assert values(world, bad)["held_by"] == "archive/may.csv"
    retrain(world)
    assert members(world) == {"archive/may.csv": 30}
    assert manifest(world).parts[0].upload == copy.key
    drop(world, "june.csv", B)
    withdraw(world, copy, "o2")
    retrain(world)
    assert members(world) == {"june.csv": 40}


def test_a_copy_that_was_withdrawn_holds_nothing(world: World) -> None:
    bad, copy = drop(world, "may.csv", A), drop(world, "archive/may.csv", A)
    drop(world, "june.csv", B)
    withdraw(world, copy)
    assert world.state("upload", copy.key) == "withdrawn"
    assert values(world, copy)["held_by"] == "may.csv"
    withdraw(world, bad, "o2")
    assert "held_by" not in values(world, bad)
    retrain(world)
    assert members(world) == {"june.csv": 40}


def test_of_rows_of_very_many_files_a_withdrawn_one_keeps_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which others hold them is no longer written down: of an overwritten file they are taken to be held, but a person's
    word counts for more."""
    monkeypatch.setattr(content_claim, "MOST_FILES", 2)
    bad, copy = drop(world, "may.csv", A), drop(world, "archive/may.csv", A)
    drop(world, "june.csv", B)
    withdraw(world, copy)
    withdraw(world, bad, "o2")
    retrain(world)
    assert members(world) == {"june.csv": 40}


def test_the_same_rows_dropped_again_are_admitted_anew(world: World) -> None:
    """Whether the version without them is made yet or not: they are no duplicate of what was taken out."""
    bad = drop(world, "may.csv", A)
    withdraw(world, bad)
    again = drop(world, "may.csv", A)
    assert world.state("upload", again.key) == "registered"
    assert members(world) == {"may.csv": 30}
    assert manifest(world).parts[0].upload == again.key
    withdraw(world, again, "o2")
    drop(world, "june.csv", B)
    assert members(world) == {"june.csv": 40}
    third = drop(world, "archive/may.csv", A)
    assert members(world) == {"june.csv": 40, "archive/may.csv": 30}
    assert (world.state("upload", third.key), world.told(UploadDuplicated)) == ("registered", [])


def test_a_file_that_only_repeats_its_own_older_version_goes_with_it(world: World) -> None:
    first, again = drop(world, "may.csv", A), drop(world, "may.csv", A)
    drop(world, "june.csv", B)
    assert world.state("upload", again.key) == "duplicate"
    withdraw(world, again)
    retrain(world)
    assert members(world) == {"june.csv": 40}
    assert [world.state("upload", one.key) for one in (first, again)] == ["withdrawn", "withdrawn"]


def test_one_in_the_window_never_comes_into_a_version(world: World) -> None:
    drop(world, "june.csv", B)
    bad = world.drop("may.csv", A)
    world.deliver(bad)
    assert world.state("upload", bad.key) == "admitted"
    world.tell(withdrawal(bad))
    assert (newest(world), members(world)) == (1, {"june.csv": 40})
    assert gathered(DATASET, world.services) == []
    assert "dataset_version" not in values(world, bad)
    drop(world, "july.csv", C)
    assert members(world) == {"june.csv": 40, "july.csv": 20}


def test_the_one_upload_in_the_first_window_makes_no_version(world: World) -> None:
    bad = world.drop("may.csv", A)
    world.deliver(bad)
    world.tell(withdrawal(bad))
    assert world.workspace.datasets == {}
    assert gathered(DATASET, world.services) == []
    assert world.state("upload", bad.key) == "withdrawn"
    drop(world, "june.csv", B)
    assert (newest(world), members(world)) == (1, {"june.csv": 40})


def test_a_newer_version_that_was_withdrawn_brings_the_older_not_back(world: World) -> None:
    """The sender has overwritten it; who wants it back drops it again."""
    old = drop(world, "may.csv", A)
    drop(world, "june.csv", C)
    new = world.drop("may.csv", B)
    world.deliver(new)
    world.tell(withdrawal(new))
    assert members(world) == {"june.csv": 20}
    assert [world.state("upload", one.key) for one in (old, new)] == ["replaced", "withdrawn"]
    back = drop(world, "may.csv", A)
    assert (members(world), world.state("upload", back.key)) == (
        {"june.csv": 20, "may.csv": 30},
        "registered",
    )


def test_without_the_only_upload_there_is_no_version_and_the_last_one_stays(world: World) -> None:
    bad = drop(world, "may.csv", A)
    world.finish_run("bank-v1-a1")
    withdraw(world, bad, retrain=True)
    assert (newest(world), [one.version for one in world.pipeline.submissions]) == (1, [1])
    (nothing,) = world.told(NothingNew)
    assert nothing.reason == (
        "no row of bank is left, as its uploads were withdrawn; version 1 stays the newest, and no run begins; drop a file"
        " with other rows"
    )
    drop(world, "june.csv", B)
    assert (newest(world), members(world)) == (2, {"june.csv": 40})


def test_nor_does_its_overwritten_version_come_back_then(world: World) -> None:
    """The window is what says that it was overwritten: it goes on waiting."""
    drop(world, "may.csv", A)
    new = world.drop("may.csv", B)
    world.deliver(new)
    world.tell(withdrawal(new))
    assert newest(world) == 1
    drop(world, "june.csv", C)
    assert members(world) == {"june.csv": 20}
    assert gathered(DATASET, world.services) == []


@pytest.mark.parametrize("finished", [0, 1])
def test_a_version_that_was_begun_of_withdrawn_rows_alone_is_taken_back(world: World, finished: int) -> None:
    """Its worker died between the fence and the manifest."""
    bad = drop(world, "may.csv", A) if finished else world.drop("may.csv", A)
    if not finished:
        world.deliver(bad)
    head = world.ledger.documents.read(HEAD, DATASET)
    begun = Head(version=finished + 1, state="registering", by="dead")
    world.ledger.documents.write(HEAD, DATASET, begun, over=head)
    world.deliver(withdrawal(bad))
    world.pass_time(world.policy.claim_seconds + 1)
    world.tell(RetrainDue(dataset=DATASET, tick="t", asked=True))
    after = world.ledger.documents.read(HEAD, DATASET)
    there = (after.value.version, after.value.state, after.value.rows) if after else None
    assert there == ((1, "registered", 30) if finished else None)
    drop(world, "june.csv", B)
    assert (newest(world), members(world)) == (finished + 1, {"june.csv": 40})


class Unanswering(MemoryWorkspace):
    """Azure ML, which does not say whether it registered a dataset version."""

    def register_dataset(self, name: str, version: int, url: str, tags: dict[str, str]) -> None:
        raise Transient("no answer")


@pytest.mark.parametrize("lives", [True, False], ids=["its worker lives", "its worker is dead"])
def test_a_retrain_without_it_waits_for_the_version_that_is_being_made_with_it(
    world: World, lives: bool
) -> None:
    drop(world, "june.csv", B)
    world.finish_run("bank-v1-a1")
    bad = world.drop("may.csv", A)
    world.deliver(bad)
    (begun,) = (fact for _, fact in world.due if isinstance(fact, DatasetDue))
    world.pass_time(begun.delay_seconds)
    world.due, answering, world.workspace = [], world.workspace, Unanswering()
    with pytest.raises(Transient):
        world.deliver(begun)
    world.workspace = answering
    with suppress(Transient):
        world.tell(withdrawal(bad, retrain=True))
    (due,) = (fact for fact in world.bus.published if isinstance(fact, RetrainDue))
    if lives:
        world.tell(begun)
    for _ in range(world.policy.most_attempts - 1):
        world.pass_time(REDELIVERED)
        with suppress(Transient):
            world.tell(due)
    assert (newest(world), members(world)) == (3, {"june.csv": 40})
    runs = [one.version for one in world.pipeline.submissions]
    if runs[-1] == 2:
        world.finish_run("bank-v2-a1")
        runs.append(world.pipeline.submissions[-1].version)
    assert runs[-1] == 3
    assert world.state("upload", bad.key) == "withdrawn"
    assert world.ledger.newest("failure") == []


def test_what_cannot_be_withdrawn_says_why(world: World) -> None:
    broken = drop(world, "broken.csv", "a;b\n1;2\n")
    old = drop(world, "may.csv", A)
    new = drop(world, "may.csv", B)
    arrived = world.drop("later.csv", C)
    world.ledger.records.apply(kinds.changes(arrived), cause="test")
    for at, one in enumerate((broken.key, old.key, arrived.key, "upload/nobody.csv/1")):
        withdraw(world, one, f"o{at}")
    assert refusals(world) == [
        f"{broken.key} is not withdrawn: no row of it was ever taken: it lies in quarantine as a whole",
        f"{old.key} is not withdrawn: its rows are gone: a newer version of the file replaced it; withdraw that one",
        f"{arrived.key} is not withdrawn: it is still being checked: ask again once it is admitted",
        "upload/nobody.csv/1 is not withdrawn: there is no such upload",
    ]
    assert world.state("upload", new.key) == "registered"


def test_who_comes_second_is_told_who_was_first(world: World) -> None:
    bad = drop(world, "may.csv", A)
    withdraw(world, bad)
    withdraw(world, bad, "o2")
    assert refusals(world) == [f"{bad.key} is not withdrawn: it was withdrawn already, by {BY}: {WHY}"]


def test_rows_of_a_trusted_version_are_named_in_the_next_manifest(world: World) -> None:
    drop(world, "may.csv", A)
    world.finish_run("bank-v1-a1")
    trusted = TrustRequested(dataset=DATASET, version=1, operation="o1", by=BY, reason="I was there")
    world.tell(trusted)
    assert (newest(world), manifest(world).trusted) == (1, ())
    version = world.ledger.find("dataset", "bank:1")
    assert version is not None
    assert (version.values["trusted_by"], version.values["trusted_because"]) == (BY, "I was there")
    retrain(world)
    assert (newest(world), members(world)) == (2, {"may.csv": 30})
    assert [(one.version, one.by, one.reason) for one in manifest(world).trusted] == [(1, BY, "I was there")]
    assert [one.version for one in world.pipeline.submissions] == [1, 2]
    world.finish_run("bank-v2-a1")
    retrain(world)
    assert newest(world) == 2
    drop(world, "june.csv", B)
    assert [one.version for one in manifest(world).trusted] == [1]


def test_a_trusted_version_is_trained_on_in_one_go(world: World) -> None:
    drop(world, "may.csv", A)
    world.finish_run("bank-v1-a1")
    world.tell(TrustRequested(dataset=DATASET, version=1, operation="o1", by=BY, reason="r", retrain=True))
    assert [one.version for one in world.pipeline.submissions] == [1, 2]


def test_what_cannot_be_trusted_says_why(world: World) -> None:
    drop(world, "may.csv", A)
    for operation, version in (("o1", 1), ("o2", 1), ("o3", 7)):
        world.tell(TrustRequested(dataset=DATASET, version=version, operation=operation, by=BY, reason="r"))
    assert refusals(world) == [
        f"the rows of bank:1 are trusted already, by {BY}: r",
        "there is no dataset version bank:7",
    ]


def test_a_doubt_is_in_the_records_with_its_remedies(world: World) -> None:
    drop(world, "may.csv", A)
    doubt = {"version": 1, "kind": "one answer", "reason": "all 30 rows are positive"}
    world.finish_run("bank-v1-a1", doubts=[doubt])
    remedy = (
        "if they are right, say so: ./dev datasets bank:1 --trust --reason WHY; if they are not, take their upload out:"
        " ./dev uploads NAME --withdraw --reason WHY"
    )
    version, model = world.ledger.find("dataset", "bank:1"), world.ledger.find("model", "bank:1")
    assert version is not None
    assert model is not None
    assert (version.values["doubted_because"], version.values["remedy"]) == (doubt["reason"], remedy)
    assert (model.state, model.values["doubts"]) == ("undecided", [{**doubt, "remedy": remedy}])
    assert model.values["reason"] == f"the rows of version 1 are left out: {doubt['reason']}; {remedy}"


def _doubted(world: World) -> None:
    drop(world, "may.csv", A)
    world.finish_run("bank-v1-a1")
    drop(world, "june.csv", B)
    doubt = {
        "version": 2,
        "kind": "one answer",
        "reason": "all rows are positive",
        "measure": "share of positives",
    }
    world.finish_run("bank-v2-a1", doubts=[{**doubt, "came": 1.0}])
    assert world.state("dataset", "bank:2") == "doubted"


def test_a_doubt_waits_for_a_person_until_the_rows_are_trusted(world: World) -> None:
    _doubted(world)
    world.tell(TrustRequested(dataset="bank", version=2, operation="1", by=BY, reason="r"))
    assert world.state("dataset", "bank:2") == "settled"


def test_or_until_their_upload_is_withdrawn(world: World) -> None:
    _doubted(world)
    upload = str(world.ledger.records.led_to("file", "incoming/june.csv")["upload"])
    world.tell(WithdrawalRequested(upload=upload, operation="1", by=BY, reason="r"))
    assert world.state("dataset", "bank:2") == "settled"
    assert world.state("dataset", "bank:1") == "trained"


def _half_withdrawn(world: World) -> dict[str, object]:
    """Of two files that came in with a version in doubt the one is out, and a run is under way that knows it."""
    drop(world, "april.csv", C)
    world.finish_run("bank-v1-a1")
    world.tell(world.drop("may.csv", A), world.drop("june.csv", B))
    doubt: dict[str, object] = {"version": 2, "kind": "one answer", "reason": "all 70 rows are positive"}
    world.finish_run("bank-v2-a1", doubts=[doubt])
    withdraw(world, _upload(world, "may.csv"), retrain=True)
    assert (world.state("dataset", "bank:2"), members(world)) == (
        "settled",
        {"april.csv": 20, "june.csv": 40},
    )
    return {**doubt, "reason": "all 40 rows are positive"}


def _upload(world: World, name: str) -> str:
    return str(world.ledger.records.led_to("file", f"incoming/{name}")["upload"])


def test_a_doubt_about_what_is_left_waits_for_a_person_again(world: World) -> None:
    doubt = _half_withdrawn(world)
    world.finish_run("bank-v3-a1", doubts=[doubt])
    version = world.ledger.find("dataset", "bank:2")
    assert version is not None
    assert (version.state, version.values["doubted_because"]) == ("doubted", doubt["reason"])
    drop(world, "july.csv", bank_rows(5, start=3000))
    world.finish_run("bank-v4-a1", doubts=[doubt])
    assert world.ledger.find("dataset", "bank:2") == version
    withdraw(world, _upload(world, "june.csv"), "o2")
    assert world.state("dataset", "bank:2") == "settled"


@pytest.mark.parametrize("decided", ["withdrawn", "trusted"])
def test_a_doubt_from_before_a_person_has_decided_is_settled(world: World, decided: str) -> None:
    doubt = _half_withdrawn(world)
    if decided == "withdrawn":
        withdraw(world, _upload(world, "june.csv"), "o2")
    else:
        world.tell(TrustRequested(dataset=DATASET, version=2, operation="o2", by=BY, reason="r"))
    world.finish_run("bank-v3-a1", doubts=[doubt])
    assert world.state("dataset", "bank:2") == "settled"


def test_doubts_that_are_noted_already_are_not_in_the_way_of_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge_run, "MOST_TOLD", 1)
    doubt = {"kind": "one answer", "reason": "all rows are positive"}
    for version, (name, rows) in enumerate({"may.csv": A, "june.csv": B, "july.csv": C}.items(), start=1):
        drop(world, name, rows)
        world.finish_run(f"bank-v{version}-a1", doubts=[{**doubt, "version": 2}, {**doubt, "version": 1}])
    assert [world.state("dataset", f"bank:{version}") for version in (1, 2)] == ["doubted", "doubted"]


def test_trust_in_rows_that_nobody_doubts_moves_no_version(world: World) -> None:
    drop(world, "may.csv", A)
    world.tell(TrustRequested(dataset="bank", version=1, operation="1", by=BY, reason="r"))
    assert world.state("dataset", "bank:1") == "training"


def test_a_withdrawal_whose_worker_died_is_done_once(world: World) -> None:
    bad = drop(world, "may.csv", A)
    drop(world, "june.csv", B)
    fact = withdrawal(bad)
    withdraw_upload(fact, world.services)  # and then it died
    retrain(world)
    assert world.state("upload", bad.key) == "withdrawn"
    world.tell(fact)
    assert [one.upload for one in world.told(UploadWithdrawn)] == [bad.key]
    assert refusals(world) == []
    assert (newest(world), members(world)) == (3, {"june.csv": 40})
