"""The Debian package: `make deb`.

Sources are copied to a folder of their own, so that the clone stays as it is, and the same sources
make the same bytes: times are that of the changelog.

python -m tools.deb [--version 0.1.0+1] [--out build/deb]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "scep-agent"
ROOMS = ("agent", "hal", "platforms", "docs")
NOT = shutil.ignore_patterns("__pycache__", "*.pyc", "debian", "*.egg-info")
NEEDS = {"dpkg-buildpackage": "dpkg-dev", "dh": "debhelper", "dh_python3": "dh-python"}


class MissingToolError(RuntimeError):
    """A tool of Debian that builds packages is not there."""


def check() -> None:
    """Raises MissingToolError with the packages that lack."""
    missing = [package for tool, package in NEEDS.items() if not shutil.which(tool)]
    if missing:
        raise MissingToolError(f"apt-get install {' '.join(missing)}")


def build(out: Path, version: str = "", root: Path = ROOT) -> Path:
    """The package, of the clone at `root`, in the folder `out`. version: instead of the one of the
    changelog. Raises MissingToolError, and CalledProcessError with what the tools have said."""
    check()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / NAME
        for room in ROOMS:
            shutil.copytree(root / room, tree / room, ignore=NOT)
        debian = tree / "debian"
        shutil.copytree(root / "platforms" / "debian", debian)
        _settle(tree)
        if version:
            changelog = debian / "changelog"
            first, _, rest = changelog.read_text().partition("\n")
            changelog.write_text(f"{NAME} ({version}){first.partition(')')[2]}\n{rest}")
        command = ["dpkg-buildpackage", "-us", "-uc", "-b", "--no-sign"]
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        subprocess.run(
            command,
            cwd=tree,
            env=environment | {"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        (found,) = Path(folder).glob("*.deb")
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(found, out / found.name))


def _settle(tree: Path) -> None:
    """Modes and times that do not depend on whoever has cloned, and when."""
    command = ["dpkg-parsechangelog", "-l", str(tree / "debian" / "changelog"), "-S", "Timestamp"]
    time_s = int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    for path in (tree, *tree.rglob("*")):
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
        os.utime(path, (time_s, time_s))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--version", default="")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "deb")
    wanted = parser.parse_args()
    try:
        print(build(wanted.out, wanted.version))
    except MissingToolError as error:
        print(f"deb: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{error.stdout}\ndeb: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
