"""Loads function_app.py and lists its functions, refusing by name what this host or Azure would not run."""

from __future__ import annotations

import importlib.util
import inspect
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func

from localazure.host.checks import check_binding, check_signature, plain_parameters
from localazure.host.errors import BrokenApp
from localazure.host.function import TIMER, TRIGGERS, Function, Input, Output, data_type
from localazure.host.host_json import HostJson
from localazure.host.settings import is_on

log = logging.getLogger("localazure.host.index")
SCRIPT = "function_app.py"
NAMED = "PYTHON_SCRIPT_FILE_NAME"
PACKED = Path(".python_packages", "lib", "site-packages")
"""The setting that names another file than `function_app.py`."""


def load(folder: Path, host_json: HostJson, environ: Mapping[str, str]) -> list[Function]:
    """The functions of the app in `folder`, by name: the order in which routes are tried."""
    runtime = environ.get("FUNCTIONS_WORKER_RUNTIME") or "python"
    if runtime != "python":
        raise BrokenApp(f"FUNCTIONS_WORKER_RUNTIME is {runtime}: this host runs python apps only.")
    script = folder / _script(environ)
    app = _find_app(_import(script), script)
    try:
        declared = app.get_functions()
    except ValueError as cause:
        raise BrokenApp(f"{script}: {cause}") from cause
    functions = [_checked(one, environ) for one in declared]
    if not functions:
        raise BrokenApp(
            f"{script} declares no functions. A blueprint's functions count once the app has"
            " register_functions(blueprint)."
        )
    if host_json.only is not None:
        if unknown := sorted(host_json.only - {function.name for function in functions}):
            log.warning("Chosen, but not there: %s.", ", ".join(unknown))
        functions = [function for function in functions if function.name in host_json.only]
    return sorted(functions, key=lambda function: function.name.lower())


def _script(environ: Mapping[str, str]) -> str:
    """The name of the app's file. The worker takes no path, and no name that could not be a module's file."""
    name = environ.get(NAMED) or SCRIPT
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*\.py", name):
        raise BrokenApp(
            f"{NAMED} is {name!r}: it must be the name of a file in the app's folder, of letters, digits, _ and -,"
            " that ends in .py."
        )
    return name


def _import(script: Path) -> ModuleType:
    """The app's module, imported as the worker does: with the libraries that lie in the app's folder first on sys.path,
    and the folder itself last."""
    folder = script.parent
    if not script.is_file():
        raise BrokenApp(
            f"{script} is missing: --app names the folder that holds it, {NAMED} another file of it."
        )
    if sys.path and sys.path[0] in {"", os.getcwd()}:
        del sys.path[0]  # put there by `python -m`; a worker in Azure has no such entry
    os.chdir(folder)
    packed = folder / PACKED
    if packed.is_dir():
        sys.path.insert(0, str(packed))
    sys.path.append(str(folder))
    spec = importlib.util.spec_from_file_location(script.stem, script)
    if spec is None or spec.loader is None:
        raise BrokenApp(f"{script} is no Python module.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as cause:
        raise BrokenApp(f"{script} cannot be imported: {_said(cause, folder)}") from cause
    return module


def _said(problem: BaseException, folder: Path) -> str:
    """The error and the app's own line that raised it."""
    if isinstance(problem, SyntaxError):
        return f"SyntaxError: {problem.msg} ({problem.filename}:{problem.lineno})"
    frames = [f for f in traceback.extract_tb(problem.__traceback__) if f.filename.startswith(str(folder))]
    place = f" ({frames[-1].filename}:{frames[-1].lineno}: {frames[-1].line})" if frames else ""
    return f"{type(problem).__name__}: {problem}{place}"


def _find_app(module: ModuleType, script: Path) -> func.FunctionRegister:
    apps = {id(value): value for value in vars(module).values() if isinstance(value, func.FunctionRegister)}
    if len(apps) != 1:
        found = "two or more" if apps else "no"
        raise BrokenApp(f"{script} has {found} func.FunctionApp objects: it must have exactly one.")
    return next(iter(apps.values()))


def _checked(declared: func.decorators.function_app.Function, environ: Mapping[str, str]) -> Function:
    name = str(declared.get_function_name())
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,127}", name):
        raise BrokenApp(
            f"{name!r} is no name of a function: a letter, then up to 127 letters, digits, _ and -."
        )
    bindings = {(one := json.loads(raw))["name"]: one for raw in declared.get_raw_bindings()}
    trigger = next((one for one in bindings.values() if one["type"].endswith("Trigger")), None)
    if trigger is None:
        raise BrokenApp(f"{name}: it has no trigger.")
    _refuse_unknown(name, bindings)
    for binding in bindings.values():
        check_binding(name, binding)
    call = declared.get_user_function()
    retry = declared.get_settings_dict("retry_policy")
    if retry and trigger["type"] != TIMER:
        log.warning(
            "%s: retry policies are for timers; a %s has its own rules, or none.", name, trigger["type"]
        )
    return Function(
        name=name,
        call=call,
        trigger=trigger,
        is_async=inspect.iscoroutinefunction(call),
        wants_context=check_signature(name, call, bindings),
        disabled=_is_disabled(name, environ),
        retry=retry,
        response=next((one["name"] for one in bindings.values() if one["type"] == "http"), None),
        plain=plain_parameters(call, bindings),
        bindings=tuple(bindings.values()),
        inputs=tuple(_input(one) for one in bindings.values() if one["type"] == "blob" and _is_in(one)),
        outputs=tuple(
            _output(one) for one in bindings.values() if one["type"] in TARGETS and not _is_in(one)
        ),
    )


def _refuse_unknown(name: str, bindings: Mapping[str, Mapping[str, Any]]) -> None:
    known = {*TRIGGERS, *TARGETS, "http"}
    for binding in bindings.values():
        kind = binding["type"]
        if kind not in known:
            raise BrokenApp(
                f"{name}: this host runs {', '.join(TRIGGERS.values())} triggers, queue outputs, blob inputs and"
                f" outputs; it has no {kind} ({binding['name']})."
            )


TARGETS = {"queue": "queueName", "blob": "path"}
"""The bindings beside triggers, and the setting that says what they lead to."""


def _is_in(binding: Mapping[str, Any]) -> bool:
    return str(binding["direction"]).upper() == "IN"


def _input(binding: Mapping[str, Any]) -> Input:
    return Input(
        parameter=binding["name"], path=binding["path"], connection=binding.get("connection") or "",
        data_type=data_type(binding),
    )  # fmt: skip


def _output(binding: Mapping[str, Any]) -> Output:
    kind = binding["type"]
    return Output(
        parameter=binding["name"], kind=kind, target=binding[TARGETS[kind]],
        connection=binding.get("connection") or "",
    )  # fmt: skip


def _is_disabled(name: str, environ: Mapping[str, str]) -> bool:
    return is_on(environ.get(f"AzureWebJobs.{name}.Disabled")) or is_on(
        environ.get(f"AzureWebJobs_{name}_Disabled")
    )
