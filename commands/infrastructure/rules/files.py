"""The files themselves: what no deployment shows, and no compiler says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from commands.infrastructure import resources_json
from commands.infrastructure.azure_types import faults
from commands.infrastructure.evaluation import unused
from commands.infrastructure.found import PARAMETERS, Finding, Infrastructure, short
from commands.infrastructure.syntax import BicepError, check_with_pycep, declarations, text_of, unparted
from commands.linters.kql import read as read_queries

FORBIDDEN = {
    r"\blist(Keys|Secrets|AccountSas|ServiceSas|AdminKeys|ConnectionStrings)\b": "it hands out a key",
    r"AccountKey=|SharedAccessSignature|SharedAccessKey|\bsig=": "it holds a key",
    r"(?i)\w*(password|secret|apikey)\w*\s*:\s*'[^'$]+'": "it holds a password",
    r"\butcNow\b|\bnewGuid\b": "each deployment would change it",
    r"'repo:|sc://|vstoken": "a pipeline's subject is a parameter: its form changes",
    r"'br[/:]|'ts[/:]": "a module from elsewhere cannot be checked here",
    r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}": "an id of its own stands in the list of roles",
}
"""What no Bicep file holds, and why."""
MUST_BE_ERRORS = (
    "outputs-should-not-contain-secrets",
    "no-hardcoded-env-urls",
    "no-unused-params",
    "no-unused-vars",
)
CHECKED = ("AZURE_ENV_NAME", "AZURE_LOCATION", "CAMPANHA_NETWORK", "CAMPANHA_ALERT_EMAIL", "CAMPANHA_API_AUDIENCE",
           "CAMPANHA_BUDGET_START")  # fmt: skip
"""What has no default: azd asks for the first two, and `./dev azure inputs` for the others."""


@dataclass(frozen=True, kw_only=True)
class FileRule:
    """Something that must hold of the files."""

    name: str
    says: str
    traps: tuple[str, ...]
    check: Callable[[Infrastructure], Iterator[Finding]]


FILE_RULES: list[FileRule] = []
Check = Callable[[Infrastructure], Iterator[Finding]]


def file_rule(*traps: str) -> Callable[[Check], Check]:
    """Makes a function a rule of files; see `commands.infrastructure.found.rule`."""

    def registered(check: Check) -> Check:
        says = (check.__doc__ or "").splitlines()[0].removesuffix(".")
        FILE_RULES.append(FileRule(name=check.__name__, says=says, traps=traps, check=check))
        return check

    return registered


@file_rule()
def files_parse(found: Infrastructure) -> Iterator[Finding]:
    """Every Bicep file is taken by both parsers, and nothing in it is declared in vain."""
    for name in found.source.names():
        try:
            check_with_pycep(found.source.read(name), name)
            for each in (*unparted(found.source.tree(name), name), *unused(found.source, name)):
                yield Finding(place=each.place, says=each.says)
        except BicepError as fault:
            yield Finding(place=fault.place, says=fault.says)


@file_rule("F24", "M25")
def resources_are_as_their_types_say(found: Infrastructure) -> Iterator[Finding]:
    """Every resource is one that Microsoft's types allow: properties, enums, lengths, patterns, the newest API."""
    for deployment in (found.public, found.private):
        for each in deployment.resources:
            for fault in faults(each):
                yield Finding(place=each.place, says=f"{each.type.rpartition('/')[2]} {short(each)}: {fault}")


@file_rule()
def the_list_is_current(found: Infrastructure) -> Iterator[Finding]:
    """resources.json is what the list in the code gives."""
    given, wanted = found.source.read("resources.json"), resources_json.text()
    if given == wanted:
        return
    named = False
    for place, says in _differences(json.loads(given), json.loads(wanted), ""):
        named = True
        yield Finding(place="resources.json", says=f"{place}: {says} (python docs/generated.py)")
    if not named:
        yield Finding(place="resources.json", says="it is written otherwise (python docs/generated.py)")


def _differences(given: Any, wanted: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(given, dict) and isinstance(wanted, dict):
        for key in wanted.keys() | given.keys():
            here = f"{path}.{key}" if path else key
            if key in given and key in wanted:
                yield from _differences(given[key], wanted[key], here)
            else:
                yield here, _shown(wanted[key], missing=True) if key in wanted else "it is not in the list"
    elif isinstance(given, list) and isinstance(wanted, list):
        yield from ((path, _shown(each, missing=True)) for each in wanted if each not in given)
        yield from ((path, _shown(each, missing=False)) for each in given if each not in wanted)
    elif given != wanted:
        yield path, f"{given!r}: {wanted!r} is wanted"


def _shown(value: Any, *, missing: bool) -> str:
    return f"{json.dumps(value)[:200]} {'is missing' if missing else 'is not in the list'}"


@file_rule("D4", "D15", "D18")
def nothing_secret_or_fleeting(found: Infrastructure) -> Iterator[Finding]:
    """No Bicep file holds, asks for or gives out a key, nor a value that changes from day to day."""
    for name in found.source.names():
        for number, line in enumerate(found.source.read(name).splitlines(), start=1):
            code = line.partition("//")[0] if "'" not in line.partition("//")[0][-8:] else line
            for pattern, why in FORBIDDEN.items():
                hit = re.search(pattern, code)
                if hit and not line.lstrip().startswith("//"):
                    yield Finding(place=f"{name}:{number}", says=f"{hit[0]}: {why}")


@file_rule("D7", "D8", "D9")
def parameters_are_given(found: Infrastructure) -> Iterator[Finding]:
    """main.parameters.json gives every parameter, by a variable with a default or one that is asked for; it alone does."""
    wanted = {
        each.symbol: each for each in declarations(found.source.tree("main.bicep")) if each.kind == "param"
    }
    given = json.loads(found.source.read("main.parameters.json"))["parameters"]
    for name in wanted.keys() - given.keys():
        yield Finding(place="main.parameters.json", says=f"the parameter {name} is missing")
    for name in given.keys() - wanted.keys():
        yield Finding(place="main.parameters.json", says=f"main.bicep has no parameter {name}")
    for name, each in given.items():
        variable = re.fullmatch(r"\$\{(\w+)(=[^}]*)?\}", str(each.get("value")))
        if variable is None:
            yield Finding(place="main.parameters.json", says=f"{name} is no ${{VARIABLE}}")
        elif variable[2] is None and variable[1] not in CHECKED:
            yield Finding(
                place="main.parameters.json",
                says=f"{name}: {variable[0]} has no default, and nobody asks for it",
            )
        elif variable[2] is not None and variable[1] in CHECKED:
            yield Finding(
                place="main.parameters.json", says=f"{name}: {variable[0]} has a default: it is a decision"
            )
    if (found.source.folder / "main.bicepparam").exists():
        yield Finding(place="main.bicepparam", says="azd would take it instead of main.parameters.json")


@file_rule("D8")
def only_what_may_be_empty_has_a_default(found: Infrastructure) -> Iterator[Finding]:
    """A parameter of main.bicep has a default where its variable may be empty, and nowhere else.

    azd takes an empty text for no value: it asks for one, or ends where it may not ask.
    source: `armParameterFileValue` in Azure/azure-dev, cli/azd/pkg/infra/provisioning/bicep/bicep_provider.go
    """
    given = json.loads(found.source.read("main.parameters.json"))["parameters"]
    for each in declarations(found.source.tree("main.bicep")):
        if each.kind != "param":
            continue
        has_default = each.node.named_child_count > 2
        may_be_empty = str(given.get(each.symbol, {}).get("value")).endswith("=}")
        if has_default != may_be_empty:
            told = "has a default" if has_default else "may be empty, and has no default"
            yield Finding(place=f"main.bicep:{each.line}", says=f"the parameter {each.symbol} {told}")


CHOICES = {
    "network": ("@allowed(['public', 'private'])",),
    "serves": ("@allowed(['work', 'api'])",),
    "pythonVersion": ("@allowed(['3.11', '3.12', '3.13'])",),
    "deployerType": ("@allowed(['User', 'ServicePrincipal', 'Group'])",),
    "principalType": ("@allowed(['User', 'ServicePrincipal', 'Group'])",),
    "accountName": ("@minLength(3)", "@maxLength(24)"),
    "alertChannels": ("@secure()",),
    "moreSettings": ("@secure()",),
}
"""What parameters of these names say, wherever there is one."""
BOUNDS = {
    "environmentName": ("@minLength(1)", "@maxLength(32)"),
    "clusterMost": ("@minValue(1)",),
    "budgetAmount": ("@minValue(1)",),
}
"""The same of what main.bicep is given."""


@file_rule("F12", "M25")
def parameters_say_what_may_be(found: Infrastructure) -> Iterator[Finding]:
    """A parameter that is a choice says what there is to choose from, one with bounds what they are."""
    for name in found.source.names():
        wanted = CHOICES | (BOUNDS if name == "main.bicep" else {})
        for each in declarations(found.source.tree(name)):
            said = {text_of(decorator) for decorator in each.decorators}
            for decorator in wanted.get(each.symbol, ()) if each.kind == "param" else ():
                if decorator not in said:
                    yield Finding(
                        place=f"{name}:{each.line}",
                        says=f"the parameter {each.symbol}: {decorator} is wanted",
                    )


@file_rule("D23", "E4", "M16")
def names_can_be_had_again(found: Infrastructure) -> Iterator[Finding]:
    """Names differ by environment, region and generation, since vaults and workspaces keep theirs when deleted."""
    kept = "Microsoft.KeyVault/vaults"
    first = {each.name for each in found.public.of(kept)}
    for other in ({"generation": "2"}, {"location": "northeurope"}, {"environmentName": "other"}):
        if first & {each.name for each in found.with_parameters(**other).of(kept)}:
            yield Finding(place="main.bicep", says=f"another {', '.join(other)} does not give another token")


@file_rule("M27")
def clusters_are_named_by_their_size(found: Infrastructure) -> Iterator[Finding]:
    """Another size of the cluster's machines is another cluster: one that is there is not changed."""
    kind = "Microsoft.MachineLearningServices/workspaces/computes"
    now = {each.name for each in found.public.of(kind)}
    then = {each.name for each in found.with_parameters(clusterSize="Standard_E4s_v3").of(kind)}
    if now & then:
        yield Finding(place="workspace.bicep", says="the cluster's name does not say its size")


@file_rule("D9")
def nobody_need_deploy(found: Infrastructure) -> Iterator[Finding]:
    """Without a deployer there are no roles for one; with one of a pipeline, they say what it is."""
    kind = "Microsoft.Authorization/roleAssignments"
    nobody = found.with_parameters(deployerId="")
    if [each for each in nobody.of(kind) if not str(each.at("properties.principalId"))]:
        yield Finding(place="campanha.bicep", says="roles are assigned to nobody when there is no deployer")
    pipeline = found.with_parameters(deployerType="ServicePrincipal")
    if [each for each in pipeline.of(kind) if each.at("properties.principalType") != "ServicePrincipal"]:
        yield Finding(place="deployer.bicep", says="the deployer's kind is not the one given")


@file_rule("F1", "F2", "D1", "D2", "D11", "D22")
def azd_builds_nothing(found: Infrastructure) -> Iterator[Finding]:
    """azure.yaml: both apps come from the package that was tested, each from its own folder; Azure builds nothing."""
    import yaml

    text = _beside(found, "azure.yaml")
    told = yaml.safe_load(text)
    version = re.fullmatch(r">=\s*(\d+)\.(\d+)\.(\d+)", str(told.get("requiredVersions", {}).get("azd")))
    if version is None or tuple(map(int, version.groups())) < (1, 23, 15):
        yield Finding(
            place="azure.yaml", says="requiredVersions.azd is not >= 1.23.15: older ones build remotely"
        )
    infra = told.get("infra", {})
    if (infra.get("provider"), infra.get("path"), infra.get("module")) != ("bicep", "infra", "main"):
        yield Finding(place="azure.yaml", says="infra is not infra/main.bicep")
    services = told.get("services", {})
    if set(services) != {"work", "api"}:
        yield Finding(place="azure.yaml", says=f"services are {', '.join(services)}: work and api are wanted")
    wanted = {
        "project": ".",
        "host": "function",
        "language": "py",
        "remoteBuild": False,
        "dist": ".package/{name}",
    }
    for name, service in services.items():
        for key, of_each in wanted.items():
            value = of_each.format(name=name) if isinstance(of_each, str) else of_each
            if service.get(key) != value:
                yield Finding(
                    place="azure.yaml",
                    says=f"services.{name}.{key} is {service.get(key)!r}: {value!r} is wanted",
                )
        told_to = service.get("hooks", {}).get("prepackage", {})
        for system, of_each in PACKS.items():
            run = of_each.replace("NAME", name)
            if told_to.get(system, {}).get("run") != run:
                yield Finding(
                    place="azure.yaml", says=f"services.{name}.hooks.prepackage.{system}.run: {run} is wanted"
                )
        for key in service.keys() - wanted.keys() - {"hooks"}:
            yield Finding(place="azure.yaml", says=f"services.{name}.{key} is not known to be a setting")
    yield from _hooks(told.get("hooks", {}))


PACKS = {
    "posix": './dev package --folder NAME --python "${CAMPANHA_PYTHON:-3.13}"',
    "windows": "python dev package --folder NAME --python ($env:CAMPANHA_PYTHON ?? '3.13')",
}
"""How the folder is filled that azd deploys, of the service NAME: with the Python that the apps run on. azd packages both
at the same time, so one folder for both would be emptied while it is zipped."""


def _hooks(hooks: dict[str, Any]) -> Iterator[Finding]:
    wanted = {"preprovision": "azure inputs", "postdeploy": "azure after"}
    for name, does in wanted.items():
        for system, before in (("posix", "./dev"), ("windows", "python dev")):
            run = hooks.get(name, {}).get(system, {}).get("run")
            if run != f"{before} {does}":
                yield Finding(
                    place="azure.yaml",
                    says=f"hooks.{name}.{system}.run is {run!r}: {before} {does} is wanted",
                )


def _beside(found: Infrastructure, name: str) -> str:
    """A file of the folder above; a test plants it under the same name."""
    planted = dict(found.source.planted)
    return planted.get(name) or (found.source.folder.parent / name).read_text(encoding="utf-8")


@file_rule()
def the_linter_is_strict(found: Infrastructure) -> Iterator[Finding]:
    """bicepconfig.json: what the compiler's linter can make an error of, and we never want, is one."""
    core = json.loads(found.source.read("bicepconfig.json"))["analyzers"]["core"]
    if core.get("enabled") is not True:
        yield Finding(place="bicepconfig.json", says="the linter is off")
    for name in MUST_BE_ERRORS:
        if core["rules"].get(name, {}).get("level") != "error":
            yield Finding(place="bicepconfig.json", says=f"the rule {name} is no error")


@file_rule()
def snapshots_have_every_parameter(found: Infrastructure) -> Iterator[Finding]:
    """snapshot/: a parameter file for each value of the network switch, for the compiler's own evaluation."""
    wanted = set(PARAMETERS)
    for network in ("public", "private"):
        text = found.source.read(f"snapshot/{network}.bicepparam")
        given = dict(re.findall(r"^param (\w+) = (.*)$", text, re.MULTILINE))
        if set(given) != wanted or given.get("network") != f"'{network}'":
            yield Finding(
                place=f"snapshot/{network}.bicepparam", says="it does not give main.bicep's parameters"
            )


@file_rule("D12")
def queries_ask_for_what_there_is(found: Infrastructure) -> Iterator[Finding]:
    """Queries parse, read tables and columns that there are, and fields, actions and functions of our code."""
    from commands.infrastructure import telemetry

    queries = telemetry.queries(found.source)
    for line in read_queries(queries, telemetry.tables()):
        place, _, says = line.partition(": ")
        yield Finding(place=place, says=says)
    for place, text in queries:
        for says in telemetry.strangers(text):
            yield Finding(place=place, says=says)
