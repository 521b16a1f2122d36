"""`scep-agent console` at a terminal: its window, and how it ends."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent import limits
from agent.doors.wire import hello
from hal.sockets import connect_unix
from tests.helpers.board import Agent
from tests.helpers.screen import WAIT_S, Client

ONE_ROW = b"Info: Ctrl+Z or `return` leads back to the user view.\r\n"
TWO_ROWS = b"Info: Ctrl+Z or `return` leads back to\r\n    the user view.\r\n"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path) as agent:
        yield agent


def heard(client: Client, keys: bytes, end: bytes) -> bytes:
    """What comes of keys, up to an end."""
    client.seen.clear()
    client.press(keys)
    deadline = time.monotonic() + WAIT_S
    while not client.seen.endswith(end):
        assert time.monotonic() < deadline, bytes(client.seen)
        client.read(0.2)
    return bytes(client.seen)


def wait_for(client: Client, rows: bytes) -> None:
    """Types a line until its answer has these rows: a size goes another way than keys do."""
    deadline = time.monotonic() + WAIT_S
    while rows not in heard(client, b"system-view\r", b"[Huawei]"):
        assert time.monotonic() < deadline
        heard(client, b"return\r", b"<Huawei>")
    heard(client, b"return\r", b"<Huawei>")


def test_the_next_lines_have_the_width_of_another_window(agent: Agent) -> None:
    with Client(agent, 40) as client:
        client.wait("<Huawei>_")
        wait_for(client, TWO_ROWS)
        for columns, rows in ((255, ONE_ROW), (40, TWO_ROWS), (80, ONE_ROW)):  # 255 is doubled
            client.resize(columns)
            wait_for(client, rows)
        assert heard(client, b"\xff\xfe\xfa\rdisplay esn\r", b"<Huawei>").count(b"Error") == 0


def test_a_session_that_ends_is_status_0(agent: Agent) -> None:
    with Client(agent, 80) as client:
        client.wait("<Huawei>_")
        client.press(b"quit\r")
        assert client.ended() == 0
        assert b"\0" not in client.seen


def test_an_agent_that_goes_away_is_told_and_is_status_2(agent: Agent) -> None:
    with Client(agent, 80) as client:
        client.wait("<Huawei>_")
        agent.kill()
        assert client.ended() == 2
        assert client.seen.endswith(b"scep-agent: the agent went away before it had answered\r\n")


def test_who_is_turned_away_is_status_1(agent: Agent) -> None:
    with ExitStack() as held:
        for _session in range(limits.SESSIONS):
            sock = held.enter_context(connect_unix(str(agent.dir / "console.sock")))
            sock.settimeout(WAIT_S)
            sock.sendall(hello("terminal"))
            assert sock.recv(1)
        with Client(agent, 80) as client:
            assert client.ended() == 1
            assert client.seen.startswith(b"Error: Too many sessions.\r\n Cause: ")
