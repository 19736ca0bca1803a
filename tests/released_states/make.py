"""Keeps what a release leaves in storage, for its successors to be tested with.

python -m tests.released_states.make COMMIT NAME    # such as v1.2.0 2026-11-29

The released code itself (`git archive`) lives through the day of tests/flow/test_crashes.py and is stopped at some of its
calls; its tables, blobs, messages and what the workspace knows then are written to NAME-CALL.json.gz beside this file.
Made once, when a release is made, and never again.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CALLS = (60, 100, 130, 196, 220, 262, 310, 350, 390)
"""At each of them another fact is open, from the upload to the batch; the last is after all of it."""
CHILD = """
import base64, json, sys
from dataclasses import asdict
from flow.test_crashes import Fuse, live_through

class Stopped(BaseException):
    pass

class StopsAt(Fuse):
    def call(self, method, *args, **kwargs):
        self.calls += 1
        port = method.__self__
        if type(port).__name__ == "MemoryTable":
            self.world = port.now.__self__
        if self.calls == self.at:
            raise Stopped
        return method(*args, **kwargs)

fuse = StopsAt(int(sys.argv[1]))
try:
    live_through(fuse)
except Stopped:
    pass
world = fuse.world
bare = lambda name: getattr(getattr(world, name), "_port", getattr(world, name))
table = lambda name: [[row.partition, row.row, row.value] for row in bare(name)._rows.values()]
workspace = bare("workspace")
print(json.dumps({
    "time": world.time.isoformat(),
    "past": table("table"),
    "present": table("present"),
    "blobs": [
        [blob.container, blob.name, blob.etag, base64.b64encode(data).decode()]
        for blob, data in bare("files")._blobs.values()
    ],
    "staged": [
        [*place, number, base64.b64encode(data).decode()]
        for place, blocks in bare("files")._blocks.items() for number, data in blocks.items()
    ],
    "messages": [fact.to_json() for fact in [*bare("bus").take(), *(fact for _, fact in world.due)] if not fact.hint],
    "submissions": [asdict(request) for request in bare("pipeline").submissions],
    "datasets": [[*key, url] for key, url in workspace.datasets.items()],
    "deployments": [[*key, state] for key, state in workspace.states.items()],
    "traffic": workspace.traffic,
}))
"""


def main(commit: str, name: str) -> None:
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archive)) as packed:
            packed.extractall(folder, filter="data")
        paths = [folder, f"{folder}/tests", f"{folder}/localazure/src"]
        for call in CALLS:
            script = f"import sys; sys.path[:0] = {paths!r}\n{CHILD}"
            done = subprocess.run(
                [sys.executable, "-c", script, str(call)],
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
            )
            kept = {"commit": commit, "call": call, **json.loads(done.stdout)}
            with gzip.GzipFile(HERE / f"{name}-{call:03d}.json.gz", "wb", mtime=0) as packed_state:
                packed_state.write(json.dumps(kept, indent=0).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
