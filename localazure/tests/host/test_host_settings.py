"""Where settings come from and which wins; what host.json may say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from localazure.host import host_json, keys, settings
from localazure.host.errors import BadSetting
from localazure.host.keys import Level


def write(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_the_environment_wins_unless_it_is_empty(tmp_path: Path) -> None:
    values = {"A": "file", "B": "file", "C": None, "D": "", "E": True, "F": 7}
    file = write(tmp_path, "s.json", {"Values": values, "ConnectionStrings": {"Data": "x"}})
    environ = {"A": "environment", "B": ""}
    settings.apply(file, environ, port=7071, app=tmp_path)
    assert environ == {
        "A": "environment", "B": "file", "D": "", "E": "true", "F": "7", "ConnectionStrings__Data": "x",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development", "WEBSITE_HOSTNAME": "127.0.0.1:7071",
        "AzureWebJobsScriptRoot": str(tmp_path),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold a JSON object, not list"),
        ({"IsEncrypted": True}, "is encrypted"),
        ({"Values": {"A": {"b": 1}}}, "Values must be an object of plain values"),
    ],
)
def test_a_bad_settings_file_is_named(tmp_path: Path, content: Any, said: str) -> None:
    file = write(tmp_path, "s.json", content)
    with pytest.raises(BadSetting, match=f"s.json.*{said}"):
        settings.read(file)


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"none.json cannot be read \(No such file"):
        settings.read(tmp_path / "none.json")


def test_percent_names_are_replaced() -> None:
    assert settings.resolve("%A%-x-%B%", {"A": "1", "B": "2"}, where="f") == "1-x-2"
    with pytest.raises(BadSetting, match="f: the setting NOPE is missing"):
        settings.resolve("%NOPE%", {}, where="f")


def test_a_connection_is_looked_up_as_in_azure() -> None:
    environ = {
        "AzureWebJobsData": "prefixed", "Data": "plain", "Other": "other",
        "ConnectionStrings__Other": "first", "AzureWebJobsStorage": "own",
    }  # fmt: skip
    names = ("Data", "Other", "", "Storage")
    found = [settings.connection(name, environ, where="f") for name in names]
    assert [one.string for one in found] == ["prefixed", "first", "own", "own"]
    with pytest.raises(BadSetting, match="f: the setting Nope is missing"):
        settings.connection("Nope", environ, where="f")


def test_a_connection_by_identity_names_its_services_or_its_account() -> None:
    environ = {
        "Data__queueServiceUri": "https://x/q", "Data__credential": "managedidentity", "Data__clientId": "abc",
        "AzureWebJobsStorage__accountName": "own", "AzureWebJobsStorage__credential": "managedIdentity",
        "Else__queueServiceUri": "https://x", "None__credential": "managedidentity",
    }  # fmt: skip
    data, own = (settings.connection(name, environ, where="f") for name in ("Data", ""))
    assert (data.string, data.client) == ("QueueEndpoint=https://x/q", "abc")
    assert "BlobEndpoint=https://own.blob.core.windows.net" in own.string
    assert own.client == ""
    with pytest.raises(BadSetting, match="Else__credential is ''"):
        settings.connection("Else", environ, where="f")
    with pytest.raises(BadSetting, match="None is identity-based and names no account"):
        settings.connection("None", environ, where="f")


def test_host_json_and_its_overrides(tmp_path: Path) -> None:
    queues = {"batchSize": 4, "maxPollingInterval": "00:00:00.500"}
    write(
        tmp_path, "host.json", {"version": "2.0", "extensions": {"queues": queues}, "functionTimeout": "-1"}
    )
    loaded = host_json.load(
        tmp_path,
        {
            "AzureFunctionsJobHost__extensions__Queues__batchsize": "8",
            "AzureFunctionsJobHost__extensions__http__routePrefix": "",
            "AzureFunctionsJobHost__logging__logLevel__default": "Warning",
        },
    )
    assert loaded.queues.batch_size == 8
    assert loaded.queues.max_polling_interval == 0.5
    assert loaded.http.route_prefix == ""
    assert loaded.function_timeout is None
    assert loaded.log_level == "Warning"


def test_what_host_json_asks_for_in_vain_is_said(tmp_path: Path) -> None:
    asked = {
        "version": "2.0", "Retry": {"strategy": "fixedDelay"}, "concurrency": {"dynamicConcurrencyEnabled": True},
        "extensions": {"http": {"dynamicThrottlesEnabled": True, "hsts": {"isEnabled": True}}}, "extension": {},
    }  # fmt: skip
    write(tmp_path, "host.json", asked)
    said = " / ".join(host_json.load(tmp_path, {}).ignored)
    for name in (
        "retry",
        "dynamicConcurrencyEnabled",
        "dynamicThrottlesEnabled",
        "hsts",
        "extension is unknown",
    ):
        assert name in said
    quiet = {"version": "2.0", "extensions": {"http": {"dynamicThrottlesEnabled": False}}, "logging": {}}
    write(tmp_path, "host.json", quiet)
    assert host_json.load(tmp_path, {}).ignored == ()


def test_defaults_are_those_of_azure_and_of_development(tmp_path: Path) -> None:
    loaded = host_json.load(tmp_path, {})
    assert (loaded.queues.batch_size, loaded.queues.max_dequeue_count) == (16, 5)
    assert (loaded.queues.visibility_timeout, loaded.queues.max_polling_interval) == (0, 60)
    assert (loaded.http.route_prefix, loaded.function_timeout) == ("api", 1800)
    developing = host_json.load(tmp_path, {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"})
    assert developing.queues.max_polling_interval == 2
    assert loaded.queues.new_batch_threshold == 8 * (os.cpu_count() or 1)
    assert (loaded.http.max_outstanding, loaded.http.max_concurrent, loaded.http.headers) == (None, None, ())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"version": "1.0"}, '"version": "2.0"'),
        ({"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}, "batchSize is '33'"),
        ({"version": "2.0", "extensions": {"queues": {"messageEncoding": "hex"}}}, "base64 or none"),
        ({"version": "2.0", "extensions": {"queues": {"visibilityTimeout": "30"}}}, "hh:mm:ss"),
        ({"version": "2.0", "customHandler": {}}, "customHandler is not here"),
        ({"version": "2.0", "functionTimeout": "00:61:00"}, "functionTimeout is '00:61:00'"),
    ],
)
def test_a_bad_host_json_is_named(tmp_path: Path, content: Any, said: str) -> None:
    write(tmp_path, "host.json", content)
    with pytest.raises(BadSetting, match=said):
        host_json.load(tmp_path, {})


def test_damaged_keys_are_named_and_good_ones_kept(tmp_path: Path) -> None:
    made = keys.load(tmp_path)
    assert keys.load(tmp_path).master == made.master
    assert made.level({}, {"code": made.default}) is Level.FUNCTION
    assert made.master not in repr(made)
    kept = json.loads((tmp_path / "keys.json").read_text())
    write(tmp_path, "keys.json", {**kept, "masterKey": ""})
    with pytest.raises(BadSetting, match="empty key"):
        keys.load(tmp_path)
    for damaged in ("{}", "[]", "{", json.dumps({**kept, "functionKeys": {}})):
        write(tmp_path, "keys.json", damaged)
        with pytest.raises(BadSetting, match=r"keys\.json is damaged"):
            keys.load(tmp_path)


def test_a_key_opens_what_it_is_for(tmp_path: Path) -> None:
    made = keys.load(tmp_path, ["f", "g"], ["eventgrid"])
    own, system = made.functions["f"]["default"], made.system["eventgrid_extension"]
    assert made.level({}, {"code": own}, function="f") is Level.FUNCTION
    assert made.level({}, {"code": own}, function="g") is Level.ANONYMOUS
    assert made.level({}, {"code": own}) is Level.ANONYMOUS
    assert made.level({"x-functions-key": system}, {}, function="f") is Level.SYSTEM
    assert made.opens_webhook("eventgrid", {}, {"code": system})
    assert made.opens_webhook("eventgrid", {}, {"code": made.master})
    assert not made.opens_webhook("eventgrid", {}, {"code": made.default})
    assert not made.opens_webhook("other", {}, {"code": system})


def test_nothing_is_open_to_an_empty_key(tmp_path: Path) -> None:
    made = keys.load(tmp_path)
    assert made.level({"x-functions-key": ""}, {"code": ""}) is Level.ANONYMOUS
    assert made.level({"x-functions-key": "grüße"}, {}) is Level.ANONYMOUS
