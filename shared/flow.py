"""The map of Campanha: when this happens, do that, which leads to these. And `handle`, which does it once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from shared import kinds, telemetry
from shared.domain import facts as f
from shared.domain.facts import Fact
from shared.domain.kinds.kind import Change
from shared.errors import Transient
from shared.keeping import Kept
from shared.ledger import Entry
from shared.marks import Changes
from shared.services import Services
from shared.steps.admit_upload import admit_upload
from shared.steps.choose_model import choose_model
from shared.steps.close_run import close_run
from shared.steps.collect_batch_run import collect_batch_run
from shared.steps.find_batches import find_batches
from shared.steps.follow_run import follow_run
from shared.steps.gather_uploads import gather_uploads
from shared.steps.judge_run import judge_run
from shared.steps.look_at_endpoint import look_at_endpoint
from shared.steps.pause_work import WORK, pause_work
from shared.steps.plan_batch import plan_batch
from shared.steps.register_dataset import register_dataset
from shared.steps.release_model import release_model
from shared.steps.release_rows import release_rows
from shared.steps.resume_work import resume_work
from shared.steps.retry_step import retry_step
from shared.steps.score_shard import score_shard
from shared.steps.seal_batch import seal_batch
from shared.steps.start_batch_run import start_batch_run
from shared.steps.start_run import start_run
from shared.steps.sweep import sweep
from shared.steps.tell_subscribers import tell_subscribers

Step = Callable[..., Iterable[Fact]]


@dataclass(frozen=True)
class Rule:
    """When one of these facts comes in, `do` is done, and what it led to is one or more of `leads_to`."""

    when: tuple[type[Fact], ...]
    do: Step
    leads_to: tuple[type[Fact], ...]


FLOW = (
    # new data becomes a dataset version
    Rule((f.UploadArrived,), admit_upload, (f.UploadAdmitted, f.UploadKnown, f.UploadRejected)),
    Rule((f.UploadAdmitted,), gather_uploads, (f.DatasetDue,)),
    Rule((f.DatasetDue, f.RetrainDue), register_dataset, (f.DatasetRegistered, f.NothingNew, f.RunDue)),
    # a dataset version becomes a model
    Rule((f.DatasetRegistered, f.RunDue), start_run, (f.RunStarted, f.RunPostponed, f.RunFailed, f.RunDue)),
    Rule((f.RunMoved,), follow_run, (f.RunFinished, f.BatchRunFinished)),
    Rule((f.RunFinished,), judge_run, (f.ModelAccepted, f.ModelRefused, f.RunFailed)),
    # a better model becomes the one that answers
    Rule(
        (f.ModelAccepted, f.ReleaseDue), release_model, (f.ModelReleased, f.ReleaseRolledBack, f.ReleaseDue)
    ),
    Rule((f.ModelReleased, f.ModelRefused, f.ReleaseRolledBack, f.RunFailed), close_run, (f.RunDue,)),
    # clients become scores
    Rule((f.ScoringDue,), find_batches, (f.BatchDue,)),
    Rule((f.BatchDue,), plan_batch, (f.ShardDue, f.BatchRunDue, f.BatchRefused)),
    Rule((f.ShardDue,), score_shard, (f.ShardsScored, f.BatchRefused)),
    Rule((f.ShardsScored,), seal_batch, (f.BatchScored,)),
    # many clients become scores on a cluster
    Rule((f.BatchRunDue,), start_batch_run, (f.BatchRunStarted, f.BatchRunDue, f.BatchRefused)),
    Rule((f.BatchRunFinished,), collect_batch_run, (f.BatchScored, f.BatchRunDue, f.BatchRefused)),
    # what an operator asks for
    Rule((f.PromotionAsked, f.RollbackAsked), choose_model, (f.ReleaseDue, f.ReleaseNotPossible)),
    Rule((f.RowsWanted,), release_rows, (f.UploadAdmitted, f.UploadKnown, f.RowsKept)),
    Rule((f.WorkPaused,), pause_work, ()),
    Rule((f.WorkResumed,), resume_work, (f.RetrainDue, f.RunDue, f.ReleaseDue)),
    Rule((f.RetryAsked,), retry_step, (f.UploadArrived, f.BatchDue)),
    # how well the model answers
    Rule((f.EndpointLookDue,), look_at_endpoint, ()),
    # who is told
    Rule((f.TellingDue,), tell_subscribers, (f.TellingDue, f.StepGivenUp)),
    # what no event told us
    Rule(
        (f.SweepDue,),
        sweep,
        (
            f.UploadArrived,
            f.RunMoved,
            f.DatasetDue,
            f.RunDue,
            f.EndpointLookDue,
            f.TellingDue,
            f.StepGivenUp,
        ),
    ),
)

STEPS: dict[type[Fact], Step] = {fact: rule.do for rule in FLOW for fact in rule.when}


def handle(fact: Fact, services: Services) -> tuple[Fact, ...]:
    """Does the fact's step once, however often the fact is delivered, and publishes what it led to.

    Claim, step, settle, publish, mark sent: a crash after any of them loses nothing and repeats nothing that
    shows (steps derive the names of what they make from the fact). A fact no rule waits for is only recorded.

    returns: what the fact led to, now or at its first delivery
    raises: InProgress while another delivery is at it; whatever the step raises, after freeing the claim
    """
    changes = services.ledger.marks.changes
    try:
        outcome = _handle(fact, services)
    except Exception:
        _tell(changes, services)
        raise
    _tell(changes, services)
    return outcome


def _tell(changes: Changes, services: Services) -> None:
    """Wakes whoever waits for a change, when there was one. That it cannot be told is no reason to do a step again:
    those who wait look for themselves after a while."""
    with suppress(Transient):
        services.ledger.marks.tell(changes)


def _handle(fact: Fact, services: Services) -> tuple[Fact, ...]:
    step = STEPS.get(type(fact))
    if step is None:
        _record((fact,), services)
        return ()
    if fact.waits and _is_paused(services):
        if not fact.hint:  # kept among the unfinished; a hint comes again with its clock
            services.ledger.expect((fact,), again=True)
        return ()
    if fact.hint:
        outcome = tuple(step(fact, services))
        # Told first: a record of what nobody was told would keep the next hint from telling it.
        _publish(outcome, services, again=True)
        _record(outcome, services)
        return outcome
    entry = services.ledger.claim(fact)
    first = entry.outcome is None
    if first:
        entry = _do(step, entry, services)
    outcome = entry.outcome or ()
    if first or not entry.sent:
        _record(outcome, services)  # first: so that no one acts on the unseen
        _publish(outcome, services, again=not first)
        services.ledger.mark_sent(entry)
        if "failure" in entry.row.value:
            services.ledger.record([Change(kind="failure", id=entry.row.value["failure"], state="resolved")])
    return outcome


def ask(fact: Fact, services: Services) -> None:
    """Has a fact that somebody asked for handled by whoever is free."""
    _publish((fact,), services, again=True)


def _is_paused(services: Services) -> bool:
    work = services.ledger.document(WORK, "now")
    return work is not None and bool(work.value["paused"])


def _do(step: Step, entry: Entry, services: Services) -> Entry:
    _record((entry.fact,), services)
    with telemetry.step(step.__name__, entry.fact.key) as note:
        kept = Kept(entry.row)
        try:
            with services.ledger.keeping(kept):
                outcome = tuple(step(entry.fact, services))
        except Exception as problem:
            reason = f"{type(problem).__name__}: {problem}"
            services.ledger.release(replace(entry, row=kept.row), reason)
            raise
        note(outcome)
    return services.ledger.settle(replace(entry, row=kept.row), outcome)


def _record(facts: tuple[Fact, ...], services: Services) -> None:
    for fact in facts:
        services.ledger.record(kinds.changes(fact))


def _publish(facts: tuple[Fact, ...], services: Services, *, again: bool) -> None:
    due = [fact for fact in facts if type(fact) in STEPS]
    services.ledger.expect((fact for fact in due if not fact.hint), again=again)
    services.bus.publish(due)
    services.bus.announce(fact for fact in facts if not fact.hint and not fact.delay_seconds)
