"""Serves the host on 127.0.0.1 until a signal: the first lets what runs finish, the second ends at once."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from types import FrameType

import uvicorn

from localazure.host.errors import HostError
from localazure.host.host import App, Host

log = logging.getLogger("localazure.host")
READERS_SECONDS = 2.0
"""What GETs may take once the host is asked to stop."""


class Server(uvicorn.Server):
    """uvicorn, which asks the triggers to stop when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, host: Host, ready: str) -> None:
        super().__init__(config)
        self._host, self._ready = host, ready
        self._loop = asyncio.get_running_loop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            print(self._ready, flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            print("host: asked again to stop: what runs is left behind.", file=sys.stderr, flush=True)
            os._exit(1)
        self.should_exit = True
        log.info("Stopping: nothing more is fetched, what runs finishes (%d).", self._host.outstanding)
        self._host.drain(for_good=True)
        self._loop.call_soon_threadsafe(self._loop.call_later, READERS_SECONDS, self._host.web.let_readers_go)


async def serve(app: App, port: int) -> int:
    """Run `app` until a signal; the exit code. raises: HostError when it cannot start."""
    listening = _listen(port)
    host = Host(app)
    config = uvicorn.Config(
        host.web, loop="asyncio", http="h11", ws="none", lifespan="on",
        log_config=None, access_log=False, server_header=False,
    )  # fmt: skip
    server = Server(config, host, f"ready: host http://127.0.0.1:{port}")
    watch = asyncio.create_task(_end_on_crash(host, server))
    try:
        await server.serve(sockets=[listening])
    except SystemExit:  # uvicorn's way to say that the app did not start
        if host.problem is None:
            raise
    finally:
        watch.cancel()
    if host.problem:
        raise host.problem
    if host.invoker.abandoned:  # their threads would keep the interpreter from ending
        logging.shutdown()
        os._exit(int(host.crashed.is_set()))
    return int(host.crashed.is_set() or not server.started)


async def _end_on_crash(host: Host, server: Server) -> None:
    await host.crashed.wait()
    host.drain(for_good=True)
    server.should_exit = True


def _listen(port: int) -> socket.socket:
    # the protocol is named, for asyncio sets TCP_NODELAY only then; without it every reply waits 40 ms
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
    except OSError as cause:
        made.close()
        raise HostError(
            f"Port {port} of 127.0.0.1 cannot be taken ({cause.strerror}): choose another --port."
        ) from cause
    return made
