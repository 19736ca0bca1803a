"""The commands of `./dev`, one line each, and what each needs set up first. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

UV, UP, PACKAGE, TEST, CHECK = "uv", "up", "package", "test", "check"
EMBEDDED, STORAGE, ENVIRONMENTS, LINTERS = "embedded", "storage", "environments", "linters"
PLAYGROUND = "playground"
USUAL = (UP, EMBEDDED)
STACK = (*USUAL, STORAGE, ENVIRONMENTS)
"""The parts of the set-up (commands/setup/needs.py) that a stack needs whole."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What `./dev` says about a command, and what has to be installed before it runs."""

    summary: str
    needs: tuple[str, ...] = USUAL


COMMANDS = {
    "demo": Command(summary="the whole loop on real bank data, with live progress", needs=STACK),
    "replay": Command(
        summary="a bank's past through the real flow, month by month, beside alternatives", needs=STACK
    ),
    "up": Command(summary="start the embedded Azure and the app (only what is not running)", needs=STACK),
    "down": Command(summary="stop them; what they know stays on disk"),
    "publish": Command(summary="publish the pipelines to the workspace"),
    "drop": Command(
        summary="upload a CSV: to train on, to score (--scoring), or what calls brought (--outcomes)"
    ),
    "new-contract": Command(summary="draft a data contract of a CSV that the app does not know yet"),
    "status": Command(summary="what serves, what runs, what came last; pause and resume"),
    "config": Command(summary="choices that change without a restart: budget, canary share, bounds, pause"),
    "watch": Command(summary="everything as it happens"),
    "trace": Command(summary="what became of one file"),
    "uploads": Command(summary="files dropped to train on, and what learned from each; withdraw one"),
    "datasets": Command(summary="dataset versions, and doubts about their rows; trust them"),
    "runs": Command(summary="training runs with their steps; retrain now"),
    "experiment": Command(summary="search for a better recipe; the experiments that there were"),
    "models": Command(summary="models with figures and verdicts; promote one"),
    "approve": Command(summary="let a release that waits for a person go on; or reject it"),
    "rollback": Command(summary="take the traffic from the model that got it last"),
    "batches": Command(summary="files of clients and how far each is scored; score now"),
    "outcomes": Command(summary="what calls brought: expected and realised, by batch, model and decile"),
    "quarantine": Command(summary="rejected rows, and why; check again, readmit, discard"),
    "alerts": Command(summary="what is the matter, and since when; --test: a test message to every channel"),
    "failures": Command(summary="dead letters: what failed as often as it may; try one, or all, again"),
    "events": Command(summary="what happened, newest first; `events serve`: Event Grid alone"),
    "audit": Command(summary="the audit trail (takes the admin key): who requested what; is it whole?"),
    "predict": Command(summary="score a record or a file through the model"),
    "load-test": Command(summary="many requests to the model's endpoint: times, errors, rows a second"),
    "logs": Command(summary="logs of the model's deployment and of the app"),
    "docs": Command(summary="addresses of the dashboard and of both APIs' descriptions"),
    "site": Command(summary="the documentation as a site with search", needs=(*USUAL, CHECK)),
    "env": Command(summary='variables for the unmodified SDKs: eval "$(./dev env)"'),
    "faults": Command(summary="make calls of the embedded Azure fail: throttled, late, lost; list, clear"),
    "snapshot": Command(
        summary="named copies of the whole embedded Azure: save, list, load, fork", needs=STACK
    ),
    "chaos": Command(
        summary="kill, fill, lose and overwrite under a real stack; what must hold, and time to heal",
        needs=STACK,
    ),
    "reset": Command(summary="stop everything and forget everything"),
    "doctor": Command(
        summary="what lies where in this checkout, and what is missing; --sign-in: who is let in where",
        needs=(),
    ),
    "clean": Command(summary="remove what set-up has laid here, and say what that frees", needs=()),
    "test": Command(summary="run the tests", needs=(*STACK, TEST, UV, LINTERS, PLAYGROUND)),
    "fuzz": Command(summary="fuzz the readers of files, messages and settings", needs=(*USUAL, TEST, UV)),
    "check": Command(summary="lint, types, layers", needs=(*USUAL, CHECK, LINTERS)),
    "simulate": Command(
        summary="the flow under simulated faults: crashes, lost answers, wrong clocks; thousands of schedules",
        needs=(*USUAL, TEST),
    ),
    "playground": Command(
        summary="the flow in the browser: kill, delay, duplicate by a click; static files, no server",
        needs=(*USUAL, TEST, UV, PLAYGROUND),
    ),
    "bench": Command(summary="measure", needs=(*STACK, TEST, UV)),
    "storage": Command(summary="one part alone: blob, queue, table storage", needs=(*USUAL, STORAGE)),
    "workspace": Command(summary="one part alone: the Azure ML workspace", needs=(*USUAL, ENVIRONMENTS)),
    "host": Command(summary="one part alone: the Functions host"),
    "package": Command(summary="pack the app as Azure gets it", needs=(*USUAL, PACKAGE, UV)),
    "release": Command(
        summary="deploy the package, smoke-test it, roll back; what was deployed", needs=(*USUAL, PACKAGE, UV)
    ),
    "azure": Command(summary="what azd and the pipelines call around a deployment; what it would change"),
    "vulnerabilities": Command(summary="known ones of what is locked", needs=(*USUAL, CHECK)),
    "backup": Command(summary="copy the ledger into a file, while the app runs"),
    "restore": Command(summary="fill empty tables with a backup of the ledger"),
    "lock": Command(summary="recompile the hash-locked requirements", needs=(UP, UV)),
}


def listing() -> str:
    """What `./dev` alone shows."""
    lines = [f"  {name:<15} {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        ["usage: ./dev COMMAND [--state DIR] [options]     (COMMAND --help says more)", "", *lines]
    )
