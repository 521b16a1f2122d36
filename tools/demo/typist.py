"""Somebody at a serial line: types a line, reads what comes, waits for the next prompt.

Fault model: the line may be absent or taken, may lose what is sent before the board listens, may
stop in the middle; the board may ask what nobody expected, or refuse a line. Promised: each of
these ends in a DemoError that says so; nothing waits for ever, since a board that works on
something long prints a dot each second.
"""

import codecs
import re
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import serial

from tools.demo.failure import DemoError

QUIET_S = 0.05  # longer than a USB adapter keeps bytes back, shorter than a person notices
WAKE_S = 0.5  # quiet for so long: everything has come that the keys below bring
WAKE_KEYS = "\x03\r"  # Ctrl+C drops what somebody typed and left; Enter shows the prompt
WATCH_S = 60  # for a line that comes by itself, on a board whose clock runs fast
SILENCE_S = 30  # nothing at all for so long: the board is not there any more
LINE_PAUSES = 12  # of a key each: a person looks at a line before pressing Enter

PROMPT = re.compile(r"(?:^|\n)(?:<[^<>\s]+>|\[[^\[\]\s]+\])\Z")
QUESTION = re.compile(r"(?:^|\n)(?:Warning: [^\n]* \[Y/N\]: |Enter [^\n]*: )\Z")

Answer = str | Callable[[], str]


class Step(NamedTuple):
    """A line, and what is answered to the questions that may follow it."""

    line: str
    answers: tuple[Answer, ...] = ()


class Typist:
    """Types at `pace_ms` for a key (0: at once); all that the line carries goes to `show`."""

    def __init__(
        self,
        path: str,
        baud: int,
        show: Callable[[str], None],
        pace_ms: int,
        silence_s: int = SILENCE_S,
    ) -> None:
        self._path, self._show = path, show
        self._pace_ms, self._silence_s = pace_ms, silence_s
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._said = ""
        try:
            self._port = serial.Serial(
                path, baud, timeout=QUIET_S, write_timeout=silence_s, exclusive=True
            )
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise DemoError(
                f"the serial line cannot be opened: {error}\n"
                "  Cause: no such port, another program has it, or you may not use it\n"
                "  Next step: look at the port's name; `ls -l` shows the group that may use it"
            ) from error

    def close(self) -> None:
        self._port.close()

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """What the line carries meanwhile is not shown."""
        show, self._show = self._show, lambda _text: None
        try:
            yield
        finally:
            self._show = show

    def wake(self) -> None:
        """Finds the prompt of the user view. What the line carries meanwhile is not shown: it
        belongs to whoever used it before."""
        with self.unseen():
            self._find_prompt()
            if self._said.endswith("]"):
                self._said = ""
                self._send("return\r")
                self._wait(PROMPT)
        self.show_prompt()

    def _find_prompt(self) -> None:
        deadline = time.monotonic() + self._silence_s
        while not PROMPT.search(self._said):
            if time.monotonic() > deadline:
                raise DemoError(
                    f"no prompt on {self._path} after {self._silence_s} s\n"
                    "  Cause: another speed, another program on the line, or no agent there\n"
                    "  Next step: try the line with a terminal program; it must show <NAME>"
                )
            self._send(WAKE_KEYS)
            while self._pause(WAKE_S):
                pass

    def show_prompt(self) -> None:
        """Shows the prompt that waits, once more: something else stands in between."""
        self._show(self._said.rpartition("\n")[2])

    def type(self, step: Step) -> str:
        """Types a line and answers what it asks; what was said up to the next prompt."""
        self._said = ""
        self._enter(step.line)
        answers = list(step.answers)
        while not self._wait(PROMPT, QUESTION).endswith((">", "]")):
            if not answers:
                raise DemoError(f"`{step.line}` asks what nobody expected")
            answer = answers.pop(0)
            self._enter(answer if isinstance(answer, str) else answer())
        refused = re.search(r"^Error: (.*)$", self._said, re.MULTILINE)
        if refused:
            raise DemoError(f"the board refused `{step.line}`: {refused[1]}")
        return self._said

    def watch(self, line: re.Pattern[str]) -> str:
        """Waits for a line that nobody has asked for; what else comes is not shown. Raises
        DemoError when it does not come."""
        deadline = time.monotonic() + WATCH_S
        with self.unseen():
            while not (found := line.search(self._said)):
                if time.monotonic() > deadline:
                    raise DemoError(f"nothing like `{line.pattern}` in {WATCH_S} s")
                self._read()
        self._said = self._said[found.end() :]
        return found[0]

    def _enter(self, text: str) -> None:
        if self._pace_ms:
            for key in text:
                self._send(key)
                self._pause(self._pace_ms / 1000)
            self._pause(self._pace_ms / 1000 * LINE_PAUSES)
        else:
            self._send(text)
        self._said += "\n"  # a prompt or a question counts only when it comes after this
        self._send("\r")

    def _wait(self, *ends: re.Pattern[str]) -> str:
        last = time.monotonic()
        while not any(self._quiet_at(end) for end in ends):
            if self._read():
                last = time.monotonic()
            elif time.monotonic() - last > self._silence_s:
                raise DemoError(f"the board has said nothing for {self._silence_s} s")
        return self._said

    def _quiet_at(self, end: re.Pattern[str]) -> bool:
        return bool(end.search(self._said)) and not self._read()

    def _pause(self, seconds: float) -> bool:
        """Waits and shows what comes meanwhile; whether anything came."""
        came, deadline = False, time.monotonic() + seconds
        while (left_s := deadline - time.monotonic()) > 0:
            if select.select([self._port.fileno()], [], [], left_s)[0]:
                came = self._read()
        return came

    def _read(self) -> bool:
        try:
            data = self._port.read(max(1, self._port.in_waiting))
        except OSError as error:
            raise DemoError(f"the serial line {self._path} is gone: {error}") from error
        text = self._decoder.decode(data).replace("\r", "")
        self._said += text
        self._show(text)
        return bool(data)

    def _send(self, text: str) -> None:
        try:
            self._port.write(text.encode())
        except OSError as error:
            raise DemoError(f"the serial line {self._path} is gone: {error}") from error
