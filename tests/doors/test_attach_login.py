"""Serial lines that ask who is there, and the register of sessions: all ports are fakes."""

import os
from pathlib import Path

import pytest

from agent import limits
from agent.doors import attach, socket
from agent.doors.wire import hello
from agent.settings import LocalUser
from hal.fakes.lines import FakeSerial
from hal.ports import SerialPort
from hal.sockets import connect_unix, listen_unix
from tests.helpers.device_bench import Bench, hashed, ready

LINES = 8


class Port:
    """A serial line of the device, and the user's end of its current life."""

    def __init__(self, bench: Bench, number: int = 0) -> None:
        self.bench = bench
        attach.SerialLine(bench.loop, bench.device, self._open, number, f"/dev/ttyS{number}")

    def _open(self) -> SerialPort:
        agent, self.user = FakeSerial.pair()
        return agent

    def type(self, *lines: str) -> str:
        for line in lines:
            self.user.write(line.encode() + b"\r")
            self.bench.turn(6)
        return self.read()

    def read(self) -> str:
        said = b""
        for _turn in range(6):
            self.bench.turn(2)
            said += self.user.read()
        return said.decode().replace("\r\n", "\n")

    def hang_up(self) -> None:
        self.user.close()
        self.bench.turn()
        self.bench.advance(2)


@pytest.fixture
def bench() -> Bench:
    found = ready()
    settings = found.device.settings
    settings.console.mode = "aaa"
    for level in range(4):
        name = f"u{level}"
        settings.users[name] = LocalUser(name, hashed(f"of {name}"), level, True)
    return found


def test_mode_none_lets_in_with_a_notice() -> None:
    port = Port(ready())
    said = port.type("")
    assert said.startswith("Info: This line lets everybody in (authentication-mode none).\n")
    assert said.endswith("<Huawei>")
    assert said.count("<Huawei>") == 1, "the key that woke the line is no command"


@pytest.mark.parametrize("level", range(4))
def test_a_user_of_each_level(bench: Bench, level: int) -> None:
    port = Port(bench)
    assert port.type("") == "Username:"
    assert port.type(f"u{level}", f"of u{level}").endswith("\n<Huawei>")
    assert ("needs level 2" in port.type("system-view")) == (level < 2)
    assert ("needs level 1" in port.type("display version")) == (level < 1)
    log = bench.logged()
    assert f"SHELL/5/LOGIN: CON 0, user u{level}, level {level}" in log
    port.type("quit", *["quit"] * (level > 1))
    assert f"SHELL/5/LOGOUT: CON 0, user u{level}, level {level}" in bench.logged()
    assert port.type("") == "Username:"


def test_the_passwords_are_in_no_log_and_go_to_jobs_only(bench: Bench) -> None:
    port = Port(bench)
    said = port.type("", "u3", "topsecret")
    assert "topsecret" not in said + bench.logged()
    assert bench.worker.ops() == ["check-password"]
    assert "SHELL/4/LOGINFAIL: user u3: wrong password" in bench.logged()
    bench.advance(1)
    port.type("topsecret", "x")  # a password in the place of the name
    assert "topsecret" not in bench.logged()


def test_failures_are_told_at_the_next_login(bench: Bench) -> None:
    port = Port(bench)
    port.type("", "u3", "wrong")
    bench.advance(1)
    said = port.type("u3", "of u3")
    assert "Info: Failed attempts on this line so far: 1.\n" in said


def test_a_lock_outlives_hang_ups_and_is_of_one_line(bench: Bench) -> None:
    one, other = Port(bench, 0), Port(bench, 1)
    for _try in range(limits.LOGIN_FAILURES):
        one.type("", "u3", "wrong")
        one.hang_up()
        bench.advance(8)
    assert "SHELL/4/LOGINLOCK: user u3: locked for 300 s" in bench.logged()
    assert "Error: This user is locked" in one.type("", "u3", "of u3")
    other.type("")
    assert other.type("u3", "of u3").endswith("<Huawei>")
    one.hang_up()
    bench.advance(limits.LOGIN_LOCK_S)
    one.type("")
    assert one.type("u3", "of u3").endswith("<Huawei>")


def test_a_hang_up_at_any_point_leaves_a_line_that_asks_again(bench: Bench) -> None:
    port = Port(bench)
    for lines in ((), ("",), ("", "u3"), ("", "u3", "wrong"), ("", "u3", "of u3")):
        port.type(*lines)
        port.hang_up()
        bench.advance(limits.LOGIN_DELAYS_S[-1])
        assert bench.device.access.seats == []
    assert port.type("") == "Username:"


def test_who_says_nothing_gives_the_line_back(bench: Bench) -> None:
    port = Port(bench)
    port.type("")
    bench.advance(limits.LOGIN_S)
    bench.turn()
    assert "Nobody logged in within 60 s" in port.read()
    assert port.type("") == "Username:"


def test_the_idle_timeout_is_the_setting_and_a_change_is_felt(bench: Bench) -> None:
    port = Port(bench)
    port.type("", "u3", "of u3")
    bench.device.settings.console.idle_s = 0
    for _hour in range(3):
        bench.advance(3600)
    bench.device.settings.console.idle_s = 90
    bench.advance(limits.IDLE_LOOK_S)
    assert "The session ends: nothing was typed for 90 s." in port.read()
    assert bench.device.access.seats == []


def test_eight_lines_at_once(bench: Bench) -> None:
    ports = [Port(bench, number) for number in range(LINES)]
    for port in ports:
        port.type("", "u3")
    for port in ports:
        port.user.write(b"of u3\r")
    bench.turn(30)
    for port in ports:
        assert port.read().endswith("<Huawei>")
    assert [seat.line for seat in bench.device.access.seats] == [f"CON {n}" for n in range(LINES)]


def test_sessions_on_the_socket_are_registered_with_their_user(
    bench: Bench, tmp_path: Path
) -> None:
    path = str(tmp_path / "console.sock")
    server = socket.Server(bench.loop, bench.device, listen_unix(path), lambda _who: 2)
    clients = [connect_unix(path) for _client in range(3)]
    for client in clients:
        client.sendall(hello("terminal"))
        bench.turn()
    clients[1].close()
    bench.turn()
    clients.append(connect_unix(path))
    clients[-1].sendall(hello("script") + b"display users json\n")
    bench.turn(20)
    users = {seat.line: seat for seat in bench.device.access.seats}
    assert sorted(users) == ["SOCK 0", "SOCK 1", "SOCK 2"], "numbers are used again"
    assert users["SOCK 1"][1:4] == ("script", f"uid {os.getuid()}", 2)
    assert users["SOCK 2"].place == "terminal"
    assert b'"own": true, "line": "SOCK 1"' in clients[-1].recv(65536)
    assert bench.logged().count("SHELL/5/LOGIN: SOCK") == 3, "scripts would fill the buffer"
    assert bench.logged().count("SHELL/5/LOGOUT: SOCK 1") == 1
    for client in clients:
        client.close()
    bench.turn()
    assert bench.device.access.seats == []
    server.close()


def test_display_users_shows_each_session_and_marks_the_own(bench: Bench) -> None:
    one, other = Port(bench, 0), Port(bench, 1)
    one.type("", "u3", "of u3")
    bench.advance(75)
    other.type("", "u1", "of u1")
    lines = other.type("display users").splitlines()
    assert lines[1].split() == ["Line", "Where", "User", "Level", "Since", "Idle"]
    assert lines[2].startswith("   CON 0   /dev/ttyS0   u3         3     2027-01-15 ")
    assert lines[2].endswith("UTC 1 min 15 s")
    assert lines[3].startswith(" + CON 1   /dev/ttyS1   u1         1 ")
    assert lines[3].endswith(" 0 s")
    one.hang_up()
    assert "CON 0" not in other.type("display users")
