"""The task that a session waits for: its progress, its notes, its questions, its end.

The device calls a hold from the event loop, perhaps at once, perhaps after the session has gone.
When the session was detached (Ctrl+C, hang-up) the work goes on and a hold is deaf: notes and the
result are dropped, and a question is answered No, because nobody is there who could compare.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.appliance import CaQuestion
from agent.console.commands.operator import GOES_ON, Task
from agent.console.session.dialogue import Dialogue, Run
from agent.console.session.trust import Trust
from agent.console.terminal.output import Output
from agent.errors import AgentError
from hal.ports import Reactor

DOT_NS = 1_000_000_000


class Hold:
    """One task, as the device sees who waits. `handle` is what the device calls the task.

    `left` tells who leaves it with Ctrl+C what becomes of the work. `ended` gets the result.
    """

    def __init__(
        self,
        out: Output,
        dialogue: Dialogue,
        reactor: Reactor,
        trust: Trust,
        run: Run,
        left: str,
        ended: Callable[[object], None],
    ) -> None:
        self.handle: int | None = None
        self.left = left
        self.over = False
        self._out, self._dialogue, self._reactor, self._trust = out, dialogue, reactor, trust
        self._run, self._ended = run, ended
        self._dots = reactor.after(DOT_NS, self._dot) if out.terminal else None

    def done(self, result: object) -> None:
        """The task has ended: with its result, or with an AgentError."""
        if not self.over:
            self.end()
            self._ended(result)

    def note(self, text: str) -> None:
        if not self.over:
            self._run(lambda: self._out.info(text))

    def confirm_ca(self, asked: CaQuestion, answer: Callable[[bool], None]) -> None:
        """Asks a person whether this is the CA to trust."""
        if self.over:
            answer(False)
        else:
            self._trust.ask(asked, answer)

    def confirm(self, question: str, answer: Callable[[bool], None]) -> None:
        """Asks a person for Y or N."""
        if self.over:
            answer(False)
        else:
            self._run(lambda: self._trust.question(question, answer))

    def end(self) -> None:
        """No more is heard from this hold; an open question is answered No."""
        self.over = True
        if self._dots:
            self._dots.cancel()
        self._trust.reply(False)

    def _dot(self) -> None:
        if not self._dialogue.asking:
            self._out.progress(".")
        self._dots = self._reactor.after(DOT_NS, self._dot)


class Work:
    """One task at a time, or none.

    `detach` tells the device that nobody waits for a task any more. `go_on` looks at what has
    arrived meanwhile. `quiet`: whoever reads the result wants no label before it.
    """

    def __init__(
        self,
        out: Output,
        dialogue: Dialogue,
        reactor: Reactor,
        trust: Trust,
        run: Run,
        detach: Callable[[int], None],
        go_on: Callable[[], None],
        quiet: Callable[[], bool],
    ) -> None:
        self._out, self._dialogue, self._reactor, self._trust = out, dialogue, reactor, trust
        self._run, self._detach, self._go_on, self._quiet = run, detach, go_on, quiet
        self._hold: Hold | None = None

    def start(
        self,
        label: str,
        begin: Callable[[Task], int],
        then: Callable[[object], None],
        left: str = GOES_ON,
    ) -> None:
        """Holds the session until the task that `begin` starts is done; then `then(result)`."""
        if not label:
            pass  # it is over in a moment
        elif self._out.terminal:
            self._out.progress(f"{label} ")
        elif not self._quiet():
            self._out.line(f"{label} ...")
        hold = self._hold = Hold(
            self._out,
            self._dialogue,
            self._reactor,
            self._trust,
            self._run,
            left,
            lambda result: self._release(then, result),
        )
        try:
            hold.handle = begin(hold)
        except AgentError:
            hold.end()
            self._hold = None
            raise

    @property
    def holds(self) -> bool:
        """Whether a task runs that asks nothing."""
        return self._hold is not None and not self._dialogue.asking

    def leave(self) -> None:
        """Ctrl+C: the person reads what becomes of the work."""
        if self._hold:
            left = self._hold.left
            self.detach()
            self._out.info(left)

    def detach(self) -> None:
        """The task, if there is one, goes on without this session."""
        hold, self._hold = self._hold, None
        if hold:
            hold.end()
            if hold.handle is not None:
                self._detach(hold.handle)

    def _release(self, then: Callable[[object], None], result: object) -> None:
        """The task has ended."""
        self._hold = None
        self._dialogue.take_reader()  # a question of a task ends with it
        self._run(lambda: _conclude(then, result))
        self._go_on()


def _conclude(then: Callable[[object], None], result: object) -> None:
    if isinstance(result, AgentError):
        raise result
    then(result)
