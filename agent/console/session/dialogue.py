"""What a session asks: passwords, sizes, and questions that take y or n.

On a terminal the editor reads the answer behind the question; in a script the next line is the
answer, and a script that does not answer has answered No.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.console.session.keyboard import Keyboard
from agent.console.terminal.output import Output
from agent.errors import fail
from hal.named import NamedTuple

Run = Callable[[Callable[[], None]], None]  # calls what may raise an AgentError, and tells it


class Reader(NamedTuple):
    """Who takes the next line, and what happens when it is not given (Ctrl+C, end of script)."""

    read: Callable[[str], None]
    cancelled: Callable[[], None]


class Dialogue:
    """One question at a time, or none."""

    def __init__(self, out: Output, keyboard: Keyboard, run: Run) -> None:
        self._out, self._keyboard, self._run = out, keyboard, run
        self._reader: Reader | None = None
        self.assents = False  # questions of commands are answered Y

    @property
    def asking(self) -> bool:
        return self._reader is not None

    def take_reader(self) -> Reader | None:
        """Who waits for a line, and waits no more."""
        reader, self._reader = self._reader, None
        return reader

    def question(self, text: str, answered: Callable[[bool], None]) -> None:
        """Asks `Warning: TEXT [Y/N]:`; on No the person reads that nothing was done."""
        if self.assents:
            self._out.warn(f"{text} Y, by mmi-mode.")
            answered(True)
            return

        def told(yes: bool) -> None:
            answered(yes)
            if not yes:
                self._out.info("Nothing was changed.")

        self.choose(text, told)

    def choose(
        self, text: str, answered: Callable[[bool], None], tries: int = limits.ANSWERS
    ) -> None:
        """Asks without that, at a terminal at most `tries` times: what is pasted behind a question
        must not be taken for answers without end. In a script the next line answers, if it is y or
        n."""
        terminal = self._out.terminal

        def read(line: str) -> None:
            word = line.strip().lower()
            if word in ("y", "yes"):
                answered(True)
            elif word in ("n", "no") or (terminal and not word):
                answered(False)
            elif terminal and tries > 1:
                self._out.line("Please answer Y or N.")
                self.choose(text, answered, tries - 1)
            elif terminal:
                self._out.info(f"{limits.ANSWERS} answers were neither Y nor N, which means No.")
                answered(False)
            else:
                unanswered(lambda: answered(False))

        self.ask(f"Warning: {text} [Y/N]: ", read, cancelled=lambda: answered(False))

    def ask(
        self,
        prompt: str,
        read: Callable[[str], None],
        *,
        hidden: bool = False,
        cancelled: Callable[[], None] = lambda: None,
    ) -> None:
        """Gives the next line to `read`; `hidden` without echo."""
        self._reader = Reader(read, cancelled)
        if self._out.terminal:
            self._keyboard.ask(f"{self._out.one_line(prompt.rstrip())} ", hidden=hidden)
        else:
            self._out.line(prompt.rstrip())

    def cancel(self, why: str) -> None:
        """An open question is answered by nobody."""
        reader = self.take_reader()
        if reader:
            if self._out.terminal:
                self._out.write("\r\n")  # leaves the line of the question
            self._out.info(why)
            self._run(reader.cancelled)


def unanswered(cancelled: Callable[[], None]) -> None:
    """The script went on, or ended, without an answer: No, and its status says so."""
    cancelled()
    raise fail("question-unanswered")
