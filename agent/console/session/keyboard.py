"""The line that is typed: its prompt, its keys, TAB in it, and help above it."""

from __future__ import annotations

from agent.console.commands.place import Place
from agent.console.session.completion import Completion
from agent.console.terminal.editor import Editor, Event, Help, Tab
from agent.console.terminal.output import Output


class Keyboard:
    """An editor, and what it writes to."""

    def __init__(self, out: Output, place: Place) -> None:
        self.editor = Editor(out.width)
        self.goes_on = False  # the line, below the help that it was given
        self._out, self._place = out, place
        self._completion = Completion(self.editor.line, place.completed)

    @property
    def lost(self) -> int | None:
        """The first column of the line where a tab was dropped."""
        return self._completion.lost

    def echo(self) -> None:
        """Writes what the editor has to say."""
        self._out.write(self.editor.take_output())

    def ready(self) -> None:
        """The prompt, or after help the line as it was."""
        self._out.fresh_line()
        if self.goes_on:
            self.goes_on = False
            self.editor.line.show()
        else:
            self._completion.reset()
            self.editor.begin(self._place.prompt())
        self.echo()

    def ask(self, prompt: str, *, hidden: bool) -> None:
        """A question, whose answer is not kept."""
        self._out.fresh_line()
        self.editor.begin(prompt, hidden=hidden, question=True)
        self.echo()

    def hide(self) -> None:
        """Makes room for a notice; `show` draws the line again below it."""
        self.editor.line.hide()
        self.echo()

    def show(self) -> None:
        self.editor.line.show()
        self.echo()

    def key(self, byte: int) -> Event | None:
        """What a key has brought about, if anybody has to act."""
        event = self.editor.key(byte)
        if event is not None:
            self.echo()
        return event

    def complete(self, tab: Tab, *, pasted: bool) -> None:
        """TAB; `pasted`: more came behind it."""
        self._completion.press(tab, pasted)

    def wants_help(self, asked: Help) -> bool:
        """Whether a `?` is a call for help; in text it is a character."""
        if self._place.is_typed_text(asked.text):
            self.editor.line.insert("?")
            return False
        self._out.write("?\r\n")
        self.goes_on = True
        return True
