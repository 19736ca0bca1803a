"""Files in the storage account: the account's address, shared access, whole folders up and down."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import (
    AccountSasPermissions,
    BlobSasPermissions,
    BlobServiceClient,
    LinearRetry,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
)

from localazure import agents
from localazure.storage import account

DEVELOPMENT = "UseDevelopmentStorage=true"
"""What every Azure SDK takes for Azurite on its own ports, with its public key."""


class NothingThere(Exception):
    """No blob is at the address a job or a model names; check the path and the container."""


@dataclass(frozen=True)
class Place:
    """A blob, or a folder of blobs, of our own account."""

    container: str
    path: str = ""

    def child(self, path: str) -> Place:
        return Place(self.container, f"{self.path.rstrip('/')}/{path}".lstrip("/"))

    def __str__(self) -> str:
        return f"{self.container}/{self.path}"


class _Credential:
    """What the SDK asks for tokens."""

    def __init__(self, token: Callable[[], tuple[str, int]]) -> None:
        self._token = token

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(*self._token())


class Blobs:
    """The storage account behind the workspace."""

    def __init__(self, connection_string: str) -> None:
        if connection_string.rstrip(";") == DEVELOPMENT:
            connection_string = account.connection_string(account.Ports())
        given = dict(part.split("=", 1) for part in connection_string.split(";") if "=" in part)
        self.account, self.key = given["AccountName"], given["AccountKey"]
        self.endpoint = given["BlobEndpoint"].rstrip("/")
        self._service = BlobServiceClient.from_connection_string(
            connection_string,
            retry_policy=LinearRetry(backoff=1, retry_total=5),
            user_agent=agents.WORKSPACE,
        )

    def by_identity(self, endpoint: str, token: Callable[[], tuple[str, int]], *, trusted: Path) -> Blobs:
        """The same account, at an address that takes tokens. token: gives one, and the second it ends"""
        made = copy(self)
        made._service = BlobServiceClient(
            endpoint,
            credential=_Credential(token),
            connection_verify=str(trusted),
            retry_policy=LinearRetry(backoff=1, retry_total=5),
            user_agent=agents.WORKSPACE,
        )
        return made

    def ensure(self, container: str) -> None:
        try:
            self._service.create_container(container)
        except ResourceExistsError:
            return  # made by an earlier start

    def url(self, place: Place) -> str:
        return f"{self.endpoint}/{place.container}/{quote(place.path)}".rstrip("/")

    def account_access(self) -> str:
        """A query string that opens the account for two hours."""
        soon = datetime.now(UTC)
        return str(
            generate_account_sas(
                self.account,
                self.key,
                resource_types=ResourceTypes(container=True, object=True),
                permission=AccountSasPermissions(
                    read=True, write=True, delete=True, list=True, add=True, create=True, tag=True
                ),
                start=soon - timedelta(minutes=5),
                expiry=soon + timedelta(hours=2),
                protocol="https,http",
            )
        )

    def blob_access(self, place: Place, *, write: bool) -> str:
        """A query string that lets one blob be read, or be made, for two hours."""
        soon = datetime.now(UTC)
        return str(
            generate_blob_sas(
                self.account,
                place.container,
                place.path,
                account_key=self.key,
                permission=BlobSasPermissions(read=not write, create=write, write=write),
                start=soon - timedelta(minutes=5),
                expiry=soon + timedelta(hours=2),
                protocol="https,http",
            )
        )

    def path(self, place: Place) -> str:
        """Of a blob's URL, below any front of the account."""
        return f"{self.account}/{place.container}/{quote(place.path)}"

    def place_of(self, url: str) -> Place | None:
        """Our blob behind an http(s) URL, whichever way the account is written; None for another's."""
        parts = urlsplit(url)
        path = unquote(parts.path).lstrip("/")
        if parts.scheme in ("http", "https") and (parts.hostname or "").startswith(f"{self.account}.blob."):
            container, _, rest = path.partition("/")
            return Place(container, rest)
        if parts.hostname in ("127.0.0.1", "localhost") and path.startswith(f"{self.account}/"):
            container, _, rest = path.removeprefix(f"{self.account}/").partition("/")
            return Place(container, rest)
        return None

    def download_file(self, place: Place, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with file.open("wb") as written:
                self._service.get_blob_client(place.container, place.path).download_blob().readinto(written)
        except ResourceNotFoundError as cause:
            raise NothingThere(f"there is no blob {place}") from cause

    def read(self, place: Place) -> bytes:
        try:
            content: bytes = (
                self._service.get_blob_client(place.container, place.path).download_blob().readall()
            )
        except ResourceNotFoundError as cause:
            raise NothingThere(f"there is no blob {place}") from cause
        return content

    def download_folder(self, place: Place, folder: Path) -> int:
        """Every blob under `place`; how many there were."""
        prefix = f"{place.path.strip('/')}/" if place.path.strip("/") else ""
        folder.mkdir(parents=True, exist_ok=True)
        names = self.names(Place(place.container, prefix))
        for name in names:
            self.download_file(Place(place.container, name), inside(folder, name.removeprefix(prefix)))
        return len(names)

    def names(self, place: Place) -> list[str]:
        """Blobs whose names start with the place's path."""
        try:
            found = self._service.get_container_client(place.container).list_blob_names(
                name_starts_with=place.path
            )
            return [name for name in found if not name.endswith("/")]
        except ResourceNotFoundError as cause:
            raise NothingThere(f"there is no container {place.container}") from cause

    def delete_folder(self, place: Place) -> None:
        """Every blob whose name starts with the place's path."""
        for name in self.names(place):
            self._service.get_blob_client(place.container, name).delete_blob()

    def exists(self, place: Place) -> bool:
        return bool(self._service.get_blob_client(place.container, place.path).exists())

    def holds(self, place: Place) -> bool:
        """Whether there is a blob at the place, or any below it."""
        below = Place(place.container, f"{place.path.strip('/')}/".lstrip("/"))
        try:
            first = next(
                iter(
                    self._service.get_container_client(place.container).list_blob_names(
                        name_starts_with=below.path, results_per_page=1
                    )
                ),
                None,
            )
        except ResourceNotFoundError:
            return False
        return first is not None or (bool(place.path.strip("/")) and self.exists(place))

    def upload(self, file: Path, place: Place) -> None:
        with file.open("rb") as read:
            self._service.get_blob_client(place.container, place.path).upload_blob(read, overwrite=True)

    def upload_folder(self, folder: Path, place: Place) -> None:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.upload(file, place.child(file.relative_to(folder).as_posix()))

    def close(self) -> None:
        self._service.close()


def inside(folder: Path, relative: str) -> Path:
    """A path under `folder`; a blob named with `..` must not climb out."""
    file = (folder / relative).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise NothingThere(f"the blob name {relative!r} leads out of its folder")
    return file
