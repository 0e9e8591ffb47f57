"""Writes the bill of materials of an image as CycloneDX: tools/sbom.py IMAGE FILE

IMAGE is offkey/ingest and its like, on the engine that runs. Listed are its Debian packages, the crates that Cargo.lock gives its
program, and the Python packages in it; nothing is fetched.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent
CRATE = re.compile(r"(?P<name>\S+) v(?P<version>\S+?)(?: \((?P<place>/[^)]*)\))?(?: \(proc-macro\))?\t(?P<license>.*)")
PYTHON = """
import importlib.metadata as m, json
print(json.dumps([[d.name, d.version, d.metadata.get("License-Expression") or ""] for d in m.distributions()]))
"""


def said(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def inside(image: str, program: str, *words: str) -> str:
    return said("docker", "run", "--rm", "--network", "none", "--entrypoint", program, image, *words)


def component(kind: str, name: str, version: str, license_: str = "", namespace: str | None = None) -> Component:
    purl = PackageURL(kind, namespace, name, version)
    licenses = [LicenseFactory().make_from_string(license_)] if license_ else []
    return Component(name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl), licenses=licenses)


def debian(image: str):
    for line in inside(image, "dpkg-query", "--show", "--showformat", "${Package}\\t${Version}\\n").splitlines():
        yield component("deb", *line.split("\t"), namespace="debian")


def crates(program: str):
    """What is compiled into a program, its own crates left out."""
    tree = said("cargo", "tree", "--locked", "--offline", "-p", program, "-e", "normal", "--prefix", "none", "-f", "{p}\t{l}")
    for line in sorted(set(tree.splitlines())):
        crate = CRATE.fullmatch(line.removesuffix(" (*)"))
        if crate and not crate["place"]:
            yield component("cargo", crate["name"], crate["version"], crate["license"].replace("/", " OR "))


def python(image: str):
    for name, version, license_ in json.loads(inside(image, "python", "-c", PYTHON)):
        yield component("pypi", name.lower().replace("_", "-"), version, license_)


def main(image: str, file: str):
    name = image.rpartition("/")[2].partition(":")[0]
    bom = Bom()
    version = said("docker", "image", "inspect", "-f", "{{.Id}}", image).strip()
    bom.metadata.component = Component(name=name, type=ComponentType.CONTAINER, version=version, bom_ref=f"{name}@{version}")
    parts = [*debian(image), *(python(image) if name == "quality" else crates(name))]
    bom.components.update(parts)
    bom.register_dependency(bom.metadata.component, parts)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_to_file(file, allow_overwrite=True, indent=1)
    print(f"{file}: {len(bom.components)} components")


if __name__ == "__main__":
    main(*sys.argv[1:])
