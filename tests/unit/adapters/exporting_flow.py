"""A flow in memory whose telemetry goes where it is told, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FLOW = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from flow.test_traces import Queued, released, scored, trace_of
from shared import telemetry
from shared.adapters.open_telemetry import exporter

sink = exporter({to!r})
telemetry.export_to(sink)
world = Queued()
released(world)
batch = scored(world)
sink.close()
from opentelemetry.trace import get_tracer_provider
print(trace_of(world, "upload").trace_id, batch.trace.trace_id, type(get_tracer_provider()).__name__)
"""
"""A process of its own: what the SDK reads from the environment it reads once."""


def lived(to: str, **variables: str) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """The trace ids of upload and batch, of a flow whose telemetry goes there; and how its process ended."""
    program = FLOW.format(root=str(ROOT), tests=str(ROOT / "tests"), to=to)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "APPLICATION"))
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=kept | variables, capture_output=True, text=True, check=False
    )
    return done.stdout.split(), done
