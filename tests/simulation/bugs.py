"""Seeded bugs: faults planted in the product, each with the scenario and the oracle that have to catch it.

They are of the kinds that reviews miss: what is wrong shows only when a process dies, an answer is lost, a message comes
twice, or two workers meet.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.mutants.mutant import Mutant, mutant
from tests.mutants.table import DESCRIBED, SEALED

OUTCOME = "outcome"
I1, I2, I3, I4 = "I1 rows in", "I2 rows out", "I3 one submission", "I4 only forward"
I5, I6, I7 = "I5 traffic on the accepted", "I6 every move is told", "I7 everything ends"
I8, I9, UNFORESEEN = "I8 again, nothing", "I9 nothing of a row in a log", "nothing unforeseen"


@dataclass(frozen=True)
class Bug:
    """A planted fault."""

    mutant: Mutant
    scenario: str
    """Whose schedules find it."""
    oracle: str
    """That speaks."""


def bug(name: str, scenario: str, oracle: str, module: str, *change: str) -> Bug:
    """change: what stands there, and what stands there then"""
    before, after = change
    return Bug(mutant(name, module, before, after, "simulation/test_seeded_bugs.py"), scenario, oracle)


FINISHED = "return self._commit(last, claim)"
ACKED = "self._commit(replace(last, opens=()), claim); return self._commit(_Transaction(opens=due))"
FREED = "            ledger.claims.free"
UNREAD = "        return\n    if fact:\n        _measure_wait"
KEPT = "                rejects_file.write(line)\n"
CLOSED = """\
    close_window(fact.dataset, services)
"""
READ = """\
    dataset = Dataset(fact.dataset, head, gathered(fact.dataset, services))
    if not dataset.gathered and not dataset.finished:
"""
GATHERED = """\
    dataset = Dataset(fact.dataset, head, gathered(fact.dataset, services))
    close_window(fact.dataset, services)
    if not dataset.gathered and not dataset.finished:
"""
FOLLOWING = "events = services.ledger.events.following(cursor.value.next, limit=AT_ONCE)"

STRICT = """\
        except csv.Error as error:
            return _rule(error)
"""
LAX = """\
        except csv.Error:
            row = text.replace('"', "").split(";")
"""
ONCE_MORE = """\
    try:
        return score(row)
    except Unanswerable as no:
        return Answers.none(f"the model could not score this row: {no}")
"""
FOR_EVER = """\
    while True:
        try:
            return score(row)
        except Unanswerable:
            continue
"""

BUGS = (
    # once, and by one worker
    bug(
        "a fact is acknowledged before what it led to is written", "judge", OUTCOME,
        "shared.ledger.outbox", FINISHED, ACKED,
    ),
    bug(
        "documents are written without their ETag", "withdraw", I3,
        "shared.ledger.documents", "row = table.replace(over.row, body)",
        "row = table.replace(table.get(over.row.partition, over.row.row) or over.row, body)",
    ),
    bug(
        "a claim that failed before it was noted is kept", "withdraw", OUTCOME,
        "shared.flow", f"        if claim.outcome is None:\n{FREED}", f"        if False:\n{FREED}",
    ),
    bug(
        "a step that was given up is tried for ever", "give-up", I7,
        "shared.ledger.outbox", "or self._mark(fact, old, dead_lettered=True)", "or True",
    ),
    bug(
        "a message that cannot be read is dropped", "poison", OUTCOME,
        "functions.delivery", f"        _dead_letter(queue, body, str(fault))\n{UNREAD}", UNREAD,
    ),
    # submission
    bug(
        "the fence is 0", "start", I3,
        "shared.procedures.submission", "        if wait > 0:", "        if False:",
    ),
    bug(
        "a run is posted before its intent is written", "start", I3,
        "shared.procedures.submission",
        "        intent = _about_to_post(intent, write, services)\n", "",
    ),
    bug(
        "the fence begins before it is looked for the run", "start", I3,
        "shared.procedures.submission",
        "_about_to_post(intent, write, services)\n        try",
        "write(replace(intent.value, posted=now.isoformat()), intent)\n        try",
    ),
    bug(
        "no run is looked for before another is posted", "start", I3,
        "shared.procedures.submission", "run = pipeline.find(request)  # at", "run = None  # at",
    ),
    bug(
        "the local clock is believed", "start", I3,
        "shared.adapters.storage_clock", "self._offset = min(max(self._offset, least), most)", "pass",
    ),
    # rows in
    bug(
        "a rejected row is counted and not kept", "admit", I1,
        "shared.procedures.admission", "                rejects_file.write(line)\n", "",
    ),
    bug(
        "the window is closed after its files are read", "gather-more", OUTCOME,
        "shared.steps.register_dataset", CLOSED + READ, GATHERED,
    ),
    bug(
        "a lost event is not looked for", "admit", OUTCOME,
        "shared.steps.reconcile", "if blob.modified < late)", "if False)",
    ),
    bug(
        "a rejected row is logged", "admit", I9,
        "shared.procedures.admission", KEPT,
        f"{KEPT}                __import__('logging').getLogger('campanha').info(line)\n",
    ),
    bug(
        "a line whose quote is never closed is taken for a row", "admit", I1,
        "shared.domain.tables.csv_reader",
        STRICT, LAX,
    ),
    # rows out
    bug(
        "the manifest is written before the output", "score", I2,
        "shared.steps.seal_batch", SEALED + DESCRIBED, DESCRIBED + SEALED,
    ),
    bug(
        "all shards are staged under one number", "score", UNFORESEEN,
        "shared.steps.score_shard", "names.scored_blob(fact.batch), fact.number, scored.lines",
        "names.scored_blob(fact.batch), 0, scored.lines",
    ),
    bug(
        "a row that the model cannot answer is asked for again for ever", "unanswered", I7,
        "shared.domain.batches.request_split", ONCE_MORE, FOR_EVER,
    ),
    # releases
    bug(
        "a model gets traffic before it was tried", "release", I5,
        "shared.steps.release_model", 'problem = smoke_test(plan, services) if state == "Succeeded"',
        'problem = "" if state == "Succeeded"',
    ),
    # records and events
    bug(
        "late news takes a record back", "judge", I4,
        "shared.ledger.history", "    if incoming <= recorded:", "    if incoming == recorded:",
    ),
    bug(
        "events are logged again after a crash", "admit", I6,
        "shared.flow", "again=again, all_new=all_new)", "again=again, all_new=True)",
    ),
    bug(
        "a worker that was away for longer than its lease logs its events again", "admit", I6,
        "shared.ledger.outbox", "if claim and (transaction.doubtful or self._has_lapsed(claim)):",
        "if claim and transaction.doubtful:",
    ),
    bug(
        "a worker whose lease was taken over settles all the same", "start", I6,
        "shared.ledger.claims", "self._table.replace(claim.row, settled)",
        "self._table.replace(self._table.get(claim.row.partition, claim.row.row) or claim.row, settled)",
    ),
    bug(
        "a record's place is never taken over", "judge", OUTCOME,
        "shared.ledger.records", "self._now() - there.changed < BEING_MADE", "True",
    ),
    bug(
        "events count as delivered before they are", "tell", I6,
        "shared.steps.notify_subscribers", FOLLOWING,
        f"{FOLLOWING}\n    cursor = _moved(subscriber, cursor, services, next=count)",
    ),
    # what keeps all going
    bug(
        "abandoned facts are not looked for", "release", OUTCOME,
        "shared.steps.reconcile", "        lambda: _unfinished(services),\n", "",
    ),
    bug(
        "a sweep takes up abandoned facts, and skips the first", "release", OUTCOME,
        "shared.steps.reconcile", "in islice(found, MOST_AT_ONCE):", "in islice(found, 1, MOST_AT_ONCE):",
    ),
    bug(
        "runs under way are not looked at", "judge", OUTCOME,
        "shared.steps.reconcile", "        lambda: _runs_under_way(services),\n", "",
    ),
)  # fmt: skip
