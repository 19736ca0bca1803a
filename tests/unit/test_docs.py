"""What the pages say is what the code does: picture, tables, settings, addresses; and the shape of the flow."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

import pytest
from pydantic.fields import FieldInfo

from functions.http.api_versions import VERSIONS
from shared.flow import FLOW, Rule
from shared.settings import Settings
from tests.docs_script import docs_script

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = ROOT / "tests" / "clients" / "programs"
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))


@pytest.fixture(scope="module")
def flow_picture() -> ModuleType:
    return docs_script("flow_picture")


@pytest.mark.parametrize("script", ["performance", "replay_page", "reliability_page", "generated"])
def test_what_a_script_of_docs_writes_is_current(script: str) -> None:
    """What is said of measurements is what their results give; what is made from the code is what it gives."""
    done = subprocess.run(
        [sys.executable, f"docs/{script}.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run `python docs/{script}.py`: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("program", sorted(PROGRAMS.glob("follow.*")), ids=lambda program: program.suffix)
def test_the_page_on_clients_shows_the_programs_that_the_tests_run(program: Path) -> None:
    page = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    assert f"\n{program.read_text(encoding='utf-8')}```\n" in page, f"its block is not {program.name}"


def test_the_picture_is_what_the_table_gives(flow_picture: ModuleType) -> None:
    drawn = (ROOT / "docs" / "flow.svg").read_text(encoding="utf-8")
    assert drawn == flow_picture.picture(flow_picture.rows()), "run `python docs/flow_picture.py`"


def test_the_readme_has_the_current_table(flow_picture: ModuleType) -> None:
    assert flow_picture.with_table(README, flow_picture.rows()) == README, "run `python docs/flow_picture.py`"


def test_every_setting_is_documented_with_its_default() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page.partition("## Read by")[0], re.MULTILINE))
    assert documented == {name: _default(field) for name, field in _settings().items()}


def test_what_stacks_are_set_up_with_is_documented() -> None:
    """A setting that is gone is read by nobody, and whoever still makes it believes that something follows from it."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    files = [*(ROOT / "commands").rglob("*.py"), *(ROOT / "tests" / "story").glob("*.py")]
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    made = {
        (file.name, name) for file, tree in trees.items() for node in ast.walk(tree) for name in _made(node)
    }
    assert ("chaos.py", "CLAIM_SECONDS") in made
    assert [each for each in sorted(made) if f"`{each[1]}`" not in page] == []


def _made(node: ast.AST) -> Iterator[str]:
    """Names of the app's settings, as `running` takes them and tables of them are called."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "running":
        yield from (keyword.arg for keyword in node.keywords if keyword.arg and keyword.arg.isupper())
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
        called = {target.id for target in node.targets if isinstance(target, ast.Name)}
        keys = [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
        if called & {"SETTINGS", "QUICK"}:
            yield from (name for name in keys if isinstance(name, str) and name.isupper())


def _settings() -> dict[str, FieldInfo]:
    return {field.alias or name.upper(): field for name, field in Settings.model_fields.items()}


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "not set" if field.default is None else f"`{field.default}`"


def test_every_required_setting_is_in_the_sample() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    required = {name for name, field in _settings().items() if field.is_required()}
    assert required - sample.keys() == set()


def test_every_address_of_the_api_is_documented() -> None:
    from flow.world import World

    from tests.http.asking import app_over

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    addresses = [
        f"`{method.upper()} {re.sub(':path}', '}', path)}`"
        for path, methods in app_over(World()).openapi()["paths"].items()
        for method in methods
    ]
    assert [address for address in addresses if address not in page] == []


def test_everything_asks_for_the_newest_api_version() -> None:
    """Pages, scripts and the command line name it for themselves: they are read where no Python of the app is."""
    from functions.http.api_versions import newest

    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for folder, kind in (("web/public", "js"), ("web/js", "js"), ("web/docs", "js"), ("commands", "py")):
        files += (ROOT / folder).rglob(f"*.{kind}")
    files += [ROOT / "functions/http/views/shape.py", ROOT / "tests/browser/fake_app.py"]
    named = {
        file.relative_to(ROOT).as_posix(): version
        for file in files
        if "node_modules" not in file.parts
        for version in re.findall(
            r"(?:api-version=|VERSION = \")(\d{4}-\d\d-\d\d)", file.read_text(encoding="utf-8")
        )
    }
    assert len(named) >= 6
    assert {file: version for file, version in named.items() if version != newest().name} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_no_dependency_ships_a_package_of_our_names() -> None:
    """On Azure an installed package can be found before the app's folder of the same name."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    deployed = {_normal(found[0]) for line in lines if (found := re.match(r"[A-Za-z0-9][\w.-]*(?===)", line))}
    assert "azure-functions" in deployed
    ours = {path.parent.name for path in ROOT.glob("[a-z]*/*.py")} - {"tests"} | {"function_app"}
    shipped = packages_distributions()
    taken = {name: hits for name in ours if (hits := deployed & {_normal(d) for d in shipped.get(name, ())})}
    assert taken == {}


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_loading_the_app_loads_no_heavy_library() -> None:
    """A cold start waits for whatever is imported at the top."""
    program = "import sys, function_app; print([m for m in ('azure.ai.ml', 'pandas', 'opentelemetry') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_every_fact_that_is_waited_for_can_come_about(flow_picture: ModuleType) -> None:
    known = set(flow_picture.EXTERNAL)
    waited_for = {fact.__name__ for rule in FLOW for fact in rule.when}
    for _ in FLOW:
        known |= {fact.__name__ for rule in FLOW if _begins(rule, known) for fact in rule.leads_to}
    assert waited_for - known == set()
    assert set(flow_picture.EXTERNAL) <= waited_for


def _begins(rule: Rule, known: set[str]) -> bool:
    return any(fact.__name__ in known for fact in rule.when)


def test_no_fact_is_waited_for_by_two_rules() -> None:
    waited_for = [fact for rule in FLOW for fact in rule.when]
    assert len(waited_for) == len(set(waited_for))


@pytest.mark.parametrize("rule", FLOW, ids=lambda rule: rule.do.__name__)
def test_each_step_lives_in_the_file_of_its_name(rule: Rule) -> None:
    assert rule.do.__module__ == f"shared.steps.{rule.do.__name__}"
    assert (ROOT / "shared" / "steps" / f"{rule.do.__name__}.py").is_file()


def test_the_versions_are_those_there_are() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    table = page.partition("<!-- versions -->\n")[2].partition("<!-- /versions -->")[0]
    days = [
        (v.name, *(f"{day:%Y-%m-%d}" if day else "-" for day in (v.deprecated, v.sunset))) for v in VERSIONS
    ]
    assert table == "".join(f"| `{name}` | {deprecated} | {sunset} |\n" for name, deprecated, sunset in days)
