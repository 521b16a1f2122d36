"""What a text needs that takes a task: passwords in plain are sealed, missing key pairs are made.

A task takes its time and a text is read without waiting. So a text is read once to find its needs,
and once more when they are met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from agent.appliance import Done
from agent.console.commands.operator import NewKey, Task
from agent.console.language.passwords import MASK
from agent.errors import AgentError
from agent.settings import Settings
from hal.annotations import Any
from hal.named import NamedTuple

Begin = Callable[[Done[Any]], int]


class Needs:
    """`tasks` are those of passwords, by the lines that hold them, and `ready` what they came to.

    `keys` are the key pairs that lines of the text want, by name. `running` are the settings of the
    device.
    """

    def __init__(self, running: Settings) -> None:
        self.running = running
        self.line = 0
        self.tasks: dict[int, Begin] = {}
        self.ready: dict[int, object] = {}
        self.keys: dict[str, NewKey] = {}

    def take(self, begin: Begin, keep: Callable[[object], None]) -> None:
        """A password of the line that is read: `keep` gets what `begin` came to, or a mask."""
        self.tasks[self.line] = begin
        keep(self.ready.get(self.line, MASK))


class Step(NamedTuple):
    """A task, who gets its result, and what is told beside the error of one that failed."""

    begin: Begin
    keep: Callable[[object], None]
    failed: str


class InTurn:
    """One task after the other; no call stands in a call, however fast they end."""

    def __init__(self, steps: Iterable[Step], task: Task) -> None:
        self._task = task
        self._waiting = list(steps)[::-1]
        self._pending = self._going = False

    def go(self) -> int:
        """Starts what can be started; the number of the last task."""
        handle = 0
        self._going = True
        while self._waiting and not (self._pending or self._task.over):
            step = self._waiting.pop()
            self._pending = True
            try:
                handle = step.begin(partial(self._ended, step))
            except AgentError as error:
                self._ended(step, error)
        self._going = False
        if not self._pending:
            self._task.done(None)  # one that has failed is over and does not hear it
        return handle

    def _ended(self, step: Step, result: object) -> None:
        self._pending = False
        if isinstance(result, AgentError):
            self._waiting.clear()
            self._task.note(step.failed)
            self._task.done(result)
            return
        step.keep(result)
        if not self._going:
            self.go()
