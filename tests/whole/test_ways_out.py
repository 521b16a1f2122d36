"""How a command of `scep-agent` ends before its time: Ctrl+C, end of input, no reader, no agent."""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import subprocess
import termios
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.helpers.board import Agent
from tests.helpers.labca import LabCa

WAIT_S = 60
QUESTIONS = {  # of `enroll`: what is asked, and the option that is missing without an answer
    "The SCEP server: ": "--url",
    "Fingerprint of the CA certificate: SHA-256, SHA-1 or MD5: ": "--fingerprint",
    "The subject's common name: ": "--common-name",
    "Challenge password (nothing: none): ": "--password-file",
}
ASKED = list(QUESTIONS)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path) as agent:
        yield agent


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent that nothing is done to."""
    with Agent(tmp_path_factory.mktemp("blank")) as agent:
        yield agent


@pytest.fixture
def mute() -> Iterator[str]:
    """The URL of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/scep"


def words(agent: Agent, command: str, *more: str) -> list[str]:
    return agent.command(command, *more, "--socket", str(agent.dir / "console.sock"))


def interrupt(process: "subprocess.Popen[bytes]", unread: Callable[[], int] = lambda: 0) -> None:
    """SIGINT once the process waits: a signal right before a read does not end that."""
    deadline = time.monotonic() + WAIT_S
    while unread() or Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2][1] != "S":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)


class Asked:
    """A command at a terminal."""

    def __init__(self, command: list[str]) -> None:
        self._leader, follower = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=follower, stdout=follower, stderr=follower, start_new_session=True
        )
        os.close(follower)
        self.said = ""

    def until(self, end: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not self.said.endswith(end):
            assert time.monotonic() < deadline, self.said
            assert self._more(), self.said

    def type(self, keys: bytes) -> None:
        os.write(self._leader, keys)

    def ends(self) -> int:
        while self._more():
            pass
        os.close(self._leader)
        return self.process.wait(WAIT_S)

    def _more(self) -> bool:
        if not select.select([self._leader], [], [], WAIT_S)[0]:
            return False
        try:
            data = os.read(self._leader, 4096)
        except OSError:  # nobody has the other end any more
            return False
        self.said += data.decode().replace("\r\n", "\n")
        return bool(data)


def at(agent: Agent, number: int) -> Asked:
    """`enroll` at its question of that number."""
    asked = Asked(words(agent, "enroll"))
    for prompt in ASKED[:number]:
        asked.until(prompt)
        asked.type(b"ab" * 32 + b"\n")
    asked.until(ASKED[number])
    return asked


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_ctrl_c_at_a_question_of_enroll(blank: Agent, number: int) -> None:
    asked = at(blank, number)
    interrupt(asked.process)
    assert asked.ends() == 130
    assert asked.said.endswith("\nscep-agent: interrupted\n")
    assert "Traceback" not in asked.said
    assert "pki entity" not in blank.must("display current-configuration")


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_the_end_of_input_at_a_question_of_enroll(blank: Agent, number: int) -> None:
    asked = at(blank, number)
    asked.type(b"\x04")
    assert asked.ends() == 2
    option = QUESTIONS[ASKED[number]]
    assert f"\nscep-agent: {option} is missing: the question was not answered\n" in asked.said
    assert asked.said.endswith(" Next step: see `scep-agent enroll --help`\n")
    assert "Traceback" not in asked.said
    assert "pki entity" not in blank.must("display current-configuration")


def test_ctrl_c_while_enroll_waits_and_the_same_line_again(agent: Agent, mute: str) -> None:
    line = words(agent, "enroll", "--url", mute, "--fingerprint", "ab" * 32, "--common-name", "r1")
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        for said in process.stdout:
            if said.startswith(b"Applying"):
                break
        interrupt(process)
        out, err = process.communicate(timeout=WAIT_S)
    assert (process.returncode, err) == (130, b"\nscep-agent: interrupted\n")
    assert b"Info: What was typed stays" in out
    assert "pki entity default" in agent.must("display saved-configuration")


def test_what_was_typed_and_not_saved_is_saved_by_the_same_line(agent: Agent) -> None:
    with LabCa(agent.dir.parent / "ca") as ca:
        agent.must("system-view", "pki rsa local-key-pair create abc", "pki entity abc",
                   "common-name r1", "quit", "pki realm abc", "entity abc",
                   f"enrollment-url {ca.url}", f"fingerprint sha256 {ca.fingerprint}",
                   "rsa local-key-pair abc")  # fmt: skip
        line = ("--url", ca.url, "--fingerprint", ca.fingerprint, "--common-name", "r1")
        done = subprocess.run(
            words(agent, "enroll", *line, "--realm", "abc"), capture_output=True, timeout=WAIT_S
        )
    assert (done.returncode, done.stderr) == (0, b"")
    typed = [line for line in done.stdout.decode().splitlines() if line.startswith("> ")]
    assert typed[:4] == ["> system-view", "> return", "> save", "> y"]
    assert "pki realm abc" in agent.must("display saved-configuration")


@pytest.mark.parametrize("end", ["agent", "client"])
def test_a_script_that_waits(agent: Agent, mute: str, end: str) -> None:
    """The agent goes away under it, or somebody types Ctrl+C."""
    agent.must("system-view", "pki entity e", "common-name r1", "quit", "pki realm abc",
               "entity e", "pki rsa local-key-pair create k", "pki realm abc",
               "rsa local-key-pair k", f"enrollment-url {mute}",
               f"fingerprint sha256 {'ab' * 32}")  # fmt: skip
    lines = ("-c", "system-view", "-c", "pki enroll-certificate realm abc")
    with subprocess.Popen(
        words(agent, "console", *lines), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        for said in process.stdout:
            if said.startswith(b"Applying"):
                break
        if end == "agent":
            agent.kill()
        else:
            interrupt(process)
        _out, err = process.communicate(timeout=WAIT_S)
    expected = {
        "agent": (2, b"scep-agent: the agent went away before it had answered\n"),
        "client": (130, b"\nscep-agent: interrupted\n"),
    }
    assert (process.returncode, err) == expected[end]


def _unread(pipe: IO[bytes] | None) -> int:
    """How many bytes of a pipe its reader has not taken yet."""
    assert pipe
    count = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def test_ctrl_c_while_standard_input_says_nothing(agent: Agent) -> None:
    with subprocess.Popen(
        words(agent, "apply", "-"), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        process.stdin.write(b"sysname r9\n")
        process.stdin.flush()
        interrupt(process, unread=lambda: _unread(process.stdin))
        assert process.wait(WAIT_S) == 130
        assert process.stderr
        assert process.stderr.read() == b"\nscep-agent: interrupted\n"
    assert "r9" not in agent.must("display current-configuration")


# -- where nobody reads ----------------------------------------------------------------------------


def unread(command: list[str], given: bytes = b"") -> tuple[int, bytes]:
    """Exit status and standard error of a command whose output nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command, input=given, stdout=writer, stderr=subprocess.PIPE, timeout=WAIT_S
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr


def test_commands_whose_output_nobody_reads_end_without_a_word(blank: Agent) -> None:
    assert unread(blank.command("--help")) == (141, b"")
    assert unread(blank.command("--version")) == (141, b"")
    assert unread(blank.command("run", "--help")) == (141, b"")
    assert unread(words(blank, "console", "-c", "display version")) == (141, b"")
    assert unread(words(blank, "console"), b"display version\n") == (141, b"")
    assert unread(words(blank, "apply", "--dry-run", "-"), b"sysname r9\n") == (141, b"")


def test_enroll_goes_on_when_nobody_reads(agent: Agent, tmp_path: Path) -> None:
    with LabCa(tmp_path / "ca") as ca:
        line = ("--url", ca.url, "--fingerprint", ca.fingerprint, "--common-name", "r1")
        assert unread(words(agent, "enroll", *line)) == (0, b"")
    assert agent.state("default") == "issued"
    assert "pki entity default" in agent.must("display saved-configuration")


def test_a_disk_that_is_full(blank: Agent) -> None:
    with open("/dev/full", "wb") as full:
        for command in (blank.command("--help"), words(blank, "console", "-c", "display clock")):
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=WAIT_S)
            said = b"scep-agent: standard output: No space left on device\n"
            assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("command", [("console",), ("apply", "-")])
def test_standard_input_that_cannot_be_read(blank: Agent, command: tuple[str, ...]) -> None:
    with open("/proc/self/mem", "rb") as bad:  # nothing is at its beginning
        done = subprocess.run(
            words(blank, *command), stdin=bad, capture_output=True, timeout=WAIT_S
        )
    assert done.returncode == 2
    assert done.stderr.startswith(b"scep-agent: standard input: Input/output error\n")
    assert b"Traceback" not in done.stderr


def closed(*command: str) -> list[str]:
    """The command with its three streams closed."""
    return ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]


def test_streams_that_are_closed(tmp_path: Path) -> None:
    """The agent opens nothing in their place; its client does its work and says nothing."""
    board = Agent(tmp_path)
    start = board.command("run", "--board", "sim", "--state", str(board.dir))
    board.adopt(subprocess.Popen(closed(*start)))
    with board as agent:
        opened = {os.readlink(f"/proc/{agent.pid}/fd/{number}") for number in range(3)}
        assert opened == {"/dev/null"}
        lines = ("-c", "system-view", "-c", "sysname r9")
        assert subprocess.run(closed(*words(agent, "console", *lines))).returncode == 0
        assert "sysname r9" in agent.must("display current-configuration")
        for command in (agent.command("--help"), words(agent, "apply", "-")):
            assert subprocess.run(closed(*command)).returncode in (0, 1)


# -- where there is no agent -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("console", "-c", "display clock"),
        ("console",),
        ("apply", "-"),
        ("enroll", "--url", "http://h/", "--fingerprint", "ab" * 32, "--common-name", "r1"),
    ],
)
def test_without_an_agent(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = str(tmp_path / "no.sock")
    done = subprocess.run(
        Agent(tmp_path).command(*command, "--socket", path),
        input=b"display clock\n",
        capture_output=True,
        timeout=WAIT_S,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(f"scep-agent: no agent answers at {path}: ".encode())
    assert b"Next step: start `scep-agent run`" in done.stderr


def test_help_tells_each_exit_status(tmp_path: Path) -> None:
    said = subprocess.run(
        Agent(tmp_path).command("--help"), capture_output=True, text=True, timeout=WAIT_S
    ).stdout
    ends = dict(re.findall(r"^  (\d+) +(\S+)", said, re.MULTILINE))
    assert list(ends) == ["0", "1", "2", "3", "130", "141"]
