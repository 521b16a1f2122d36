"""A network name space of a test's own, with nothing but its loopback in it. Needs root."""

import os
import subprocess
import uuid
from types import TracebackType
from typing import Self


class NetNs:
    """`with NetNs() as net:` and `net.prefix` in front of a command."""

    def __init__(self) -> None:
        self.name = f"scep-{uuid.uuid4().hex[:10]}"

    @property
    def prefix(self) -> list[str]:
        return ["ip", "netns", "exec", self.name]

    def __enter__(self) -> Self:
        subprocess.run(["ip", "netns", "add", self.name], check=True, timeout=120)
        self.run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=True, timeout=120)

    def run(self, *command: str) -> None:
        """A command inside that must succeed."""
        subprocess.run([*self.prefix, *command], check=True, timeout=120)


def missing() -> str:
    """Why name spaces cannot be used here; empty when they can."""
    if os.geteuid() != 0:
        return "needs root for a network name space"
    return ""
