"""Packages by digest, and the history of deployments, in a container of the data account: Azure keeps no older package.

What a rollback deploys is what ran before, byte for byte: nothing is built for it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands.deployment.history import History
from commands.deployment.patience import Patience
from commands.packaging.manifest import Manifest
from commands.stack.errors import StackError
from shared.resources.storage import RELEASES

HISTORY = "history.json"


class KeptPackages:
    """The container `releases`. Two deployments at once are found out by the history's ETag, and the later one ends."""

    def __init__(self, storage: Any, patience: Patience) -> None:
        """storage: a BlobServiceClient of the data account"""
        self._container, self._patience = storage.get_container_client(RELEASES), patience

    def keep(self, manifest: Manifest, package: Path) -> None:
        """raises: StackError where the zip is not the one that the manifest describes"""
        from azure.core.exceptions import ResourceExistsError

        manifest.check(package)
        with tempfile.TemporaryDirectory() as folder:
            described = Path(folder) / "manifest.json"
            manifest.write(described)
            for file, name in ((package, f"{manifest.sha256}.zip"), (described, f"{manifest.sha256}.json")):
                blob = self._container.get_blob_client(name)
                with file.open("rb") as opened:
                    try:
                        self._patience.until_let_in(
                            f"keeping {name}",
                            lambda blob=blob, opened=opened: opened.seek(0) or blob.upload_blob(opened),  # type: ignore[misc]
                        )
                    except ResourceExistsError:
                        continue  # by digest: it is the same

    @contextmanager
    def fetched(self, sha256: str) -> Iterator[tuple[Manifest, Path]]:
        """The package of that digest, as long as the body of the `with` runs.

        raises: StackError where it is not there, or not what it was
        """
        from azure.core.exceptions import ResourceNotFoundError

        try:
            manifest = Manifest.parse(self._container.download_blob(f"{sha256}.json").readall())
            with tempfile.TemporaryDirectory() as folder:
                package = Path(folder) / "package.zip"
                with package.open("wb") as opened:
                    self._container.download_blob(f"{sha256}.zip").readinto(opened)
                manifest.check(package)
                yield manifest, package
        except ResourceNotFoundError as missing:
            raise StackError(
                f"the package {sha256} is not in the container `{RELEASES}` any more."
            ) from missing

    def manifest(self, sha256: str) -> Manifest:
        return Manifest.parse(self._container.download_blob(f"{sha256}.json").readall())

    def history(self) -> History:
        return self._read()[0]

    def note(self, change: Callable[[History], History]) -> History:
        """raises: StackError where another deployment has noted something meanwhile"""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError

        before, etag = self._read()
        after = change(before)
        unchanged = (
            {"overwrite": True, "etag": etag, "match_condition": MatchConditions.IfNotModified}
            if etag
            else {"overwrite": False}
        )
        try:
            self._container.get_blob_client(HISTORY).upload_blob(after.text().encode(), **unchanged)
        except (ResourceExistsError, ResourceModifiedError) as other:
            raise StackError("another deployment is under way: wait for its end, then try again.") from other
        return after

    def forget(self) -> list[str]:
        """Removes the packages that nothing goes back to any more; returns: their blobs"""
        needed = self.history().kept()
        names = [each for each in self._container.list_blob_names() if each != HISTORY]
        old = [name for name in names if name.partition(".")[0] not in needed]
        for name in old:
            self._container.delete_blob(name)
        return old

    def _read(self) -> tuple[History, str]:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            found = self._patience.until_let_in(
                "reading the history", lambda: self._container.download_blob(HISTORY)
            )
        except ResourceNotFoundError:
            return History(), ""
        return History.parse(found.readall()), str(found.properties.etag)
