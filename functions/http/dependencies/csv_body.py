"""A CSV file as a request's body: its name, media type and bytes checked, and stored as a blob."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Depends, Path, Request

from functions.http.problems import Problem
from shared.errors import Refused
from shared.procedures.unseen_blobs import is_taken_in
from shared.services import Services

MEDIA_TYPES = ("text/csv", "application/csv", "application/octet-stream", "text/plain")
CSV_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string", "minLength": 1}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}},
        },
    }
}
"""The body as the API's description has it; as plain bytes too, since not every generator of clients knows CSV."""
LONGEST_FILE_NAME = 512
UNSTORABLE = r"\x00-\x1f\x7f\\"
"""What storage, or a browser on the way to it, changes in a name."""
FILE_NAME = re.compile(rf"[^{UNSTORABLE}]+")
FileName = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_FILE_NAME,
        description="The file's name: parts between slashes, none of them empty, `.` or `..`.",
        json_schema_extra={"pattern": rf"^[^{UNSTORABLE}/.][^{UNSTORABLE}/.]*(\.[^{UNSTORABLE}/.]+)*$"},
    ),
]


async def _content(request: Request) -> bytes:
    """The body as it came. The Functions worker hands it over whole, so its size is bounded by the gate."""
    return await request.body()


Content = Annotated[bytes, Depends(_content)]


def check_file(name: str, content: bytes, request: Request) -> None:
    """raises: Problem where files do not come in over HTTP, for a name that storage would change, for an empty body, and
    for one that is no text"""
    if not request.app.state.takes_files:
        raise Problem(403, "Files do not come in over HTTP here (HTTP_UPLOADS): write them into storage.")
    parts = name.split("/")
    fits = FILE_NAME.fullmatch(name) and not name.endswith(".")
    if not fits or any(part in ("", ".", "..") for part in parts):
        rule = "no control characters or backslashes, no empty parts, no `.` or `..`, no dot at its end"
        raise Problem(
            400, "The file's name cannot be kept.", errors=[{"location": "path.name", "rule": rule}]
        )
    kind = request.headers.get("content-type", MEDIA_TYPES[0]).split(";")[0].strip().lower()
    if kind not in MEDIA_TYPES:
        raise Problem(415, f"Send the file as {MEDIA_TYPES[0]}.")
    if not content:
        raise Problem(422, "The body is empty: send the file's bytes, with a Content-Length.")


def check_taken_in(container: str, name: str, services: Services) -> None:
    """raises: Problem for a name that the settings leave out: the file would lie there, and nothing would come of it"""
    if not is_taken_in(container, name, services):
        rule = f"one that {container.upper()}_NAMES takes in"
        raise Problem(
            400, "Files of such a name are not taken in.", errors=[{"location": "path.name", "rule": rule}]
        )


def store(container: str, name: str, content: bytes, services: Services) -> str:
    """Writes the file; the ETag of the version written. raises: Problem 400, 409"""
    try:
        services.files.write(container, name, content)
    except Refused as no:
        raise Problem(400, "Storage keeps no file of this name.") from no
    blob = services.files.stat(container, name)
    if blob is None:
        raise Problem(409, "The file was deleted while it was written; send it again.")
    return blob.etag
