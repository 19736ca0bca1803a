"""URIs that jobs, assets and models may name (azureml://, wasbs://, https://), and the blobs each stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from localazure.workspace.settings import Settings
from localazure.workspace.store.blobs import Blobs, Place
from localazure.workspace.store.documents import Store
from localazure.workspace.wire.calls import Json

ARTIFACTS, FILES = "workspaceartifactstore", "workspaceblobstore"

_DATASTORE = re.compile(
    r"azureml:/+(?:subscriptions/[^/]+/resourcegroups/[^/]+(?:/providers/[^/]+)?/workspaces/[^/]+/)?"
    r"datastores/(?P<store>[^/]+)/paths/(?P<path>.*)",
    re.I,
)
_JOB_ARTIFACT = re.compile(
    r"(?:azureml://(?:subscriptions/.*/workspaces/[^/]+/)?jobs/(?P<job>[^/]+)/outputs/artifacts/(?:paths/)?"
    r"|runs:/(?P<run>[^/]+)/)(?P<path>.*)",
    re.I,
)
_JOB_OUTPUT = re.compile(
    r"azureml://(?:subscriptions/.*/workspaces/[^/]+/)?jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths/(?P<path>.*))?",
    re.I,
)
_ASSET = re.compile(
    r"(?:azureml:)?/*(?:subscriptions/.*|locations/[^/]+)/workspaces/[^/]+/(?P<kind>data|models)/(?P<name>[^/]+)"
    r"/(?:versions/labels/(?P<label1>[^/]+)|labels/(?P<label2>[^/]+)|versions/(?P<version>[^/]+))",
    re.I,
)
_SHORT_ASSET = re.compile(
    r"(?:azureml:)?(?P<name>[A-Za-z0-9][\w.-]*)(?::(?P<version>[^/@]+)|@(?P<label>latest))", re.I
)
_RUN_OUTPUT = re.compile(r"azureml_(?P<run>.+)_output_(?P<output>.+)", re.I)
_WASB = re.compile(r"(?:wasbs?|abfss?)://(?P<container>[^@/]+)@[^/]+/(?P<path>.*)", re.I)


class UnknownPath(Exception):
    """Not a form of path this workspace knows, or it names something that is not there."""


@dataclass(frozen=True)
class Web:
    """A URL of somebody else's."""

    url: str


class Resolver:
    """Reads datastores, assets and jobs from the store; touches no blob."""

    def __init__(self, settings: Settings, store: Store, blobs: Blobs) -> None:
        self._settings, self._store, self._blobs = settings, store, blobs

    def place(self, uri: str) -> Place | Web:
        """Where the bytes are."""
        for form in (self._in_datastore, self._of_job, self._asset, self._at_url):
            found = form(uri)
            if found is not None:
                return found
        raise UnknownPath(
            f"{uri!r} is not a path this workspace can follow: "
            "give an azureml:// path, an asset id, or an http(s) URL"
        )

    def long_form(self, uri: str) -> str:
        """A datastore path as the service stores it, so that equal paths compare equal; others unchanged."""
        if found := _DATASTORE.fullmatch(uri):
            return self.datastore_uri(found["store"], found["path"])
        if found := _JOB_ARTIFACT.fullmatch(uri):
            return self.datastore_uri(
                ARTIFACTS, f"{artifacts_prefix(found['job'] or found['run'])}{found['path']}"
            )
        if found := _JOB_OUTPUT.fullmatch(uri):
            return self._output_uri(found["job"], found["output"], found["path"])
        return uri.removeprefix("azureml:") if uri.lower().startswith("azureml:/subscriptions") else uri

    def job_of(self, uri: str) -> str | None:
        """The job a model came from, when its path says so."""
        found = _JOB_ARTIFACT.fullmatch(uri) or _JOB_OUTPUT.fullmatch(uri)
        return (found.groupdict().get("job") or found.groupdict().get("run")) if found else None

    def datastore_uri(self, store: str, path: str) -> str:
        of = self._settings
        return (
            f"azureml://subscriptions/{of.subscription}/resourcegroups/{of.resource_group}"
            f"/workspaces/{of.workspace}/datastores/{store}/paths/{path}"
        )

    def container_of(self, datastore: str) -> str:
        found = self._store.get("datastores", datastore)
        if found is None:
            raise UnknownPath(f"there is no datastore {datastore!r}")
        return str(found["properties"]["containerName"])

    def asset(self, uri: str) -> Json | None:
        """The version document of a data or model asset that `uri` names."""
        found = _ASSET.fullmatch(uri)
        if found and not _RUN_OUTPUT.fullmatch(found["name"]):
            label, version = found["label1"] or found["label2"], found["version"]
            return self._version(found["kind"].lower(), found["name"], version, label)
        if (found := _SHORT_ASSET.fullmatch(uri)) and "/" not in uri:
            return self._version("data", found["name"], found["version"], found["label"])
        return None

    def _version(self, kind: str, name: str, version: str | None, label: str | None) -> Json:
        if label:
            of_asset = self._store.all(f"{kind}/versions", family=name, newest_first=True)
            found = next((one for one in of_asset if not one["properties"].get("isArchived")), None)
        else:
            found = self._store.get(f"{kind}/versions", f"{name}:{version}")
        if found is None:
            raise UnknownPath(f"there is no {kind.removesuffix('s')} asset {name}:{version or label}")
        return found

    def _in_datastore(self, uri: str) -> Place | None:
        found = _DATASTORE.fullmatch(uri)
        return Place(self.container_of(found["store"]), found["path"]) if found else None

    def _of_job(self, uri: str) -> Place | Web | None:
        if _JOB_ARTIFACT.fullmatch(uri) or _JOB_OUTPUT.fullmatch(uri):
            return self.place(self.long_form(uri))
        return None

    def _asset(self, uri: str) -> Place | Web | None:
        if (found := _ASSET.fullmatch(uri)) and (made := _RUN_OUTPUT.fullmatch(found["name"])):
            return self.place(self._output_uri(made["run"], made["output"], None))
        document = self.asset(uri)
        if document is None:
            return None
        properties = document["properties"]
        return self.place(properties.get("dataUri") or properties["modelUri"])

    def _output_uri(self, job: str, output: str, path: str | None) -> str:
        run = self._store.get("runs", job)
        target = ((run or {}).get("outputs") or {}).get(output)
        if target is None:
            raise UnknownPath(f"the job {job!r} has no output {output!r} yet")
        whole: str = target["uri"]
        return f"{whole.rstrip('/')}/{path}" if path else whole

    def _at_url(self, uri: str) -> Place | Web | None:
        if found := _WASB.fullmatch(uri):
            return Place(found["container"], found["path"])
        if not re.match(r"https?://", uri, re.I):
            return None
        return self._blobs.place_of(uri) or Web(uri)


def artifacts_prefix(run: str) -> str:
    """Where a run's logs and other artifacts are in the artifact store."""
    return f"ExperimentRun/dcid.{run}/"
