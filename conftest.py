"""What tests of both distributions need, and how their files are shared out among workers."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import NodeManager

from commands import ROOT
from commands.linters.tools import PACKAGES
from commands.setup.process_environment import settle
from localazure.storage.program import NotInstalled, installed
from running_azure.fixtures import azurite, azurite_service, free_port

__all__ = ["azurite", "azurite_service", "free_port"]
settle(ROOT)  # as `./dev` does
# A busy machine is no fault of what is tested; and what passed once passes again.
# `--hypothesis-profile=random` looks further.
settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeated", settings.get_profile("random"), derandomize=True)
settings.load_profile("repeated")

SHARE_A_SERVER = (
    "localazure/tests/conformance/",
    "localazure/tests/workspace/",
    "tests/clients/",
    "tests/contract/",
)
"""Folders of which all tests run in one worker, so that what their first one starts serves all of them."""

NodeManager.EXIT_TIMEOUT = 20
"""Seconds that an interrupted worker has to stop what its fixtures have started; it gives itself 15."""


class WholeFiles(LoadScopeScheduling):
    """Each worker is given whole files, or whole folders."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in SHARE_A_SERVER if file.startswith(folder)), file)


@pytest.fixture(scope="session")
def node() -> str:
    """The program `node` that set-up has found, or installed."""
    try:
        return str(installed().node)
    except NotInstalled as missing:
        if os.environ.get("CAMPANHA_REQUIRE_SERVICES"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def linters(node: str) -> Path:
    """The npm packages of the linters, which `./dev check` and `./dev test` install."""
    if not PACKAGES.exists():
        if os.environ.get("CAMPANHA_REQUIRE_SERVICES"):
            pytest.fail(f"{PACKAGES} is missing")
        pytest.skip("no linters here: ./dev check installs them")
    return PACKAGES


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholeFiles:
    return WholeFiles(config, log)


def pytest_keyboard_interrupt() -> None:
    """A worker is interrupted a second time after five seconds, by xdist; by then its fixtures stop what they started."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers tell tests apart by their ids, and run one of each."""
    twice = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twice:
        raise pytest.UsageError(f"several tests have the id {twice[0]}: workers would run one of them")
