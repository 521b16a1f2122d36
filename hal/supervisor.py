"""The service manager that has started this process, told by datagrams (sd_notify(3)).

Fault model. There is none, as on a console: then nobody is told. It has gone, or its socket is full
or elsewhere: nothing of this agent depends on being heard, so a telling never fails and never
waits. Its watchdog ends and starts the agent again, not the machine; it counts from the start on.

The variables stay in the environment, since a simulated board starts anew in the same process. A
service manager hears the process alone that it has started (systemd's NotifyAccess=main).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

SOCKET, WATCHDOG_US, WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_LINE_BYTES = 400  # of a status; systemctl shows one line of it


class Supervisor:
    """Whoever listens at an address (a path, or `@name`). watchdog_s: it wants to hear of us that
    often, 0 for never."""

    def __init__(self, address: str, watchdog_s: int = 0) -> None:
        self.watchdog_s = watchdog_s
        self._address = b"\0" + os.fsencode(address[1:]) if address[0] == "@" else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def ready(self) -> None:
        """The service is what others may be started behind."""
        self._tell(b"READY=1")

    def status(self, line: str) -> None:
        """What `systemctl status` shows; line breaks would be other messages."""
        text = " ".join(line.splitlines()).encode("utf-8", "replace")
        self._tell(b"STATUS=" + text[:_LINE_BYTES].decode("utf-8", "ignore").encode())

    def stopping(self) -> None:
        self._tell(b"STOPPING=1")

    def feed(self) -> None:
        self._tell(b"WATCHDOG=1")

    def close(self) -> None:
        self._socket.close()

    def _tell(self, message: bytes) -> None:
        try:
            self._socket.sendto(message, self._address)
        except OSError:
            pass


def of_environment(environment: Mapping[str, str]) -> Supervisor | None:
    """The one of these variables; None where there is none."""
    address, watchdog_us, pid = (
        environment.get(name, "") for name in (SOCKET, WATCHDOG_US, WATCHDOG_PID)
    )
    if address[:1] not in ("/", "@"):
        return None
    ours = watchdog_us.isdecimal() and pid in ("", str(os.getpid()))
    return Supervisor(address, int(watchdog_us) // 1_000_000 if ours else 0)


class ServiceWatchdog:
    """`hal.ports.Watchdog` of a service manager: it starts the agent again, not the machine."""

    effect = "starts this program again"

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor, self.timeout_s = supervisor, supervisor.watchdog_s

    def feed(self) -> None:
        self._supervisor.feed()

    def disarm(self) -> None:
        """It looks no more at a service that has said that it stops."""

    def close(self) -> None:
        pass
