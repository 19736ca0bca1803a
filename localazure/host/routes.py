"""ASP.NET route templates, as HTTP triggers use them: `items/{id:int}`, `{x?}`, `{x=default}`, `{*rest}`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from localazure.host.errors import BrokenApp

Constraint = Callable[[str], bool]


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
        self._segments = [_segment(part, where) for part in _split(self.text)]
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
    """What lies between two slashes of a template."""

    pattern: re.Pattern[str]
    parameters: tuple[Parameter, ...]

    @property
    def rest(self) -> Parameter | None:
        return next((one for one in self.parameters if one.rest), None)

    def match(self, text: str | None) -> dict[str, str] | None:
        """The values in one part of a path; `text` None stands for a path that ended before."""
        if not text:
            absent = [one for one in self.parameters if one.optional or one.default is not None]
            if len(self.parameters) != 1 or not absent or self.pattern.fullmatch("x") is None:
                return None
            return {one.name: one.default for one in absent if one.default is not None}
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        values = {
            one.name: value
            for one, value in zip(self.parameters, found.groups(), strict=True)
            if value is not None
        }
        fits = all(
            allows(values[one.name])
            for one in self.parameters
            if one.name in values
            for allows in one.constraints
        )
        return values if fits else None


def _decoded(part: str) -> str:
    """One part of a path; an encoded slash stays encoded, as Azure's server leaves it."""
    return "%2F".join(unquote(piece) for piece in re.split("%2f", part, flags=re.IGNORECASE))


def _split(text: str) -> list[str]:
    """The template at its slashes, but not at those inside `{...}`."""
    parts, depth, begin = [], 0, 0
    for position, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if sign == "/" and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
    return [*parts, text[begin:]] if text else []


def _segment(text: str, where: str) -> Segment:
    parameters: list[Parameter] = []
    pattern = ""
    for piece in _pieces(text, where):
        if not piece.startswith("{") or piece.startswith("{{"):
            pattern += re.escape(piece.replace("{{", "{").replace("}}", "}"))
            continue
        parameter = _parameter(piece[1:-1], where)
        pattern += (
            "(.+)" if not parameter.optional or not pattern else "?(.+)?" if pattern[-1] == "." else "(.+)?"
        )
        parameters.append(parameter)
    return Segment(re.compile(pattern, re.IGNORECASE | re.DOTALL), tuple(parameters))


def _pieces(text: str, where: str) -> Iterator[str]:
    """Literals and `{...}` in turn; the braces of a regex constraint are doubled."""
    found = re.findall(r"\{(?!\{)(?:[^{}]|\{\{|\}\})*\}|(?:[^{}]|\{\{|\}\})+", text)
    if "".join(found) != text or not text:
        raise BrokenApp(f"{where}: the part {text!r} of the route has braces that do not pair, or is empty.")
    yield from found


def _parameter(text: str, where: str) -> Parameter:
    match = re.fullmatch(
        r"(\*{0,2})(\w[\w.-]*)((?::(?:[^:()=?]|\([^()]*(?:\([^()]*\)[^()]*)*\))+)*)(\?|=.*)?", text, re.DOTALL
    )
    if not match:
        raise BrokenApp(f"{where}: the route parameter {{{text}}} cannot be read.")
    stars, name, constraints, end = match.groups()
    return Parameter(
        name=name,
        constraints=tuple(_constraint(one, where) for one in _listed(constraints)),
        optional=end == "?",
        default=end[1:] if end and end != "?" else None,
        rest=bool(stars),
    )


def _listed(text: str) -> list[str]:
    """`:int:range(1,5)` as its constraints; a colon inside parentheses separates nothing."""
    return re.findall(r":((?:[^:()]|\([^()]*(?:\([^()]*\)[^()]*)*\))+)", text)


def _constraint(text: str, where: str) -> Constraint:
    name, _, rest = text.partition("(")
    arguments = rest[:-1] if rest else ""
    if name == "regex":
        pattern = re.compile(arguments.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
        return lambda value: pattern.search(value) is not None
    if name in KINDS and not rest:
        return KINDS[name]
    try:
        return BOUNDS[name]([int(one) for one in arguments.split(",")])
    except (KeyError, ValueError, TypeError, IndexError) as cause:
        known = ", ".join(sorted([*KINDS, *BOUNDS, "regex"]))
        raise BrokenApp(
            f"{where}: the route constraint {text!r} is not known. There are: {known}."
        ) from cause


def _is_whole(value: str, bits: int) -> bool:
    return bool(re.fullmatch(r"[+-]?[0-9]+", value)) and -(2 ** (bits - 1)) <= int(value) < 2 ** (bits - 1)


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", value))


def _is_guid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _is_moment(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


KINDS: dict[str, Constraint] = {
    "int": lambda value: _is_whole(value, 32),
    "long": lambda value: _is_whole(value, 64),
    "bool": lambda value: value.lower() in {"true", "false"},
    "alpha": lambda value: bool(re.fullmatch(r"[A-Za-z]*", value)),
    "guid": _is_guid,
    "datetime": _is_moment,
    "decimal": _is_number,
    "double": _is_number,
    "float": _is_number,
    "required": bool,
}


def _length(bounds: Sequence[int]) -> Constraint:
    low, high = bounds if len(bounds) == 2 else (bounds[0], bounds[0])
    return lambda value: low <= len(value) <= high


def _range(bounds: Sequence[int]) -> Constraint:
    low, high = bounds
    return lambda value: _is_whole(value, 64) and low <= int(value) <= high


BOUNDS: dict[str, Callable[[Sequence[int]], Constraint]] = {
    "length": _length,
    "minlength": lambda bounds: lambda value: len(value) >= bounds[0],
    "maxlength": lambda bounds: lambda value: len(value) <= bounds[0],
    "min": lambda bounds: lambda value: _is_whole(value, 64) and int(value) >= bounds[0],
    "max": lambda bounds: lambda value: _is_whole(value, 64) and int(value) <= bounds[0],
    "range": _range,
}
