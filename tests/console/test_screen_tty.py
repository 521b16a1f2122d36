"""The same on real ttys: the board's serial line, and `scep-agent console` on a tty of its own."""

import time
from contextlib import ExitStack
from pathlib import Path

from agent import limits
from agent.console.terminal.pager import MORE
from agent.doors.wire import hello
from hal.sockets import connect_unix
from tests.console.test_screen import check
from tests.helpers.board import Agent
from tests.helpers.screen import WAIT_S, Client, Tty

BAUD = 38400
REALMS = 120


def realms(agent: Agent, count: int = REALMS) -> None:
    lines = [f"pki realm r{number}" for number in range(count)]
    agent.must("system-view", *lines)


def slow(folder: Path) -> Agent:
    """An agent that is not started, with a slow line."""
    agent = Agent(folder)
    (agent.dir / "line").write_text(f"{BAUD} xonxoff")
    return agent


def test_help_completion_and_editing_on_the_serial_line(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent, Tty.serial(agent) as tty:
        tty.after(b"\r", "none).\n<Huawei>_")  # which wakes it
        wanted = """
            |<Huawei>screen-length ?
            |  INTEGER<0-512>  Lines of the screen, 0 for no paging
            |<Huawei>screen-length _"""
        check(tty.after(b"screen-length ?", "no paging\n<Huawei>screen-length _"), wanted)
        tty.after(b"\x15disp\tc\t\t", "<Huawei>display current-configuration_")
        tty.after(b"\x1b[Z\r", "<Huawei>_")
        assert "<Huawei>display clock" in tty.lines()
        line = b"display pki certificate local realm " + b"x" * 60
        wanted = f"""
            |<Huawei>display pki certificate local realm {"x" * 36}
            |{"x" * 15}Y_{"x" * 8}"""
        check(tty.after(line + b"\x1b[D" * 9 + b"Y", f"Y_{'x' * 8}"), wanted)


def test_paging_and_a_password_on_the_serial_line(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent, Tty.serial(agent) as tty:
        realms(agent)
        tty.after(b"\r", "none).\n<Huawei>_")  # which wakes it
        tty.after(b"display current-configuration\r", f"{MORE}_")
        assert len(tty.lines()) == tty.rows
        tty.after(b" ", f"{MORE}_")
        assert len(tty.lines()) == tty.rows
        tty.after(b"q", "<Huawei>_")
        tty.after(b"system-view\rpki realm r1\r", "r1]_")
        tty.after(b"password cipher\r", "Enter the password: _")
        tty.after(b"secret\r", "Enter the password again: _")
        tty.after(b"\x03", "again: ^C\n[Huawei-pki-realm-r1]_")
        tty.after(b"password cipher\rsecret", "Enter the password: _")
        tty.after(b"\x00", "Enter the password: ^C\n[Huawei-pki-realm-r1]_")  # as a break is read
        assert "secret" not in tty.text()


def test_a_notice_while_typing_on_a_narrow_tty(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent, Client(agent, 40) as tty:
        tty.wait("<Huawei>_")
        tty.after(b"terminal monitor\r", "al.\n<Huawei>_")
        tty.after(b"display pki certificate local realm abcdef", "alm abcdef_")
        agent.must("system-view", "pki rsa local-key-pair create k1 modulus 2048")
        wanted = """
            |<Huawei>display pki certificate local re
            |alm abcdef_"""
        while "RSA_CREATE_OK" not in "".join(tty.lines()):
            assert tty.read(WAIT_S), "no log line came"
        check(tty.wait("alm abcdef_"), wanted)
        tty.after(b"\x15quit\r", "_")


def test_ctrl_c_in_a_long_display_on_a_slow_line(tmp_path: Path) -> None:
    """It stops within what the line itself holds: the tty and the pump, not the display."""
    with slow(tmp_path) as agent, Tty.serial(agent) as tty:
        realms(agent)
        tty.after(b"\r", "none).\n<Huawei>_")  # which wakes it
        tty.after(b"screen-length 0 temporary\r", "<Huawei>_")
        tty.press(b"display pki realm\r")
        while len(tty.seen) < 500:
            assert tty.read(WAIT_S)
        tty.press(b"\x03")
        tty.wait("^C\n<Huawei>_")
        assert len(tty.seen) < 500 + 2 * 4096
        tty.after(b"display clock\r", "<Huawei>_")


def test_a_slow_line_that_is_stopped_holds_up_nobody(tmp_path: Path) -> None:
    with slow(tmp_path) as agent, Tty.serial(agent) as tty:
        realms(agent)
        tty.after(b"\r", "none).\n<Huawei>_")  # which wakes it
        tty.after(b"screen-length 0 temporary\r", "<Huawei>_")
        tty.press(b"display pki realm\r")
        while len(tty.seen) < 500:
            assert tty.read(WAIT_S)
        tty.press(b"\x13")
        while tty.read(0.3):  # what is in the tty
            assert len(tty.seen) < 4000
        assert "pki realm r9" in agent.must("display current-configuration")
        tty.press(b"\x11")
        assert tty.read(WAIT_S)
        tty.press(b"\x03")
        tty.wait("^C\n<Huawei>_")


def test_nothing_is_lost_on_a_slow_line_that_is_stopped_now_and_then(tmp_path: Path) -> None:
    with slow(tmp_path) as agent, Tty.serial(agent) as tty:
        realms(agent)
        wanted = agent.must("display current-configuration").splitlines()
        tty.after(b"\r", "none).\n<Huawei>_")  # which wakes it
        tty.after(b"screen-length 0 temporary\r", "<Huawei>_")
        tty.seen.clear()
        tty.press(b"display current-configuration\r")
        start, stops = time.monotonic(), 0
        while not tty.seen.endswith(b"<Huawei>"):
            assert tty.read(WAIT_S)
            if len(tty.seen) > 400 * (stops + 1) and stops < 4:
                stops += 1
                tty.press(b"\x13")
                while tty.read(0.1):
                    pass
                tty.press(b"\x11")
        shown = tty.seen.decode().splitlines()
        assert shown[1:-1] == wanted
        assert stops == 4
        assert len(tty.seen) <= BAUD / 10 * (time.monotonic() - start), "faster than the line"


def test_who_is_refused_at_a_terminal_reads_why_and_nothing_else(tmp_path: Path) -> None:
    """The agent has hung up before the client says what it is: no traceback, no digit."""
    with Agent(tmp_path) as agent, ExitStack() as held:
        for _session in range(limits.SESSIONS):
            sock = held.enter_context(connect_unix(str(agent.dir / "console.sock")))
            sock.settimeout(WAIT_S)
            sock.sendall(hello("terminal"))
            assert sock.recv(1)
        with Client(agent, 80) as client:
            text = client.wait("that is there, and end one of them.\n_", "end one of them.\n\n_")
        assert text.startswith("Error: Too many sessions.\n Cause: all 16 are taken")
        assert "\0" not in client.seen.decode()
