"""What a function reads and writes beside its trigger: blobs it is given, blobs and queues it fills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localazure.host import binding, binding_data, settings
from localazure.host.binding_data import Data
from localazure.host.blob import Blob
from localazure.host.function import Function, Input, Output
from localazure.host.message import encode
from localazure.host.queue import Queues
from localazure.host.storage import Storage


class Outlets:
    """Finds the queue or blob that a binding means for one call."""

    def __init__(
        self, storage: Storage, queues: Queues, environ: Mapping[str, str], *, base64_encoded: bool
    ) -> None:
        self._storage, self._queues, self._environ = storage, queues, environ
        self._base64 = base64_encoded

    def check(self, function: Function) -> None:
        """Raises HostError for a binding that can never work: a setting is missing, or a name malformed."""
        bound: tuple[Input | Output, ...] = (*function.inputs, *function.outputs)
        for one in bound:
            target = one.path if isinstance(one, Input) else one.target
            filled = settings.resolve(target, self._environ, where=function.name)
            connection = settings.connection(one.connection, self._environ, where=function.name)
            binding_data.check(filled, where=function.name)
            if isinstance(one, Output) and one.kind == "queue":
                if "{" not in filled:
                    self._queues.get(connection, filled, where=function.name)
            else:
                self._storage.service("Blob", connection, where=function.name)

    async def read(self, function: Function, one: Input, data: Data) -> Any:
        """The blob, as func.InputStream, or as text or bytes for a parameter annotated so; None when there is none.
        raises: NoValue, HostError"""
        found = await self._blob(function, one.path, one.connection, data).fetch()
        if found is None:
            return None
        plain = one.parameter in function.plain
        return binding.blob_input(found.body).decoded(plain=plain, data_type=one.data_type)

    async def write(self, function: Function, one: Output, value: Any, data: Data) -> None:
        """Put what was set or returned where it belongs. raises: NoValue, StorageFault, Unreadable"""
        if one.kind == "blob":
            content = binding.blob_content(value)
            await self._blob(function, one.target, one.connection, data).write(content, make_container=True)
            return
        name = self._filled(function, one.target, data)
        connection = settings.connection(one.connection, self._environ, where=function.name)
        for body in binding.queue_bodies(value):
            queue = self._queues.get(connection, name, where=function.name)
            await queue.send(encode(body, base64_encoded=self._base64))

    def _blob(self, function: Function, path: str, connection: str, data: Data) -> Blob:
        container, _, name = self._filled(function, path, data).partition("/")
        account = settings.connection(connection, self._environ, where=function.name)
        return Blob(
            self._storage, self._storage.service("Blob", account, where=function.name), container, name
        )

    def _filled(self, function: Function, text: str, data: Data) -> str:
        resolved = settings.resolve(text, self._environ, where=function.name)
        return binding_data.fill(resolved, data, function=function.name)
