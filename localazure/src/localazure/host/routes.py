"""ASP.NET route templates, as HTTP triggers use them: `items/{id:int}`, `{x?}`, `{x=default}`, `{*rest}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from localazure.host import constraints
from localazure.host.constraints import Constraint
from localazure.host.errors import BrokenApp


@dataclass(frozen=True)
class Parameter:
    """One `{...}` of a template."""

    name: str
    constraints: tuple[Constraint, ...]
    optional: bool
    default: str | None
    rest: bool


class Template:
    """A route template; letters match in either case."""

    def __init__(self, text: str, *, where: str) -> None:
        self.text = text.strip("/")
        self._segments = [_segment(part, where) for part in _split(self.text, "/", "{}")] if self.text else []
        self._check(where)

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the parameters when the (still percent-encoded) path fits, else None."""
        given = [_decoded(part) for part in path.strip("/").split("/")] if path.strip("/") else []
        values: dict[str, str] = {}
        for position, segment in enumerate(self._segments):
            if segment.rest:
                return self._accept({**values, segment.rest.name: "/".join(given[position:])}, segment.rest)
            found = segment.match(given[position] if position < len(given) else None)
            if found is None:
                return None
            values.update(found)
        return None if len(given) > len(self._segments) else values

    def _accept(self, values: dict[str, str], rest: Parameter) -> dict[str, str] | None:
        value = values[rest.name] or rest.default or ""
        if value and not all(allows(value) for allows in rest.constraints):
            return None
        return {**values, rest.name: value}

    def _check(self, where: str) -> None:
        names = [parameter.name for segment in self._segments for parameter in segment.parameters]
        if twice := {name for name in names if names.count(name) > 1}:
            raise BrokenApp(f"{where}: the route {self.text!r} has {', '.join(sorted(twice))} twice.")
        if any(segment.rest for segment in self._segments[:-1]):
            raise BrokenApp(f"{where}: in the route {self.text!r} only the last part may be {{*...}}.")


@dataclass(frozen=True)
class Segment:
    """What lies between two slashes of a template, as a pattern with one group a parameter."""

    pattern: re.Pattern[str]
    parameters: tuple[Parameter, ...]

    @property
    def rest(self) -> Parameter | None:
        return next((one for one in self.parameters if one.rest), None)

    def match(self, text: str | None) -> dict[str, str] | None:
        """The values in one part of a path; `text` None stands for a path that ended before."""
        if not text:
            return self._absent()
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        values: dict[str, str] = {}
        for parameter, value in zip(self.parameters, found.groups(), strict=True):
            if value is None:
                continue
            if not all(allows(value) for allows in parameter.constraints):
                return None
            values[parameter.name] = value
        return values

    def _absent(self) -> dict[str, str] | None:
        """Only a part that is one optional parameter may be missing."""
        if self.pattern.pattern != GROUP:
            return None
        parameter = self.parameters[0]
        if parameter.default is not None:
            return {parameter.name: parameter.default}
        return {} if parameter.optional else None


GROUP = "(.+)"


def _decoded(part: str) -> str:
    """One part of a path; an encoded slash stays encoded, as Azure's server leaves it."""
    return "%2F".join(unquote(piece) for piece in re.split("%2f", part, flags=re.IGNORECASE))


def _split(text: str, at: str, brackets: str) -> list[str]:
    """`text` at each `at` that no brackets enclose."""
    parts, depth, begin = [], 0, 0
    for position, sign in enumerate(text):
        depth += (sign == brackets[0]) - (sign == brackets[1])
        if sign == at and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
    return [*parts, text[begin:]]


def _segment(text: str, where: str) -> Segment:
    parameters: list[Parameter] = []
    pattern = ""
    for piece in _pieces(text, where):
        if not piece.startswith("{") or piece.startswith("{{"):
            pattern += re.escape(piece.replace("{{", "{").replace("}}", "}"))
            continue
        parameters.append(_parameter(piece[1:-1], where))
        if parameters[-1].optional and pattern.endswith(r"\."):
            # {name}.{ext?}: the dot goes with what follows it, and what precedes gives way
            pattern = pattern[:-2].replace(GROUP, "(.+?)") + r"(?:\.([^.]+))?"
        else:
            pattern += GROUP
    return Segment(re.compile(pattern, re.IGNORECASE | re.DOTALL), tuple(parameters))


def _pieces(text: str, where: str) -> Iterator[str]:
    """Literals and `{...}` in turn; doubled braces stand for themselves."""
    found = re.findall(r"\{(?!\{)(?:[^{}]|\{\{|\}\})*\}|(?:[^{}]|\{\{|\}\})+", text)
    if "".join(found) != text or not text:
        raise BrokenApp(f"{where}: the part {text!r} of the route has braces that do not pair, or is empty.")
    yield from found


def _parameter(text: str, where: str) -> Parameter:
    declared, *default = _split(text.lstrip("*"), "=", "()")
    optional = declared.endswith("?")
    name, *limits = _split(declared.removesuffix("?"), ":", "()")
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise BrokenApp(f"{where}: the route parameter {{{text}}} has no name that can be read.")
    return Parameter(
        name=name,
        constraints=tuple(constraints.parse(one, where=where) for one in limits),
        optional=optional,
        default="=".join(default) if default else None,
        rest=text.startswith("*"),
    )
