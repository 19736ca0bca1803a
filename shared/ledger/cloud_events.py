"""An entry of the event log as everybody outside reads it: API, webhooks and topic give the same, field for field."""

from __future__ import annotations

from typing import Any

from shared.ledger.append_log import LAST, Entry

SPEC_VERSION = "1.0"
DATA_CONTENT_TYPE = "application/json"
DIGITS = len(str(LAST))
"""Of a sequence. CloudEvents wants the strings themselves in order, which padded numbers are; there is no `sequencetype`,
since its `Integer` starts with 1 and starts again after 31 bits.

source: the extension "Sequence" of CloudEvents"""


def cloud_event(entry: Entry, *, source: str) -> dict[str, Any]:
    """The event in CloudEvents' JSON format; its id is the same whoever reads it, and however often.

    `traceparent` is the extension "Distributed Tracing" of CloudEvents; an event of an older version has none.

    source: who tells of it, a URI reference
    """
    event = entry.value
    return {
        "specversion": SPEC_VERSION,
        "id": event["id"],
        "source": source,
        "type": event["type"],
        "subject": event["subject"],
        "time": event["time"],
        "datacontenttype": DATA_CONTENT_TYPE,
        "sequence": f"{entry.number:0{DIGITS}d}",
        **({"traceparent": event["traceparent"]} if "traceparent" in event else {}),
        "data": event["data"],
    }
