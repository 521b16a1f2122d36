"""`scep-agent console` at a terminal: a person types, raw bytes go both ways.

Fault model: the agent goes away, the terminal hangs up, its window changes. Promised: the terminal
is as it was before, and the exit status tells a session that ended from an agent that went away.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from agent.doors import naws
from agent.doors.client import NO_AGENT, Answer, connect, received
from agent.doors.wire import TERMINAL, hello


def run(path: str) -> int:
    """Until one end has enough; exit status 0, 1 when we are turned away, 2 when it is gone."""
    sock = connect(path)
    if sock is None:
        return NO_AGENT
    answer = Answer()
    with _window() as resized:
        size = os.get_terminal_size(0)
        with suppress(OSError):  # it has turned us away already; what it said is being read
            sock.sendall(hello(TERMINAL, size.columns, size.lines))
        with _raw():
            left = _pump(sock, resized, answer)
    return 0 if left else answer.status()


def _pump(sock: socket.socket, resized: int, answer: Answer) -> bool:
    """Until one end has enough; whether it was the person."""
    while True:
        ready, _, _ = select.select([0, resized, sock.fileno()], [], [])
        if sock.fileno() in ready:
            data = received(sock)
            if not data:
                return False
            # Who is turned away is told as a script is.
            text = answer.text(data).replace(b"\r\n", b"\n")
            os.write(1, text.replace(b"\n", b"\r\n"))
        with suppress(ConnectionError):  # what it said last is still read
            if resized in ready:
                os.read(resized, 64)
                size = os.get_terminal_size(0)
                sock.sendall(naws.size(size.columns, size.lines))
            if 0 in ready:
                data = _keys()
                if not data:
                    return True
                sock.sendall(naws.typed(data))


def _keys() -> bytes:
    try:
        return os.read(0, 4096)
    except OSError:  # the terminal has hung up
        return b""


@contextmanager
def _raw() -> Iterator[None]:
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0, termios.TCSADRAIN)  # what was typed before is not lost
        yield
    finally:
        with suppress(termios.error, OSError):
            termios.tcsetattr(0, termios.TCSADRAIN, before)
            os.write(1, b"\r\n")


@contextmanager
def _window() -> Iterator[int]:
    """A descriptor that can be read when the window has another size."""
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    handler = signal.signal(signal.SIGWINCH, lambda _number, _frame: None)
    try:
        yield reader
    finally:
        signal.signal(signal.SIGWINCH, handler)
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
