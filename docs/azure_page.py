"""Keeps the tables of docs/azure.md, made of the list of resources and of the checks: `python docs/azure_page.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "docs"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import kept  # noqa: E402

from commands.infrastructure.check import FOLDER  # noqa: E402
from commands.infrastructure.found import Infrastructure  # noqa: E402
from commands.infrastructure.syntax import Source  # noqa: E402
from commands.infrastructure.traps import TRAPS, held  # noqa: E402
from commands.infrastructure.unkindnesses import BORNE  # noqa: E402
from localazure.strict import UNKINDNESSES  # noqa: E402
from shared.resources import assignments  # noqa: E402
from shared.resources.app_settings import APP_SETTINGS  # noqa: E402
from shared.resources.assignments import ASSIGNMENTS, OF_THE_PRIVATE_NETWORK  # noqa: E402
from shared.resources.storage import CONTAINERS, LEDGER, QUEUES, TABLES  # noqa: E402

PAGE = ROOT / "docs" / "azure.md"
UNNAMED = ("Microsoft.Notebooks", "Microsoft.PolicyInsights", "Microsoft.Cdn")
"""Providers that Azure ML wants, and that no template names; source: machine-learning-resource-provider."""
WHERE = {
    (assignments.ACCOUNT, assignments.HOST_OF_WORK): "`work`'s host account",
    (assignments.ACCOUNT, assignments.HOST_OF_API): "`api`'s host account",
    (assignments.ACCOUNT, assignments.WORKSPACE_ACCOUNT): "the workspace's account",
    (assignments.ACCOUNT, assignments.DATA_ACCOUNT): "the data account, if `private`",
    (assignments.WORKSPACE, assignments.WORKSPACE): "the workspace",
    (assignments.REGISTRY, assignments.REGISTRY): "the registry",
    (assignments.INSIGHTS, assignments.INSIGHTS): "Application Insights",
}


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    for name, section in SECTIONS.items():
        text = kept.between(text, f"<!-- {name} -->", f"<!-- /{name} -->", "\n".join(section()))
    return text


def _storage() -> Iterator[str]:
    yield "| kind | name | holds |"
    yield "|---|---|---|"
    for container in CONTAINERS:
        yield f"| container | `{container.name}` | {container.holds} |"
    for queue in QUEUES:
        yield f"| queue | `{queue.name}` | {queue.holds} |"
        yield f"| queue | `{queue.poison}` | messages of `{queue.name}` that failed as often as they may |"
    for table in TABLES:
        yield f"| table | `{table}` | {'the ledger' if table == LEDGER else 'what stands for the present'} |"


def providers() -> list[str]:
    """Of every resource, of what subnets are delegated to, and those that Azure ML wants besides."""
    deployment = Infrastructure(Source(FOLDER)).private
    named = {each.type.partition("/")[0] for each in deployment.resources}
    for each in deployment.of("Microsoft.Network/virtualNetworks/subnets"):
        named |= {
            to["properties"]["serviceName"].partition("/")[0]
            for to in each.at("properties.delegations") or []
        }
    return sorted({*named, *UNNAMED} - {"Microsoft.Resources", "Microsoft.Authorization"})


def _providers() -> Iterator[str]:
    yield "```"
    for name in providers():
        yield f"az provider register -n {name}"
    yield "```"


def _roles() -> Iterator[str]:
    yield "| who | role | on | without it |"
    yield "|---|---|---|---|"
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for each in (*ASSIGNMENTS, *OF_THE_PRIVATE_NETWORK):
        rows.setdefault((each.identity.name, each.role, each.scope, each.why), []).append(each.on)
    for (identity, role, scope, why), names in rows.items():
        where = WHERE.get((scope, names[0])) or f"{scope} {', '.join(f'`{name}`' for name in names)}"
        yield f"| `{identity}` | {role} | {where} | no: {why} |"


def _settings() -> Iterator[str]:
    yield "| setting | app | value |"
    yield "|---|---|---|"
    for each in APP_SETTINGS:
        value = f"`{each.value}`" if each.value else f"of {each.given}"
        yield f"| `{each.name}` | {' and '.join(f'`{app}`' for app in each.apps)} | {value} |"


def _traps() -> Iterator[str]:
    yield "| | trap | held by |"
    yield "|---|---|---|"
    for each in held():
        yield f"| {each.trap} | {TRAPS[each.trap]} | {'; '.join(each.by)} |"


def _unkindnesses() -> Iterator[str]:
    yield "| name | what it does | what bears it | test | where Azure is said to do so |"
    yield "|---|---|---|---|---|"
    for each in UNKINDNESSES:
        how, test = BORNE[each.name]
        does = f"{each.does} (always)" if each.always else each.does
        yield f"| `{each.name}` | {does} | {how} | `{test.partition('::')[2]}` | {each.source} |"


SECTIONS = {
    "storage": _storage,
    "providers": _providers,
    "roles": _roles,
    "settings": _settings,
    "traps": _traps,
    "unkindnesses": _unkindnesses,
}

if __name__ == "__main__":
    sys.exit(kept.main(__doc__, {PAGE: page()}))
