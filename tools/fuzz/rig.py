"""Types at two sessions, one key at a time and as it comes, and judges what they do.

Promised: no exception leaves a session or the parser; both sessions write the same; a line that was
ended is answered; Ctrl+C brings the prompt back whatever was typed; and nothing that a session
holds grows with what was typed.

Inputs run in blocks. A block has two devices of its own, and its generator is seeded by its code,
`SEED.KIND.NUMBER`; behind it stands the number of an input: so a code of a few characters replays a
failure. In every fourth block tasks go on until the input is over.
"""

import re
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from agent.console.commands import lines, place
from agent.console.commands.table import table
from agent.console.language.grammar import (
    AMBIGUOUS,
    INCOMPLETE,
    TOO_MANY,
    UNRECOGNIZED,
    WRONG,
    GrammarError,
)
from agent.console.language.hints import next_words
from agent.console.language.views import EVERYWHERE, View
from agent.console.session.session import Session
from agent.console.terminal.drawing import NEXT_ROW
from agent.console.terminal.pager import MORE
from tests.helpers.appliance import FakeDevice
from tests.helpers.terminal import Script
from tools.fuzz import growth, inputs

BLOCK = 250  # inputs
LOOK = 25  # inputs between two looks at what a session holds
TIMERS = 16
WIDTHS = (80, 40, 132)
KINDS = (UNRECOGNIZED, INCOMPLETE, AMBIGUOUS, WRONG, TOO_MANY)
STOPS = (b"\x03", b"\0")
# What comes behind a TAB in one piece with it is pasted, and TAB a blank between two words of it.
_PIECES = re.compile(rb"[^\tZ]*[\tZ]|[^\tZ]+")
ESCAPED, DIFFERENT, UNANSWERED, GROWN = FAULTS = ("escapes", "different", "unanswered", "growth")

Maker = Callable[..., Session]


class FuzzError(AssertionError):
    """What must not be: of which fault, and how it showed."""

    def __init__(self, fault: str, text: str) -> None:
        super().__init__(text)
        self.fault = fault


class Screen:
    """A session at a terminal that takes everything, and what it was sent since the last look."""

    def __init__(self, device: FakeDevice, width: int, make: Maker) -> None:
        self.device, self.sent, self.over = device, bytearray(), False
        self.session = make(
            device,
            self.sent.extend,
            device.reactor,
            level=3,
            terminal=True,
            width=width,
            ended=self._ended,
        )
        self.session.begin()

    def _ended(self) -> None:
        self.over = True

    def take(self) -> str:
        text = self.sent.decode().replace(NEXT_ROW, "")
        self.sent.clear()
        return text


class Block:
    """Two sessions, each at a device of its own, through one block of inputs."""

    def __init__(self, number: int, make: Maker = Session) -> None:
        self.eager = number % 4 != 3
        self._width, self._make = WIDTHS[number % len(WIDTHS)], make
        self.devices = [FakeDevice(eager=self.eager) for _ in range(2)]
        for device in self.devices:
            device.add_key_pair("abc")
            device.storage.content["abc"] = b"a file"
        self._log_in()

    def _log_in(self) -> None:
        self.whole, self.slow = (Screen(one, self._width, self._make) for one in self.devices)

    def type(self, data: bytes) -> None:
        """One input, then Ctrl+C; raises FuzzError."""
        try:
            for piece in _PIECES.findall(data):
                self.whole.session.feed(piece)
            for byte in data:
                self.slow.session.feed(bytes((byte,)))
            self._compare(data)
            for screen in (self.whole, self.slow):
                screen.session.feed(b"\x03")
            self._end()
        except FuzzError:
            raise
        except Exception as error:
            raise FuzzError(ESCAPED, f"{data!r}: {type(error).__name__}: {error}") from error

    def _compare(self, data: bytes) -> None:
        """Ctrl+C in one piece with other keys drops what stands before it, so it is no match."""
        whole, slow = self.whole.take(), self.slow.take()
        same = whole == slow and self.whole.over == self.slow.over
        if not same and (self.eager or not any(stop in data for stop in STOPS)):
            raise FuzzError(DIFFERENT, f"{data!r}: {whole!r} and one at a time {slow!r}")
        for screen, said in ((self.whole, whole), (self.slow, slow)):
            if data.endswith(b"\r") and not (screen.over or _answered(screen, said)):
                raise FuzzError(UNANSWERED, f"{data!r}: {said!r}")

    def _end(self) -> None:
        for screen in (self.whole, self.slow):
            said = screen.take()
            if not (screen.over or said.endswith(screen.session.place.prompt())):
                raise FuzzError(UNANSWERED, f"no prompt but {said!r}")
            while screen.device.tasks:
                screen.device.finish()
            screen.device.reactor.advance(0)
            screen.take()
        if self.whole.over or self.slow.over:
            for screen in (self.whole, self.slow):
                screen.session.close()
            self._log_in()

    def look(self) -> None:
        """What the sessions hold now."""
        for screen in (self.whole, self.slow):
            device, session = screen.device, screen.session
            held = growth.held(session, (device, device.reactor, screen, screen.sent))
            if held > growth.MOST_BYTES:
                raise FuzzError(GROWN, f"a session holds {held} bytes")
            if device.reactor.pending() > TIMERS:
                raise FuzzError(GROWN, f"{device.reactor.pending()} timers")


def _answered(screen: Screen, said: str) -> bool:
    """Whether the screen ends with a prompt, a question or `More`, or a task goes on.

    Enter at the end of help in pages leads back to the line as it was.
    """
    line = screen.session.keyboard.editor.line
    back = bool(line.text) and line.prompt + line.text in said
    return back or bool(screen.device.tasks) or said.endswith((line.prompt, MORE))


def parse(line: str, view: str, cut: int) -> None:
    """A line for the parser, help and a script, whole and cut off. Raises FuzzError."""
    try:
        for text in (line, line[:cut]):
            _understand(text, view)
            _help(text, view)
        _run(line, view)
    except FuzzError:
        raise
    except Exception as error:
        raise FuzzError(ESCAPED, f"{line!r}: {type(error).__name__}: {error}") from error


def _understand(text: str, view: str) -> None:
    try:
        place.understand(View(view), 3, text)
    except GrammarError as error:
        lines.masked_error(text, error)
        if error.kind not in KINDS or not 0 <= error.column <= len(text) + 1:
            raise ValueError(f"{error} in column {error.column}") from error


def _help(text: str, view: str) -> None:
    try:
        shown = next_words(table(view, 3), text)
    except GrammarError:
        return
    if not shown:
        raise FuzzError(UNANSWERED, f"{text!r}: no help and no error")


def _run(line: str, view: str) -> None:
    script = Script(FakeDevice(eager=True))
    if view != "user":
        script.run("system-view")
    _, status = script.run(line)
    if status is None and not script.session.dialogue.asking:
        raise FuzzError(UNANSWERED, f"{line!r}: the script goes on for ever")


class Failure(NamedTuple):
    code: str
    fault: str
    text: str


class Outcome(NamedTuple):
    """What came of a block; it ends with its first failure."""

    inputs: int
    lines: int
    failure: Failure | None


def run(seed: int, kind: str, number: int, count: int = BLOCK, make: Maker = Session) -> Outcome:
    """One block of `bytes` or `lines`."""
    code = f"{seed}.{kind}.{number}"
    random, block = Random(code), Block(number, make)
    failure = None
    done = 0
    for done in range(1, count + 1):
        try:
            if kind == "lines":
                _line(random, block)
            else:
                block.type(inputs.sequence(random))
            if done % LOOK == 0 or done == count:
                block.look()
        except FuzzError as error:
            failure = Failure(f"{code}.{done}", error.fault, str(error))
            break
    return Outcome(0 if kind == "lines" else done, done if kind == "lines" else 0, failure)


def _line(random: Random, block: Block) -> None:
    line = inputs.line(random)
    view, cut = random.choice(EVERYWHERE), random.randrange(len(line) + 1)
    parse(line, view, cut)
    block.type(line.encode() + b"\r")
