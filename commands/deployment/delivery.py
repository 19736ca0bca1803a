"""Deploy, smoke-test, roll back: what each leaves in the history, so that the next one, or the same again, can go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from commands.deployment.history import FAILED, INSTALLED, PASSED, Deployment
from commands.deployment.kept_packages import KeptPackages
from commands.deployment.patience import Patience
from commands.deployment.smoke import Finding, smoke
from commands.deployment.target import Target
from commands.packaging.manifest import Manifest
from commands.stack.errors import StackError


@dataclass(frozen=True)
class Delivery:
    """Of packages to one target."""

    target: Target
    kept: KeptPackages
    patience: Patience
    say: Callable[[str], None]

    def deploy(self, manifest: Manifest, package: Path) -> None:
        """Keeps the package, then has it run; whether it works the smoke test says.

        raises: StackError where it cannot be deployed
        """
        self.kept.keep(manifest, package)
        self._install(manifest, package)

    def smoke(self) -> bool:
        """Whether what was deployed last works; the verdict stays in the history.

        raises: StackError where nothing was deployed
        """
        current = self._current()
        findings: list[Finding] = []
        for finding in smoke(self.target, self.kept.manifest(current.sha256), self.patience):
            findings.append(finding)
            self.say(f"  {finding.check:<8} {'passed' if finding.passed else 'FAILED'}  {finding.said}")
        passed = all(each.passed for each in findings)
        self.kept.note(lambda history: history.now(PASSED if passed else FAILED))
        if passed:
            self.kept.forget()
        else:
            self.say(f"Release {current.release} failed its smoke test: `./dev release rollback`.")
        return passed

    def rollback(self) -> bool:
        """The newest package that passed runs again, and is tested again; nothing is done where it runs already.

        raises: StackError where none is there to go back to
        """
        current, earlier = self._current(), self.kept.history().to_go_back_to
        if current.state == PASSED:
            self.say(
                f"Release {current.release} runs and passed its smoke test: there is nothing to roll back."
            )
            return True
        if earlier is None:
            raise StackError(
                "no package that was deployed here ever passed its smoke test: deploy one that does."
            )
        self.say(f"Back from release {current.release} to {earlier.release}, deployed {earlier.at}.")
        with self.kept.fetched(earlier.sha256) as (manifest, package):
            self._install(manifest, package, back_from=current.release)
        return self.smoke()

    def _install(self, manifest: Manifest, package: Path, *, back_from: str = "") -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.kept.note(lambda history: history.begun(manifest, at, back_from=back_from))
        self.target.install(manifest, package)
        self.kept.note(lambda history: history.now(INSTALLED))
        self.say(
            f"Release {manifest.release} ({manifest.sha256[:12]}, commit {manifest.commit[:12]}) is deployed."
        )

    def _current(self) -> Deployment:
        current = self.kept.history().current
        if current is None:
            raise StackError("nothing was deployed yet: `./dev release deploy`.")
        return current
