"""Why a demo ends before its end."""

import signal
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
    """From now on the first signal raises `Stopped`; later ones cannot disturb the cleaning up."""
    for number in STOPPING:
        signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    for other in STOPPING:
        signal.signal(other, signal.SIG_IGN)
    raise Stopped(number)
