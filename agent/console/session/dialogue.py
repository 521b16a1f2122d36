"""What a session asks: passwords, sizes, and questions that take y or n.

On a terminal the editor reads the answer behind the question; in a script the next line is the
answer, and a script that does not answer has answered No.
"""

from collections.abc import Callable

from agent.console.terminal.editor import Editor
from agent.console.terminal.output import Output
from agent.errors import fail
from hal.named import NamedTuple


class Reader(NamedTuple):
    """Who takes the next line, and what happens when it is not given (Ctrl+C, end of script)."""

    read: Callable[[str], None]
    cancelled: Callable[[], None]


class Dialogue(Output):
    """An output with somebody at the other end."""

    def __init__(
        self, send: Callable[[bytes], None], *, terminal: bool, width: int, loading: bool
    ) -> None:
        super().__init__(send, terminal=terminal, width=width)
        self.loading = loading  # a configuration: nobody is there, nothing may be started
        self.editor = Editor(width)
        self._reader: Reader | None = None

    def run(self, call: Callable[[], None]) -> None:
        """Calls something that may raise an AgentError; the session tells it and goes on."""
        raise NotImplementedError

    @property
    def asking(self) -> bool:
        return self._reader is not None

    def take_reader(self) -> Reader | None:
        """Who waits for a line, and waits no more."""
        reader, self._reader = self._reader, None
        return reader

    def echo(self) -> None:
        """Writes what the editor has to say."""
        self.write(self.editor.take_output())

    def question(self, text: str, answered: Callable[[bool], None]) -> None:
        """Asks `Warning: TEXT [Y/N]:`; on No the person reads that nothing was done."""

        def told(yes: bool) -> None:
            answered(yes)
            if not yes:
                self.info("Nothing was changed.")

        self.choose(text, told)

    def choose(self, text: str, answered: Callable[[bool], None]) -> None:
        """Asks without that. In a script the next line answers, if it is y or n."""

        def read(line: str) -> None:
            word = line.strip().lower()
            if word in ("y", "yes"):
                answered(True)
            elif word in ("n", "no") or (self.terminal and not word):
                answered(False)
            elif self.terminal:
                self.line("Please answer Y or N.")
                self.choose(text, answered)
            else:
                self.unanswered(lambda: answered(False))

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
        self.refuse_while_loading()
        self._reader = Reader(read, cancelled)
        if self.terminal:
            self.fresh_line()
            self.editor.begin(prompt, hidden=hidden, question=True)
            self.echo()
        else:
            self.line(prompt.rstrip())

    def cancel_question(self, why: str) -> None:
        reader = self.take_reader()
        if reader:
            if self.terminal:
                self.write("\r\n")  # leaves the line of the question
            self.info(why)
            self.run(reader.cancelled)

    def unanswered(self, cancelled: Callable[[], None]) -> None:
        """The script went on, or ended, without an answer: No, and its status says so."""
        cancelled()
        raise fail("question-unanswered")

    def refuse_while_loading(self) -> None:
        if self.loading:
            raise fail("load-action")
