"""How a record moves: only forward, each move with its time and its cause, and what event it makes.

A record is a plain value, as the ledger stores it:

    {"id", "state", "seq", "round", "created", "updated", "values", "tallied", "trace", "causes", "orders",
     "moves": [move, ...]}

`trace` is where it was begun. `seq` grows by one with each change. A state that ranks below the recorded one is late
news and leaves the state as it is; only a higher `round` begins again (a model that answers again after it was
replaced). `moves` are the last few, each with its cause: a fact whose changes are applied again after a crash finds
the moves it made. `causes` are those of alerts that the thing holds open in its state, where it does. `orders` are those
of the values that are said anew without a move, by their names: an older one, told late, is late news too.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.domain import alerts
from shared.domain.kinds import field
from shared.domain.kinds.kind import Change
from shared.domain.names import digest, event_type
from shared.domain.trace import Trace
from shared.kinds import BY_NAME, rank

Value = dict[str, Any]
LONGEST_HISTORY = 50
MOST_MOVES = 12
"""A fact that is done again after a crash finds its own among so many."""
MOST_PUBLIC = 4000
"""Characters of values that go with an event; a larger set is left out, and read from the record."""
CALLED = ("name", "dataset", "version")
"""Values that every event of a record carries, so that a line about it can name it."""


def advanced(
    old: Value | None, change: Change, now: datetime, *, cause: str, trace: Trace | None = None
) -> Value:
    """The record after the change; equal to `old` when the change says nothing new.

    trace: in which the change was found
    raises: ValueError for a change of values only, of what is not known yet
    """
    stamp = now.isoformat(timespec="milliseconds")
    change = replace(change, values=json.loads(json.dumps(change.values)))  # as it comes back from the table
    if old is None:
        return {**_begun(change, stamp, cause), **({"trace": trace.traceparent} if trace else {})}
    orders: dict[str, int] = old.get("orders", {})
    if change.order is not None:
        if any(orders.get(name, change.order) > change.order for name in change.values):
            return old
        old = {**old, "orders": orders | dict.fromkeys(change.values, change.order)}
    recorded = (old["round"], rank(change.kind, old["state"]))
    round_ = old["round"] if change.round is None else change.round
    incoming = recorded if change.state is None else (round_, rank(change.kind, change.state))
    values = {**change.values, **old["values"]} if incoming < recorded else {**old["values"], **change.values}
    if incoming <= recorded:
        if values == old["values"]:
            return old
        return {**old, "seq": old["seq"] + 1, "updated": stamp, "values": values}
    assert change.state is not None  # noqa: S101  (no state ranks as the recorded one)
    values["history"] = [*old["values"]["history"], [change.state, stamp]][-LONGEST_HISTORY:]
    new = {**old, "state": change.state, "round": round_, "seq": old["seq"] + 1, "updated": stamp}
    if anew := {name: Change.order_at(now) for name in orders if name in change.values}:
        new["orders"] = orders | anew
    return _moved({**new, "values": values}, change, cause, before=old)


def _begun(change: Change, stamp: str, cause: str) -> Value:
    if change.state is None:
        raise ValueError(f"{change.kind} {change.id} is not known yet, so it cannot only gain values")
    new: Value = {"id": change.id, "state": change.state, "seq": 1, "round": change.round or 0}
    new |= {
        "created": stamp,
        "updated": stamp,
        "values": {"history": [[change.state, stamp]], **change.values},
    }
    return _moved({**new, "moves": []}, change, cause, before=None)


def _moved(new: Value, change: Change, cause: str, *, before: Value | None) -> Value:
    tallied = f"{change.kind}/{new['state']}/{new['values'].get('dataset') or ''}"
    move = {
        "seq": new["seq"],
        "state": new["state"],
        "at": new["updated"],
        "to": tallied,
        "cause": cause,
    }
    if before is not None:
        began = datetime.fromisoformat(before["values"]["history"][-1][1])
        stayed = (datetime.fromisoformat(new["updated"]) - began).total_seconds()
        move |= {"from": before["tallied"], "left": before["state"], "stayed": round(max(stayed, 0), 3)}
    held = (before or {}).get("causes", [])
    counted = alerts.counted(change.kind, new["state"], {"id": new["id"], **new["values"]}, held=held)
    move |= {"causes": [list(count) for count in counted.counts]} if counted.counts else {}
    new = {name: value for name, value in new.items() if name != "causes"}
    new |= {"causes": list(counted.held)} if counted.held else {}
    return {**new, "tallied": tallied, "moves": [*new["moves"], move][-MOST_MOVES:]}


def _public_values(change: Change, known: Value) -> Value:
    """The public values of a change for its event, and the names of the thing however many values there are."""
    called = {name: known[name] for name in CALLED if known.get(name) is not None}
    values = field.shown(BY_NAME[change.kind].values, change.values)
    return called | (values if len(json.dumps(values)) <= MOST_PUBLIC else {})


def events(change: Change, record: Value, *, cause: str, trace: Trace | None = None) -> list[Value]:
    """The events of the moves that this change of this cause made, as they lie in the log.

    `event` is what subscribers get, with the same id whenever it is made; `tally`, `stays` and `causes` are what it adds to
    the sums: the numbers of records by kind, state and dataset, how long the record was in the state it left, and the
    causes of alerts that it opens or closes.
    """
    made = [move for move in record["moves"] if (move["cause"], move["state"]) == (cause, change.state)]
    return [_event(change, record, move, trace) for move in made]


def met(change: Change, record: Value) -> list[Trace]:
    """The traces that a move of the record belongs to beside the one it was found in: that in which the record was begun;
    and at its end the one that its kind joins."""
    kind, traces = BY_NAME[change.kind], [record.get("trace")]
    if kind.joins and kind.state(record["state"]).final:
        traces.append(record["values"].get(kind.joins))
    return [trace for one in traces if (trace := Trace.read(one))]


def _event(change: Change, record: Value, move: Value, trace: Trace | None) -> Value:
    kind, state = change.kind, move["state"]
    tally = {move["to"]: 1}
    if "from" in move:
        tally[move["from"]] = tally.get(move["from"], 0) - 1
    event = {
        "id": digest(f"{kind}/{record['id']}/{move['seq']}"),
        "time": move["at"],
        "type": event_type(kind, state),
        "subject": f"{kind}/{record['id']}",
        "data": {
            "kind": kind,
            "id": record["id"],
            "state": state,
            "seq": move["seq"],
            **_public_values(change, record["values"]),
        },
    }
    event |= {"traceparent": trace.traceparent} if trace else {}
    stays = {f"{kind}/{move['left']}": move["stayed"]} if "left" in move else {}
    causes = {"causes": move["causes"]} if "causes" in move else {}
    return {"event": event, "tally": tally, "stays": stays, **causes}
