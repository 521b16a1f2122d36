"""Sessions on real sockets and a fake serial line: greetings, scripts, floods, hang-ups."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import limits
from agent.doors import attach
from agent.doors import socket as reception
from agent.doors.wire import END, hello
from hal.fakes.lines import FakeSerial
from hal.ports import SerialError, SerialPort
from hal.sockets import Credentials, connect_unix, listen_unix
from tests.helpers.device_bench import Bench, ready


class Console:
    """A device with a console socket, and clients of it."""

    def __init__(self, path: str) -> None:
        self.bench: Bench = ready()
        self.path = path
        self.level = 3
        self.seen: list[Credentials] = []
        loop = self.bench.loop
        self.server = reception.Server(loop, self.bench.device, listen_unix(path), self._judge)
        self.clients: list[socket.socket] = []

    def _judge(self, who: Credentials) -> int:
        self.seen.append(who)
        return self.level

    def client(self, first: bytes = b"") -> socket.socket:
        client = connect_unix(self.path)
        client.setblocking(False)
        self.clients.append(client)
        if first:
            client.send(first)
        self.turn()
        return client

    def turn(self, times: int = 20) -> None:
        self.bench.turn(times)

    def read(self, client: socket.socket) -> bytes:
        """All that has come by now; ends with EOF when the agent has closed."""
        said = b""
        while True:
            self.turn(3)
            try:
                data = client.recv(65536)
            except BlockingIOError:
                return said
            except ConnectionResetError:  # closed with something of ours unread
                data = b""
            if not data:
                return said + b"EOF"
            said += data

    def script(self, *lines: str) -> tuple[str, str]:
        client = self.client(hello("script"))
        client.send("".join(f"{line}\n" for line in lines).encode() + END)
        text, _mark, status = self.read(client).partition(END)
        return text.decode(), status.decode()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    found = Console(str(tmp_path / "console.sock"))
    yield found
    found.server.close()
    for client in found.clients:
        client.close()


def test_a_script_gets_text_and_an_exit_status(console: Console) -> None:
    text, status = console.script("system-view", "sysname r9", "display this")
    assert "sysname r9" in text
    assert status == "0\nEOF"
    assert console.seen == [Credentials(os.getpid(), os.getuid(), (os.getgid(), *os.getgroups()))]


def test_a_script_stops_at_its_first_error(console: Console) -> None:
    text, status = console.script("system-view", "nonsense", "sysname never")
    assert "Error: Unrecognized command" in text
    assert status == "1\nEOF"
    assert console.bench.device.settings.sysname == "Huawei"


def test_a_script_waits_for_long_commands(console: Console) -> None:
    text, status = console.script(
        "system-view", "pki enroll-certificate realm abc", "display pki enrollment realm abc"
    )
    assert status == "0\nEOF"
    assert "issued" in text


def test_a_question_at_the_end_of_a_script_is_no_and_an_error(console: Console) -> None:
    assert console.script("save", "y")[1] == "0\nEOF"
    text, status = console.script("save")
    assert "[Y/N]" in text
    assert status == "1\nEOF"


def test_bytes_one_by_one_and_lines_without_end(console: Console) -> None:
    client = console.client()
    for byte in hello("script") + b"display version\n" + END:
        client.send(bytes([byte]))
        console.turn(2)
    assert console.read(client).endswith(END + b"0\nEOF")
    client = console.client(hello("script"))
    said = b""
    for _piece in range(40):
        try:
            client.send(b"x" * 4096)
        except (BrokenPipeError, ConnectionResetError):
            break
        said += console.read(client)
    assert said.endswith(END + b"1\nEOF")


def test_a_terminal_has_a_prompt_and_echo_and_quit_ends_it(console: Console) -> None:
    client = console.client(hello("terminal", 100, 40))
    assert console.read(client).endswith(b"<Huawei>")
    client.send(b"display cl\t\r")
    assert b"display clock" in console.read(client)
    client.send(b"quit\r")
    assert console.read(client).endswith(b"EOF")


@pytest.mark.parametrize(
    "first", [b"GET / HTTP/1.0\r\n\r\n", b"\n", b"x" * 64, b"scep-agent/9 a b c\n"]
)
def test_who_does_not_greet_is_turned_away(console: Console, first: bytes) -> None:
    assert console.read(console.client(first)) == b"EOF"


def test_who_says_nothing_is_turned_away_after_a_while(console: Console) -> None:
    client = console.client()
    assert console.read(client) == b""
    console.bench.advance(6)
    assert console.read(client) == b"EOF"


def test_strangers_and_too_many_are_told(console: Console) -> None:
    console.level = 0
    assert b"may not use the console" in console.read(console.client())
    console.level = 3
    for _session in range(limits.SESSIONS):
        console.client(hello("terminal"))
    assert b"Too many sessions" in console.read(console.client())
    console.clients[-2].close()
    console.turn()
    assert b"<Huawei>" in console.read(console.client(hello("terminal")))


def test_clients_that_hang_up_at_once_do_not_use_up_the_sessions(console: Console) -> None:
    for _client in range(2 * limits.SESSIONS):
        client = connect_unix(console.path)
        client.send(hello("terminal"))
        client.close()
        console.turn(4)
    assert b"<Huawei>" in console.read(console.client(hello("terminal")))


def test_an_unfinished_greeting_does_not_keep_the_loop_busy(console: Console) -> None:
    console.client(b"scep")
    loop = console.bench.loop
    ready_fds = loop._selector.select(0)
    assert ready_fds == []


def test_a_hang_up_in_the_middle_leaves_the_work_going_on(console: Console) -> None:
    client = console.client(hello("terminal"))
    console.bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    client.send(b"system-view\rpki enroll-certificate realm abc")
    console.turn()
    client.send(b"\r")
    console.turn(1)
    client.close()
    console.turn(50)
    assert console.bench.device.status("abc").state == "pending"


@pytest.mark.slow
def test_who_does_not_read_is_not_served_without_end(console: Console) -> None:
    client = console.client(hello("script"))
    lines = (b"display pki enrollment".ljust(500) + b"\n") * 4_000  # long: all that left is done
    sent = 0
    for _turn in range(400):
        try:
            sent += client.send(lines[sent : sent + 4096])
        except BlockingIOError:
            pass
        console.turn(2)
    assert sent < len(lines)  # the agent stopped reading long ago
    assert console.read(client).count(b"Realm Name") > 100  # and goes on when it is read


class Lines:
    """Serial lines that the agent opens, one after the other; the user's ends."""

    def __init__(self) -> None:
        self.users: list[FakeSerial] = []
        self.broken = False

    def open(self) -> SerialPort:
        if self.broken:
            raise SerialError("no such device", "ttyS9")
        agent, user = FakeSerial.pair()
        self.users.append(user)
        return agent


def test_a_serial_line_has_a_session_after_every_session() -> None:
    bench, lines = ready(), Lines()
    attach.SerialLine(bench.loop, bench.device, lines.open)
    for _life in range(3):
        user = lines.users[-1]
        user.write(b"\r")
        assert _wait(bench, user, b"<Huawei>")
        user.close()
        bench.turn()
        bench.advance(2)
    assert len(lines.users) == 4


def test_a_line_that_is_missing_is_looked_for_and_said() -> None:
    bench, lines = ready(), Lines()
    lines.broken = True
    attach.SerialLine(bench.loop, bench.device, lines.open)
    assert "SERIAL_ERR" in bench.logged()
    bench.advance(5)
    assert bench.logged().count("SERIAL_ERR") == 1  # once, not once a second for years
    lines.broken = False
    bench.advance(2)
    lines.users[0].write(b"\r")
    assert _wait(bench, lines.users[0], b"<Huawei>")


def _wait(bench: Bench, user: FakeSerial, end: bytes) -> bool:
    said = b""
    for _turn in range(50):
        bench.turn(2)
        said += user.read()
        if said.rstrip().endswith(end):
            return True
    raise AssertionError(said)
