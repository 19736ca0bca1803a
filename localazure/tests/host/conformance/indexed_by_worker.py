"""Run on Python 3.13: what Microsoft's own worker library finds in app folders, as one JSON line each.

    python indexed_by_worker.py FOLDER...

Each folder is indexed in a process of its own, as the worker does it: an app's functions may be listed once.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
from types import SimpleNamespace
from typing import Any

LIBRARIES = os.path.join(".python_packages", "lib", "site-packages")
"""Of an app: they come before the worker's own, as the worker has it."""


def _message(name: str, **constants: int) -> type:
    """A class as empty as a protobuf message without fields, which is all that indexing asks of them."""
    return type(name, (SimpleNamespace,), constants)


MESSAGES = (
    "RpcFunctionMetadata", "FunctionMetadataResponse", "WorkerInitResponse", "WorkerMetadata", "RpcException",
    "FunctionLoadResponse", "InvocationResponse", "RpcRetryOptions", "TypedData", "RpcHttp", "ParameterBinding",
)  # fmt: skip
PROTOS = SimpleNamespace(
    BindingInfo=_message("BindingInfo", undefined=0, **{"in": 0}, out=1, inout=2),
    StatusResult=_message("StatusResult", Failure=0, Success=1, Cancelled=2),
    **{name: _message(name) for name in MESSAGES},
)


def indexed(folder: str) -> dict[str, Any]:
    """The functions of the app in `folder` with their bindings, or the error the worker refuses it with."""
    sys.path.append(folder)
    sys.path.insert(0, os.path.join(folder, LIBRARIES))
    os.chdir(folder)
    import azure_functions_runtime as worker

    async def ask() -> dict[str, Any]:
        wanted = SimpleNamespace(capabilities={}, function_app_directory=folder)
        request = SimpleNamespace(
            request=SimpleNamespace(worker_init_request=wanted),
            properties={"host": "127.0.0.1", "protos": PROTOS},
        )
        answer = await worker.worker_init_request(request)
        if answer.result.status != PROTOS.StatusResult.Success:
            return {"error": answer.result.exception.message}
        told = await worker.functions_metadata_request(None)
        found = told.function_metadata_results or []
        return {"functions": {one.name: [json.loads(raw) for raw in one.raw_bindings] for one in found}}

    try:
        return asyncio.run(ask())
    except SystemExit as ended:  # the app ends the whole worker
        return {"error": f"SystemExit: {ended}"}


def main() -> None:
    how = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    with multiprocessing.get_context(how).Pool(1, maxtasksperchild=1) as pool:
        waiting = [pool.apply_async(indexed, [folder]) for folder in sys.argv[1:]]
        for found in waiting:
            print(json.dumps(found.get(timeout=60)), flush=True)


if __name__ == "__main__":
    import azure_functions_runtime  # noqa: F401  (loaded once, before the processes part)

    main()
