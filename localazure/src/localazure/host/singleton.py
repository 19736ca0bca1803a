"""Only one host at a time ticks a timer: a lease on a blob, as Azure's host takes it.

Source: the WebJobs SDK's SingletonManager and BlobLeaseDistributedLockManager.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from localazure.host import owner
from localazure.host.blob import Blob
from localazure.host.errors import StorageUnavailable
from localazure.host.listener import Bell
from localazure.host.storage import AlreadyThere, NotThere, StorageFault

log = logging.getLogger("localazure.host.singleton")
LEASE = 60
LOOK_SECONDS = 2.0
"""How often a host that has not got the lock asks for it (Azure's: once a minute)."""


class Singleton:
    """The lock of one function. A process that was killed holds it no longer than it takes to see that."""

    def __init__(self, blob: Blob, name: str) -> None:
        self._blob, self._name = blob, name
        self._lease: str | None = None
        self._renewed = 0.0
        self._renewing: asyncio.Task[None] | None = None
        self._end = Bell()

    async def prepare(self) -> None:
        """raises StorageUnavailable"""
        await self._blob.create_container()
        await self._blob.make()

    @property
    def is_held(self) -> bool:
        """Whether no other host can have it now."""
        return self._lease is not None and time.monotonic() - self._renewed < LEASE

    async def acquire(self, bell: Bell, stopping: Callable[[], bool]) -> None:
        """Return when it is ours, or when asked to stop, of which `bell` tells."""
        said = ""
        while not stopping():
            try:
                if await self._taken():
                    return
                why = "another host ticks it"
            except (StorageFault, StorageUnavailable) as problem:
                why = str(problem)
            if why != said:
                said = why
                log.info("%s waits for its turn: %s.", self._name, why)
            await bell.wait(LOOK_SECONDS)

    async def release(self) -> None:
        """Let another host have it."""
        lease, self._lease = self._lease, None
        if self._renewing:
            self._end.ring()
            await asyncio.wait([self._renewing])
            self._renewing = None
        if lease:
            with contextlib.suppress(StorageFault):  # it ends by itself
                await self._blob.release(lease)

    async def _taken(self) -> bool:
        """raises: StorageFault, StorageUnavailable"""
        began = time.monotonic()
        try:
            await self._break_if_orphaned()
            self._lease = await self._blob.lease(LEASE)
        except AlreadyThere:
            return False
        except NotThere:  # somebody emptied the storage
            await self.prepare()
            return False
        self._renewed = began
        with contextlib.suppress(StorageFault):  # without a name it is waited for a minute, should we die
            await self._blob.note(self._lease, owner=owner.this_process())
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())
        return True

    async def _break_if_orphaned(self) -> None:
        if owner.is_gone(await self._blob.noted("owner")):
            with contextlib.suppress(AlreadyThere):  # there was no lease to break
                await self._blob.break_lease()

    async def _renew(self) -> None:
        while self._lease:
            await self._end.wait(LEASE / 3)
            if not self._lease:
                return
            began = time.monotonic()
            try:
                await self._blob.renew(self._lease)
                self._renewed = began
            except AlreadyThere:
                log.warning("The lock of %s is no longer ours.", self._name)
                self._lease = None
            except StorageFault as problem:
                log.warning("The lock of %s was not renewed (%s).", self._name, problem)
