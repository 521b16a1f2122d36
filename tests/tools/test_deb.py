"""The Debian package: the same bytes from the same sources, all that runs in it, and no more."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.board import ROOT
from tools import deb
from tools.structure import modules

UNIT = ROOT / "platforms" / "debian" / "scep-agent.service"
PRIVATE = "./usr/lib/scep-agent/"
MISSING = " ".join(tool for tool in (*deb.NEEDS, "lintian") if not shutil.which(tool))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"`make packages` installs {MISSING}"),
]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deb.build(tmp_path_factory.mktemp("deb"))


@cache
def said(*command: str) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    ).stdout


def test_the_same_sources_make_the_same_bytes(package: Path, tmp_path: Path) -> None:
    clone = tmp_path / "elsewhere"
    before = os.umask(0o077)  # as somebody else may have it
    try:
        for room in deb.ROOMS:
            shutil.copytree(ROOT / room, clone / room, ignore=deb.NOT)
        shutil.copytree(ROOT / "platforms" / "debian", clone / "platforms" / "debian")
        for path in clone.rglob("*"):
            os.utime(path, (0, 0), follow_symlinks=False)
        again = deb.build(tmp_path / "out", root=clone)
    finally:
        os.umask(before)
    assert again.read_bytes() == package.read_bytes()


def test_each_module_of_the_product_is_in_it_and_nothing_else(package: Path) -> None:
    listed = said("dpkg-deb", "-c", str(package)).splitlines()
    files = {line.split()[5] for line in listed if not line.startswith("d")}
    inside = {name.removeprefix(PRIVATE) for name in files if name.startswith(PRIVATE)}
    product = {str(path.relative_to(ROOT)) for path in modules.sources(ROOT)}
    assert inside == {name for name in product if not name.startswith("hal/fakes/")}
    assert all(line.split()[1] == "root/root" for line in listed)


def test_lintian_has_nothing_to_say(package: Path) -> None:
    found = subprocess.run(
        ["lintian", "--fail-on", "error,warning", str(package)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_it_depends_on_what_the_product_imports_and_on_nothing_else(package: Path) -> None:
    wanted = said("dpkg-deb", "-f", str(package), "Depends").strip().split(", ")
    names = {one.split()[0].partition(":")[0] for one in wanted}
    assert names == {"systemd", "python3", "python3-cryptography", "python3-serial"}


def test_another_version_is_that_of_the_package(tmp_path: Path) -> None:
    found = deb.build(tmp_path, "0.2.0~test")
    assert said("dpkg-deb", "-f", str(found), "Version").strip() == "0.2.0~test"


def test_the_version_is_that_of_the_project(package: Path) -> None:
    version = said("dpkg-deb", "-f", str(package), "Version").strip()
    assert f'\nversion = "{version}"\n' in (ROOT / "pyproject.toml").read_text()


def test_the_exposure_of_the_unit_is_what_its_page_says() -> None:
    text = said("systemd-analyze", "security", "--offline=yes", "--no-pager", str(UNIT))
    score = text.rpartition(": ")[2].split()[0]
    assert float(score) <= 3.2
    assert f"exposure level {score}" in (ROOT / "docs" / "service.md").read_text()
