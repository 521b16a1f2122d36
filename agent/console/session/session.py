"""A console session: views, the line that is typed, output, pages, questions, tasks.

A terminal session is fed bytes and echoes; a script session is given lines and an exit status is
asked for. Both run the same commands. A session is always in one of these conditions, and the
first that applies takes the input: a page waits for a key; a question or a password waits for a
line; a task holds the session (what is typed is kept for later, Ctrl+C detaches); or a command.

Handlers, tasks and timers enter through `run`: it prints an AgentError, and when the outermost one
returns and nothing is left to wait for, the prompt comes back or the script's line is finished.

Fault model. Bytes may be anything, at any speed; what is typed ahead of a task is kept up to a cap.
Names and texts from certificates are shown with every control character replaced, so that a CA
cannot drive the operator's terminal. A line that holds a password is masked before it is kept.
"""

from collections.abc import Callable
from functools import partial

from agent import limits
from agent.appliance import Appliance, Seat
from agent.console.commands.lines import masked
from agent.console.commands.table import Command
from agent.console.configuration import unapplied
from agent.console.language.blocks import is_comment
from agent.console.language.grammar import GrammarError, Match
from agent.console.language.views import SYSTEM, USER
from agent.console.session.holding import Holding
from agent.console.session.idle import Idle
from agent.console.session.script import Finished, Script
from agent.console.terminal.editor import Event, Help, Interrupt, Leave, Line, Tab
from agent.console.terminal.typed import INTERRUPT, STOPS, TypeAhead, last_stop
from agent.errors import AgentError, fail
from hal.ports import Reactor

ECHO_KEYS = 32  # between two looks at the transport: a key may draw a line of 510 characters anew


class Session(Holding):
    """One operator or one script at the device.

    `send` takes what is to be written. `has_room` says whether the transport wants more; when it
    wants again it calls `resume`. `discard` drops what it has not sent yet. `ended` is called when
    the user has logged out. `reactor` may be None while a configuration is loaded, since nothing
    waits then.
    """

    def __init__(
        self,
        device: Appliance,
        send: Callable[[bytes], None],
        reactor: Reactor | None,
        *,
        level: int,
        terminal: bool,
        width: int = 80,
        height: int = limits.SCREEN_LINES,
        loading: bool = False,
        has_room: Callable[[], bool] = lambda: True,
        discard: Callable[[], None] = lambda: None,
        ended: Callable[[], None] = lambda: None,
        idle_limit_s: Callable[[], int] = lambda: limits.IDLE_SESSION_S,
    ) -> None:
        super().__init__(
            device,
            send,
            reactor,
            level=level,
            terminal=terminal,
            width=width,
            height=height,
            loading=loading,
            has_room=has_room,
        )
        self.seat: Seat | None = None  # as others see this session
        self.key_names: frozenset[str] | None = None
        self._discard, self._ended = discard, ended
        self._idle_limit_s = idle_limit_s
        self._idle = Idle(device.outside_ns, idle_limit_s, lambda: self.run(self._expire))
        self._block = ""  # in which the command was typed
        self._failed = False
        self._goes_on = False  # the line that is typed, below the help that it was given
        self._depth = 0
        self._typed = TypeAhead()
        self._pumping = False
        self._script = Script()

    # -- what a transport calls --------------------------------------------------------------------

    def begin(self, *news: str) -> None:
        """The first prompt of a terminal, behind what there is to say."""
        if self._reactor:
            self._idle.start(self._reactor)
        for text in news:
            self.info(text)
        told = unapplied.told(self.device.configuration, self.device.settings)
        self.run(lambda: self.warn(told) if told else None)

    def idle_s(self) -> int:
        """Seconds since something was typed."""
        return self._idle.idle_s()

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
            self.drop_input()
            self._stop()
        elif stop >= 0:
            self._discard()
        if not self._typed.add(data):
            self.editor.bell()
        self.go_on()

    def run_line(self, text: str, finished: Finished) -> None:
        """One line of a script, queued behind those before it. `finished` gets the exit status.

        It is called too when the line has asked something: then the next line answers.
        """
        self._idle.heard()
        self._script.add(text, finished)
        self.go_on()

    def perform(self, call: Callable[[], None], finished: Finished) -> None:
        """The whole work of a session without lines. `finished` gets the exit status."""
        self._script.begin(finished)
        self.run(call)

    def end_script(self, finished: Finished) -> None:
        """No line follows: an open question is answered No, which is an error."""
        self._script.begin(finished)
        reader = self.take_reader()
        self.run(partial(self.unanswered, reader.cancelled) if reader else lambda: None)

    def resume(self) -> None:
        """The transport has room again, for a display or for the echo of what was typed."""
        if self._pager.active:
            self.run(self._pager.pump)
        self.go_on()

    def close(self) -> None:
        """Hang-up: the session is gone, a task goes on."""
        self.closed = True
        self._idle.stop()
        self.monitor.stop()
        self.detach()
        self.take_reader()
        self._pager.stop()
        self.drop_input()
        self._pieces.clear()

    # -- what handlers call ------------------------------------------------------------------------

    def leave(self) -> None:
        """One view up; from the user view the session ends."""
        if self.view.kind == USER:
            self._log_out()
        else:
            self.enter(USER if self.view.kind == SYSTEM else SYSTEM)

    # -- what holds and the pager call -------------------------------------------------------------

    def run(self, call: Callable[[], None]) -> None:
        """The way in for everything that may fail: errors are told, then the session goes on."""
        self._depth += 1
        try:
            call()
        except AgentError as error:
            self._pager.stop()
            self._failed = True
            self.error(error)
        finally:
            self._depth -= 1
        if not self._depth:
            self._settle()
            self.flush()

    def drop_input(self) -> None:
        self._typed.clear()

    # -- going on ----------------------------------------------------------------------------------

    def _busy(self) -> bool:
        """Whether something runs that only Ctrl+C can reach."""
        return self.held or (self._pager.active and not self._pager.waiting)

    def _listening(self) -> bool:
        return self._pager.waiting or not (self._busy() or self.closed)

    def is_at_prompt(self) -> bool:
        return self._listening() and not self._depth

    def _settle(self) -> None:
        """When nothing is left to wait for: the command is over, here is the prompt."""
        if not self.closed and (self._busy() or self._pager.waiting):
            return
        if not (self.closed or self.asking):
            self._complete()
            if self.terminal:
                self.fresh_line()
                self._ready()
        self._end_line()

    def _ready(self) -> None:
        """The prompt, or after help the line as it was."""
        if self._goes_on:
            self._goes_on = False
            self.editor.show()
        else:
            self.completion.reset()
            self.editor.begin(self.prompt())
        self.echo()

    def _complete(self) -> None:
        current, self._current = self._current, None
        if current and current.command.row.render and not (self._failed or self.loading):
            if self.device.settings.unapplied:
                unapplied.settle(self.device.settings, self._block, current.command, current.args)
            self.device.changed()

    def _end_line(self) -> None:
        self.flush()
        self._script.end(self.status)

    def go_on(self) -> None:
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
        self.echo()
        self.flush()

    def _heard(self) -> bool:
        """Whether a key is looked at now. A stop is not left behind the command that it stops."""
        if self._busy() and self._typed.skip(STOPS):
            self._stop()
        return bool(self._typed) and self._listening() and self.has_room()

    def _take(self, text: str) -> None:
        if self._script.untold or self.closed:  # a task failed unasked, or `quit`: nothing runs on
            self._end_line()
            return
        if not self.asking:
            self.status = 0
        self._line(text)

    def _stop(self) -> None:
        """Ctrl+C or a break while something runs."""
        self._discard()
        self.interrupted()
        self.run(self._interrupt)

    def _interrupt(self) -> None:
        """Ends what is shown or asked, or leaves the task."""
        self._goes_on = False
        self._pager.stop()
        reader = self.take_reader()
        if reader:
            reader.cancelled()
        else:
            self.leave_task()

    def _log_out(self) -> None:
        self.flush()
        self.close()
        self._ended()

    def _expire(self) -> None:
        self._pager.stop()
        if self._listening():
            self.write("\r\n")  # leaves the line that was begun
        self.info(f"The session ends: nothing was typed for {self._idle_limit_s()} s.")
        self._log_out()

    # -- keys --------------------------------------------------------------------------------------

    def _keys(self) -> None:
        """The keys up to the next that does something; not many, their echo must find room."""
        for _ in range(min(len(self._typed), ECHO_KEYS)):
            byte = self._typed.take()
            if self._pager.waiting:
                self._goes_on = self._goes_on and byte != INTERRUPT
                self.run(partial(self._pager.key, byte))
                break
            event = self.editor.key(byte)
            if event is not None:
                self.echo()
                self._event(event)
                break
        self.echo()

    def _event(self, event: Event) -> None:
        if isinstance(event, Line):
            self._line(event.text)
        elif isinstance(event, Tab):
            self.completion.press(event, pasted=bool(self._typed))
        elif isinstance(event, Help):
            self._help(event.text)
        elif isinstance(event, Leave):
            self.run(lambda: self.enter(USER))
        elif isinstance(event, Interrupt):
            self.run(self._interrupt)

    def _help(self, text: str) -> None:
        if self.is_typed_text(text):
            self.editor.insert("?")
            return
        self.write("?\r\n")
        self._goes_on = True
        self.run(lambda: self.page(self.help(text), []))

    # -- lines -------------------------------------------------------------------------------------

    def execute(self, found: Match[Command]) -> None:
        self._current, self._block = found, self.block()
        found.command.handler(self, found.args)

    def _line(self, text: str) -> None:
        reader = self.take_reader()
        if reader:
            self.run(lambda: reader.read(text))
        else:
            self._failed = False
            self.run(lambda: self._command(text))

    def _command(self, text: str) -> None:
        if len(text) > limits.LINE_CHARACTERS:
            raise fail("line-too-long", cap=limits.LINE_CHARACTERS)
        if not text.strip() or is_comment(text):
            return
        margin = len(self.prompt())
        try:
            found = self.understand(text)
        except GrammarError as error:
            self.misunderstood(text, error, margin)
            return
        self.editor.remember(masked(text, found.secret, self.completion.lost))
        self.execute(found)
