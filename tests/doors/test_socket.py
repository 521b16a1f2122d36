"""The console socket under people who take all that there is: places, descriptors, the queue."""

import os
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from agent import limits
from agent.doors.wire import END, hello
from hal.sockets import connect_unix
from tests.doors.test_attach import Console
from tests.helpers.board import Agent
from tests.helpers.labca import wait_for

WAIT_S = 60
ANSWER_S = 10  # in which who is turned away must know it
OPERATOR, OTHER = 54321, 54322
PYTHON = "/usr/bin/python3"  # that any user may start

# Connects so many times, says hello or nothing, tells what the last connection came to, and waits.
GUEST = """
import socket, sys
held = []
for _ in range(int(sys.argv[1])):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(60)
    sock.connect("console.sock")
    if sys.argv[2] == "hello":
        try:
            sock.sendall(b"scep-agent/1 terminal 80 24\\n")
        except BrokenPipeError:
            pass  # it was turned away before
        said = sock.recv(4096)
    held.append(sock)
if sys.argv[2] != "hello":
    said = held[-1].recv(4096)
print(said.decode().partition("\\n")[0], flush=True)
sys.stdin.read()
"""


class Guests:
    """Processes of other users at the console of an agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._processes: list[subprocess.Popen[str]] = []

    def come(self, uid: int, count: int, kind: str = "hello") -> str:
        """So many connections of a user; the first line that the last one was told."""
        process = subprocess.Popen(
            [PYTHON, "-I", "-c", GUEST, str(count), kind],
            cwd=self._agent.dir,
            user=uid,
            group=os.getegid(),
            extra_groups=[],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    def leave(self) -> None:
        for process in self._processes:
            process.communicate(timeout=WAIT_S)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path) as agent:
        yield agent


@pytest.fixture
def guests(agent: Agent) -> Iterator[Guests]:
    if os.geteuid() != 0 or not os.path.exists(PYTHON):
        pytest.skip(f"needs root, to be several users, and {PYTHON} for them")
    found = Guests(agent)
    yield found
    found.leave()


def test_one_user_cannot_take_every_place(agent: Agent, guests: Guests) -> None:
    """A user of the agent's group opens sessions without end: the others and root get in."""
    said = guests.come(OPERATOR, limits.SESSIONS_OF_USER + 1)
    assert said == "Error: Too many sessions of this user: 7 are allowed below level 3."
    assert "<" in guests.come(OTHER, 1)
    assert "SOCK" in agent.must("display users")


def test_users_together_leave_two_places_to_level_3(agent: Agent, guests: Guests) -> None:
    for uid in (OPERATOR, OTHER):
        guests.come(uid, limits.SESSIONS_OF_USER)
    said = guests.come(OTHER + 1, 1)
    assert said == "Error: Too many sessions: the last 2 are kept for level 3."
    assert agent.must("display users").count("SOCK") == 15


def test_connections_that_say_nothing_take_no_more(agent: Agent, guests: Guests) -> None:
    said = guests.come(OPERATOR, limits.SESSIONS_OF_USER + 1, "silent")
    assert said.startswith("Error: Too many sessions of this user")
    assert "SOCK" in agent.must("display users")  # at once, not after the time for a greeting


def test_half_of_the_places_in_one_process(tmp_path: Path) -> None:
    """Without root: the same user, judged at two levels."""
    console = Console(str(tmp_path / "console.sock"))
    try:
        console.level = 2
        for _session in range(limits.SESSIONS_OF_USER):
            assert b"<Huawei>" in console.read(console.client(hello("terminal")))
        assert b"of this user" in console.read(console.client(hello("terminal")))
        console.level = 3
        for _session in range(limits.SESSIONS - limits.SESSIONS_OF_USER):
            assert b"<Huawei>" in console.read(console.client(hello("terminal")))
        assert b"all 16 are taken" in console.read(console.client(hello("terminal")))
    finally:
        console.server.close()
        for client in console.clients:
            client.close()


# -- descriptors -----------------------------------------------------------------------------------


def leave_descriptors(agent: Agent, count: int) -> None:
    """The agent has so many descriptors more, and no others."""
    number = len(os.listdir(f"/proc/{agent.pid}/fd")) + count
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (number, number))


def ask(agent: Agent) -> tuple[bytes, float]:
    """What a script that asks for the clock is told, and after how many seconds."""
    begin = time.monotonic()
    with connect_unix(str(agent.dir / "console.sock")) as sock:
        sock.settimeout(WAIT_S)
        try:
            sock.sendall(hello("script") + b"display clock\n" + END)
        except BrokenPipeError:
            pass  # it was turned away before
        said = b""
        try:
            while data := sock.recv(4096):
                said += data
        except ConnectionResetError:
            pass  # it hung up without reading all of ours
    return said, time.monotonic() - begin


def heard(sock: socket.socket, text: bytes) -> None:
    """Reads until this has come, in however many pieces."""
    said = b""
    while text not in said:
        piece = sock.recv(4096)
        assert piece, said
        said += piece


def cpu_ticks(agent: Agent) -> int:
    """What the agent has computed, in ticks of 10 ms."""
    fields = Path(f"/proc/{agent.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_without_descriptors_the_console_says_so_at_once(agent: Agent) -> None:
    """Sessions hold all that the agent may open; whoever comes next does not hang in the queue."""
    leave_descriptors(agent, 5)
    held: list[socket.socket] = []
    try:
        for _session in range(5):
            sock = connect_unix(str(agent.dir / "console.sock"))
            held.append(sock)
            sock.settimeout(WAIT_S)
            sock.sendall(hello("terminal"))
            heard(sock, b"<Huawei>")
        waits = []
        for _client in range(20):
            said, seconds = ask(agent)
            assert said.startswith(b"Error: No more descriptors: the agent cannot open a session.")
            assert said.endswith(END + b"1\n")
            waits.append(seconds)
        assert median(waits) < ANSWER_S, waits  # one may meet a machine that is busy
        held[0].sendall(b"display version\r")  # who is in works on
        heard(held[0], b"RFC 8894")
        before = cpu_ticks(agent)
        time.sleep(1)
        assert cpu_ticks(agent) - before < 20, "the agent spins"
    finally:
        for sock in held:
            sock.close()
    wait_for(lambda: ask(agent)[0].endswith(END + b"0\n"), WAIT_S, "it stays without")


def test_the_spare_descriptor_is_taken_back(agent: Agent) -> None:
    """It can say no a second time, after a life with descriptors."""
    for _life in range(2):
        leave_descriptors(agent, 1)
        with connect_unix(str(agent.dir / "console.sock")) as sock:
            sock.settimeout(WAIT_S)
            sock.sendall(hello("terminal"))
            assert sock.recv(1)
            assert b"No more descriptors" in ask(agent)[0]
        wait_for(lambda: ask(agent)[0].endswith(b"0\n"), WAIT_S, "it stays without")


def test_without_even_a_spare_descriptor_the_queue_waits(agent: Agent) -> None:
    """The limit falls below what is open: nobody can be told, and the agent goes on."""
    limit = resource.prlimit(agent.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (3, limit[1]))
    with connect_unix(str(agent.dir / "console.sock")) as sock:
        sock.settimeout(WAIT_S)
        sock.sendall(hello("script") + b"display clock\n" + END)
        before = cpu_ticks(agent)
        time.sleep(1.5)
        assert cpu_ticks(agent) - before < 20, "the agent spins"
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, limit)
        assert b"UTC" in b"".join(iter(lambda: sock.recv(4096), b""))  # and it has hung up
    leave_descriptors(agent, 1)
    with connect_unix(str(agent.dir / "console.sock")) as sock:
        sock.settimeout(WAIT_S)
        sock.sendall(hello("terminal"))
        assert sock.recv(1)
        assert b"No more descriptors" in ask(agent)[0], "the spare one was not taken back"
