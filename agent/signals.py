"""What signals mean to the resident agent, beside those that end it (SIGTERM, SIGINT).

Fault model: a person, a script, a library or another program sends a signal that nobody here meant,
or the terminal in which the agent runs is closed. By default each of these ends a process without
a word. Promised: SIGHUP of a terminal that is gone ends the agent in order; any other SIGHUP has it
read again what can be read again; every other signal that is not a fault of this program is
ignored, and the first of each kind is logged. A signal that was ignored when the agent was started
stays so (nohup(1)).
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial

from agent.log import Log
from agent.loop import Loop
from hal.signals import has_terminal

# The default action of these ends a process (signal(7)). Left out: what ends the agent in order,
# what cannot be caught, what Python ignores, and what says that this program is wrong.
_NAMES = ("USR1", "USR2", "ALRM", "VTALRM", "PROF", "QUIT", "IO", "PWR", "STKFLT", "XCPU")
UNMEANT = (
    *(getattr(signal, f"SIG{name}") for name in _NAMES if hasattr(signal, f"SIG{name}")),
    *range(signal.SIGRTMIN, signal.SIGRTMAX + 1),
)


class Signals:
    """Hears them from its making on, and acts once the loop runs. `serve` says on what."""

    def __init__(self, loop: Loop) -> None:
        self._stop = loop.stop
        self._has_terminal = has_terminal()  # it is too late to ask when that has hung up
        self._told: set[int] = set()
        self._log: Log | None = None
        self._reload: Callable[[], str] = str
        unmeant = {number: partial(self._unmeant, number) for number in UNMEANT}
        loop.hear({signal.SIGHUP: self._hang_up, **unmeant})

    def serve(self, log: Log, reload: Callable[[], str]) -> None:
        """`reload` reads again what can be read again, and says what."""
        self._log, self._reload = log, reload

    def _hang_up(self) -> None:
        if self._has_terminal:
            self._report("AGENT_HANGUP", "the terminal has hung up")
            self._stop()
        else:
            self._report("AGENT_RELOAD", self._reload())

    def _unmeant(self, number: int) -> None:
        if number not in self._told:
            self._told.add(number)
            name = signal.Signals(number).name if number in set(signal.Signals) else f"SIG{number}"
            self._report("SIGNAL", f"{name} is ignored; SIGTERM ends the agent")

    def _report(self, mnemonic: str, text: str) -> None:
        if self._log:
            self._log.report(mnemonic, text)
