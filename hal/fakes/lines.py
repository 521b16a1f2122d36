"""Fakes of the serial line and the network. For tests.

Fault model:

* **Serial**: an end takes at most `room_bytes` of a write, or none; when one end is closed the line
  is cut, and the other end sees a hang-up once it has read what was under way.
* **Link**: interfaces are data that a test may change at any time (down, without an address, gone);
  `become` tells of it, as the kernel does, and `deaf` is a kernel that tells nobody. `connect`
  fails as scripted for a host, or goes to loopback, where the test has its server.

Out of the model: noise on the line, lost packets, slow names.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping

from hal.link import LinuxLink, find_interface
from hal.ports import Interface, LinkError, SerialError, Source


class FakeSerial:
    """One end of a line in memory; `pair` makes both. See `hal.ports.SerialPort`."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self.room_bytes: int | None = None  # None: as much as there is room for

    @classmethod
    def pair(cls) -> tuple[FakeSerial, FakeSerial]:
        """The two ends of one line."""
        one, other = socket.socketpair()
        return cls(one), cls(other)

    def fileno(self) -> int:
        if self._end.fileno() < 0:
            raise SerialError("the line is closed", "fake line")
        return self._end.fileno()

    def read(self) -> bytes:
        try:
            data = self._end.recv(4096)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise SerialError(f"the line is gone: {error.strerror}", "fake line") from error
        if not data:
            raise SerialError("the line is gone: hang-up", "fake line")
        return data

    def write(self, data: bytes) -> int:
        try:
            return self._end.send(data[: self.room_bytes]) if self.room_bytes != 0 else 0
        except BlockingIOError:
            return 0
        except OSError as error:
            raise SerialError(f"the line is gone: {error.strerror}", "fake line") from error

    def discard(self) -> None:
        """Nothing: what this end has taken is with the other one."""

    def close(self) -> None:
        self._end.close()


class FakeLinkNews:
    """A counter of changes. See `hal.ports.LinkNews`."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def tell(self) -> None:
        """Something has changed."""
        if self._fd >= 0:
            os.eventfd_write(self._fd, 1)

    def fileno(self) -> int:
        return self._fd

    def read(self) -> bool:
        try:
            return os.eventfd_read(self._fd) > 0
        except BlockingIOError:
            return False

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


class FakeLink:
    """A network made of data; hosts are answered on loopback. See `hal.ports.Link`.

    `failures` maps a host to the LinkError that its connections get, `ports` a host and port to
    the loopback port of a test's server (default: the same port). `connections` is what was asked
    for and went through: host, port, local address (None: any).
    """

    def __init__(
        self,
        interfaces: Iterable[Interface] = (),
        failures: Mapping[str, LinkError] | None = None,
        ports: Mapping[tuple[str, int], int] | None = None,
    ) -> None:
        self.network = list(interfaces)
        self.failures = dict(failures or {})
        self.ports = dict(ports or {})
        self.connections: list[tuple[str, int, str | None]] = []
        self.deaf = False
        self._news: list[FakeLinkNews] = []

    def become(self, *interfaces: Interface) -> None:
        """These are the interfaces from now on."""
        self.network = list(interfaces)
        for news in self._news:
            news.tell()

    @property
    def listeners(self) -> int:
        """How many are told of a change."""
        return sum(news.fileno() >= 0 for news in self._news)

    def interfaces(self) -> list[Interface]:
        return list(self.network)

    def news(self) -> FakeLinkNews:
        if self.deaf:
            raise LinkError("other", "the kernel does not tell of its interfaces")
        self._news.append(FakeLinkNews())
        return self._news[-1]

    def connect(self, host: str, port: int, source: Source, timeout_s: int) -> socket.socket:
        local = self._local(source, ":" in host)
        if host in self.failures:
            raise self.failures[host]
        there = self.ports.get((host, port), port)
        sock = LinuxLink().connect("127.0.0.1", there, Source(), timeout_s)
        self.connections.append((host, port, local))
        return sock

    def _local(self, source: Source, ipv6: bool) -> str | None:
        """The address that the real link would bind to, of the family that the host needs."""
        if source.address is not None:
            if all(source.address not in interface.addresses for interface in self.network):
                raise LinkError("source", "no interface has this address", source.address)
            allowed: tuple[str, ...] = (source.address,)
        elif source.interface is not None:
            allowed = find_interface(source.interface, self.network).addresses
        else:
            return None
        for address in allowed:
            if (":" in address) == ipv6:
                return address
        where = source.address or source.interface or ""
        raise LinkError("no-address", "no address of the family that is needed", where)
