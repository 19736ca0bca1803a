"""A dataset's members: the parts of its newest version, the uploads that have joined since, and what these replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain import names
from shared.domain.datasets.manifest import Decision, Manifest, Part, Staying, following, staying
from shared.domain.facts import UploadAdmitted
from shared.errors import Transient
from shared.ledger import Versioned
from shared.procedures.data_decisions import trusted_versions, withdrawn_uploads
from shared.procedures.dataset_head import HEAD, Head
from shared.procedures.found_recipes import recipes_for
from shared.procedures.gather_window import gathered
from shared.procedures.overwritten import heirs, replaced_uploads, source
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Members:
    """A dataset's parts as they stand."""

    dataset: str
    previous: Manifest | None
    """The newest version that is registered."""
    joined: Sequence[Part]
    """Of the uploads in the window."""
    replaced: dict[str, str]
    """Versions of files that were overwritten, by their uploads, each with the newest version's."""
    withdrawn: dict[str, Decision]
    """Uploads that a person took out."""
    adding: bool
    """Whether all versions of a file count."""

    @property
    def parts(self) -> list[Part]:
        return [*(self.previous.parts if self.previous else ()), *self.joined]

    def hold(self, content_hash: str, *, name: str, upload: str) -> bool:
        """Whether these rows are there to stay, and no others of this file that are not: then it brings nothing new.

        What another file has just replaced, or a person withdrawn, does not count as staying, even where a third one
        holds it: a version without it may be in the making already.
        """
        there = [part for part in self.parts if not self._goes(part)]
        others = [part for part in there if part.source["name"] == name and part.file_version != upload]
        here = any(part.content_hash == content_hash for part in there)
        return here and (self.adding or all(part.content_hash == content_hash for part in others))

    def _goes(self, part: Part) -> bool:
        withdrawn = part.upload in self.withdrawn or part.file_version in self.withdrawn
        return withdrawn or part.file_version in self.replaced

    def _heirs(self, services: Services) -> dict[str, dict[str, str]]:
        going = [part for part in self.parts if self._goes(part)]
        return heirs(self.dataset, going, self.parts, self.withdrawn, services)

    def staying(self, services: Services) -> Staying:
        """The parts that the next version has, if there is one, and what it lacks."""
        previous = self.previous
        return staying(
            previous.version + 1 if previous else 1,
            previous.parts if previous else (),
            self.joined,
            replaced=self.replaced,
            withdrawn=self.withdrawn,
            heirs=self._heirs(services),
        )

    def next_version(self, services: Services) -> Manifest | None:
        """What the next version will be; None when it would have the rows that the newest has, as trusted as there, and
        when it would have none. raises: Transient without the dataset's contract"""
        contract = next((c for c in services.contracts if c.dataset == self.dataset), None)
        if contract is None:
            raise Transient(f"no contract is for the dataset {self.dataset} any more; restore it")
        return following(
            self.previous,
            self.joined,
            dataset=self.dataset,
            contract=contract.to_json(),
            recipes=[recipe.to_json() for recipe in recipes_for(self.dataset, services)],
            repeats=services.policy.repeated_rows,
            replaced=self.replaced,
            withdrawn=self.withdrawn,
            trusted=trusted_versions(self.dataset, services),
            heirs=self._heirs(services),
        )


def read_members(dataset: str, services: Services) -> Members:
    """The window is read first: what has left it by then is in the version that is read after it."""
    waiting = gathered(dataset, services)
    head = services.ledger.documents.read(HEAD, dataset)
    return members(dataset, head.value if head else None, waiting, services)


def members(
    dataset: str, head: Head | None, waiting: Sequence[Versioned[UploadAdmitted]], services: Services
) -> Members:
    """waiting: the uploads in the window, as they joined; a worker that died may have left some of the newest version"""
    finished = head.finished if head else 0
    previous = _manifest(dataset, finished, services) if finished else None
    known = previous.accounted if previous else frozenset()
    waiting = [upload for upload in waiting if upload.value.upload not in known]
    joined = [_part(upload.value, finished + 1) for upload in waiting]
    parts = [*(previous.parts if previous else ()), *joined]
    arrived = {upload.value.name for upload in waiting}
    return Members(
        dataset=dataset,
        previous=previous,
        joined=joined,
        replaced=replaced_uploads(parts, arrived, services),
        withdrawn=withdrawn_uploads(dataset, services),
        adding=services.policy.overwritten_files == "add",
    )


def _manifest(dataset: str, version: int, services: Services) -> Manifest:
    name = names.manifest_blob(dataset, version)
    text = services.files.content(names.DATASETS, name)
    if text is None:
        raise Transient(f"the manifest {name} is missing from the {names.DATASETS} container; restore it")
    return Manifest.from_json(text)


def _part(upload: UploadAdmitted, version: int) -> Part:
    found = source(upload.name, upload.upload, sha256=upload.source_sha256)
    found |= {"version": str(version)}
    found |= {"readmitted_from": upload.readmitted_from} if upload.readmitted_from else {}
    return Part(
        file=f"{upload.content_hash}.parquet",
        rows=upload.rows,
        content_hash=upload.content_hash,
        sha256=upload.part_sha256,
        source=found,
    )
