"""What the peers call themselves, as far as they are here."""

import subprocess
from collections.abc import Callable

from tests.helpers import jscep, peers

LOOK_S = 20

Version = Callable[[], str]  # empty where the peer is not here


def none() -> str:
    """For what is a part of this tree."""
    return ""


def package(name: str) -> Version:
    """A package of Debian."""

    def look() -> str:
        query = ("dpkg-query", "-W", "-f", "${Package} ${Version}", name)
        try:
            done = subprocess.run(query, capture_output=True, text=True, timeout=LOOK_S)
        except OSError:
            return ""
        return done.stdout if done.returncode == 0 else ""

    return look


def built(name: str) -> Version:
    """A program that `make peers` builds; its file has the version in its name."""

    def look() -> str:
        return "" if peers.missing(name) else peers.program(name).name

    return look


def jar(name: str) -> Version:
    """A library in Java, which has its version in the name of its file."""

    def look() -> str:
        return "".join(path.stem for path in jscep.JARS.glob(f"{name}-[0-9]*.jar"))

    return look
