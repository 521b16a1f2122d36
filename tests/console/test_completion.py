"""TAB after TAB, as the line shows it."""

import pytest

from agent.console.session.completion import Completion
from agent.console.terminal.drawing import BELL
from agent.console.terminal.editor import Editor, Tab

WORDS = ["clock", "current-configuration", "pki", "this", "users", "user-interface", "version"]


class Typing:
    """A line, and TABs in it."""

    def __init__(self, keys: bytes) -> None:
        self.editor = Editor(80)
        self.editor.begin(">")
        self.completion = Completion(self.editor.line, self._offer)
        self.press(keys)

    def _offer(self, text: str, _pasted: bool) -> list[str]:
        word = text.split(" ")[-1].lower()
        return sorted(one for one in WORDS if word and one.startswith(word))

    def press(self, keys: bytes) -> str:
        for event in map(self.editor.key, keys):
            if isinstance(event, Tab):
                self.completion.press(event)
        return self.editor.line.text


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"display v\t", "display version "),
        (b"display VERS\t", "display version "),
        (b"display version\t", "display version "),
        (b"display c\t", "display clock"),  # they have only `c` in common
        (b"display c\t\t", "display current-configuration"),
        (b"display c\t\t\t", "display clock"),
        (b"display C\t\x1b[Z", "display current-configuration"),
        (b"display c\x1b[Z", "display current-configuration"),
        (b"display us\t", "display user"),
        (b"display us\t\t", "display user-interface"),
        (b"display us\t\t\t", "display users"),
        (b"display us\t\t \t", "display user-interface "),  # a blank takes it
        (b"display us\t\t\x7fc\t", "display user-interfacc"),  # so does every key that changes it
        (b"display v 7\x1b[D\x1b[D\t|", "display version| 7"),  # in the middle: no second blank
        (b"display c 7\x1b[D\x1b[D\t\t|", "display current-configuration| 7"),
    ],
)
def test_tabs(keys: bytes, line: str) -> None:
    assert Typing(keys).editor.line.text == line


@pytest.mark.parametrize("line", [b"", b"display ", b"nothing"])
def test_where_nothing_fits_there_is_a_bell_and_no_change(line: bytes) -> None:
    typing = Typing(line)
    typing.editor.take_output()
    assert typing.press(b"\t\t\x1b[Z").encode() == line
    assert typing.editor.take_output() == BELL * 3


def test_the_next_line_begins_anew() -> None:
    typing = Typing(b"display us\t")
    assert typing.press(b"\r") == ""
    typing.completion.reset()
    typing.editor.begin(">")
    assert typing.press(b"display user\t") == "display user-interface", "first of a new ring"
    typing.press(b"\t")
    assert typing.press(b"\t") == "display user-interface"


def test_a_full_line_gets_a_bell() -> None:
    typing = Typing(b"x" * 505 + b" ver")
    typing.editor.take_output()
    assert typing.press(b"\t").endswith(" ver")
    assert typing.editor.take_output() == BELL
