"""What is installed where: the package of a board, and the pinned packages of a developer."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

from packaging.requirements import Requirement
from setuptools import find_packages

from tests.house.test_files import FAKES
from tests.house.test_tidy import PRODUCT, ROOT, SOURCES, TESTS, imports, module_name

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
OWN = {"agent", "hal", "platforms", "tests", "tools"}
NOT_PINNED = {"atheris"}  # requirements/atheris.txt: one command needs it


def pins(name: str) -> dict[str, str]:
    """Package -> version, from lines `package==version` alone."""
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {normal(package): version for package, version in pairs}


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def test_a_board_installs_all_of_the_product_but_the_fakes() -> None:
    shipped = set(find_packages(str(ROOT), **PROJECT["tool"]["setuptools"]["packages"]["find"]))
    folders = {module_name(path.parent / "__init__.py") for path in PRODUCT}
    assert folders - shipped == {FAKES}
    assert {name.split(".")[0] for name in shipped} == {"agent", "hal", "platforms"}


def test_the_pins_are_what_the_project_allows() -> None:
    pinned = pins("dev.txt")
    demands = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    for demand in map(Requirement, demands):
        assert pinned[normal(demand.name)] in demand.specifier


def test_the_tests_on_debian_are_run_by_the_same_versions() -> None:
    assert pins("debian.txt").items() <= pins("dev.txt").items()


DRIVERS = ROOT / "tests" / "rigs" / "clients" / "drivers"  # in an environment of their own


def test_what_drives_other_clients_is_pinned() -> None:
    tops = {name.split(".")[0] for path in DRIVERS.glob("*.py") for _line, name in imports(path)}
    packages = {normal(top) for top in tops - {"cases"} - sys.stdlib_module_names}
    assert {"netmiko", "napalm", "scrapli"} <= packages <= pins("clients.txt").keys()


def test_what_is_imported_is_pinned() -> None:
    here = [path for path in (*SOURCES, *TESTS) if path.parent != DRIVERS]
    tops = {name.split(".")[0] for path in here for _line, name in imports(path)}
    others = tops - OWN - NOT_PINNED - sys.stdlib_module_names
    origin = packages_distributions()
    packages = {normal(package) for top in others for package in origin[top]}
    assert {"cryptography", "pytest", "hypothesis"} <= packages <= pins("dev.txt").keys()
