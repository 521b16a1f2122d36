"""The parts of a session without the session: what each does by itself."""

from collections.abc import Callable

from agent.console.commands.place import Place
from agent.console.language.views import USER
from agent.console.session.dialogue import Dialogue
from agent.console.session.keyboard import Keyboard
from agent.console.session.screen import Screen
from agent.console.session.trust import Trust
from agent.console.session.work import Work
from agent.console.terminal.output import Output
from agent.console.terminal.typed import TypeAhead
from agent.errors import AgentError
from tests.helpers.appliance import FakeDevice


class Parts:
    """At a terminal or in a script; `errors` are the codes of what was raised."""

    def __init__(self, device: FakeDevice, *, terminal: bool, level: int = 3) -> None:
        self.device, self.sent = device, bytearray()
        self.errors: list[str] = []
        self.typed = TypeAhead()
        self.went_on, self.quiet = 0, False
        self.out = Output(self.sent.extend, terminal=terminal, width=80)
        self.place = Place(device, level, USER)
        self.keyboard = Keyboard(self.out, self.place)
        self.dialogue = Dialogue(self.out, self.keyboard, self.run)
        self.screen = Screen(
            self.out, self.keyboard, device.reactor, 24, lambda: True, lambda: False, lambda: None
        )
        self.trust = Trust(self.place, self.out, self.dialogue, self.screen, self.typed, self.run)
        self.work = Work(
            self.out,
            self.dialogue,
            device.reactor,
            self.trust,
            self.run,
            device.detach,
            self._go_on,
            lambda: self.quiet,
        )

    def run(self, call: Callable[[], None]) -> None:
        try:
            call()
        except AgentError as error:
            self.errors.append(error.code)

    def _go_on(self) -> None:
        self.went_on += 1

    def answer(self, line: str) -> None:
        """Gives a line to whoever waits for one."""
        reader = self.dialogue.take_reader()
        assert reader
        self.run(lambda: reader.read(line))

    def said(self) -> str:
        self.out.flush()
        text = self.sent.decode().replace("\r", "")
        self.sent.clear()
        return text
