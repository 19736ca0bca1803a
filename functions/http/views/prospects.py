"""What a poller wants to know of one thing beside the thing itself: what it waits for, since when, and what it became.

Derived from the records it leads to, at a bounded cost: an upload's are its dataset version, that one's run and model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from functions.http.views.concurrent_reads import together
from functions.http.views.records import address, scored_by
from shared.domain.kinds.waiting import RESUMPTION
from shared.kinds import BY_NAME
from shared.ledger import Record
from shared.procedures.work_pause import ALL, WORK_PAUSE
from shared.services import Services

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Prospects:
    """Of one record, as far as it has come."""

    waiting: Record | None
    """What the next step waits for is this one's: the last that the record became and that is not final."""
    became: tuple[Record, ...]

    def links(self) -> dict[str, str]:
        """To what it became, and to what its model scored."""
        links = {one.kind: address(one.kind, one.id, one.values.get("name")) for one in self.became}
        model = next((one for one in self.became if one.kind == "model"), None)
        return links | ({"batches": scored_by(model.id)} if model else {})

    def waits(self, services: Services) -> Json:
        """`waitingFor` and `waitingStartedAt`; nothing when all is final."""
        if self.waiting is None:
            return {}
        wait = BY_NAME[self.waiting.kind].state(self.waiting.state).waits_for
        if wait is None:
            return {}
        since = self.waiting.values["history"][-1][1]
        if wait.begins:
            pause = services.ledger.documents.read(WORK_PAUSE, ALL)
            if pause and pause.value.paused:
                return {"waitingFor": RESUMPTION.name, "waitingStartedAt": max(since, pause.value.since)}
        return {"waitingFor": wait.name, "waitingStartedAt": since}


def prospects(record: Record, services: Services) -> Prospects:
    """Reads what the record became: nothing for most kinds, at most four records for an upload."""
    became = tuple(_became(record, services))
    open_ = [one for one in (record, *became) if not BY_NAME[one.kind].state(one.state).final]
    return Prospects(waiting=open_[-1] if open_ else None, became=became)


def _became(record: Record, services: Services) -> list[Record]:
    find = partial(_find, services)
    values = record.values
    match record.kind:
        case "upload":
            first = find("upload", values.get("same_as"))
            version = (first or record).values.get("dataset_version")
            dataset = find("dataset", version)
            later = [dataset, *_became(dataset, services)] if dataset else []
            return [first, *later] if first else later
        case "dataset":
            wanted = [("run", values.get("run")), ("model", values.get("model"))]
            return [found for found in together(find, wanted) if found]
        case "batch":
            run = find("run", values.get("run"))
            return [run] if run else []
        case _:
            return []


def _find(services: Services, kind: str, id_: str | None) -> Record | None:
    return services.ledger.find(kind, id_) if id_ else None
