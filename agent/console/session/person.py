"""The operator at the console, a person or a script: what commands get of a session."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.appliance import Done, Seat
from agent.console.commands import lines, lookups
from agent.console.commands.keyuse import KeysNow
from agent.console.commands.place import Place
from agent.console.displays.document import Document
from agent.console.language.views import View, record_of
from agent.console.session.dialogue import Dialogue
from agent.console.session.interpreter import Interpreter
from agent.console.session.monitor import Monitor
from agent.console.session.screen import Screen
from agent.console.session.work import Work
from agent.console.terminal.output import Output
from agent.errors import AgentError
from hal.annotations import Any

NOT_SET = "The password was not set."


class Person:
    """`agent.console.commands.operator.Operator`.

    `log_out` ends the session.
    """

    def __init__(
        self,
        place: Place,
        out: Output,
        dialogue: Dialogue,
        screen: Screen,
        work: Work,
        monitor: Monitor,
        interpreter: Interpreter,
        log_out: Callable[[], None],
    ) -> None:
        self.device = place.device
        self.seat: Seat | None = None
        self.keys = KeysNow(place.device)
        self.enter, self.record = place.enter, place.record
        self.line, self.info, self.warn = out.message, out.info, out.warn
        self.ask, self.question, self.start = dialogue.ask, dialogue.question, work.start
        self._place, self._out, self._screen, self._dialogue = place, out, screen, dialogue
        self._monitor, self._interpreter, self._log_out = monitor, interpreter, log_out

    @property
    def level(self) -> int:
        return self._place.level

    @property
    def view(self) -> View:
        return self._place.view

    @property
    def terminal(self) -> bool:
        return self._out.terminal and not self._dialogue.assents

    @property
    def history(self) -> Sequence[str]:
        return self._interpreter.history

    @property
    def wants_json(self) -> bool:
        return self._interpreter.wants_json

    def leave(self) -> None:
        if not self._place.leave():
            self._log_out()

    def former(self) -> Any:
        return record_of(self.device.settings, self.view)

    def concealed(self, line: str) -> str:
        return lines.concealed(line)

    def remark(self, look: Callable[[], None]) -> None:
        look()

    def refuse(self, why: AgentError) -> None:
        raise why

    def show(self, document: Document, *, failed: bool = False) -> None:
        self._screen.show(document, self._interpreter.args, lookups.times(self.device), self.level)
        if failed:
            self._out.status = 1

    def protect(
        self,
        label: str,
        begin: Callable[[Done[Any]], int],
        keep: Callable[[object], None],
        _untried: Callable[[], None],  # a task can always run here
    ) -> None:
        self.start(label, lambda task: begin(task.done), keep, NOT_SET)

    def set_terminal(
        self,
        *,
        lines: int | None = None,
        columns: int | None = None,
        monitor: bool | None = None,
        program: bool | None = None,
    ) -> None:
        self._screen.choose(width=columns, height=lines)
        if program is not None:
            self._dialogue.assents = program
            self._screen.pages = self._out.wraps = not program
        if monitor is not None:
            (self._monitor.start if monitor else self._monitor.stop)()
