"""The one version of a dropped file that a fact is about, or why it is not to be had."""

from __future__ import annotations

from shared.errors import Refused
from shared.ports import Blob
from shared.services import Services

GONE_UNREAD = "the file was deleted or overwritten before it could be read; a newer version is taken instead"
GONE_MEANWHILE = "the file was deleted or overwritten while it was scored; a newer version is scored instead"
UNADDRESSABLE = (
    "its name has a part that is `.` or `..`, which web addresses drop (RFC 3986, 5.2.4), so that storage would be"
    " asked for another file; copy it to a name without"
)


def file_version(container: str, name: str, etag: str, services: Services) -> Blob | str:
    """The blob, or the reason why there is none of this version."""
    if {".", ".."} & set(name.split("/")):
        return UNADDRESSABLE
    try:
        blob = services.files.stat(container, name)
    except Refused as no:  # there cannot be a file of that name, now or later
        return str(no)[:1000]
    return GONE_UNREAD if blob is None or blob.etag != etag else blob
