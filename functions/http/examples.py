"""Examples in the API's description: what the product answered when each operation was asked, as it was recorded.

`examples.json` is written, and held current, by the tests (tests/http/recording.py):

    {"problems": {status: {code: answer}},
     "operations": {operation id: {"request": what was sent, status: {name: answer}}}}

An answer has its `headers` and, where it has one, its `body`. What any operation may answer is shown with the shared
response; what is an operation's own stands in it.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from shared.package_data import API_EXAMPLES

Json = dict[str, Any]
REFERENCE = "#/components/responses/"


def add_examples(description: Json) -> None:
    """Puts the examples where the description has the operation, or the response, that they are of."""
    recorded = json.loads(API_EXAMPLES.read_text(encoding="utf-8"))
    shared = description["components"]["responses"]
    for methods in description["paths"].values():
        for operation in methods.values():
            own = recorded["operations"].get(operation["operationId"], {})
            if "request" in own:
                _show_request(operation, own["request"])
            operation["responses"] = {
                status: _own(response, shared) if status in own else response
                for status, response in operation["responses"].items()
            }
            for status, response in operation["responses"].items():
                _illustrate(response, recorded["problems"].get(status, {}) | own.get(status, {}))
    for name, response in shared.items():
        _illustrate(response, recorded["problems"].get(name.removeprefix("Problem"), {}))


def _show_request(operation: Json, body: Any) -> None:
    for content in operation["requestBody"]["content"].values():
        content["example"] = body


def _own(response: Json, shared: Json) -> Json:
    """The response as the operation's own, where it is one that all operations share."""
    name = response.get("$ref", "").removeprefix(REFERENCE)
    return copy.deepcopy(shared[name]) if name else response


def _illustrate(response: Json, recorded: Json) -> None:
    """The recorded bodies as examples of the response's content, and the headers' values as theirs."""
    bodies = {name: {"value": answer["body"]} for name, answer in recorded.items() if "body" in answer}
    kind = next((kind for kind in response.get("content", {}) if _is_of(kind, bodies)), None)
    if kind and bodies:
        response["content"][kind]["examples"] = bodies
    for header, about in response.get("headers", {}).items():
        values = [answer["headers"].get(header.lower()) for answer in recorded.values()]
        shown = next((value for value in values if value is not None), None)
        if shown is not None:
            about["example"] = shown


def _is_of(kind: str, bodies: Json) -> bool:
    """Whether these bodies are of this media type: a problem has a media type of its own."""
    problem = any("traceId" in example["value"] and "code" in example["value"] for example in bodies.values())
    return problem == (kind == "application/problem+json")
