"""The wheel and the source distribution, for those who use pip: `make wheel`.

The rooms of the product have short names (`agent`, `hal`, `platforms`) that must not stand in
anybody's site-packages. So they lie in one package, `scep_agent`, which puts its own folder first
when the command starts; the worker is started from the same folder.

python -m tools.wheel [--out build/wheel]
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from setuptools import build_meta

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "scep_agent"
ROOMS = ("agent", "hal", "platforms")
NOT = shutil.ignore_patterns("__pycache__", "*.pyc", "fakes", "debian", "*.egg-info")
INIT = '''\
"""Starts scep-agent: its rooms lie in this folder, under names that nobody else sees."""

import os
import sys


def main() -> int:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from agent.__main__ import main

    return main()
'''


def build(out: Path, root: Path = ROOT) -> tuple[Path, Path]:
    """The wheel and the source distribution, in the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for room in ROOMS:
            shutil.copytree(root / room, tree / PACKAGE / room, ignore=NOT)
        (tree / PACKAGE / "__init__.py").write_text(INIT)
        shutil.copy(root / "README.md", tree)
        (tree / "pyproject.toml").write_text(_project(root))
        before = os.getcwd()
        os.chdir(tree)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                names = build_meta.build_wheel(str(out)), build_meta.build_sdist(str(out))
        finally:
            os.chdir(before)
    return out / names[0], out / names[1]


def _project(root: Path) -> str:
    """The same project, of the one package."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    table = project["project"]
    kept = ("name", "version", "description", "readme", "requires-python", "dependencies")
    lines = ["[build-system]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in project["build-system"].items()]
    lines += ["[project]", *(f"{name} = {json.dumps(table[name])}" for name in kept)]
    lines += ["[project.scripts]", f'scep-agent = "{PACKAGE}:main"']
    lines += ["[tool.setuptools.packages.find]", f'include = ["{PACKAGE}*"]']
    lines += ["[tool.setuptools.package-data]", '"*" = ["*.bash"]', ""]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "wheel")
    for path in build(parser.parse_args().out):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
