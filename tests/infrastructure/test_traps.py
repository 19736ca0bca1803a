"""Traps of a first deployment that our own code could fall into."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from commands import ROOT
from shared.resources.app_settings import APP_SETTINGS

WORKSPACE = ROOT / "shared" / "adapters" / "azureml.py"
AUTOML = ROOT / "pipelines" / "automl"
PUBLISH = ROOT / "pipelines" / "publish.py"


def calls(file: Path, name: str) -> Iterator[ast.Call]:
    """Every call of what has that name, whoever's it is."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            if name == (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")):
                yield node


def given(call: ast.Call) -> set[str]:
    return {str(keyword.arg) for keyword in call.keywords}


def test_routes_have_no_prefix() -> None:
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["http"]["routePrefix"] == ""


def test_nothing_is_made_in_a_lifespan() -> None:
    found = [
        file.name
        for file in (ROOT / "functions").rglob("*.py")
        if re.search(r"\blifespan\b|on_event\(|on_startup", file.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_lost_events_are_looked_for_each_minute() -> None:
    schedule = next(each.value for each in APP_SETTINGS if each.name == "RECONCILE_SCHEDULE")
    assert schedule == "0 * * * * *"


def test_an_endpoint_is_made_once_and_changed_as_it_was_read() -> None:
    """A PUT of one freshly built would take its traffic away."""
    text = WORKSPACE.read_text(encoding="utf-8")
    assert len(list(calls(WORKSPACE, "ManagedOnlineEndpoint"))) == 1
    made = text[text.index("def ensure_endpoint") : text.index("def traffic_of")]
    assert made.index("except ResourceNotFoundError") < made.index("ManagedOnlineEndpoint(")
    changed = text[text.index("def set_traffic") : text.index("def deployments")]
    assert changed.index("online_endpoints.get(") < changed.index("begin_create_or_update(found)")


def test_a_deployment_brings_its_own_code_and_environment() -> None:
    (call,) = calls(WORKSPACE, "ManagedOnlineDeployment")
    assert {"environment", "code_configuration"} <= given(call)


def test_models_are_registered_and_not_logged() -> None:
    for folder in ("pipelines", "serving", "shared", "functions"):
        for file in (ROOT / folder).rglob("*.py"):
            assert not list(calls(file, "log_model")), file
            assert not list(calls(file, "autolog")), file


def test_the_inference_server_is_one_that_runs() -> None:
    """Before 1.5.1 it fails on Python 3.12, and forgets how long a request took."""
    lock = (ROOT / "pipelines/environments/serving-requirements.txt").read_text(encoding="utf-8")
    version = re.search(r"^azureml-inference-server-http==(\d+)\.(\d+)\.(\d+)", lock, re.MULTILINE)
    assert version is not None
    assert tuple(map(int, version.groups())) >= (1, 5, 1)
    conda = (ROOT / "pipelines/environments/serving.yaml").read_text(encoding="utf-8")
    assert re.search(r"^  - python=3\.1[12]$", conda, re.MULTILINE)


def test_batch_endpoints_have_no_identity() -> None:
    made = list(calls(PUBLISH, "BatchEndpoint"))
    assert made
    assert not any("identity" in given(call) for call in made)
    deployed = (PUBLISH.parent / "batch_deployments.py").read_text(encoding="utf-8")
    assert '"deploymentConfiguration"' in deployed
    assert '"identity"' not in deployed


def test_automl_is_limited_in_every_way() -> None:
    """By itself it goes on for six days and a thousand trials."""
    (call,) = calls(AUTOML / "pipeline.py", "set_limits")
    assert given(call) == {"timeout_minutes", "trial_timeout_minutes", "max_trials"}


def test_automl_is_given_its_form_of_table() -> None:
    """It reads MLTable alone, and what it writes is a pickle: only the step that sees no answers loads it."""
    assert "type: mltable" in (AUTOML / "split.py").read_text(encoding="utf-8")
    loads = [file.name for file in AUTOML.glob("*.py") if list(calls(file, "load_model"))]
    assert loads == ["score.py"]
