"""Writes what is made from the code: `python docs/generated.py`.

`docs/openapi.json` is the HTTP API's description as the app gives it, and `docs/events.md` what it says of events, for
readers; `docs/telemetry.md` is what the app logs, traces and measures; `docs/security.md` what
is promised and by which test; `docs/kinds.md` and `web/js/core/kinds.js` are the
table of kinds for readers and for the dashboard; `infra/resources.json` is the list of Azure resources for Bicep. With
`--check` nothing is written; the exit code is 1 when a file is not what the code gives. With `--release` the description
is also kept, in `docs/released`, as what clients are given: from then on `./dev check` refuses what breaks them under
the same api-version.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from shared.domain.kinds.field import (  # noqa: E402
    Moment,
    Part,
    parts,
)
from shared.domain.kinds.kind import Kind  # noqa: E402
from shared.domain.kinds.state import State, Tone  # noqa: E402
from shared.domain.kinds.waiting import WAITS  # noqa: E402
from shared.kinds import KINDS, STATUSES_OF  # noqa: E402

Json = dict[str, Any]

# --- the HTTP API -------------------------------------------------------------------------------------------


def openapi() -> str:
    """The description; no setting shows in it."""
    return json.dumps(_description(), indent=1, ensure_ascii=False) + "\n"


def events() -> str:
    """What the description says of events, for readers."""
    from events_page import events_page

    return events_page(_description())


def telemetry() -> str:
    """What the app logs, traces and measures."""
    from telemetry_page import telemetry_page

    return telemetry_page()


def security() -> str:
    """What is promised, and which tests hold it."""
    from security_page import security_page

    return security_page()


@cache
def _description() -> Json:
    from pydantic import SecretStr

    from functions.http.app import assemble
    from functions.http.auth.credentials import from_settings
    from functions.http.openapi import describe
    from shared import wiring
    from shared.settings import Settings

    settings = Settings(
        campanha_storage=SecretStr("-"),
        azure_subscription_id="-",
        azure_resource_group="-",
        azureml_workspace="-",
        reader_key=SecretStr("only to make the description"),
    )
    app = assemble(settings, from_settings(settings), wiring.services, wiring.model_api)
    return describe(app)


# --- the dashboard's table of kinds -------------------------------------------------------------------------


def module() -> str:
    """The states of each kind, and the words that are none, as a JavaScript module."""
    kinds = {kind.name: {"plural": kind.plural, "states": _states(kind.states)} for kind in KINDS}
    statuses = {of: _states(words) for of, words in STATUSES_OF.items()}
    return (
        "/** The kinds of things and their states; made from shared/kinds.py by `python docs/generated.py`. */\n\n"
        "/** @satisfies {Record<string, { plural: string, states: Record<string, Page.StateMeaning> }>} */\n"
        f"export const KINDS = {json.dumps(kinds, indent=2)};\n\n"
        "/**\n * Words that are no states of a record: of a run's step, of a deployment's health, of an operation.\n"
        " * @satisfies {Record<string, Record<string, Page.StateMeaning>>}\n */\n"
        f"export const STATUSES = {json.dumps(statuses, indent=2)};\n"
    )


def _states(states: tuple[State, ...]) -> Json:
    return {
        state.name: {
            "tone": state.tone.value,
            "label": state.label,
            "sentence": state.sentence,
            "final": state.final,
            "needsPerson": state.needs_person,
        }
        for state in states
    }


# --- the page -----------------------------------------------------------------------------------------------

HEAD = """# Kinds

What there is, which states it has, and what is known of it: [shared/kinds.py](../shared/kinds.py), written out by
`python docs/generated.py`. A thing goes through its states in the order of the table and never back; where a kind can go
through them again (a model that is released anew), its history shows each time. A state that is **final** is the last
unless somebody acts: whoever polls can stop. Fields that are not known are not there.
"""
ASKS = {
    Tone.OK: "as it should be",
    Tone.RUN: "under way",
    Tone.WARN: "worth a look",
    Tone.BAD: "it came to nothing",
    Tone.REST: "nothing to do",
}
WAITING = "What comes before the next state; an upload or a dataset version says it of what it became. More words may come."
TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", Moment: "time"}


def page() -> str:
    lines = [HEAD]
    for kind in KINDS:
        lines += _kind(kind)
    lines += ["## What is waited for", "", WAITING, "", "| `waitingFor` | it waits for |", "|---|---|"]
    lines += [f"| `{wait.name}` | {wait.sentence} |" for wait in WAITS]
    lines += ["", "## What records hold", ""]
    inner = [of for kind in KINDS for of in _within(kind.parts)]
    for of in dict.fromkeys(inner):
        lines += [f"### {of.__name__}", "", of.__doc__ or "", "", *_fields(parts(of))]
    return "\n".join(lines).rstrip("\n") + "\n"


def _within(of: tuple[Part, ...]) -> Iterator[type]:
    """The dataclasses that public fields hold, each before those that it holds itself."""
    for part in of:
        if part.about.public and part.inner:
            yield part.inner
            yield from _within(parts(part.inner))


def _kind(kind: Kind[Any]) -> Iterator[str]:
    yield from (f"## {kind.name.capitalize()}", "", kind.sentence, "")
    yield from (
        "| state | it ... | the dashboard says | which means | `waitingFor` |",
        "|---|---|---|---|---|",
    )
    for state in kind.states:
        asks = "a person has to decide" if state.needs_person else ASKS[state.tone]
        final = ", final" if state.final else ""
        waits = f"`{state.waits_for.name}`" if state.waits_for else ""
        yield f"| `{state.name}` | {state.sentence} | {state.label} | {asks}{final} | {waits} |"
    yield ""
    yield from _fields(kind.parts)


def _fields(of: tuple[Part, ...]) -> Iterator[str]:
    yield from ("| field | type | meaning | example |", "|---|---|---|---|")
    for part in of:
        said = part.about
        if said.public:
            unit = f", {said.unit}" if said.unit else ""
            example = "" if said.example is None else f"`{json.dumps(said.example)}`"
            yield f"| `{part.wire_name}` | {_type(part)}{unit} | {said.sentence} | {example} |"
    yield ""


def _type(part: Part) -> str:
    if part.about.one_of:
        return " or ".join(f"`{word.name}`" for word in part.about.one_of)
    if part.about.known:
        return " or ".join((*(f"`{word.name}`" for word in part.about.known), "another word"))
    hint = get_args(part.hint)[0] if get_origin(part.hint) is list else part.hint
    word = TYPES.get(hint) or f"[{hint.__name__}](#{hint.__name__.lower()})"
    return f"list of: {word}" if get_origin(part.hint) is list else word


def resources() -> str:
    """The one list of Azure resources, as Bicep reads it."""
    from commands.infrastructure.resources_json import text

    return text()


def settings() -> str:
    """The page of settings, with which of them change without a restart."""
    import kept

    from shared.domain.live_choices import LIVE

    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return kept.between(
        text, "<!-- live -->", "<!-- /live -->", ", ".join(f"`{name.upper()}`" for name in LIVE)
    )


def alerts() -> str:
    """`docs/alerts.md`, with the table of alerts as it is."""
    import kept

    from shared.domain.alerts import ALERTS

    text = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    lines = ["| alert | needs | is raised when | is over when |", "|---|---|---|---|"]
    lines += [
        f"| [`{one.name}`](runbook.md#{one.name}) | {one.severity} | {one.raised} | {one.over} |"
        for one in ALERTS
    ]
    return kept.between(text, "<!-- alerts -->", "<!-- /alerts -->", "\n".join(lines))


FILES = {
    ROOT / "docs" / "settings.md": settings,
    ROOT / "docs" / "openapi.json": openapi,
    ROOT / "docs" / "events.md": events,
    ROOT / "docs" / "alerts.md": alerts,
    ROOT / "docs" / "kinds.md": page,
    ROOT / "docs" / "telemetry.md": telemetry,
    ROOT / "docs" / "security.md": security,
    ROOT / "web" / "js" / "core" / "kinds.js": module,
    ROOT / "infra" / "resources.json": resources,
}


def main(arguments: list[str]) -> int:
    """Writes what is not current; with --check only says so."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    made.add_argument(
        "--release", action="store_true", help="keep the description as that of the last release"
    )
    made.add_argument(
        "--unpublished",
        action="store_true",
        help="with --release: nobody has what is kept, so it may be replaced",
    )
    given = made.parse_args(arguments)
    texts = {file: make() for file, make in FILES.items()}
    stale = [file for file, text in texts.items() if not file.exists() or file.read_text("utf-8") != text]
    for file in stale:
        if not given.check:
            file.write_text(texts[file], encoding="utf-8")
        print(f"{file.relative_to(ROOT)} {'is not current' if given.check else 'written'}")
    if given.release:
        return _release(texts[ROOT / "docs" / "openapi.json"], unpublished=given.unpublished)
    return int(given.check and bool(stale))


def _release(description: str, *, unpublished: bool) -> int:
    from commands.compatibility.release import RELEASED, Refused, keep

    try:
        kept = keep(description, ROOT / "docs" / RELEASED, unpublished=unpublished)
    except Refused as refusal:
        print(refusal)
        return 1
    print(f"{kept.relative_to(ROOT)} is what clients have")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
