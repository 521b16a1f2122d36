"""What the kernel knows of signals that the agent must: dispositions of a child, a terminal."""

from __future__ import annotations

import os
import signal

# All that can be set: what the agent ignores or handles, no child of it shall.
TO_DEFAULT = tuple(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


def has_terminal() -> bool:
    """Whether this process has a controlling terminal, which may hang up (tty(4): ENXIO)."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True
