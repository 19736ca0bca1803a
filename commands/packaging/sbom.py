"""The package's bill of materials (SBOM) in CycloneDX: each library with its version, licence and origin.

source: https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from commands.packaging.libraries import installed

APP = "campanha"
LICENCE = ("License-Expression", "License")
"""Where a library says it, the newer way first."""


def write_sbom(libraries: Path, package_sha256: str, target: Path) -> None:
    """libraries: the folder that they are installed in"""
    app = Component(
        name=APP,
        type=ComponentType.APPLICATION,
        bom_ref=APP,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=package_sha256)],
    )
    components = [_component(one) for one in installed(libraries)]
    serial = uuid5(NAMESPACE_URL, f"sha256:{package_sha256}")  # the same package, the same bill
    bom = Bom(components=components, serial_number=serial)
    bom.metadata.component = app
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.register_dependency(app, components)
    outputter = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    target.write_text(outputter.output_as_string(indent=1) + "\n", encoding="utf-8")


def _component(library: Distribution) -> Component:
    told = next((library.metadata[name] for name in LICENCE if name in library.metadata), "")
    origin = PackageURL(type="pypi", name=library.name.lower().replace("_", "-"), version=library.version)
    named = [LicenseFactory().make_from_string(told.splitlines()[0])] if told.strip() else []
    return Component(
        name=library.name,
        version=library.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(origin),
        purl=origin,
        licenses=named,
    )
