"""Many sessions at once on real sockets: independent, quick, and none of them grows."""

import gc
import random
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import limits
from agent.console.terminal.pager import MORE
from agent.doors.streams import TURN_BYTES
from agent.doors.wire import hello
from agent.settings import Realm
from hal.clock import SECOND_NS
from tests.doors.test_attach import Console
from tests.helpers.appliance import FakeDevice
from tests.helpers.terminal import Terminal

REALMS = 1000


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    found = Console(str(tmp_path / "console.sock"))
    yield found
    found.server.close()
    for client in found.clients:
        client.close()


def test_eight_sessions_in_eight_conditions(console: Console) -> None:
    """Each waits for something else, none for another one."""
    keys = {
        "a line": (b"display cl", b"<Huawei>display cl"),
        "another view": (b"system-view\rpki realm abc\r", b"[Huawei-pki-realm-abc]"),
        "More": (b"display current-configuration\r", MORE.encode()),
        "a question": (b"save\r", b"[Y/N]: "),
        "a password": (b"sys\rpki realm abc\rpassword cipher\r", b"Enter the password: "),
        "a search": (b"display current-configuration\r/x", b"/x"),
        "no paging": (b"screen-length 0 temporary\r", b"<Huawei>"),
        "the log": (b"terminal monitor\r", b"<Huawei>"),
    }
    settings = console.bench.device.settings
    settings.realms.update({f"r{n}": Realm(f"r{n}") for n in range(30)})
    clients = {name: console.client(hello("terminal", 80, 24)) for name in keys}
    for name, (typed, _end) in keys.items():
        clients[name].send(typed)
    for name, (_typed, end) in keys.items():
        said = console.read(clients[name])
        assert said.endswith(end), (name, said)
    clients["a line"].send(b"ock\r")
    assert b"UTC" in console.read(clients["a line"])
    clients["More"].send(b"q")
    assert console.read(clients["More"]).endswith(b"<Huawei>")
    clients["a question"].send(b"n\r")
    assert b"Nothing was changed" in console.read(clients["a question"])
    clients["no paging"].send(b"display current-configuration\r")
    assert MORE.encode() not in console.read(clients["no paging"])
    console.bench.device.shared.log.report("X", "one for the monitor")
    assert b"one for the monitor" in console.read(clients["the log"])
    for name in ("a password", "a search", "another view"):
        assert console.read(clients[name]) == b"", name


def test_a_long_display_leaves_the_others_their_turn(console: Console) -> None:
    """While a reader as fast as this one is shown everything, a key is echoed within some turns."""
    device = console.bench.device
    device.settings.realms.update({f"r{n}": Realm(f"r{n}") for n in range(REALMS)})
    device.changed()
    reader = console.client(hello("terminal", 80, 24))
    other = console.client(hello("terminal", 80, 24))
    reader.send(b"screen-length 0 temporary\r")
    console.read(reader)
    console.read(other)
    reader.send(b"display pki realm\r")
    shown, waits = 0, []
    rounds = 20
    for _round in range(rounds):
        other.send(b"x")
        start_ns, echo, turns = time.process_time_ns(), b"", 0
        while not echo:
            console.turn(1)
            turns += 1
            shown += len(_taken(reader))
            echo = _taken(other)
        waits.append(time.process_time_ns() - start_ns)
        assert turns <= 5
    assert shown >= rounds * TURN_BYTES, "the display went on, in each turn"
    assert max(waits) < 200_000_000, waits
    rest = console.read(reader)
    assert rest.endswith(b"<Huawei>")
    assert f"r{REALMS - 1}".encode() in rest


def _taken(client) -> bytes:  # type: ignore[no-untyped-def]
    try:
        return bytes(client.recv(1 << 20))
    except BlockingIOError:
        return b""


@pytest.mark.slow
def test_a_session_that_is_fed_for_ever_does_not_grow() -> None:
    chance = random.Random(1)
    device = FakeDevice(eager=True)
    terminal = Terminal(device)
    pieces = [
        *(b"display clock\r", b"dis\t\t\t", b"?", b"\x1b[A\x1b[D", b"nonsense \xff\xc3\r"),
        *(b"x" * 600, b"\x03", b"terminal monitor\r", b"\x00\x1a", b"save\ry\r", b"\x1b[99;"),
        *("日".encode(), b"display logbuffer\r/x\r\x03", b"system-view\rpki realm a\r"),
    ]

    def feed(rounds: int) -> None:
        for number in range(rounds):
            terminal.session.feed(chance.choice(pieces))
            if number % 10 == 0:
                device.report("PKI/5/X: a line")
                terminal.reactor.advance(SECOND_NS)
                del device.log[:-100]
            terminal.sent.clear()

    def held() -> int:
        """Bytes; an error and its frames refer to each other until the collector comes."""
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        feed(500)
        before = held()
        feed(2000)
        after = held()
    finally:
        tracemalloc.stop()
    assert not terminal.logged_out
    assert after - before < 50_000
    assert len(terminal.session.keyboard.editor.history) <= limits.HISTORY_LINES
