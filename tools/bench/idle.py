"""Figures of the idle agent: what it costs all the time, and how soon it is there."""

import os
import pty
import select
import socket
import time

from agent.doors.wire import hello
from hal.ports import HalError
from hal.sockets import connect_unix
from tests.helpers.labca import LabCa, wait_for
from tools.bench import everything, proc
from tools.bench.figures import MIB, MS, Figure
from tools.bench.rig import ANSWER_S, Board, Person, Probe, Rig, Samples

SETTLE_S = 0.3  # the rest of the first turns of the loop
WORKER_GONE_S = 30  # its linger, and time to end
LOOK_S = 0.1
POLL_S = 0.002  # the most that a prompt is seen late, and so often Enter is pressed

START = (
    Figure("idle_resident", MIB, "resident set of the agent when its console answers", 18 * 1024),
    Figure("idle_dirty", MIB, "Private_Dirty of the same", 11 * 1024),
)
AFTER = (
    Figure("used_resident", MIB, "resident after a session with every command", 18 * 1024),
    Figure("used_dirty", MIB, "Private_Dirty of the same; the worker has gone", 11 * 1024),
)
PROMPTS = (
    Figure(
        "prompt_serial",
        MS,
        "from exec to the prompt on a serial line where Enter is pressed",
        100_000,
    ),
    Figure("prompt_socket", MS, "from exec to the prompt at the console socket", 100_000),
)


def memory(rig: Rig) -> Samples:
    """Resident and dirty, right after the start and after everything was used once."""
    unused = everything.unused(everything.lines("", ""))
    assert not unused, f"the session does not use {unused}"
    with (
        LabCa(rig.folder, "--challenge", "sekret") as ca,
        Board(rig.folder, python=rig.python) as board,
    ):
        time.sleep(SETTLE_S)
        before = proc.memory(board.pid)
        _terminal(board)
        board.must(*everything.lines(ca.url, ca.fingerprint))
        assert board.worker(), "the session has used no worker"
        wait_for(lambda: not _looked(board), WORKER_GONE_S, "the worker does not go")
        after = proc.memory(board.pid)
    names = [figure.name for figure in (*START, *AFTER)]
    return {name: [value] for name, value in zip(names, (*before, *after), strict=True)}


def _looked(board: Board) -> int | None:
    time.sleep(LOOK_S)
    return board.worker()


def _terminal(board: Board) -> None:
    """What only a person uses: help, completion, history, paging."""
    with connect_unix(str(board.dir / "console.sock")) as sock:
        sock.sendall(hello("terminal", 80, 4))
        person = Person(sock.fileno())
        person.wait(b">")
        person.press(b"display ?")
        person.wait(b"More ----")
        person.press(b"q")
        person.wait(b"display")
        person.press(b"ver\t\x01\x05\r")
        person.wait(b"More ----")
        person.press(b"q")
        person.wait(b">")
        person.press(b"display pki enrollment\r")
        person.wait(b"More ----")
        person.press(b"q")
        person.wait(b">")


def prompts(rig: Rig) -> Samples:
    """A start with a saved configuration, on a line of its own; the screen of both consoles."""
    with Board(rig.folder, python=rig.python) as board:
        board.must("system-view", "pki realm abc", "return", "save", "y")
        board.stop()
        master, slave = pty.openpty()
        os.set_blocking(master, False)
        try:
            wiring = rig.folder / "board.toml"
            wiring.write_text(f'[[console.serial]]\npath = "{os.ttyname(slave)}"\n')
            board.board = str(wiring)
            return _first_prompts(board, master)
        finally:
            os.close(slave)
            os.close(master)


def _first_prompts(board: Board, line: int) -> Samples:
    begin_ns = time.monotonic_ns()
    process = board.spawn()
    sock: socket.socket | None = None
    seen: dict[str, int] = {}
    try:
        while len(seen) < len(PROMPTS):
            passed_ns = time.monotonic_ns() - begin_ns
            assert passed_ns < ANSWER_S * 10**9, f"no prompt: {board.log()}"
            sock = sock or greeted(board)
            _press(line)
            watched = {line: "prompt_serial", **({sock.fileno(): "prompt_socket"} if sock else {})}
            left = [fd for fd, name in watched.items() if name not in seen]
            for fd in select.select(left, [], [], POLL_S)[0]:
                if b">" in os.read(fd, 4096):
                    seen[watched[fd]] = (time.monotonic_ns() - begin_ns) // 1000
    finally:
        board.adopt(process)
        if sock:
            sock.close()
    return {name: [value] for name, value in seen.items()}


def _press(line: int) -> None:
    """Enter: a serial line has no session before somebody types, and forgets what came too soon."""
    try:
        os.write(line, b"\r")
    except BlockingIOError:
        return  # it has not been read for long; the wait has an end of its own


def greeted(board: Board) -> socket.socket | None:
    """A terminal at the console socket, as soon as there is one."""
    path = board.dir / "console.sock"
    if not path.exists():
        return None
    try:
        sock = connect_unix(str(path))
    except HalError:
        return None
    sock.sendall(hello("terminal", 80, 24))
    return sock


PROBES = (
    Probe("idle", memory, (*START, *AFTER)),
    Probe("prompt", prompts, PROMPTS),
)
