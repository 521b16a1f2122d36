"""Restarting the device: by a program of the system, or, on a simulated board, of the agent alone.

Fault model. The program may be missing or refuse; that is a HalError and nothing has happened.
Whoever asked gets no answer from a device that does restart.
"""

from __future__ import annotations

import os
import sys

from hal.files import converted
from hal.ports import HalError
from hal.signals import TO_DEFAULT


def start_reboot(path: str) -> None:
    """Starts the system's own program, for example /sbin/reboot. Raises HalError."""
    with converted(HalError, path):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        os.posix_spawn(path, [path], environment, setsigmask=[], setsigdef=TO_DEFAULT)


def start_anew() -> None:
    """This process becomes a new one of the same program, as after a power cut. Raises HalError."""
    with converted(HalError, sys.executable):
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - a shell would add nothing
