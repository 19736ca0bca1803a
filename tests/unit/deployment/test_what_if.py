"""What a pull request would change in Azure: read from what az says (by a stand-in for it), told, and posted by HTTP."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stub_server import Answer, Request, stub_server

from commands import azure
from commands.deployment import pull_request, what_if
from commands.stack.errors import StackError

GROUP = "/subscriptions/s/resourceGroups/rg-bank/providers"
TABLE = f"{GROUP}/Microsoft.Storage/storageAccounts/stdata/tableServices/default/tables/campanha"
ROLE = f"{GROUP}/Microsoft.Storage/storageAccounts/stdata/providers/Microsoft.Authorization/roleAssignments/1"
APP = f"{GROUP}/Microsoft.Web/sites/func-work"
ENVIRONMENT = {
    "AZURE_ENV_NAME": "bank", "AZURE_LOCATION": "westeurope", "CAMPANHA_NETWORK": "public",
    "CAMPANHA_ALERT_EMAIL": "a@b.example",
    "CAMPANHA_API_AUDIENCE": "00000000-0000-0000-0000-00000000000a", "CAMPANHA_BUDGET_START": "2027-01-01",
}  # fmt: skip
AZ = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
given = [argument for argument in sys.argv if argument.startswith("@")]
asked = json.loads(pathlib.Path(given[0][1:]).read_text()) if given else None
(here / "asked.json").write_text(json.dumps([sys.argv[1:], asked]))
print((here / "answer.json").read_text())
"""


def change(kind: str, resource: str, *paths: str) -> dict[str, Any]:
    return {
        "changeType": kind, "resourceId": resource,
        "delta": [{"path": path, "propertyChangeType": "Modify"} for path in paths] or None,
    }  # fmt: skip


def answer(*changes: dict[str, Any]) -> str:
    return json.dumps({"status": "Succeeded", "changes": changes})


def unresolved(resource: str, *paths: str) -> dict[str, Any]:
    """A change of values that only a deployment knows, and of these."""
    told = change("Modify", resource, *paths)
    one = {
        "path": "properties.a",
        "propertyChangeType": "Modify",
        "before": "x",
        "after": "[reference('b').c]",
    }
    listed = {
        "path": "properties.list", "propertyChangeType": "Array", "before": None, "after": None,
        "children": [{**one, "path": "0"}],
    }  # fmt: skip
    return {**told, "delta": [*(told["delta"] or ()), one, listed]}


UNNAMED = (
    f"[extensionResourceId('{GROUP}', 'Microsoft.Authorization/roleAssignments', guid(reference('a').id))]"
)
QUIET = answer(change("NoChange", APP), change("Ignore", TABLE))


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a stand-in that answers what lies in `answer.json`."""
    if os.name == "nt":
        pytest.skip("the stand-in is a script for a POSIX system")
    program = tmp_path / "az"
    program.write_text(AZ.replace("{python}", sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.mark.parametrize(
    ("told", "code", "drift_code"),
    [
        (QUIET, 0, 0),
        (answer(change("Modify", APP, "properties.httpsOnly")), 0, 1),
        (answer(change("Create", ROLE)), 0, 1),
        (answer(change("Modify", ROLE)), 1, 1),
        (answer(change("Delete", TABLE)), 1, 1),
        (answer(change("Unsupported", UNNAMED)), 0, 0),
        (answer(unresolved(APP)), 0, 0),
        (answer(unresolved(APP, "properties.httpsOnly")), 0, 1),
        (answer(unresolved(ROLE)), 0, 0),
    ],
)
def test_the_exit_code_is_1_where_something_goes_or_a_role_changes(
    az: Path, told: str, code: int, drift_code: int
) -> None:
    (az / "answer.json").write_text(told)
    assert azure.main(["what-if"]) == code
    assert azure.main(["what-if", "--drift"]) == drift_code


def test_az_is_given_the_parameters_as_azd_fills_them_in(az: Path) -> None:
    (az / "answer.json").write_text(QUIET)
    azure.main(["what-if"])
    command, asked = json.loads((az / "asked.json").read_text())
    assert command[:3] == ["deployment", "sub", "what-if"]
    assert command[command.index("--validation-level") + 1] == "ProviderNoRbac"
    values = {name: each["value"] for name, each in asked["parameters"].items()}
    assert (values["network"], values["generation"], values["deployerId"]) == ("public", "1", "")
    types = dict(what_if.DECLARED.findall(what_if.TEMPLATE.read_text(encoding="utf-8")))
    assert {name for name, type_ in types.items() if type_ == "int"} == {"clusterMost", "budgetAmount"}
    assert (values["clusterMost"], values["budgetAmount"]) == (2, 500)
    assert {name for name, value in values.items() if isinstance(value, str)} == {
        name for name in values if types[name] == "string"
    }


def test_what_is_not_set_is_named_at_once() -> None:
    text = what_if.PARAMETERS.read_text(encoding="utf-8")
    with pytest.raises(StackError, match="AZURE_LOCATION, CAMPANHA_NETWORK"):
        what_if.parameters(text, {"AZURE_ENV_NAME": "bank"})


def test_a_value_with_quotes_stays_one_value() -> None:
    filled = what_if.parameters('{"a": "${A}", "b": "${B=x}"}', {"A": '"} , "c": "'})
    assert json.loads(filled) == {"a": '"} , "c": "', "b": "x"}


TEMPLATE = "param a string\nparam b int\nparam c bool\n@secure()\nparam d object = {}\nparam e array\n"


def given(**values: str) -> str:
    return json.dumps({"parameters": {name: {"value": value} for name, value in values.items()}})


def test_a_value_is_of_the_type_that_the_template_declares() -> None:
    told = json.loads(what_if.typed(given(a="1", b="1", c="true", d='{"x": "y"}', e="[]"), TEMPLATE))
    values = {name: each["value"] for name, each in told["parameters"].items()}
    assert values == {"a": "1", "b": 1, "c": True, "d": {"x": "y"}, "e": []}


def test_what_is_empty_is_left_to_the_template() -> None:
    assert json.loads(what_if.typed(given(a="", d=""), TEMPLATE))["parameters"] == {"a": {"value": ""}}


def test_values_of_other_types_are_named_at_once_and_not_shown() -> None:
    with pytest.raises(StackError, match=r"b \(int\), c \(bool\), d \(object\)") as refused:
        what_if.typed(given(b="two", c="1", d='["secret"]'), TEMPLATE)
    assert "secret" not in str(refused.value)


def test_what_is_grave_is_told_first() -> None:
    found = what_if.read(
        answer(change("Create", APP), change("Modify", APP, "kind"), change("Delete", TABLE))
    )
    told = what_if.report(found)
    assert "3 resources would change, **1 of which" in told
    assert told.index("**Delete**") < told.index("Create")
    assert "| Modify | `Microsoft.Web/sites/func-work` | `kind` |" in told
    assert what_if.report([]) == "**Azure**: nothing would change."


def test_what_azure_cannot_predict_is_told_apart() -> None:
    one = change("Modify", APP, "properties.a")
    one["delta"][0]["after"] = '["a list", "as a text"]'
    found = what_if.read(answer(change("Unsupported", UNNAMED), unresolved(TABLE, "properties.b"), one))
    told = what_if.report(found)
    assert "2 resources would change. Not predicted: 1, whose names only a deployment knows." in told
    assert "| `properties.b` |" in told
    assert "| `properties.a` |" in told
    assert "properties.list" not in told
    assert what_if.report(found[:1]) == (
        "**Azure**: nothing would change. Not predicted: 1, whose names only a deployment knows."
    )


@pytest.mark.parametrize("text", ["", "{}", '{"changes": [{}]}', '{"changes": 1}'])
def test_what_cannot_be_read_is_not_taken_for_nothing(text: str) -> None:
    with pytest.raises(StackError, match="cannot be read"):
        what_if.read(text)


# --- the comment ----------------------------------------------------------------------------------------------


class Comments:
    """GitHub, or Azure DevOps, with the comments of one pull request."""

    def __init__(self) -> None:
        self.texts: dict[int, str] = {7: "a reviewer's own"}
        self.asked: list[tuple[str, str]] = []
        self.tokens: set[str] = set()
        self.url = ""

    def answer(self, request: Request) -> Answer:
        self.tokens.add(request.headers["Authorization"])
        body = request.json if request.body else None
        return Answer(body=json.dumps(self._told(request.method, request.path, body)).encode())

    def _told(self, method: str, path: str, body: Any) -> Any:
        self.asked.append((method, path.partition("?")[0]))
        of_github = "/repos/" in path
        if method == "GET":
            listed = [{"id": number, "body": text, "content": text} for number, text in self.texts.items()]
            return (
                listed
                if of_github
                else {"value": [{"id": each["id"], "comments": [each]} for each in listed]}
            )
        text = (
            (body["body"] if of_github else body.get("content") or body["comments"][0]["content"])
            if body
            else ""
        )
        number = int(path.partition("?")[0].rpartition("/")[2]) if method == "PATCH" else max(self.texts) + 1
        self.texts[number] = text
        return {"id": number, "html_url": f"{self.url}/{number}"}


@pytest.fixture
def comments() -> Iterator[Comments]:
    made = Comments()
    with stub_server(made.answer) as made.url:
        yield made


def github(comments: Comments, folder: Path) -> dict[str, str]:
    event = folder / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 12}}))
    return {
        "GITHUB_EVENT_PATH": str(event), "GITHUB_API_URL": comments.url, "GITHUB_REPOSITORY": "bank/campanha",
        "GITHUB_TOKEN": "t",
    }  # fmt: skip


def azure_devops(comments: Comments, _: Path) -> dict[str, str]:
    return {
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "12", "SYSTEM_COLLECTIONURI": f"{comments.url}/", "SYSTEM_ACCESSTOKEN": "t",
        "SYSTEM_TEAMPROJECT": "the bank", "BUILD_REPOSITORY_ID": "r",
    }  # fmt: skip


@pytest.mark.parametrize("provider", [github, azure_devops])
def test_there_is_one_comment_written_anew_with_each_push(
    provider: Any, comments: Comments, tmp_path: Path
) -> None:
    environment = provider(comments, tmp_path)
    for text in ("first", "second"):
        pull_request.post(text, environment)
    assert comments.texts == {7: "a reviewer's own", 8: f"{pull_request.MARK}\nsecond"}
    assert [method for method, _ in comments.asked] == ["GET", "POST", "GET", "PATCH"]
    assert comments.tokens == {"Bearer t"}


def test_where_no_pull_request_runs_it_says_so(tmp_path: Path, comments: Comments) -> None:
    with pytest.raises(StackError, match="neither GitHub nor Azure DevOps"):
        pull_request.post("text", {})
    environment = github(comments, tmp_path)
    (tmp_path / "event.json").write_text("{}")
    with pytest.raises(StackError, match="this run is of none"):
        pull_request.post("text", environment)
    assert comments.asked == []
