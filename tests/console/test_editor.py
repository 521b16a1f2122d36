"""The line editor against a small VT100: whatever is typed, the screen shows the line."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.console.terminal.editor import (
    CONTROLS,
    SEQUENCES,
    Editor,
    Event,
    Help,
    Interrupt,
    Leave,
    Line,
    Tab,
)

PROMPT = "[Huawei]"
CONTROL_SEQUENCE = re.compile(r"\x1b\[(\d*)([A-Z])")


class Screen:
    """What a VT100 of unlimited height shows: auto-wrap waits at the last column."""

    def __init__(self, width: int) -> None:
        self.width, self.row, self.column = width, 0, 0
        self.cells: dict[tuple[int, int], str] = {}

    def write(self, text: str) -> None:
        while text:
            sequence = CONTROL_SEQUENCE.match(text)
            if sequence:
                self._control(int(sequence[1] or 1), sequence[2])
                text = text[sequence.end() :]
            else:
                self._character(text[0])
                text = text[1:]

    def _control(self, count: int, letter: str) -> None:
        assert letter in "ABCDJ"
        if letter == "J":
            here = (self.row, self.column)
            self.cells = {place: one for place, one in self.cells.items() if place < here}
        self.row += {"A": -count, "B": count}.get(letter, 0)
        self.column += {"C": count, "D": -count}.get(letter, 0)
        assert 0 <= self.column < self.width
        assert self.row >= 0

    def _character(self, one: str) -> None:
        if one == "\r":
            self.column = 0
        elif one == "\n":
            self.row += 1
        elif one == "\b":
            assert self.column > 0
            self.column -= 1
        elif one != "\a":
            if self.column == self.width:
                self.row, self.column = self.row + 1, 0
            self.cells[self.row, self.column] = one
            self.column += 1

    def text(self) -> str:
        last = max(self.cells, default=(0, 0))
        cells = [
            self.cells.get(divmod(at, self.width), " ")
            for at in range(last[0] * self.width + last[1] + 1)
        ]
        return "".join(cells).rstrip()


def typed(data: bytes, prompt: str = PROMPT) -> tuple[Editor, list[Event]]:
    editor = Editor(80)
    editor.begin(prompt)
    return editor, [event for event in map(editor.key, data) if event is not None]


def press(editor: Editor, data: bytes) -> list[Event]:
    return [event for event in map(editor.key, data) if event is not None]


@pytest.mark.parametrize("enter", [b"\r", b"\n", b"\r\n", b"\r\x00"])
def test_each_kind_of_enter_ends_one_line(enter: bytes) -> None:
    _, events = typed(b"quit" + enter + b"save" + enter)
    assert events == [Line("quit"), Line("save")]


def test_empty_lines_are_lines() -> None:
    assert typed(b"\r\r\n\n\n")[1] == [Line("")] * 4


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"abc\x01X", "Xabc"),  # Ctrl+A
        (b"abc\x01\x05X", "abcX"),  # Ctrl+E
        (b"abc\x02X", "abXc"),  # Ctrl+B
        (b"abc\x01\x06X", "aXbc"),  # Ctrl+F
        (b"pki realm abc\x17X", "pki realm X"),  # Ctrl+W
        (b"pki realm \x17X", "pki X"),
        (b"abc\x02\x15", "c"),  # Ctrl+U
        (b"abc\x02\x18", "c"),  # Ctrl+X
        (b"abc\x02\x19", "ab"),  # Ctrl+Y
        (b"abc\x01\x04", "bc"),  # Ctrl+D
        (b"abc\x08", "ab"),  # Ctrl+H
        (b"abc\x7f", "ab"),
        (b"abc\x1b[DX", "abXc"),
        (b"abc\x1bODX", "abXc"),
        (b"abc\x1b[D\x1b[CX", "abcX"),
        (b"abc\x1b[HX\x1b[FY", "XabcY"),
        (b"abc\x1b[1~X\x1b[4~Y", "XabcY"),
        (b"abc\x1b[1~\x1b[3~", "bc"),
        (b"abc\x1b[1;5CX", "abcX"),  # unknown: dropped whole
        (b"abc\x1b[99999999999", "abc9999"),  # too long: dropped, the rest is text
        (b"a\x00b", "ab"),  # a break
        (b"a\x1b\x01b", "ba"),  # a broken-off sequence does not swallow a control key
        ("Größe".encode(), "Größe"),
        (b"a\xffb\xc3c\x80", "abc"),  # no UTF-8
        ("a\u009bb\u202ec".encode(), "abc"),  # would drive the terminal
    ],
)
def test_keys(keys: bytes, line: str) -> None:
    assert typed(keys + b"\r")[1] == [Line(line)]


def test_control_keys_that_are_events() -> None:
    assert typed(b"disp\t")[1] == [Tab("disp")]
    assert typed(b"pki ?")[1] == [Help("pki ")]
    assert typed(b"abc\x1b[D?")[1] == [Help("ab")]
    assert typed(b"abc\x03d\r")[1] == [Interrupt(), Line("d")]
    assert typed(b"abc\x1a")[1] == [Leave()]


def test_help_leaves_the_line_as_it_was() -> None:
    editor, _ = typed(b"pki ?")
    assert press(editor, b"realm\r") == [Line("pki realm")]


def test_history() -> None:
    editor, _ = typed(b"")
    for line in ("one", "two", "two", "", "three"):
        editor.remember(line)
    assert press(editor, b"\x10\x10\r") == [Line("two")]
    assert press(editor, b"\x1b[A\x1b[A\x1b[A\x1b[A\r") == [Line("one")]
    assert press(editor, b"draft\x10\x0e\r") == [Line("draft")]
    for number in range(20):
        editor.remember(str(number))
    assert editor.history == [str(number) for number in range(10, 20)]


def test_the_longest_line() -> None:
    editor, events = typed(b"x" * 600)
    assert events == []
    assert editor.line.text == "x" * limits.LINE_CHARACTERS
    assert editor.take_output().endswith("\a" * 90)


def test_a_password_is_neither_shown_nor_recalled() -> None:
    editor = Editor(80)
    editor.remember("save")
    editor.begin("Enter the password: ", hidden=True, question=True)
    assert press(editor, b"se?c\x10r\x08\x15s\tecret?\x1a\r") == [Line("secret?")]
    shown = editor.take_output()
    assert shown.strip("\r\n\a\b") == "Enter the password: "
    assert editor.line.text == ""


def test_a_question_has_no_help_and_no_history() -> None:
    editor = Editor(80)
    editor.remember("save")
    editor.begin("Continue? [Y/N]: ", question=True)
    assert press(editor, b"?\x10\t\x1a\r") == [Line("?")]


def test_a_notice_does_not_tear_the_line() -> None:
    editor, screen = Editor(20), Screen(20)
    editor.begin(PROMPT)
    press(editor, b"pki realm with-a-long-name\x1b[D\x1b[D")
    editor.line.hide()
    screen.write(editor.take_output())
    assert screen.text() == ""
    screen.write("Info: x\r\n")
    editor.line.show()
    screen.write(editor.take_output())
    assert screen.text()[20:] == PROMPT + "pki realm with-a-long-name"
    press(editor, b"X")
    screen.write(editor.take_output())
    assert screen.text()[20:] == PROMPT + "pki realm with-a-long-naXme"


KEYS = st.lists(
    st.one_of(
        st.text("ab c/", min_size=1, max_size=30).map(str.encode),
        st.sampled_from(
            [bytes((code,)) for code in CONTROLS if code not in b"\r\n\x03\x09\x1a\x1b"]
        ),
        st.sampled_from([b"\x1b" + sequence.encode() for sequence in SEQUENCES]),
    ),
    max_size=40,
)


@pytest.mark.parametrize("width", [20, 26, 27, 80])
def test_automation_reads_what_it_typed_whatever_the_width(width: int) -> None:
    """Netmiko takes out a space with ESC[1D, and ESC[A; a new line it would take for the answer."""
    editor = Editor(width)
    editor.begin(PROMPT)
    press(editor, b"display clock json\r")
    said = re.sub(r" \x1b\[1D|\x1b\[A", "", editor.take_output())
    assert said == PROMPT + "display clock json\r\n"


@settings(deadline=None, max_examples=150)
@given(keys=KEYS, width=st.sampled_from([10, 20, 80]), history=st.lists(st.text("xyz", min_size=1)))
def test_the_screen_always_shows_the_line(
    keys: list[bytes], width: int, history: list[str]
) -> None:
    editor, screen = Editor(width), Screen(width)
    for line in history:
        editor.remember(line)
    editor.begin(PROMPT)
    for key in keys:
        press(editor, key)
        screen.write(editor.take_output())
        assert screen.text() == (PROMPT + editor.line.text).rstrip()
    press(editor, b"#")
    screen.write(editor.take_output())
    assert screen.text() == (PROMPT + editor.line.text).rstrip(), "the cursor was elsewhere"


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=400), hidden=st.booleans())
def test_noise(data: bytes, hidden: bool) -> None:
    editor = Editor(80)
    editor.begin(PROMPT, hidden=hidden, question=hidden)
    events = press(editor, data)
    assert all(event.text.isprintable() for event in events if isinstance(event, Line | Help | Tab))
    editor.take_output().encode()
    assert len(editor.line.text) <= limits.LINE_CHARACTERS


def test_what_comes_at_once_has_no_joint_between_its_rows() -> None:
    """A read may split a control sequence, and automation would not know it in two pieces."""
    editor = Editor(20)
    editor.begin("<r>")
    editor.take_output()
    press(editor, b"x" * 50)
    assert editor.take_output() == "x" * 50
    press(editor, b"y" * 7)  # 3 + 57 is the edge: nothing follows yet
    assert editor.take_output() == "y" * 7 + " \x1b[1D"
    press(editor, b"z")
    assert editor.take_output() == "z"
