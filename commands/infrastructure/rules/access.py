"""Who may do what: the role assignments of the one list, each at its scope, and none beyond."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from commands.infrastructure.evaluation import Resource
from commands.infrastructure.found import Finding, Network, rule, short_id, wants, wrong
from commands.infrastructure.values import Guid
from shared.resources import assignments, roles
from shared.resources.assignments import ASSIGNMENTS, OF_THE_PRIVATE_NETWORK, Assignment
from shared.resources.identities import DEPLOYER, IDENTITIES, WORKSPACE_ITSELF

ASSIGNED = "Microsoft.Authorization/roleAssignments"
DEFINED = "Microsoft.Authorization/roleDefinitions"
DEPLOYER_ID = "00000000-0000-0000-0000-0000000000d1"
Key = tuple[str, str, str, str]

ACCOUNTS = {
    "work": assignments.HOST_OF_WORK,
    "api": assignments.HOST_OF_API,
    "ml": assignments.WORKSPACE_ACCOUNT,
    "data": assignments.DATA_ACCOUNT,
}


def _principal(assigned: Resource) -> str:
    """The identity's name in the list."""
    given = str(assigned.at("properties.principalId"))
    if given == DEPLOYER_ID:
        return DEPLOYER.name
    holder, _, what = given.partition(".")
    for each in IDENTITIES:
        of_topic = each.name.removesuffix("Topic")
        if each.user_assigned and holder.startswith(f"id-{each.name}-"):
            return each.name if what == "properties.principalId" else given
        if each.name.endswith("Topic") and holder.startswith(f"evgt-{of_topic}-"):
            return each.name if what == "identity.principalId" else given
    if holder.startswith("mlw-") and what == "identity.principalId":
        return WORKSPACE_ITSELF.name
    return given


def _scope(scope: str) -> tuple[str, str]:
    """The kind of the scope, and the name, as in the list."""
    parts = scope.split("/")
    kind, name = (parts[-2], parts[-1]) if len(parts) > 2 else ("", scope)
    of_account = "/storageAccounts/stdata" in scope
    kinds = {
        "containers": assignments.CONTAINER,
        "queues": assignments.QUEUE,
        "tables": assignments.TABLE,
    }
    if kind in kinds and of_account:
        return kinds[kind], name
    if kind == "storageAccounts":
        return assignments.ACCOUNT, ACCOUNTS.get(short_id(scope).removeprefix("st").removesuffix("*"), name)
    if kind == "userAssignedIdentities":
        return assignments.IDENTITY, short_id(scope).removeprefix("id-").removesuffix("-*")
    single = {
        "workspaces": (assignments.WORKSPACE, assignments.WORKSPACE),
        "registries": (assignments.REGISTRY, assignments.REGISTRY),
        "topics": (assignments.TOPIC, short_id(scope).removeprefix("evgt-").removesuffix("-*")),
        "components": (
            assignments.INSIGHTS,
            assignments.INSIGHTS if short_id(scope) == "appi-*" else short_id(scope),
        ),
    }
    return single.get(kind, (kind, name))


def _role(assigned: Resource, custom: dict[str, str]) -> str:
    """The role's name in the list; the id where it is none of the list's."""
    id_ = str(assigned.at("properties.roleDefinitionId")).rpartition("/")[2]
    names = {guid: name for name, guid in roles.BUILT_IN.items()} | custom
    return names.get(id_, id_)


def _custom(network: Network) -> dict[str, str]:
    """By GUID the names of our own roles, as they are defined."""
    return {each.name: str(each.at("properties.roleName")).rpartition(" ")[0] for each in network.of(DEFINED)}


def _said(key: Key) -> str:
    return f"{key[0]} is {key[1]} on {key[2]} {key[3]}"


@rule("M2", "M6", "F13")
def roles_are_those_of_the_list(network: Network) -> Iterator[Finding]:
    """Every role assignment of the list is made, at its scope, and none beyond it."""
    custom = _custom(network)
    wanted: dict[Key, Assignment] = {
        (each.identity.name, each.role, each.scope, each.on): each
        for each in (*ASSIGNMENTS, *(OF_THE_PRIVATE_NETWORK if network.private else ()))
    }
    found: dict[Key, Resource] = {}
    for assigned in network.of(ASSIGNED):
        kind, on = _scope(assigned.scope)
        key = (_principal(assigned), _role(assigned, custom), kind, on)
        if key not in wanted:
            yield Finding(place=assigned.place, says=f"{_said(key)}: the list has no such role assignment")
        elif key in found:
            yield Finding(place=assigned.place, says=f"{_said(key)}: twice")
        found[key] = assigned
    for key, each in wanted.items():
        if key not in found:
            yield Finding(
                place="infra", says=f"role assignment missing: {_said(key)}; without it {each.why}: no"
            )


@rule("E5", "D17", "D9")
def assignments_are_made_again(network: Network) -> Iterator[Finding]:
    """An assignment's name is made of scope, principal and role, and it says what kind of principal that is."""
    for assigned in network.of(ASSIGNED):
        person = _principal(assigned) == DEPLOYER.name
        yield from wants(
            assigned,
            {"properties.principalType": "User" if person else "ServicePrincipal"},
            "else a principal just made is not found",
        )
        role = str(assigned.at("properties.roleDefinitionId")).rpartition("/")[2]
        parts = {assigned.scope, str(assigned.at("properties.principalId")), role}
        if not isinstance(assigned.name, Guid) or set(assigned.name.parts) != parts:
            yield wrong(assigned, "its name is not the guid of scope, principal and role")


@rule()
def custom_roles_are_those_of_the_list(network: Network) -> Iterator[Finding]:
    """Our own roles have the list's actions and no data action, and can be assigned in this group only."""
    wanted = {each.name: each for each in roles.CUSTOM}
    custom = _custom(network)
    for name in wanted.keys() - set(custom.values()):
        yield Finding(place="infra", says=f"the role definition {name} is missing")
    for defined in network.of(DEFINED):
        role = wanted.get(custom[defined.name])
        if role is None:
            yield wrong(defined, f"properties.roleName {custom[defined.name]} is not in the list")
            continue
        yield from wants(
            defined,
            {
                "properties.permissions": [
                    {"actions": list(role.actions), "notActions": [], "dataActions": [], "notDataActions": []}
                ],
                "properties.type": "customRole",
            },
            role.name,
        )
        scopes = defined.at("properties.assignableScopes") or []
        if [each for each in scopes if "/resourceGroups/" not in each] or len(scopes) != 1:
            yield wrong(defined, "properties.assignableScopes: it can be assigned beyond this group")
        if not isinstance(defined.name, Guid) or not any("/resourceGroups/" in p for p in defined.name.parts):
            yield wrong(defined, "its name is not the guid of this group and its own")


OUTBOUND = "Microsoft.MachineLearningServices/workspaces/outboundRules"
STORES = {"eventSubscriptions": ("containers", "queues"), "sites": ("containers",)}
"""What is waited for, beside roles, by what there is of these kinds."""


@rule("E1", "E8", "D6", "F13")
def roles_come_first(network: Network) -> Iterator[Finding]:
    """Event subscriptions, apps, and ways out of the managed network wait for the roles and stores that they need."""
    found = network.deployment.resources
    assigned = [each for each in found if each.type == ASSIGNED]
    for waiting, of in (
        ("Microsoft.EventGrid/systemTopics/eventSubscriptions", ("storageTopic", "workspaceTopic")),
        ("Microsoft.Web/sites", ("work", "api")),
        (OUTBOUND, (WORKSPACE_ITSELF.name,)),
    ):
        for each in network.of(waiting):
            before = network.deployment.waits_for(each.path)
            late = {
                _scope(other.scope)[0]
                for other in assigned
                if other.path not in before and _principal(other) in of and _is_needed(other, each)
            }
            for kind in sorted(late):
                yield wrong(each, f"it does not wait for the roles on each {kind} that it needs")
            stores = STORES.get(waiting.rpartition("/")[2], ())
            for other in found:
                if (
                    other.type.rpartition("/")[2] in stores
                    and other.path not in before
                    and _holds(other, each)
                ):
                    yield wrong(each, f"it does not wait for {other.type.rpartition('/')[2]} {other.name}")


@rule("D17")
def custom_roles_come_first(network: Network) -> Iterator[Finding]:
    """An assignment of a role of our own waits for the role's definition."""
    defined = {str(each.name): each for each in network.of(DEFINED)}
    for assigned in network.of(ASSIGNED):
        role = defined.get(str(assigned.at("properties.roleDefinitionId")).rpartition("/")[2])
        if role and role.path not in network.deployment.waits_for(assigned.path):
            yield wrong(assigned, "it does not wait for the definition of its role")


ONE_BY_ONE = (
    "Microsoft.Network/virtualNetworks/subnets",
    OUTBOUND,
)


@rule()
def one_by_one(network: Network) -> Iterator[Finding]:
    """Subnets of a network, and rules of a managed network, are made one after the other: Azure takes no two at once."""
    for type_ in ONE_BY_ONE:
        all_ = network.of(type_)
        before = {each.path: network.deployment.waits_for(each.path) for each in all_}
        for one, other in combinations(all_, 2):
            if one.path not in before[other.path] and other.path not in before[one.path]:
                yield wrong(other, f"dependsOn: it does not wait for {one.name}, nor {one.name} for it")


def _is_needed(assigned: Resource, by: Resource) -> bool:
    """An app needs the roles on its host storage and telemetry to start; a subscription those of its own topic; a private
    endpoint of the managed network what the workspace approves it by."""
    if by.type == OUTBOUND:
        return True
    if by.type == "Microsoft.Web/sites":
        serves = "work" if "func-work-" in by.name else "api"
        return _principal(assigned) == serves and _scope(assigned.scope) in (
            (assignments.ACCOUNT, serves),
            (assignments.INSIGHTS, assignments.INSIGHTS),
        )
    return f"evgt-{_principal(assigned).removesuffix('Topic')}-" in by.id


def _holds(store: Resource, by: Resource) -> bool:
    if by.type == "Microsoft.Web/sites":
        return f"/st{'work' if 'func-work-' in by.name else 'api'}" in store.id
    return "/stdata" in store.id
