"""MLTable folders: the files they name, brought here, and how to read them; what is not read so is refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.request import urlretrieve

import yaml

from localazure.workspace.store.blobs import Blobs, NothingThere, Place, inside
from localazure.workspace.store.uris import Resolver, Web
from localazure.workspace.wire.calls import Json

_DELIMITED = {"delimiter", "encoding", "header", "infer_column_types", "support_multi_line", "empty_as_string",
              "include_path_column", "partition_size", "path_column"}  # fmt: skip
_PARQUET = {"include_path_column", "path_column"}
_ENCODINGS = {"utf8": "utf8", "utf-8": "utf8", "ascii": "ascii", "latin1": "latin1", "iso88591": "latin1",
              "iso-8859-1": "latin1", "windows1252": "cp1252", "utf16": "utf16", "utf-16": "utf16"}  # fmt: skip
_ONE_HEADER = ("all_files_same_headers", "all_files_different_headers", True)
_TYPES = {"string": "string", "int": "int", "float": "float", "boolean": "boolean"}


class BadTable(Exception):
    """This MLTable cannot be read here; the message says which part and why."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Reads MLTables of this workspace's storage."""

    resolver: Resolver
    blobs: Blobs

    def fetch(self, uri: str, folder: Path) -> Json:
        """Everything in `folder`, and a plan for whoever reads it: files, format, columns."""
        place = self.resolver.place(uri)
        if not isinstance(place, Place) or not self.blobs.download_folder(place, folder):
            raise NothingThere(f"there is no MLTable folder at {uri}")
        definition = _definition(folder / "MLTable", uri)
        plan = _plan(definition.get("transformations") or [])
        plan["files"] = [
            str(file)
            for number, path in enumerate(definition.get("paths") or [])
            for file in self._files(path, folder, folder / f".path-{number}")
        ]
        if not plan["files"]:
            raise BadTable(f"the MLTable at {uri} names no files that are there")
        return plan

    def _files(self, path: Any, folder: Path, into: Path) -> list[Path]:
        """Of one entry of `paths`: a file, a folder, or a pattern; below the MLTable, or elsewhere by URI."""
        if not isinstance(path, dict) or len(path) != 1:
            raise BadTable(f"paths: {path!r} is not one of file, folder, pattern")
        ((kind, given),) = path.items()
        if kind not in ("file", "folder", "pattern"):
            raise BadTable(f"paths: {kind!r} is not one of file, folder, pattern")
        text = str(given)
        if "://" in text or text.startswith("azureml:"):
            return self._from_elsewhere(kind, text, into)
        relative = text.removeprefix("./")
        if kind == "file":
            file = inside(folder, relative)
            if not file.is_file():
                raise BadTable(f"paths: there is no file {text!r} beside the MLTable")
            return [file]
        inside(folder, relative.partition("*")[0])
        found = inside(folder, relative).rglob("*") if kind == "folder" else folder.glob(relative)
        return sorted(one for one in found if one.is_file() and one.name != "MLTable")

    def _from_elsewhere(self, kind: str, uri: str, into: Path) -> list[Path]:
        fixed = uri.partition("*")[0] if kind == "pattern" else uri
        place = self.resolver.place(fixed)
        if isinstance(place, Web):
            return [_from_web(kind, place, into)]
        if kind == "file":
            file = into / Path(place.path).name
            self.blobs.download_file(place, file)
            return [file]
        prefix = place.path if kind == "pattern" else f"{place.path.rstrip('/')}/"
        wanted = prefix + uri.partition("*")[1] + uri.partition("*")[2] if kind == "pattern" else f"{prefix}*"
        files: list[Path] = []
        for number, name in enumerate(sorted(self.blobs.names(Place(place.container, prefix)))):
            if fnmatchcase(name, wanted):
                files.append(into / f"{number:06d}-{Path(name).name}")
                self.blobs.download_file(Place(place.container, name), files[-1])
        return files


def _from_web(kind: str, web: Web, into: Path) -> Path:
    if kind != "file":
        raise BadTable(f"paths: {web.url}: of somebody else's storage single files can be read, nothing else")
    into.mkdir(parents=True, exist_ok=True)
    file = into / (Path(web.url.partition("?")[0]).name or "file")
    urlretrieve(web.url, file)
    return file


def _definition(file: Path, uri: str) -> Json:
    if not file.is_file():
        raise BadTable(f"the folder {uri} holds no file named MLTable; an AutoML job reads MLTables only")
    try:
        definition = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as cause:
        raise BadTable(f"the MLTable at {uri} is not YAML: {cause}") from cause
    if not isinstance(definition, dict):
        raise BadTable(f"the MLTable at {uri} is not a mapping with `paths`")
    return definition


def _plan(transformations: list[Any]) -> Json:
    """In the order they stand; each may stand once."""
    plan: Json = {}
    for one in transformations:
        name, given = (one, {}) if isinstance(one, str) else next(iter(one.items()))
        make = _MAKERS.get(name)
        if make is None:
            raise BadTable(f"transformations: {name!r} is not emulated; {', '.join(_MAKERS)} are")
        plan |= make(given if given is not None else {})
    if "format" not in plan:
        raise BadTable("transformations: neither read_delimited nor read_parquet says how the files are read")
    return plan


def _delimited(given: Json) -> Json:
    _only(given, _DELIMITED, "read_delimited")
    header = given.get("header", "all_files_same_headers")
    if header not in (*_ONE_HEADER, "no_header", False):
        raise BadTable(
            f"read_delimited: header {header!r} is not emulated; all_files_same_headers and no_header are"
        )
    if given.get("infer_column_types") is False:
        raise BadTable(
            "read_delimited: infer_column_types must be true; name types with convert_column_types"
        )
    encoding = _ENCODINGS.get(str(given.get("encoding", "utf8")).lower())
    if encoding is None:
        raise BadTable(f"read_delimited: the encoding {given['encoding']!r} is not emulated")
    return {
        "format": "delimited",
        "delimiter": str(given.get("delimiter", ",")),
        "encoding": encoding,
        "header": header in _ONE_HEADER,
        "many_lines": bool(given.get("support_multi_line")),
        "empty_is_word": bool(given.get("empty_as_string")),
    }


def _parquet(given: Json) -> Json:
    _only(given, _PARQUET, "read_parquet")
    return {"format": "parquet"}


def _only(given: Json, known: set[str], name: str) -> None:
    unknown = [key for key in given if key not in known]
    if unknown:
        raise BadTable(f"{name}: {', '.join(unknown)} is not emulated; {', '.join(sorted(known))} are")
    if given.get("include_path_column"):
        raise BadTable(f"{name}: include_path_column is not emulated")


def _types(given: Any) -> Json:
    types: dict[str, str] = {}
    for one in given:
        kind = one.get("column_type")
        if kind not in _TYPES:
            raise BadTable(f"convert_column_types: {kind!r} is not emulated; {', '.join(_TYPES)} are")
        columns = one["columns"] if isinstance(one["columns"], list) else [one["columns"]]
        types |= dict.fromkeys(columns, _TYPES[kind])
    return {"types": types}


def _names(key: str, given: Any) -> Json:
    return {key: given if isinstance(given, list) else [given]}


def _count(key: str, given: Any) -> Json:
    return {key: int(given["count"] if isinstance(given, dict) else given)}


_MAKERS: dict[str, Any] = {
    "read_delimited": _delimited,
    "read_parquet": _parquet,
    "keep_columns": lambda given: _names("keep", given),
    "drop_columns": lambda given: _names("drop", given),
    "convert_column_types": _types,
    "take": lambda given: _count("take", given),
    "skip": lambda given: _count("skip", given),
}
