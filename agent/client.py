"""`scep-agent console`: a thin client of the agent's console socket, without rules of its own."""

import os
import select
import socket
import sys
from collections.abc import Iterable

from agent.console.wire import END, hello
from hal.ports import HalError
from hal.sockets import connect_unix


def run_script(path: str, lines: Iterable[str]) -> int:
    """Sends lines, prints what comes, gives the agent's exit status (2: no agent)."""
    sock = _connect(path)
    if sock is None:
        return 2
    sock.sendall(hello("script"))
    for line in lines:
        try:
            sock.sendall(line.rstrip("\n").encode() + b"\n")
        except OSError:
            break  # it stopped at an error; what it said is waiting to be read
    try:
        sock.sendall(END)
    except OSError:
        pass
    return _copy_out(sock)


def _copy_out(sock: socket.socket) -> int:
    """Text to standard output until the mark; the exit status behind it."""
    status = b""
    marked = False
    while data := sock.recv(65536):
        text, mark, rest = (b"", b"", data) if marked else data.partition(END)
        marked = marked or bool(mark)
        status += rest
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
    return int(status) if status.strip().isdigit() else 2


def run_terminal(path: str) -> int:
    """A person at a terminal: raw bytes both ways until the agent ends the session."""
    import termios
    import tty

    sock = _connect(path)
    if sock is None:
        return 2
    size = os.get_terminal_size(0)
    sock.sendall(hello("terminal", size.columns, size.lines))
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        _pump(sock)
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        os.write(1, b"\r\n")
    return 0


def _pump(sock: socket.socket) -> None:
    while True:
        ready, _, _ = select.select([0, sock.fileno()], [], [])
        if sock.fileno() in ready:
            data = sock.recv(65536)
            if not data:
                return
            os.write(1, data)
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                return
            sock.sendall(data)


def _connect(path: str) -> socket.socket | None:
    try:
        return connect_unix(path)
    except HalError as error:
        sys.stderr.write(
            f"scep-agent: no agent answers at {path}: {error.what}\n"
            "  Cause: it does not run, or it runs with another state folder\n"
            "  Next step: start `scep-agent run`, or name its socket with --socket\n"
        )
        return None
