"""The workflows of both providers: the same commands in the same order, thin, pinned, and given no more than they need."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import ROOT, catalog
from commands.deployment import in_azure, what_if
from commands.linters import workflows
from commands.linters.workflows import AZURE_DEVOPS, GITHUB
from tests.workflows import NAMES, PROVIDERS, dev_steps, load, steps

PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")
COMMENTED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
NOT_OURS = ('gh attestation verify .package/campanha-*.zip --repo "$GITHUB_REPOSITORY"',)
"""What is run beside `./dev`: GitHub's attestation, which Azure DevOps has none of."""
WORKFLOWS = workflows.workflows()


@pytest.mark.parametrize("name", NAMES)
def test_both_providers_run_the_same_commands_in_the_same_order(name: str) -> None:
    ours = [[(step.run, step.on_failure) for step in dev_steps(provider, name)] for provider in PROVIDERS]
    assert ours[0] == ours[1]
    assert ours[0]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_one_of_our_commands_or_an_action(provider: str, name: str) -> None:
    for step in steps(provider, name):
        assert step.run == "" or step.arguments or step.run in NOT_OURS, step
        assert "\n" not in step.run


@pytest.mark.parametrize(
    "arguments", sorted({tuple(s.arguments) for n in NAMES for s in dev_steps(GITHUB, n)})
)
def test_each_command_exists_and_takes_these_arguments(arguments: tuple[str, ...]) -> None:
    name, *given = arguments
    assert name in catalog.COMMANDS
    command = importlib.import_module(f"commands.{name.replace('-', '_')}")
    with contextlib.redirect_stdout(io.StringIO()) as told, pytest.raises(SystemExit) as ended:
        command.main([*given, "--help"])
    assert ended.value.code == 0
    for option in given:
        assert option in told.getvalue(), f"./dev {name} knows no {option}"


def test_what_was_deployed_is_smoke_tested_and_what_fails_is_rolled_back() -> None:
    found = [" ".join(step.arguments) for step in dev_steps(GITHUB, "release")]
    of_one = ["azure publish", "release deploy", "release smoke", "release rollback"]
    assert found == ["check", "test", "package", *of_one, *of_one]
    assert [s.on_failure for s in dev_steps(GITHUB, "release")][-4:] == [False, False, False, True]


def test_a_package_is_built_once() -> None:
    assert [" ".join(s.arguments) for s in dev_steps(GITHUB, "release")].count("package") == 1


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned_by_their_hash_with_the_version_beside(file: Path) -> None:
    for line in file.read_text(encoding="utf-8").splitlines():
        if "uses: " in line and "uses: ./" not in line:
            assert COMMENTED.search(line), line


def test_one_action_has_one_hash() -> None:
    found = {step.uses for name in NAMES for step in steps(GITHUB, name) if step.uses}
    assert all(PINNED.fullmatch(each) for each in found)
    assert len({each.partition("@")[0] for each in found}) == len(found)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_job_has_no_right_by_default_and_an_identity_only_in_an_environment(file: Path) -> None:
    told = load(file)
    assert told["permissions"] == {}
    for name, job in told["jobs"].items():
        assert "permissions" in job, name
        signs_in = any("azure/login" in step.get("uses", "") for step in job.get("steps", ()))
        assert signs_in == ("environment" in job), name
    assert "pull_request_target" not in file.read_text(encoding="utf-8")


def test_who_verifies_an_attestation_may_read_it() -> None:
    """In a private repository; a public one's can be read by anybody."""
    asking = [
        job["permissions"]
        for file in WORKFLOWS
        for job in load(file)["jobs"].values()
        if any("gh attestation verify" in step.get("run", "") for step in job.get("steps", ()))
    ]
    assert asking
    assert {given.get("attestations") for given in asking} == {"read"}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_that_is_called_is_given_all_that_its_jobs_ask_for(file: Path) -> None:
    for name, job in load(file)["jobs"].items():
        called = load(ROOT / job["uses"].removeprefix("./"))["jobs"].values() if "uses" in job else ()
        for other in called:
            assert other["permissions"].items() <= job["permissions"].items(), name


def test_a_fork_is_given_no_identity() -> None:
    job = load(ROOT / GITHUB / "pull-request.yml")["jobs"]["infrastructure"]
    assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


def test_a_deployment_is_given_all_that_it_has_to_know() -> None:
    given = load(ROOT / GITHUB / "deploy.yml")["jobs"]["deploy"]["env"]
    assert set(in_azure.variables()) <= set(given)


def test_what_azure_devops_would_hand_on_in_capitals_is_spelt_out() -> None:
    """A variable group reaches each step by itself, but its names in capitals; ours are read as they are spelt."""
    names = load(ROOT / GITHUB / "deploy.yml")["jobs"]["deploy"]["env"]
    wanted = {name: f"$({name})" for name in {*names, *in_azure.variables()} if name != name.upper()}
    assert "CAMPANHA_STORAGE__blobServiceUri" in wanted
    deploying = [step for step in dev_steps(AZURE_DEVOPS, "release") if step.job == "deploy"]
    assert len(deploying) == 2 * 4
    for step in deploying:
        assert wanted.items() <= step.given.items(), step.run


def _template_reads() -> set[str]:
    """The variables that what-if fills the template's parameters from."""
    return {
        found[1] for found in what_if.PLACEHOLDER.finditer(what_if.PARAMETERS.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize(("name", "job"), [("pull-request", "infrastructure"), ("audit", "environments")])
def test_what_if_is_given_all_that_the_template_reads(name: str, job: str) -> None:
    """One that is missing has its default, and what-if compares names that nothing has."""
    given = load(ROOT / GITHUB / f"{name}.yml")["jobs"][job]["env"]
    wanted = {variable: f"${{{{ vars.{variable} }}}}" for variable in _template_reads()}
    assert wanted.items() <= given.items()


@pytest.mark.parametrize("name", ["pull-request", "audit"])
def test_a_variable_group_gives_all_that_the_template_reads(name: str) -> None:
    """Azure DevOps hands a group's variables on in capitals, so these come as they are. A line for one that the group may
    not have would hand on its text, `$(NAME)`."""
    assert {each.upper() for each in _template_reads()} == _template_reads()
    text = (ROOT / AZURE_DEVOPS / f"{name}.yml").read_text(encoding="utf-8")
    assert "- group: campanha-" in text
    assert not [each for each in _template_reads() if each in text]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_audit_trail_is_verified_whatever_has_drifted(provider: str) -> None:
    (step,) = [step for step in dev_steps(provider, "audit") if step.arguments[0] == "audit"]
    assert step.in_any_case


# --- the linters ----------------------------------------------------------------------------------------------


READS = "permissions:\n      contents: read # to check it out\n"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for folder in (".github", AZURE_DEVOPS):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def spoilt(root: Path, name: str, before: str, after: str) -> None:
    file = root / name
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


def all_lines(root: Path) -> Iterator[str]:
    for linter in (workflows.zizmor, workflows.actionlint, workflows.schemas):
        try:
            yield from linter(root).lines
        except workflows.LinterBroke as broke:  # `./dev check` shows it, and is red
            yield str(broke)


def test_the_linters_find_nothing_in_ours(copied: Path) -> None:
    assert list(all_lines(copied)) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("release.yml", "checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "checkout@v5", "unpinned-uses"),
        ("release.yml", "          persist-credentials: false\n", "          clean: true\n", "artipacked"),
        ("pull-request.yml", "  pull_request:\n", "  pull_request_target:\n", "dangerous-triggers"),
        ("checks.yml", "run: ./dev check", "run: ./dev check ${{ github.head_ref }}", "template-injection"),
        ("audit.yml", READS, "permissions: write-all\n", "excessive-permissions"),
        ("deploy.yml", "inputs.environment }}", "inputs.enviroment }}", "property"),
        ("release.yml", "needs: staging", "needs: stagin", "stagin"),
        ("release.yml", "runs-on: ubuntu-24.04", "run-on: ubuntu-24.04", "run-on"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_workflow_is_found(
    copied: Path, name: str, before: str, after: str, said: str
) -> None:
    spoilt(copied, f"{GITHUB}/{name}", before, after)
    assert said in "\n".join(all_lines(copied))


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("release.yml", "dependsOn: checks", "needs: checks", "needs"),
        ("checks.yml", "script: ./dev check", "scritp: ./dev check", "scritp"),
        ("deploy.yml", "runOnce:", "once:", "once"),
    ],
)
def test_a_mistake_in_a_pipeline_is_found(
    copied: Path, name: str, before: str, after: str, said: str
) -> None:
    spoilt(copied, f"{AZURE_DEVOPS}/{name}", before, after)
    assert said in "\n".join(workflows.schemas(copied).lines)


def test_a_linter_that_gives_no_answer_is_not_taken_for_clean(copied: Path) -> None:
    (copied / GITHUB / "broken.yml").write_text("jobs: [", encoding="utf-8")
    with pytest.raises(workflows.LinterBroke):
        workflows.zizmor(copied)
    assert workflows.schemas(copied).lines
