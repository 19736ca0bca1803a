"""Where a step's outputs are kept, and the data assets that are registered from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from localazure.workspace.history.runs import Runs
from localazure.workspace.planning.plan import Target
from localazure.workspace.store.blobs import Blobs, NothingThere, Place
from localazure.workspace.store.documents import Store
from localazure.workspace.store.uris import FILES, Resolver
from localazure.workspace.wire.calls import Json
from localazure.workspace.wire.resources import stamp

_DATA_TYPES = ("uri_file", "uri_folder", "mltable")


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Uploads, then writes down where."""

    store: Store
    blobs: Blobs
    runs: Runs
    resolver: Resolver

    def keep(self, run: Json, name: str, target: Target, path: str) -> None:
        """Upload what the command wrote at `path`, and let the run (and its pipeline) know where it is."""
        uri = self.uri(run, name, target)
        if target.mode != "direct":
            self._upload(name, target, Path(path), uri)
        made = {"uri": uri, "type": target.type if target.type in _DATA_TYPES else "uri_folder"}
        self.runs.change(run["runId"], lambda one: one["outputs"].__setitem__(name, made))
        if target.job_output:
            job_output = target.job_output
            self.runs.change(run["rootRunId"], lambda one: one["outputs"].__setitem__(job_output, made))
        if target.asset:
            self._register(target, uri, run["runId"])

    def _upload(self, name: str, target: Target, path: Path, uri: str) -> None:
        single, place = target.type == "uri_file", self.resolver.place(uri)
        if single and not path.is_file():
            raise NothingThere(f"the output {name!r} should be a file at its path; the command wrote none")
        if not isinstance(place, Place):
            raise NothingThere(
                f"the output {name!r} cannot be written to {uri}: not in this workspace's storage"
            )
        if single:
            self.blobs.upload(path, place)
        else:
            self.blobs.upload_folder(path, place)

    def uri(self, run: Json, name: str, target: Target) -> str:
        """Where an output goes: where it says, else to a place of its run in the pipeline's datastore."""
        job = self.store.get("jobs", run["rootRunId"]) or {}
        datastore = (job.get("plan") or {}).get("datastore") or FILES
        if target.uri:
            names = {"${{name}}": run["runId"], "${{output_name}}": name, "${{default_datastore}}": datastore}
            uri = target.uri
            for expression, value in names.items():
                uri = uri.replace(expression, value)
            return self.resolver.long_form(uri)
        owner, output = (run["rootRunId"], target.job_output) if target.job_output else (run["runId"], name)
        end = "" if target.type == "uri_file" else "/"
        return self.resolver.datastore_uri(datastore, f"azureml/{owner}/{output}{end}")

    def _register(self, target: Target, uri: str, job: str) -> None:
        """A named output becomes a data asset; a version that is there already stays."""
        name = str(target.asset)
        about = {"tags": {}, "properties": {}, "isArchived": False, "dataType": target.type}
        properties = about | {"dataUri": uri, "isAnonymous": False, "jobName": job}
        with self.store.together():  # another one may be registered at the same time
            versions = self.store.all("data/versions", family=name)
            highest = max((int(one["version"]) for one in versions if one["version"].isdecimal()), default=0)
            version = target.asset_version or str(highest + 1)
            self.store.add("data", name, {"name": name, "properties": about, "made": stamp()})
            document = {"name": name, "version": version, "properties": properties, "made": stamp()}
            self.store.add("data/versions", f"{name}:{version}", document, family=name)
