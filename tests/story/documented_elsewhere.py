"""Which of the documented commands the walk through the pages does not run, and what does instead, or why nothing can."""

from __future__ import annotations

ELSEWHERE = {
    "./dev demo": "tests/story/test_the_loop.py",
    "./dev replay": "tests/unit/commands/test_replay.py",
    "./dev test": ".ci/run",
    "./dev check": ".ci/run",
    "./dev clean": "tests/unit/commands/test_doctor_and_clean.py",
    "./dev bench": "tests/unit/bench/test_shown.py",
    "./dev package": "tests/unit/commands/test_packing.py",
    "./dev up --strict": "tests/story/test_the_loop.py",
    "./dev doctor --sign-in": "tests/contract/test_sign_in.py",
    "./dev up --set TELEMETRY": "tests/unit/adapters/test_open_telemetry.py",
    "./dev simulate": "tests/unit/commands/test_simulate.py",
    "./dev events replay": "tests/unit/commands/test_acting.py",
    "./dev playground": "tests/browser/test_playground.py",
    "./dev release": "tests/story/test_delivery.py",
    "./dev backup": "tests/story/test_recovery.py",
    "./dev restore": "tests/story/test_recovery.py",
    "./dev chaos": "tests/story/test_chaos.py",
    "./dev up --faults": "tests/story/test_faults.py",
    "./dev faults": "tests/story/test_faults.py",
    "./dev snapshot": "tests/story/test_snapshots.py",
    "./dev vulnerabilities": "tests/unit/commands/test_vulnerabilities.py",
    "./dev fuzz": "tests/unit/commands/test_fuzz.py",
    "./dev azure what-if": "tests/unit/deployment/test_what_if.py",
    "./dev azure publish": "tests/story/test_delivery.py",
    "./dev azure inputs": "tests/infrastructure/test_inputs.py",
    "./dev azure after": "tests/infrastructure/test_after.py",
    "python docs/": "tests/unit/test_docs.py",
}
"""By how the command begins: the tests that run it, or what it does, by itself."""
NOT_HERE = {
    "az ": "Azure's command line needs a subscription",
    "azd ": "the Azure Developer CLI needs a subscription",
    'eval "$(azd ': "the Azure Developer CLI needs a subscription",
    "./dev azure bicep": "Microsoft's compiler is fetched from GitHub",
    "./dev lock": "it takes the package index's newest, so that it gives something else each day",
}
"""By how the command begins: why nothing runs it."""


def reason(text: str) -> str:
    """Why the walk leaves this command out; empty when it runs it."""
    for table in (ELSEWHERE, NOT_HERE):
        for begin, why in table.items():
            if text == begin or text.startswith(begin if begin.endswith((" ", "/")) else f"{begin} "):
                return why
    return ""
