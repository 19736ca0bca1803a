"""The language of commands and bindings: `${{inputs.x}}`, `${{parent.jobs.s.outputs.y}}`, `$[[ maybe ]]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BINDING = re.compile(
    r"\s*\$\{\{\s*parent\.(?:(?P<where>inputs|outputs)\.(?P<name>[\w-]+)|jobs\.(?P<step>[\w-]+)\.outputs\.(?P<output>[\w-]+))\s*\}\}\s*"
)
_INSIDE = re.compile(r"\$\{\{\s*parent\.inputs\.([\w-]+)\s*\}\}")
_VALUE = re.compile(r"\$\{\{\s*(inputs|outputs)\.([\w-]+)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.S)


@dataclass(frozen=True)
class Binding:
    """What a whole-value expression points at: a pipeline's input or output, or a step's output."""

    where: str
    name: str
    output: str = ""


def binding(value: str) -> Binding | None:
    """None for a value that is not one expression from end to end."""
    found = _BINDING.fullmatch(value)
    if not found:
        return None
    if found["step"]:
        return Binding("jobs", found["step"], found["output"])
    return Binding(found["where"], found["name"])


def with_inputs(value: str, inputs: Mapping[str, str | None]) -> str:
    """A text with a pipeline's literal inputs put in."""
    return _INSIDE.sub(lambda found: inputs.get(found[1]) or "", value)


def command_line(command: str, inputs: Mapping[str, str | None], outputs: Mapping[str, str]) -> str:
    """The command with values in place; `$[[...]]` goes when an input inside it was not given.

    Values are put in as they are, without quoting, as the service does.
    """
    values: dict[tuple[str, str], str | None] = {("inputs", name): value for name, value in inputs.items()}
    values |= {("outputs", name): value for name, value in outputs.items()}

    def optional(found: re.Match[str]) -> str:
        missing = any(values.get((where, name)) is None for where, name in _VALUE.findall(found[1]))
        return "" if missing else found[1]

    def value_of(found: re.Match[str]) -> str:
        value = values.get((found[1], found[2]))
        if value is None:
            raise ValueError(f"the command uses ${{{{{found[1]}.{found[2]}}}}}, which has no value")
        return value

    return _VALUE.sub(value_of, _OPTIONAL.sub(optional, command))
