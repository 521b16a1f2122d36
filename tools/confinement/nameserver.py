"""A place of its own whose names come from a server: network and mount name space, a small DNS.

`isolated` runs a program of this package there (root). Inside, `serving` says whom to ask in
/etc/resolv.conf, and answers on 127.0.0.1: every name has both loopback addresses, and one that
begins with "long" is cut, so that the C library asks again by TCP.
"""

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ADDRESS = ("127.0.0.1", 53)
FILES = {
    "resolv.conf": "nameserver 127.0.0.1\n",
    "nsswitch.conf": "hosts: files dns\n",
    "hosts": "127.0.0.1 localhost\n",
}
RECORDS = {
    1: socket.inet_pton(socket.AF_INET, "127.0.0.1"),
    28: socket.inet_pton(socket.AF_INET6, "::1"),
}
LONG = b"\x04long"
BYTES = 4096


def isolated(arguments: Sequence[str]) -> int:
    """The exit status of `python -m tools.confinement ARGUMENTS` in name spaces of its own."""
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "tools.confinement"]
    return subprocess.run([*command, *arguments], check=False).returncode


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """For the length of a run inside: the files of /etc are ours, and somebody answers."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
        subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(ADDRESS)
    connections = socket.create_server(ADDRESS)
    for serve, listener in ((_by_datagrams, datagrams), (_by_connections, connections)):
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
    with datagrams, connections:
        yield


def answered(question: bytes, cut: bool) -> bytes:
    """The answer to a DNS message with one question; one that is cut has TC and no record."""
    end = 12
    while question[end]:
        end += question[end] + 1
    asked = question[12 : end + 5]
    data = None if cut and asked.lower().startswith(LONG) else RECORDS.get(asked[-3])
    record = struct.pack(">HHHIH", 0xC00C, asked[-3], 1, 60, len(data)) + data if data else b""
    flags = 0x8180 if data or not cut else 0x8380
    return question[:2] + struct.pack(">HHHHH", flags, 1, bool(data), 0, 0) + asked + record


def _by_datagrams(listener: socket.socket) -> None:
    while True:
        try:
            question, peer = listener.recvfrom(BYTES)
        except OSError:  # closed: the run is over
            return
        listener.sendto(answered(question, cut=True), peer)


def _by_connections(listener: socket.socket) -> None:
    while True:
        try:
            connection, _peer = listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as questions:
            while length := questions.read(2):
                answer = answered(questions.read(int.from_bytes(length, "big")), cut=False)
                connection.sendall(len(answer).to_bytes(2, "big") + answer)
