"""Why a demo ends before its end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoError(Exception):
    """Something failed; the text is for the person who started the demo."""


class Stopped(BaseException):
    """A signal said so. Not an Exception: nothing but the way out may catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def catch_signals() -> None:
    """From now on a signal waits in the kernel until a `stoppable` place; see there."""
    for number in STOPPING:
        signal.signal(number, _stop)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


@contextmanager
def stoppable() -> Iterator[None]:
    """The places where a signal raises `Stopped`: whatever waits or types.

    What is made and its entry in the way out (a folder, a process) have no such place between
    them, and the way out itself has none: neither is ever half done. The first signal raises;
    later ones are ignored.
    """
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


def let_signals_in() -> None:
    """For a child after fork: it inherits the mask, and has its own way out."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def _stop(number: int, _frame: FrameType | None) -> None:
    for other in STOPPING:
        signal.signal(other, signal.SIG_IGN)
    raise Stopped(number)
