"""The smoke test and the way back: what each check looks at, and what a delivery leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from stub_server import Answer, Request, stub_server

from commands.client.status_api import Unreachable
from commands.deployment import canary
from commands.deployment import smoke as smoke_module
from commands.deployment.canary import Sung
from commands.deployment.delivery import Delivery
from commands.deployment.history import History
from commands.deployment.patience import Patience
from commands.deployment.smoke import smoke
from commands.packaging.manifest import Manifest
from commands.stack.errors import StackError

FUNCTIONS = {"work": ("clock", "steps"), "api": ("http_api",)}


def a(name: str) -> Manifest:
    return Manifest(
        release=name, sha256=f"{name}-digest", size=1, python="3.13", commit=f"{name}-commit", changed=(),
        functions=FUNCTIONS,
    )  # fmt: skip


@dataclass
class Place:
    """Where packages run: what it does, and what is wrong with it by release."""

    runs: str = ""
    lingers: int = 0
    """So many canaries are still read by the release before."""
    before: str = ""
    health: str = "pass"
    silent: set[str] = field(default_factory=set)
    open_path: str = ""
    lacks: str = ""
    fails_to_install: set[str] = field(default_factory=set)
    url: str = "http://app"

    def install(self, manifest: Manifest, package: Path) -> None:
        if manifest.release in self.fails_to_install:
            raise StackError("the app did not take the package")
        self.before, self.runs = self.runs, manifest.release

    def functions(self) -> dict[str, set[str]]:
        return {app: set(names) - {self.lacks} for app, names in FUNCTIONS.items()}

    def client(self) -> Any:
        return self

    def storage(self) -> Any:
        return self

    def get(self, path: str) -> dict[str, Any]:
        if path == "health":
            if self.runs in self.silent:
                raise Unreachable("nobody answers")
            return {"status": self.health, "releaseId": self.runs}
        return {
            "paths": {
                "/api/status": {"get": {}},
                "/api/models/{name}": {"post": {}},
                "/api/session": {"post": {}},
            }
        }


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place()

    class Anybody:
        trust_env = True

        def request(self, method: str, address: str, **_: Any) -> Any:
            closed = not made.open_path or made.open_path not in address
            return type("Answer", (), {"status_code": 401 if closed else 200})()

    def sing(storage: Any, name: str, patience: Patience) -> Sung | None:
        if made.runs in made.silent:
            return None
        made.lingers -= 1
        return Sung(name=name, reason="no contract", release=made.before if made.lingers >= 0 else made.runs)

    monkeypatch.setattr("requests.Session", Anybody)
    monkeypatch.setattr(canary, "sing", sing)
    return made


def patience() -> Patience:
    time = [0.0]
    return Patience(
        minutes=1, clock=lambda: time[0], sleep=lambda s: time.__setitem__(0, time[0] + s), say=lambda _: None
    )


def failed(place: Place, manifest: Manifest) -> tuple[str, str]:
    """The check that failed, and what it said; empty where none did."""
    found = list(smoke(place, manifest, patience()))
    assert [each.passed for each in found[:-1]] == [True] * (len(found) - 1), (
        "it ends at the first that fails"
    )
    return ("", "") if found[-1].passed else (found[-1].check, found[-1].said)


def test_a_release_that_is_what_it_should_be_passes(place: Place) -> None:
    place.runs = "A"
    assert [each.check for each in smoke(place, a("A"), patience())] == [
        "answers",
        "closed",
        "whole",
        "works",
    ]
    assert failed(place, a("A")) == ("", "")


@pytest.mark.parametrize(
    ("change", "check", "said"),
    [
        ({"runs": "B"}, "answers", "release B answers"),
        ({"health": "fail"}, "answers", "its health is fail"),
        ({"silent": {"A"}}, "answers", "nobody answers"),
        ({"open_path": "/api/status"}, "closed", "GET /api/status answered 200"),
        ({"open_path": "/api/models/x"}, "closed", "POST /api/models/{name} answered 200"),
        ({"lacks": "clock"}, "whole", "`work` lacks clock"),
        ({"lingers": 1000, "before": "Z"}, "works", "still goes round by release Z"),
    ],
)
def test_what_is_wrong_is_found_by_its_check(
    place: Place, change: dict[str, Any], check: str, said: str
) -> None:
    vars(place).update({"runs": "A", **change})
    found = failed(place, a("A"))
    assert found[0] == check
    assert said in found[1]


def test_instances_of_the_release_before_may_go_on_for_a_while(place: Place) -> None:
    vars(place).update(runs="A", before="Z", lingers=3)
    assert failed(place, a("A")) == ("", "")


@dataclass
class Kept:
    """Packages and history in memory."""

    packages: dict[str, Manifest] = field(default_factory=dict)
    told: str = History().text()

    def keep(self, manifest: Manifest, package: Path) -> None:
        self.packages[manifest.sha256] = manifest

    @contextmanager
    def fetched(self, sha256: str) -> Iterator[tuple[Manifest, Path]]:
        yield self.packages[sha256], Path("package.zip")

    def manifest(self, sha256: str) -> Manifest:
        return self.packages[sha256]

    def history(self) -> History:
        return History.parse(self.told)

    def note(self, change: Any) -> History:
        self.told = change(self.history()).text()
        return self.history()

    def forget(self) -> list[str]:
        return []


@dataclass
class Told:
    """A delivery, with what it said."""

    place: Place
    kept: Kept = field(default_factory=Kept)
    said: list[str] = field(default_factory=list)

    @property
    def delivery(self) -> Delivery:
        return Delivery(self.place, self.kept, patience(), self.said.append)  # type: ignore[arg-type]

    @property
    def ends(self) -> list[tuple[str, str, str]]:
        return [(each["release"], each["state"], each["back_from"]) for each in json.loads(self.kept.told)]


@pytest.fixture
def told(place: Place) -> Told:
    return Told(place)


def test_what_fails_its_smoke_test_is_replaced_by_what_passed(told: Told) -> None:
    told.delivery.deploy(a("A"), Path())
    assert told.delivery.smoke()
    told.place.silent = {"B"}
    told.delivery.deploy(a("B"), Path())
    assert not told.delivery.smoke()
    assert told.said[-1] == "Release B failed its smoke test: `./dev release rollback`."
    assert told.delivery.rollback()
    assert told.place.runs == "A"
    assert told.ends == [("A", "passed", ""), ("B", "failed", ""), ("A", "passed", "B")]


def test_a_deployment_that_broke_off_is_rolled_back_as_well(told: Told) -> None:
    told.delivery.deploy(a("A"), Path())
    assert told.delivery.smoke()
    told.place.fails_to_install = {"B"}
    with pytest.raises(StackError):
        told.delivery.deploy(a("B"), Path())
    assert told.ends[-1] == ("B", "installing", "")
    assert told.delivery.rollback()
    assert (told.place.runs, told.ends[-1]) == ("A", ("A", "passed", "B"))


def test_a_rollback_that_broke_off_goes_the_same_way_again(told: Told) -> None:
    test_a_deployment_that_broke_off_is_rolled_back_as_well(told)
    told.kept.told = told.kept.history().now("installing").text()
    assert told.delivery.rollback()
    assert told.place.runs == "A"


def test_where_nothing_was_deployed_anew_nothing_is_rolled_back(told: Told) -> None:
    told.delivery.deploy(a("A"), Path())
    assert told.delivery.smoke()
    before = told.kept.told
    assert told.delivery.rollback()
    assert told.kept.told == before
    assert "nothing to roll back" in told.said[-1]


def test_where_nothing_ever_passed_there_is_no_way_back(told: Told) -> None:
    with pytest.raises(StackError, match="nothing was deployed yet"):
        told.delivery.rollback()
    told.place.silent = {"A"}
    told.delivery.deploy(a("A"), Path())
    assert not told.delivery.smoke()
    with pytest.raises(StackError, match="no package that was deployed here ever passed"):
        told.delivery.rollback()


def test_a_rollback_that_does_not_work_either_is_no_success(told: Told) -> None:
    told.delivery.deploy(a("A"), Path())
    assert told.delivery.smoke()
    told.place.silent = {"A", "B"}
    told.delivery.deploy(a("B"), Path())
    assert not told.delivery.smoke()
    assert not told.delivery.rollback()
    assert told.ends[-1] == ("A", "failed", "B")


def test_an_api_without_operations_is_not_taken_for_closed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.runs = "A"
    monkeypatch.setattr(
        smoke_module,
        "OPEN",
        {("get", "/api/status"), ("post", "/api/models/{name}"), ("post", "/api/session")},
    )
    assert failed(place, replace(a("A")))[0] == "closed"


@pytest.mark.parametrize("times", [1, 1000])
def test_what_nobody_answers_is_asked_again_until_patience_ends(times: int) -> None:
    """A connection that is dropped, and a gateway that has nobody to ask, say nothing of the app."""
    left = [times, times]

    def answer(request: Request) -> Answer:
        for fault, status in enumerate((0, 502)):
            if left[fault]:
                left[fault] -= 1
                if not status:
                    raise ConnectionAbortedError
                return Answer(status)
        return Answer(401)

    with stub_server(answer) as address:
        found = smoke(Place(url=address, runs="A"), a("A"), patience())
        assert next(found).check == "answers"
        closed = next(found)
    told = "2 operations answer 401" if times == 1 else "GET /api/status was not answered in 1 minutes: "
    assert (closed.check, closed.passed) == ("closed", times == 1)
    assert closed.said.startswith(told)


def test_where_the_description_cannot_be_read_the_check_fails(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.runs = "A"
    get = Place.get

    def silent(self: Place, path: str) -> dict[str, Any]:
        if path != "health":
            raise Unreachable("nobody answers")
        return get(self, path)

    monkeypatch.setattr(Place, "get", silent)
    assert failed(place, a("A")) == (
        "closed",
        "the API's description was not answered in 1 minutes: nobody answers",
    )
