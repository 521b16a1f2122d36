"""Twelve wrong turns of a newcomer: what the board says to each, kept as transcripts.

Each is typed at a real agent and compared whole with its file in `tests/whole/transcripts`, and
each ends in a message that names what to type next. Then that is typed, and it must help.
"""

import json
import re
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest

from agent.doors.wire import hello
from hal.sockets import connect_unix
from tests.helpers.board import Agent, procedure
from tests.helpers.labca import LabCa
from tools.demo.readme import CURSOR, normalised

KEPT = Path(__file__).parent / "transcripts"
LINE_S = 60
COLUMNS, ROWS = 80, 24
# What a terminal shows last while it waits for a line.
WAITING = re.compile(r"(?:^|\n)(?:<\S+>|\[\S+\]|[^\n]*\[Y/N\]: |Enter [^\n]*: )\Z")
QUOTED = re.compile(r"`([^`]+)`")
TO_FILL_IN = re.compile(r"\.\.\.|\b[A-Z]{2,}")
ENROL = "pki enroll-certificate realm abc"
CHALLENGE = "sekret"
YEAR_1970_S = 3600


class Turn(NamedTuple):
    """A wrong turn: what was there before it, what is typed, and what then helps.

    `{url}` and `{fingerprint}` are those of the lab CA. A line of `helps` holds what a message
    names. `ca`: the arguments of a lab CA, if there is one.
    """

    name: str
    before: tuple[str, ...]
    typed: tuple[str, ...]
    helps: tuple[str, ...]
    ca: tuple[str, ...] | None = None
    clock_s: int | None = None


READY = tuple(procedure("{url}", "fingerprint sha256 {fingerprint}"))
NEAR = tuple(procedure("http://127.0.0.1:9/scep"))
IN_REALM = ("system-view", "pki realm abc")

TURNS = (
    Turn(
        "bad URL",
        (),
        (*IN_REALM, "enrollment-url ca.example.com/scep"),
        ("enrollment-url http://ca.example.com/scep",),
    ),
    Turn(
        "missing esc",
        (),
        (*IN_REALM, "enrollment-url http://ca.example.com/scep?profile=vpn", "\x15",
         r"enrollment-url http://ca.example.com/scep\x3fprofile=vpn"),
        (r"enrollment-url esc http://ca.example.com/scep\x3fprofile=vpn",),
    ),
    Turn(
        "bad fingerprint length",
        (),
        (*IN_REALM, "fingerprint sha256 8FA1DD8A308B0838AC297BF96C15936280CE84E7"),
        ("fingerprint sha1 8FA1DD8A308B0838AC297BF96C15936280CE84E7",),
    ),
    Turn(
        "entity missing",
        (),
        (*IN_REALM, "entity r1"),
        ("pki entity r1", "common-name r1.example", "pki realm abc", "entity r1"),
    ),
    Turn(
        "key missing",
        (),
        (*IN_REALM, "rsa local-key-pair k1"),
        ("pki rsa local-key-pair create k1", "2048", "pki realm abc", "rsa local-key-pair k1"),
    ),
    Turn(
        "wrong case",
        ("system-view", "pki rsa local-key-pair create Router-Key modulus 2048"),
        (*IN_REALM, "rsa local-key-pair router-key"),
        ("rsa local-key-pair Router-Key",),
    ),
    Turn(
        "no address on the source interface",
        NEAR,
        (*IN_REALM, "source interface GigabitEthernet 0/0/1", "quit", ENROL),
        ("pki realm abc", "source interface lo"),
    ),
    Turn(
        "forgotten save",
        (),
        ("system-view", "sysname gate-7", "return", "reboot", "n"),
        ("save", "y"),
    ),
    Turn(
        "ambiguous prefix",
        (),
        ("display pki c",),
        ("display pki certificate local",),
    ),
    Turn(
        "challenge wrong",
        READY,
        (*IN_REALM, "password cipher guessed", "quit", ENROL),
        ("pki realm abc", f"password cipher {CHALLENGE}", "quit", ENROL),
        ca=("--challenge", CHALLENGE),
    ),
    Turn(
        "CA pending",
        READY,
        ("system-view", ENROL),
        ("display pki enrollment realm abc",),
        ca=("--manual",),
    ),
    Turn(
        "clock in 1970",
        READY,
        ("system-view", ENROL),
        ("return", "clock datetime 12:00:00 2026-12-01"),
        ca=(),
        clock_s=YEAR_1970_S,
    ),
)  # fmt: skip


class Terminal:
    """Somebody at a terminal who types a line and reads until the board waits again."""

    def __init__(self, agent: Agent) -> None:
        self._sock = connect_unix(str(agent.dir / "console.sock"))
        self._sock.settimeout(LINE_S)
        self._sock.sendall(hello("terminal", COLUMNS, ROWS))
        self.said = self._read()

    def type(self, line: str) -> str:
        """What came up to where the board waits for the next line."""
        self._sock.sendall(line.encode() + b"\r")
        said = self._read()
        self.said += said
        return said

    def _read(self) -> str:
        said, deadline = "", time.monotonic() + LINE_S
        while not WAITING.search(said):
            assert time.monotonic() < deadline, f"the board does not wait: {said!r}"
            data = self._sock.recv(65536)
            assert data, f"the board has hung up: {said!r}"
            said += CURSOR.sub("", data.decode()).replace("\r\n", "\n")
        return said

    def close(self) -> None:
        self._sock.close()


def play(turn: Turn, folder: Path) -> tuple[str, str]:
    """Types a wrong turn, then what helps: what the screen showed of each."""
    with ExitStack() as stack:
        ca = stack.enter_context(LabCa(folder, *turn.ca)) if turn.ca is not None else None
        agent = Agent(folder)
        if turn.clock_s is not None:
            clock = {"offset_s": turn.clock_s - int(time.time()), "rate": 1}
            (agent.dir / "clock").write_text(json.dumps(clock))
        stack.enter_context(agent)
        if turn.before:
            agent.must(*(_filled(line, ca) for line in turn.before))
        terminal = stack.enter_context(closing(Terminal(agent)))
        for line in turn.typed:
            terminal.type(_filled(line, ca))
        helped = "".join(terminal.type(_filled(line, ca)) for line in turn.helps)
        return terminal.said.removesuffix(helped), helped


def _filled(line: str, ca: LabCa | None) -> str:
    """The line with the place and the fingerprint of the CA."""
    if ca is None:
        return line
    return line.replace("{url}", ca.url).replace("{fingerprint}", ca.fingerprint)


def kept(turn: Turn) -> Path:
    return KEPT / f"{turn.name.replace(' ', '_')}.txt"


def page(said: str) -> str:
    """A transcript as it is kept: without what differs from run to run."""
    return normalised("\n".join(line.rstrip() for line in said.splitlines())) + "\n"


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.name)
def test_a_wrong_turn_ends_in_what_to_type_next(turn: Turn, tmp_path: Path) -> None:
    said, helped = play(turn, tmp_path)
    assert page(said) == kept(turn).read_text(), (
        "python -m tests.whole.test_newcomer writes them anew"
    )
    named = [TO_FILL_IN.split(quoted)[0].strip() for quoted in QUOTED.findall(said)]
    assert any(name and name in line for name in named for line in turn.helps), named
    assert "Error:" not in helped


def test_there_are_twelve_and_no_transcript_is_left_over() -> None:
    assert len(TURNS) == 12
    assert sorted(KEPT.iterdir()) == sorted(map(kept, TURNS))


if __name__ == "__main__":
    KEPT.mkdir(exist_ok=True)
    for one in TURNS:
        with tempfile.TemporaryDirectory() as place:
            kept(one).write_text(page(play(one, Path(place))[0]))
