"""A Bicep deployment evaluated without Azure: every resource it would make, for given parameters.

It knows what the files of `infra/` use of the language, and refuses the rest by name. What it does not do is what only
Microsoft's compiler does: its own diagnostics, and ARM templates.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from commands.infrastructure.syntax import BicepError, Declaration, Source, declarations, text_of
from commands.infrastructure.values import Guid, Later, joined, union, unique

SUBSCRIPTION = "00000000-0000-0000-0000-00000000abcd"
TENANT = "00000000-0000-0000-0000-00000000cafe"
Json = dict[str, Any]
META = ("parent", "scope", "dependsOn")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as the deployment would make it."""

    type: str
    api: str
    name: str
    id: str
    body: Json
    """What ARM gets, less `parent`, `scope` and `dependsOn`."""
    scope: str
    """The id of what it is made on, for those that extend another; else empty."""
    place: str
    """File and line of its declaration."""
    path: str
    """Where in the tree of modules: `campanha/queueRoles[3]/assignment`."""

    def at(self, path: str) -> Any:
        """The value under a dotted path; None where there is none."""
        value: Any = self.body
        for part in path.split("."):
            if isinstance(value, list) and part.isdigit():
                value = value[int(part)] if int(part) < len(value) else None
            else:
                value = value.get(part) if isinstance(value, dict) else None
        return value

    def __str__(self) -> str:
        return f"{self.type.rpartition('/')[2]} {self.name}"


@dataclass
class Deployment:
    """All of them, and which is made after which."""

    resources: list[Resource] = field(default_factory=list)
    outputs: Json = field(default_factory=dict)
    edges: dict[str, set[str]] = field(default_factory=dict)
    """By path: the paths that it waits for."""

    def of(self, type_: str) -> list[Resource]:
        return [each for each in self.resources if each.type.lower() == type_.lower()]

    def waits_for(self, path: str) -> set[str]:
        """The paths of all resources that are there before this one is made."""
        seen: set[str] = set()
        todo = [path]
        while todo:
            for start in _ancestors(todo.pop()):
                for target in self.edges.get(start, ()):
                    new = {target, *self._within.get(target, ())} - seen
                    seen |= new
                    todo += new
        return seen

    @cached_property
    def _within(self) -> dict[str, list[str]]:
        """By the path of a module, or of a loop, the paths of its resources; a resource's children are none of its own."""
        found: dict[str, list[str]] = {}
        parents = {each.path for each in self.resources}
        for each in self.resources:
            for above in _ancestors(each.path):
                if above in parents and above != each.path:
                    continue
                for name in {above, above.removesuffix("]").rpartition("[")[0] or above}:
                    found.setdefault(name, []).append(each.path)
        return found


def _ancestors(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


@dataclass(frozen=True)
class ResourceRef:
    """A symbol of a resource, declared or existing."""

    name: str
    id: str
    type: str
    api: str
    path: str


@dataclass(frozen=True)
class ModuleRef:
    """A symbol of a module that was evaluated."""

    outputs: Json
    file: str
    symbol: str


@dataclass(frozen=True)
class GroupScope:
    """A resource group as a module's scope."""

    id: str
    name: str
    location: str


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One making of a declaration: its object, the loop's variables, its path, and whether its condition holds."""

    body: Any
    local: Json
    path: str
    applies: bool = True


def evaluate(source: Source, file: str, parameters: Json) -> Deployment:
    """What the file makes at subscription scope. raises: BicepError"""
    deployment = Deployment()
    top = File(source, file, parameters, deployment, path="", group=None)
    deployment.outputs = top.run()
    return deployment


class File:
    """One file, evaluated once for given parameters: each symbol when it is first asked for."""

    def __init__(
        self,
        source: Source,
        name: str,
        parameters: Json,
        deployment: Deployment,
        *,
        path: str,
        group: GroupScope | None,
    ) -> None:
        self.source, self.name, self.parameters, self.deployment = source, name, parameters, deployment
        self.path, self.group = path, group
        self.declared = {
            (each.kind == "output", each.symbol): each for each in declarations(source.tree(name))
        }
        self.values: dict[str, Any] = {}
        self.being_made: list[str] = []
        self.waiting: list[set[str]] = []
        unknown = sorted(
            set(parameters) - {each.symbol for each in self.declared.values() if each.kind == "param"}
        )
        if unknown:
            raise BicepError(name, f"{', '.join(unknown)} is no parameter of it")

    # --- declarations -----------------------------------------------------------------------------------

    def run(self) -> Json:
        """Makes everything; the outputs."""
        for is_output, symbol in self.declared:
            if not is_output:
                self.symbol(symbol, None)
        return {
            symbol: Evaluator(self, {}).value(declared.node.named_children[-1])
            for (is_output, symbol), declared in self.declared.items()
            if is_output
        }

    def symbol(self, symbol: str, node: Any) -> Any:
        """The value of a symbol; whoever asks for a resource or a module waits for it."""
        declared = self.declared.get((False, symbol))
        if declared is None:
            raise self.fault(node, f"there is no {symbol}")
        if symbol not in self.values:
            if symbol in self.being_made:
                raise self.fault(node, f"{symbol} depends on itself")
            self.being_made.append(symbol)
            self.values[symbol] = self._made(declared)
            self.being_made.pop()
        if declared.kind in ("resource", "module") and self.waiting:
            self.waiting[-1].add(self._path(symbol))
        elif declared.kind == "var" and self.waiting:
            self.waiting[-1] |= self._waited.get(symbol, set())
        return self.values[symbol]

    @property
    def _waited(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = self.__dict__.setdefault("_of_variables", {})
        return found

    def _made(self, declared: Declaration) -> Any:
        if declared.kind == "param":
            return self._parameter(declared)
        if declared.kind == "var":
            self.waiting.append(set())
            value = Evaluator(self, {}).value(declared.node.named_children[-1])
            self._waited[declared.symbol] = self.waiting.pop()
            return value
        if declared.kind == "module":
            return self._each(declared, self._module)
        return self._each(declared, self._resource)

    def _parameter(self, declared: Declaration) -> Any:
        here = Evaluator(self, {})
        default = declared.node.named_children[2] if declared.node.named_child_count > 2 else None
        if declared.symbol in self.parameters:
            value = self.parameters[declared.symbol]
        elif default is not None:
            value = here.value(default)
        else:
            raise BicepError(
                self.path or self.name, f"the parameter {declared.symbol} of {self.name} is not given"
            )
        kind = text_of(declared.node.named_children[1])
        if {"string": str, "int": int, "bool": bool}.get(kind, object) not in type(value).__mro__:
            raise self.fault(declared.node, f"the parameter {declared.symbol} is {value!r}: {kind} is wanted")
        for decorator in declared.decorators:
            self._decorated(declared, decorator, value, here)
        return value

    def _decorated(self, declared: Declaration, decorator: Any, value: Any, here: Evaluator) -> None:
        call = decorator.named_children[0]
        name = text_of(call.named_children[0])
        given = [here.value(each) for each in call.named_children[1].named_children]
        within: dict[str, Callable[[], bool]] = {
            "allowed": lambda: value in given[0],
            "minLength": lambda: isinstance(value, Later) or len(value) >= given[0],
            "maxLength": lambda: isinstance(value, Later) or len(value) <= given[0],
            "minValue": lambda: value >= given[0],
            "maxValue": lambda: value <= given[0],
            "description": lambda: True,
            "secure": lambda: True,
        }
        if name not in within:
            raise self.fault(decorator, f"the decorator {name} is not known here")
        if not within[name]():
            raise self.fault(
                declared.node, f"the parameter {declared.symbol} is {value!r}, and has @{name}({given[0]})"
            )

    def _each(self, declared: Declaration, make: Callable[[Declaration, Spot], Any]) -> Any:
        """A declaration's object: once, for each item of a loop, or not at all."""
        body, path = declared.node.named_children[-1], self._path(declared.symbol)
        if body.type == "if_statement":
            condition, body = body.named_children
            applies = bool(Evaluator(self, {}).value(condition))
            return make(declared, Spot(body=body, local={}, path=path, applies=applies))
        if body.type != "for_statement":
            return make(declared, Spot(body=body, local={}, path=path))
        variables, items, each = body.named_children
        names = [text_of(child) for child in variables.named_children] or [text_of(variables)]
        return [
            make(
                declared,
                Spot(
                    body=each, local=dict(zip(names, (item, number), strict=False)), path=f"{path}[{number}]"
                ),
            )
            for number, item in enumerate(Evaluator(self, {}).value(items))
        ]

    def _path(self, symbol: str) -> str:
        return f"{self.path}/{symbol}" if self.path else symbol

    # --- resources and modules --------------------------------------------------------------------------

    def _resource(self, declared: Declaration, spot: Spot, parent: ResourceRef | None = None) -> ResourceRef:
        here = Evaluator(self, spot.local)
        type_, _, api = here.value(
            next(each for each in declared.node.named_children if each.type == "string")
        ).partition("@")
        if parent is not None and "/" not in type_:
            type_, api = f"{parent.type}/{type_}", api or parent.api
        self.waiting.append(set())
        values = here.object(spot.body)
        waits = self.waiting.pop()
        above = values.get("parent") or parent
        name = values.get("name", "")
        if not name:
            raise self.fault(declared.node, f"the resource {declared.symbol} has no name")
        if above is not None and not isinstance(above, ResourceRef):
            raise self.fault(declared.node, f"the parent of {declared.symbol} is no resource")
        if "/" in type_.partition("/")[2] and above is None:
            raise self.fault(declared.node, f"the resource {declared.symbol} has no parent")
        scope = values.get("scope")
        made = ResourceRef(
            name=f"{above.name}/{name}" if above else name,
            id=self._id(type_, name, above, scope.id if isinstance(scope, ResourceRef) else ""),
            type=type_,
            api=api,
            path=spot.path,
        )
        existing = any(text_of(each) == "existing" for each in declared.node.children)
        if spot.applies and not existing:
            self.deployment.edges[spot.path] = waits
            self.deployment.resources.append(
                Resource(
                    type=type_,
                    api=api,
                    name=name,
                    id=made.id,
                    body={key: value for key, value in values.items() if key not in META},
                    scope=scope.id if isinstance(scope, ResourceRef) else "",
                    place=f"{self.name}:{declared.line}",
                    path=spot.path,
                )
            )
        nested: dict[str, Any] = {}
        for inner in declarations(spot.body):
            nested[inner.symbol] = self._nested(inner, made, spot, nested)
        return NestedRef(**vars(made), nested=nested) if nested else made

    def _nested(
        self, inner: Declaration, outer: ResourceRef, spot: Spot, siblings: dict[str, Any]
    ) -> ResourceRef:
        within = Spot(
            body=inner.node.named_children[-1],
            local={**spot.local, **siblings},
            path=f"{spot.path}/{inner.symbol}",
            applies=spot.applies,
        )
        made = self._resource(inner, within, outer)
        self.deployment.edges.setdefault(within.path, set()).add(spot.path)
        return made

    def _id(self, type_: str, name: str, above: ResourceRef | None, scope: str) -> str:
        if above is not None:
            return f"{above.id}/{type_.rpartition('/')[2]}/{name}"
        root = f"/subscriptions/{SUBSCRIPTION}"
        if type_ == "Microsoft.Resources/resourceGroups":
            return f"{root}/resourceGroups/{name}"
        base = scope or (self.group.id if self.group else root)
        return f"{base}/providers/{type_}/{name}"

    def _module(self, declared: Declaration, spot: Spot) -> ModuleRef:
        here = Evaluator(self, spot.local)
        self.waiting.append(set())
        values = here.object(spot.body)
        self.deployment.edges[spot.path] = self.waiting.pop()
        file = here.value(next(each for each in declared.node.named_children if each.type == "string"))
        file = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), file))
        group = values.get("scope", self.group)
        if isinstance(group, ResourceRef):
            group = GroupScope(id=group.id, name=group.name, location="")
        into = self.deployment if spot.applies else Deployment()
        made = File(self.source, file, values.get("params", {}), into, path=spot.path, group=group)
        return ModuleRef(made.run() if spot.applies else {}, file, declared.symbol)

    def fault(self, node: Any, says: str) -> BicepError:
        line = f":{node.start_point[0] + 1}" if node is not None else ""
        return BicepError(f"{self.name}{line}", says)


@dataclass(frozen=True)
class NestedRef(ResourceRef):
    """A resource with others declared within it."""

    nested: dict[str, Any] = field(default_factory=dict)


class Evaluator:
    """Expressions, with the variables of the loop they stand in."""

    def __init__(self, file: File, local: Json) -> None:
        self.file, self.local = file, local

    def value(self, node: Any) -> Any:
        read = getattr(self, f"_{node.type}", None)
        if read is None:
            raise self.file.fault(node, f"{node.type} is not known here")
        return read(node)

    def object(self, node: Any) -> Json:
        """An object's properties; nested resources are no part of it."""
        found: Json = {}
        for each in node.named_children:
            if each.type == "object_property" and each.named_child_count == 2:
                key, value = each.named_children
                name = self.value(key) if key.type == "string" else text_of(key)
                if name in found:
                    raise self.file.fault(each, f"{name} stands there twice")
                found[name] = self.value(value)
        return found

    # --- literals ---------------------------------------------------------------------------------------

    def _object(self, node: Any) -> Json:
        return self.object(node)

    def _array(self, node: Any) -> list[Any]:
        return [self.value(each) for each in node.named_children if each.type != "comment"]

    def _string(self, node: Any) -> str:
        return joined([piece for each in node.named_children for piece in self._pieces(each)])

    def _pieces(self, node: Any) -> list[Any]:
        """The grammar takes blanks before an interpolation for a part of it."""
        if node.type != "interpolation":
            return [self._piece(node)]
        return [text_of(node.children[0]).removesuffix("${"), self._piece(node)]

    def _piece(self, node: Any) -> Any:
        if node.type == "string_content":
            return text_of(node)
        if node.type == "escape_sequence":
            return {"\\n": "\n", "\\t": "\t"}.get(text_of(node), text_of(node)[1:])
        return self.value(node.named_children[0])

    def _number(self, node: Any) -> int:
        return int(text_of(node))

    def _boolean(self, node: Any) -> bool:
        return text_of(node) == "true"

    def _null(self, node: Any) -> None:
        return None

    # --- operators --------------------------------------------------------------------------------------

    def _parenthesized_expression(self, node: Any) -> Any:
        return self.value(node.named_children[0])

    def _unary_expression(self, node: Any) -> Any:
        value = self.value(node.named_children[0])
        return not value if text_of(node.children[0]) == "!" else -value

    def _binary_expression(self, node: Any) -> Any:
        left, right = node.named_children
        sign = text_of(node.children[1])
        if sign == "&&":
            return self.value(left) and self.value(right)
        if sign == "||":
            return self.value(left) or self.value(right)
        if sign in ("==", "!="):
            return (self.value(left) == self.value(right)) == (sign == "==")
        raise self.file.fault(node, f"the operator {sign} is not known here")

    def _ternary_expression(self, node: Any) -> Any:
        condition, yes, no = node.named_children
        return self.value(yes if self.value(condition) else no)

    # --- names ------------------------------------------------------------------------------------------

    def _identifier(self, node: Any) -> Any:
        name = text_of(node)
        if name not in self.local:
            return self.file.symbol(name, node)
        if isinstance(self.local[name], ResourceRef) and self.file.waiting:
            self.file.waiting[-1].add(self.local[name].path)
        return self.local[name]

    def _resource_expression(self, node: Any) -> Any:
        outer, inner = self.value(node.named_children[0]), text_of(node.named_children[1])
        nested = getattr(outer, "nested", {})
        if inner not in nested:
            raise self.file.fault(node, f"there is no {text_of(node)}")
        return nested[inner]

    def _member_expression(self, node: Any) -> Any:
        return self._within(self.value(node.named_children[0]), text_of(node.named_children[1]), node)

    def _subscript_expression(self, node: Any) -> Any:
        held, key = (self.value(each) for each in node.named_children)
        if isinstance(held, list):
            if not isinstance(key, int) or key >= len(held):
                raise self.file.fault(node, f"there is no item {key} in {text_of(node.named_children[0])}")
            return held[key]
        return self._within(held, key, node)

    def _within(self, held: Any, name: str, node: Any) -> Any:
        if isinstance(held, ResourceRef):
            known = {"id": held.id, "name": held.name.rpartition("/")[2], "type": held.type}
            return known.get(name) or Later(f"{held.name}.{name}")
        if isinstance(held, ModuleRef):
            if name != "outputs":
                raise self.file.fault(node, f"a module has no {name}")
            return held.outputs
        if isinstance(held, Later):
            return Later(f"{held}.{name}")
        if isinstance(held, GroupScope):
            return getattr(held, name)
        if not isinstance(held, dict) or name not in held:
            raise self.file.fault(node, f"there is no {text_of(node)} ({name})")
        return held[name]

    # --- functions --------------------------------------------------------------------------------------

    def _call_expression(self, node: Any) -> Any:
        name = text_of(node.named_children[0])
        given = [self.value(each) for each in node.named_children[1].named_children]
        known: dict[str, Callable[..., Any]] = {
            "loadJsonContent": lambda file: json.loads(self._read(file, node)),
            "loadTextContent": lambda file: self._read(file, node),
            "uniqueString": unique,
            "guid": Guid,
            "toLower": str.lower,
            "string": json.dumps,
            "empty": lambda value: not value,
            "union": union,
            "subscription": lambda: {
                "id": f"/subscriptions/{SUBSCRIPTION}",
                "subscriptionId": SUBSCRIPTION,
            },
            "tenant": lambda: {"tenantId": TENANT},
            "environment": lambda: {"suffixes": {"storage": "core.windows.net"}},
            "resourceGroup": lambda: self._group(node),
            "subscriptionResourceId": lambda type_, *names: (
                f"/subscriptions/{SUBSCRIPTION}/providers/{type_}/{'/'.join(names)}"
            ),
        }
        if name not in known:
            raise self.file.fault(node, f"the function {name} is not known here")
        try:
            return known[name](*given)
        except (TypeError, ValueError) as fault:
            raise self.file.fault(node, f"{name}: {fault}") from fault

    def _read(self, name: str, node: Any) -> str:
        return self.file.source.read(
            posixpath.normpath(posixpath.join(posixpath.dirname(self.file.name), name))
        )

    def _group(self, node: Any) -> Json:
        if self.file.group is None:
            raise self.file.fault(node, "there is no resource group at subscription scope")
        return {"id": self.file.group.id, "name": self.file.group.name, "location": "westeurope"}


def unused(source: Source, file: str) -> Iterator[BicepError]:
    """Parameters and variables of a file that nothing in it reads."""
    root = source.tree(file)
    read: dict[str, int] = {}
    _count(root, read)
    for each in declarations(root):
        if each.kind in ("param", "var") and read.get(each.symbol, 0) < 2:
            yield BicepError(f"{file}:{each.line}", f"nothing reads the {each.kind} {each.symbol}")


def _count(node: Any, read: dict[str, int]) -> None:
    if node.type == "identifier":
        read[text_of(node)] = read.get(text_of(node), 0) + 1
    for child in node.children:
        _count(child, read)
