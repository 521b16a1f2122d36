"""A client of the agent's socket, without own rules: scripts and configurations go in.

A person at a terminal is in `agent/doors/tty.py`.
"""

from __future__ import annotations

import codecs
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain

from agent import limits
from agent.doors.wire import APPLY, DRY_MERGE, DRY_RUN, END, MERGE, SCRIPT, hello
from hal.files import UTF_8_MARK, UTF_16, read_text, text_of
from hal.ports import FilesError, HalError
from hal.sockets import connect_unix
from hal.standard import say

NO_AGENT = 2  # exit status: nobody answers, or not to the end


def run_script(path: str, lines: Iterable[bytes]) -> int:
    """Sends lines, prints what comes, gives the agent's exit status (2: no agent).

    What is no text goes as it is: the agent says which line, and what is wrong with it.
    """
    return exchange(path, SCRIPT, (line.rstrip(b"\n") + b"\n" for line in lines))


def run_apply(path: str, name: str, dry_run: bool, merge: bool) -> int:
    """Sends a configuration file (`-`: standard input); exit status 2 when it cannot be read."""
    kinds = ((APPLY, DRY_RUN), (MERGE, DRY_MERGE))
    try:
        text = _text(name)
    except HalError as error:
        sys.stderr.write(
            f"scep-agent: {error}\n"
            "  Next step: name a file as `display current-configuration` shows it, or `-`\n"
        )
        return 2
    return exchange(path, kinds[merge][dry_run], [text])


def _text(name: str) -> bytes:
    if name == "-":
        try:
            text = sys.stdin.buffer.read(limits.APPLY_BYTES + 1)
        except OSError as error:
            raise FilesError(str(error.strerror), "standard input") from None
        if text.startswith((UTF_8_MARK, *UTF_16)):  # what is no text the agent names by its line
            text = text_of(text, name).encode()
    else:
        text = read_text(name, limits.APPLY_BYTES).encode()
    if END in text:  # the agent would take what stands before it for the whole
        raise FilesError("it holds a NUL: UTF-16 needs a byte order mark in front", name)
    return text


def exchange(
    path: str, kind: str, pieces: Iterable[bytes], write: Callable[[bytes], object] | None = None
) -> int:
    """Sends pieces, gives what comes to `write` (None: standard output); the exit status."""
    sock = connect(path)
    if sock is None:
        return NO_AGENT
    # Two ways at once: an agent whose output nobody reads does not read either.
    threading.Thread(target=_send, args=(sock, kind, pieces), daemon=True).start()
    return _copy_out(sock, write or say)


def standard_input() -> Iterator[bytes]:
    """The lines of standard input.

    Without Python's buffer: a thread that waits in it holds its lock, and the program could not end
    at the first error while somebody keeps standard input open.
    """
    rest = b""
    for data in _from_windows(iter(_read, b"")):
        *lines, rest = (rest + data).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _read() -> bytes:
    try:
        return os.read(0, 65536)
    except OSError as error:
        sys.stderr.write(f"scep-agent: standard input: {error.strerror}\n")
        raise


def _from_windows(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces of a text without the byte order mark in front; UTF-16 becomes UTF-8."""
    head = b""
    marks = (UTF_8_MARK, *UTF_16)
    while any(mark.startswith(head) and mark != head for mark in marks):
        if not (piece := next(pieces, b"")):
            break
        head += piece
    if not head.startswith(UTF_16):
        yield head.removeprefix(UTF_8_MARK)
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    for piece in chain((head,), pieces):
        yield decoder.decode(piece).encode(errors="replace")
    yield decoder.decode(b"", final=True).encode()


def _send(sock: socket.socket, kind: str, pieces: Iterable[bytes]) -> None:
    try:
        sock.sendall(hello(kind))
        for piece in pieces:
            sock.sendall(piece)
        sock.sendall(END)
    except OSError:
        # It stopped at an error, or would not begin; what it said is being read. Or standard input
        # cannot be read: a script without its end is not one.
        with suppress(OSError):
            sock.shutdown(socket.SHUT_WR)


def _copy_out(sock: socket.socket, write: Callable[[bytes], object]) -> int:
    """Text to `write` until the mark; the exit status behind it."""
    answer = Answer()
    while data := received(sock):
        write(answer.text(data))
    return answer.status()


class Answer:
    """What the agent says: text, then the mark, and behind it the exit status."""

    def __init__(self) -> None:
        self._status = b""
        self.ended = False

    def text(self, data: bytes) -> bytes:
        """The text in what has come."""
        text, mark, rest = (b"", b"", data) if self.ended else data.partition(END)
        self.ended = self.ended or bool(mark)
        self._status += rest
        return text

    def status(self) -> int:
        """The exit status, when no more comes."""
        if not self._status.strip().isdigit():
            sys.stderr.write("scep-agent: the agent went away before it had answered\n")
            return NO_AGENT
        return int(self._status)


def received(sock: socket.socket) -> bytes:
    """What the agent says; a reset is an end: it would not read all of what we sent."""
    try:
        return sock.recv(65536)
    except ConnectionError:
        return b""


def connect(path: str) -> socket.socket | None:
    """A connection to the agent, or None: why was said."""
    try:
        return connect_unix(path)
    except HalError as error:
        sys.stderr.write(
            f"scep-agent: no agent answers at {path}: {error.what}\n"
            "  Cause: it does not run, or it runs with another state folder\n"
            "  Next step: start `scep-agent run`, or name its socket with --socket\n"
        )
        return None
