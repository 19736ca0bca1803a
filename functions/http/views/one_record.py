"""One record as an answer: 404 when there is none; with what it waits for and what it became, and Retry-After till then."""

from __future__ import annotations

from functions.http.problems import Problem
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.prospects import prospects
from functions.http.views.records import shown
from functions.http.views.retry_after import retry_after
from shared.services import Services


def one(kind: str, id_: str, services: Services) -> JsonAnswer:
    """The record; what is not finished also says when it is worth asking again. raises: Problem 404"""
    record = services.ledger.find(kind, id_)
    if record is None:
        raise Problem(
            404, f"There is no such {kind}. The lists (/api/uploads, /api/runs, ...) show what there is."
        )
    answer = shown(record)
    if "unreadable" in answer:
        return JsonAnswer(answer)
    found = prospects(record, services)
    answer |= {"links": answer["links"] | found.links()} | found.waits(services)
    headers = {}
    if found.waiting is not None:
        averages = services.ledger.events.snapshot().averages
        headers["Retry-After"] = str(retry_after(found.waiting, averages, services.now()))
    return JsonAnswer(answer, headers=headers)
