"""The files that ship are those that the sources give."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.console.npm import WEB, packages

STATIC = WEB.parent / "static"


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_what_ships_is_what_the_sources_build(tmp_path: Path) -> None:
    packages()
    node = shutil.which("node")
    assert node is not None
    subprocess.run([node, "build.mjs", tmp_path / "static"], cwd=WEB, check=True)
    built = contents(tmp_path / "static")
    assert built.keys() == contents(STATIC).keys()
    changed = [name for name, body in contents(STATIC).items() if body != built[name]]
    assert not changed, "run `make console`"


def test_the_lock_pins_every_package_and_names_no_address() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    held = {path: entry for path, entry in lock["packages"].items() if path}
    assert all("integrity" in entry for entry in held.values())
    assert all("resolved" not in entry for entry in held.values())


def test_versions_are_exact() -> None:
    about = json.loads((WEB / "package.json").read_text())
    versions = {**about["dependencies"], **about["devDependencies"]}
    assert all(version[0].isdigit() for version in versions.values())


def test_licences_of_all_that_is_bundled_are_told() -> None:
    text = (STATIC / "licenses.txt").read_text()
    about = json.loads((WEB / "package.json").read_text())
    for name, version in about["dependencies"].items():
        assert f"{name} {version} (" in text
