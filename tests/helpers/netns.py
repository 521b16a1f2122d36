"""A network name space of a test's own, with nothing but its loopback in it. Needs root."""

import ctypes
import os
import subprocess
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000


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

    def inside(self, call: Callable[[], T]) -> T:
        """What `call` gives in a thread that is in there; sockets that it opens stay there."""
        with ThreadPoolExecutor(1, initializer=self._enter) as thread:
            return thread.submit(call).result(timeout=20)

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            assert libc.setns(fd, _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        finally:
            os.close(fd)


def missing() -> str:
    """Why name spaces cannot be used here; empty when they can."""
    if os.geteuid() != 0:
        return "needs root for a network name space"
    return ""
