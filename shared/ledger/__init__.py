"""The ledger: what was done, what is still to do, and what became of everything. Events are hints; this is the truth.

claims        idempotent consumer: each fact is done once, by one worker at a time
lease         lease renewal: the heartbeat of a live worker's claim
outbox        facts due and not done; finishing one is a transaction
event_log     what happened, in order, and sums folded over it
records       projections of the facts: the state of each upload, run, model ...
change_feed   the records that moved since a reader left off, each change once
pointers      secondary indexes: from a file's name, or a hash, to its record
documents     small typed documents under optimistic concurrency
append_log    what event_log, records and audit_log lie in: a hot tail, and segments
audit_log     what operators did, hash-chained
cloud_events  an entry of the event log as everybody outside reads it
change_token  has anything changed? one small read
"""

from shared.ledger.append_log import Entry
from shared.ledger.change_feed import Cursor
from shared.ledger.cloud_events import cloud_event
from shared.ledger.documents import Document, Versioned
from shared.ledger.ledger import Ledger, Present
from shared.ledger.records import Listed, Record

__all__ = ["Cursor", "Document", "Entry", "Ledger", "Listed", "Present", "Record", "Versioned", "cloud_event"]
