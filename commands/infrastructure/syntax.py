"""Bicep files as trees: tree-sitter's, which the evaluation walks; pycep's grammar has to take them too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any


class BicepError(Exception):
    """A fault in a Bicep file, with its place."""

    def __init__(self, place: str, says: str) -> None:
        super().__init__(f"{place}: {says}")
        self.place, self.says = place, says


@dataclass(frozen=True)
class Declaration:
    """One `param`, `var`, `resource`, `module` or `output`, with the decorators before it."""

    kind: str
    symbol: str
    node: Any
    decorators: tuple[Any, ...]
    line: int


KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


@lru_cache(maxsize=1)
def _parser() -> Any:
    import tree_sitter
    import tree_sitter_bicep

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


def tree(text: str, place: str) -> Any:
    """The file's root; raises: BicepError at the first line that does not parse"""
    root = _parser().parse(text.encode()).root_node
    if root.has_error:
        bad = next(_errors(root), root)
        raise BicepError(f"{place}:{bad.start_point[0] + 1}", "it does not parse")
    return root


def _errors(node: Any) -> Iterator[Any]:
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from _errors(child)


@lru_cache(maxsize=256)
def check_with_pycep(text: str, place: str) -> None:
    """raises: BicepError when the other parser, which checkov has too, does not take the file"""
    from lark.exceptions import LarkError

    try:
        _other_parser().parse(text=text)
    except LarkError as fault:
        raise BicepError(place, f"pycep does not parse it: {str(fault).splitlines()[0]}") from fault


@lru_cache(maxsize=1)
def _other_parser() -> Any:
    import pycep

    return pycep.BicepParser()


def declarations(node: Any) -> Iterator[Declaration]:
    """What is declared right in this node: a file, or the object of a resource with nested ones."""
    decorators: tuple[Any, ...] = ()
    for child in node.children:
        found = child
        if child.type == "object_property" and child.named_child_count == 1:
            found = child.named_children[0]
        if found.type == "decorators":
            decorators = tuple(found.named_children)
        elif found.type in KINDS:
            symbol = next(each for each in found.named_children if each.type == "identifier")
            kind = KINDS[found.type]
            yield Declaration(kind, text_of(symbol), found, decorators, found.start_point[0] + 1)
            decorators = ()


def unparted(node: Any, place: str) -> Iterator[BicepError]:
    """Properties of one line without a comma between them: both parsers take that, Microsoft's does not."""
    for before, after in pairwise(node.children):
        if before.type == after.type == "object_property" and before.end_point[0] == after.start_point[0]:
            yield BicepError(f"{place}:{after.start_point[0] + 1}", "it does not parse: a comma is missing")
    for child in node.children:
        yield from unparted(child, place)


def text_of(node: Any) -> str:
    return str(node.text.decode())


@dataclass(frozen=True)
class Source:
    """A folder of Bicep files; a test plants mistakes by giving other texts for some."""

    folder: Path
    planted: tuple[tuple[str, str], ...] = ()

    def read(self, name: str) -> str:
        """raises: BicepError for a file that is not there"""
        planted = dict(self.planted)
        if name in planted:
            return planted[name]
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except OSError as fault:
            raise BicepError(name, "there is no such file") from fault

    def names(self) -> list[str]:
        """Of every Bicep file."""
        return sorted(file.relative_to(self.folder).as_posix() for file in self.folder.rglob("*.bicep"))

    def tree(self, name: str) -> Any:
        return _cached_tree(self.read(name), name)


@lru_cache(maxsize=256)
def _cached_tree(text: str, name: str) -> Any:
    return tree(text, name)
