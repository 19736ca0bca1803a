"""Route templates, as ASP.NET reads them."""

from __future__ import annotations

import pytest

from localazure.host.errors import BrokenApp
from localazure.host.routes import Template

FITS = [
    ("api/items", "/api/items", {}),
    ("api/items", "/API/Items/", {}),
    ("api/items/{id}", "/api/items/a%20b", {"id": "a b"}),
    ("api/items/{id}", "/api/items/a%2Fb", {"id": "a%2Fb"}),
    ("api/items/{id:int}", "/api/items/-7", {"id": "-7"}),
    ("api/items/{id:int:min(1)}", "/api/items/1", {"id": "1"}),
    ("api/{name:alpha}", "/api/Bob", {"name": "Bob"}),
    ("api/{id:guid}", "/api/5B2C1F6E00004000800000000000000A", {"id": "5B2C1F6E00004000800000000000000A"}),
    ("api/{on:bool}", "/api/TRUE", {"on": "TRUE"}),
    ("api/{x:length(2,3)}", "/api/abc", {"x": "abc"}),
    ("api/{x:length(2)}", "/api/ab", {"x": "ab"}),
    ("api/{x:range(1,9)}", "/api/9", {"x": "9"}),
    (r"api/{x:regex(^\d{{3}}-[a-z/]+$)}", "/api/123-ab", {"x": "123-ab"}),
    ("api/{x:datetime}", "/api/2026-11-24", {"x": "2026-11-24"}),
    ("api/{x?}", "/api", {}),
    ("api/{x?}", "/api/1", {"x": "1"}),
    ("api/{x:int?}", "/api", {}),
    ("api/{x=first}", "/api", {"x": "first"}),
    ("api/{x=first}/{y=2}", "/api/a", {"x": "a", "y": "2"}),
    ("api/{*rest}", "/api", {"rest": ""}),
    ("api/{*rest}", "/api/a/b%20c", {"rest": "a/b c"}),
    ("{*rest}", "/", {"rest": ""}),
    ("api/{name}.{ext}", "/api/a.b.csv", {"name": "a.b", "ext": "csv"}),
    ("api/{name}.{ext?}", "/api/a", {"name": "a"}),
    ("api/{name}.{ext?}", "/api/a.csv", {"name": "a", "ext": "csv"}),
    ("api/v{n:int}", "/api/v2", {"n": "2"}),
    ("api/{{x}}", "/api/{x}", {}),
]  # fmt: skip

FITS_NOT = [
    ("api/items", "/api/items/1"),
    ("api/items", "/api"),
    ("api/items/{id}", "/api/items"),
    ("api/items/{id:int}", "/api/items/a"),
    ("api/items/{id:int}", "/api/items/2147483648"),
    ("api/items/{id:int:min(1)}", "/api/items/0"),
    ("api/{name:alpha}", "/api/b0b"),
    ("api/{id:guid}", "/api/5b2c"),
    ("api/{on:bool}", "/api/yes"),
    ("api/{x:length(2,3)}", "/api/a"),
    ("api/{x:range(1,9)}", "/api/10"),
    (r"api/{x:regex(^\d{{3}}$)}", "/api/12"),
    ("api/{x:datetime}", "/api/soon"),
    ("api/{x:int?}", "/api/a"),
    ("api/{x}/b", "/api//b"),
    ("api/v{n:int}", "/api/v"),
]

BROKEN = ["api/{x", "api/{x:colour}", "api/{x}/{x}", "{*rest}/more", "api//b", "api/{}", "api/{x:range(1)}"]


@pytest.mark.parametrize(("template", "path", "values"), FITS)
def test_what_fits_gives_its_values(template: str, path: str, values: dict[str, str]) -> None:
    assert Template(template, where="f").match(path) == values


@pytest.mark.parametrize(("template", "path"), FITS_NOT)
def test_what_does_not_fit_is_refused(template: str, path: str) -> None:
    assert Template(template, where="f").match(path) is None


@pytest.mark.parametrize("template", BROKEN)
def test_a_broken_template_is_named_at_the_start(template: str) -> None:
    with pytest.raises(BrokenApp, match=r"^f: "):
        Template(template, where="f")
