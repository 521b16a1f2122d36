"""A console session: whose turn it is.

A terminal session is fed bytes and echoes; a script session is given lines and an exit status is
asked for. Both run the same commands. A session is always in one of these conditions, and the
first that applies takes the input: a page waits for a key; a question or a password waits for a
line; a task holds the session (what is typed is kept for later, Ctrl+C detaches); or a command.

Each condition is a part of its own: `screen`, `dialogue`, `work`, `interpreter`. What commands get
of them is `operator`. Handlers, tasks and timers enter through `run`: it prints an AgentError, and
when the outermost one returns and nothing is left to wait for, the prompt comes back or the
script's line is finished.

Fault model. Bytes may be anything, at any speed; what is typed ahead of a task is kept up to a cap.
Names and texts from certificates are shown with every control character replaced, so that a CA
cannot drive the operator's terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agent import limits
from agent.appliance import Appliance
from agent.console.commands.lookups import times
from agent.console.commands.operator import Operator
from agent.console.commands.place import Place
from agent.console.configuration import unapplied
from agent.console.language.views import USER
from agent.console.session.dialogue import Dialogue, unanswered
from agent.console.session.idle import Idle
from agent.console.session.interpreter import Interpreter
from agent.console.session.keyboard import Keyboard
from agent.console.session.monitor import Monitor
from agent.console.session.person import Person
from agent.console.session.screen import Screen
from agent.console.session.script import Finished, Script
from agent.console.session.trust import Trust
from agent.console.session.work import Work
from agent.console.terminal.editor import Event, Help, Interrupt, Leave, Line, Tab
from agent.console.terminal.output import Output
from agent.console.terminal.typed import INTERRUPT, STOPS, TypeAhead, last_stop
from agent.errors import AgentError
from hal.ports import Reactor

ECHO_KEYS = 32  # between two looks at the transport: a key may draw a line of 510 characters anew


class Session:
    """One operator or one script at the device.

    `send` takes what is to be written. `has_room` says whether the transport wants more; when it
    wants again it calls `resume`. `discard` drops what it has not sent yet. `ended` is called when
    the user has logged out.
    """

    def __init__(
        self,
        device: Appliance,
        send: Callable[[bytes], None],
        reactor: Reactor,
        *,
        level: int,
        terminal: bool,
        width: int = limits.SCREEN_COLUMNS,
        height: int = limits.SCREEN_LINES,
        has_room: Callable[[], bool] = lambda: True,
        discard: Callable[[], None] = lambda: None,
        ended: Callable[[], None] = lambda: None,
        idle_limit_s: Callable[[], int] = lambda: limits.IDLE_SESSION_S,
    ) -> None:
        self._device, self._reactor = device, reactor
        self._room, self._discard, self._ended = has_room, discard, ended
        self._idle_limit_s = idle_limit_s
        self.closed = False
        self._depth = 0
        self._pumping = False
        self._script, self._typed = Script(), TypeAhead()
        self._idle = Idle(device.outside_ns, idle_limit_s, lambda: self.run(self._expire))
        self.idle_s = self._idle.idle_s  # seconds since something was typed
        out = self._out = Output(send, terminal=terminal, width=width)
        place = self.place = Place(device, level, USER)
        keyboard = self.keyboard = Keyboard(out, place)
        dialogue = self.dialogue = Dialogue(out, keyboard, self.run)
        screen = self.screen = Screen(
            out, keyboard, reactor, height, has_room, self._is_at_prompt, self.resume
        )
        self._pager = screen.pager
        trust = Trust(place, out, dialogue, screen, self._typed, self.run)
        interpreter = self._interpreter = Interpreter(place, out, keyboard)
        self._work = Work(
            *(out, dialogue, reactor, trust, self.run, device.detach, self._go_on),
            lambda: interpreter.wants_json,
        )
        self._monitor = Monitor(device.listen, screen, lambda: times(device))
        self.operator = Person(
            place, out, dialogue, screen, self._work, self._monitor, interpreter, self._log_out
        )

    # -- what a transport calls --------------------------------------------------------------------

    def begin(self, *news: str) -> None:
        """The first prompt of a terminal, behind what there is to say."""
        self._idle.start(self._reactor)
        for text in news:
            self._out.info(text)
        told = unapplied.told(self._device)
        self.run(lambda: self._out.warn(told) if told else None)

    def feed(self, data: bytes) -> None:
        """Bytes of a terminal.

        Ctrl+C drops what was said and not yet sent, as on every tty (termios(3), ISIG). Where the
        keys behind it are not heard, it is heard before them, and so is a break.
        """
        self._idle.heard()
        data = self._typed.cleaned(data)
        deaf = self._busy() or not self._room()
        stop = last_stop(data, STOPS if deaf else (INTERRUPT,))
        if stop >= 0 and deaf:
            data = data[stop + 1 :]
            self._typed.clear()
            self._stop()
        elif stop >= 0:
            self._discard()
        if not self._typed.add(data):
            self.keyboard.editor.line.bell()
        self._go_on()

    def resize(self, width: int, height: int) -> None:
        """The window of the terminal has another size; 0 is unknown. The next line has it."""
        self.screen.resize(width, height)

    def run_line(self, text: str, finished: Finished) -> None:
        """One line of a script, queued behind those before it. `finished` gets the exit status.

        It is called too when the line has asked something: then the next line answers.
        """
        self._idle.heard()
        self._script.add(text, finished)
        self._go_on()

    def perform(self, call: Callable[[Operator], None], finished: Finished) -> None:
        """The whole work of a session without lines. `finished` gets the exit status."""
        self._script.begin(finished)
        self.run(lambda: call(self.operator))

    def end_script(self, finished: Finished) -> None:
        """No line follows: an open question is answered No, which is an error."""
        self._script.begin(finished)
        reader = self.dialogue.take_reader()
        self.run(partial(unanswered, reader.cancelled) if reader else lambda: None)

    def resume(self) -> None:
        """The transport has room again, for a display or for the echo of what was typed."""
        if self._pager.active:
            self.run(self._pager.pump)
        self._go_on()

    def close(self) -> None:
        """Hang-up: the session is gone, a task goes on."""
        self.closed = True
        self._idle.stop()
        self._monitor.stop()
        self._work.detach()
        self.dialogue.take_reader()
        self.screen.close()
        self._typed.clear()
        self._out.drop()

    # -- what its parts call -----------------------------------------------------------------------

    def run(self, call: Callable[[], None]) -> None:
        """The way in for everything that may fail: errors are told, then the session goes on."""
        self._depth += 1
        try:
            call()
        except AgentError as error:
            self._pager.stop()
            self._interpreter.tell(error)
        finally:
            self._depth -= 1
        if not self._depth:
            self._settle()
            self._out.flush()

    def _is_at_prompt(self) -> bool:
        return self._listening() and not self._depth

    def _log_out(self) -> None:
        self._out.flush()
        self.close()
        self._ended()

    # -- going on ----------------------------------------------------------------------------------

    def _busy(self) -> bool:
        """Whether something runs that only Ctrl+C can reach."""
        return self._work.holds or (self._pager.active and not self._pager.waiting)

    def _listening(self) -> bool:
        return self._pager.waiting or not (self._busy() or self.closed)

    def _settle(self) -> None:
        """When nothing is left to wait for: the command is over, here is the prompt."""
        if not self.closed and (self._busy() or self._pager.waiting):
            return
        if not (self.closed or self.dialogue.asking):
            self._interpreter.complete()
            if self._out.terminal:
                self.keyboard.ready()
        self._end_line()

    def _end_line(self) -> None:
        self._out.flush()
        self._script.end(self._out.status)

    def _go_on(self) -> None:
        """Looks at what has arrived, as long as somebody listens."""
        if self._pumping or self._depth:
            return
        self._pumping = True
        try:
            while self._heard():
                self._keys()
            while self._script.waits and (self._listening() or self.closed):
                self._take(self._script.next())
        finally:
            self._pumping = False
        self.keyboard.echo()
        self._out.flush()

    def _heard(self) -> bool:
        """Whether a key is looked at now. A stop is not left behind the command that it stops."""
        if self._busy() and self._typed.skip(STOPS):
            self._stop()
        if not self._typed or not self._listening():
            return False
        self._out.flush()
        return self._room()

    def _take(self, text: str) -> None:
        if self._script.untold or self.closed:  # a task failed unasked, or `quit`: nothing runs on
            self._end_line()
            return
        if not self.dialogue.asking:
            self._out.status = 0
        self._line(text)

    def _line(self, text: str) -> None:
        reader = self.dialogue.take_reader()
        if reader:
            self.run(lambda: reader.read(text))
        else:
            self.run(lambda: self._interpreter.run(text, self.operator))

    # -- keys --------------------------------------------------------------------------------------

    def _keys(self) -> None:
        """The keys up to the next that does something; not many, their echo must find room."""
        for _ in range(min(len(self._typed), ECHO_KEYS)):
            byte = self._typed.take()
            if self._pager.waiting:
                if byte == INTERRUPT:
                    self.keyboard.goes_on = False
                self.run(partial(self._pager.key, byte))
                break
            event = self.keyboard.key(byte)
            if event is not None:
                self._event(event)
                break
        self.keyboard.echo()

    def _event(self, event: Event) -> None:
        if isinstance(event, Line):
            self._line(event.text)
        elif isinstance(event, Tab):
            self.keyboard.complete(event, pasted=bool(self._typed))
        elif isinstance(event, Help):
            if self.keyboard.wants_help(event):
                self.run(lambda: self.screen.page(self._interpreter.help(event.text), []))
        elif isinstance(event, Leave):
            self.run(lambda: self.place.enter(USER))
        elif isinstance(event, Interrupt):
            self.run(self._interrupt)

    def _stop(self) -> None:
        """Ctrl+C or a break while something runs."""
        self._discard()
        self._out.interrupted()
        self.run(self._interrupt)

    def _interrupt(self) -> None:
        """Ends what is shown or asked, or leaves the task."""
        self.keyboard.goes_on = False
        self._pager.stop()
        reader = self.dialogue.take_reader()
        if reader:
            self._interpreter.give_up()
            reader.cancelled()
        else:
            self._work.leave()

    def _expire(self) -> None:
        self._pager.stop()
        if self._listening():
            self._out.write("\r\n")  # leaves the line that was begun
        self._out.info(f"The session ends: nothing was typed for {self._idle_limit_s()} s.")
        self._log_out()
