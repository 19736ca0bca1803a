"""The page on security, `docs/security.md`: the table of checks, and what is fuzzed."""

from __future__ import annotations

HEAD = """# Security

What is promised, which tests hold it, and what is not covered: [tests/security/checks.py](../tests/security/checks.py),
written out by `python docs/generated.py`. `./dev test -- tests/security` runs those that are of nothing else.
"""
FUZZED = """## What is fuzzed

Whatever reads bytes of somebody else's is also run by a coverage-guided fuzzer (Atheris, on libFuzzer):

```
./dev fuzz --seconds 600
```

`./dev fuzz --help` lists the targets: files to train on (both readers have to agree), outcomes, messages, events, page
tokens, contracts, settings, `traceparent`. What makes a reader crash is kept in `tests/fuzz/found`, and tried by the tests
from then on.
"""


def security_page() -> str:
    from tests.security.checks import CHECKS

    lines = [HEAD]
    for check in CHECKS:
        lines += [f"## {check.id}. {check.title}", "", check.promise, ""]
        lines += [f"- Held by: {', '.join(_link(test) for test in check.held_by)}"]
        lines += [f"- Not covered: {check.not_covered}"] if check.not_covered else []
        lines += [""]
    return "\n".join([*lines, FUZZED])


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{name or file.rpartition('/')[2]}](../{file})"
