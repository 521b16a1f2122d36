"""Builds a drawn network out of two name spaces and cables, serves the CA, watches every segment.

Name spaces belong to threads: the main thread is the device, whoever needs the CA's end goes there
for a moment. Both vanish with the last descriptor that holds them. Needs root.
"""

import ctypes
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from tests.helpers import scep_http as web
from tests.rigs.binding.topology import CA_4, CA_6, LOOPBACK, Topology, Try, family_of, peer_of

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
WATCH_BYTES = 4 * 1024 * 1024
TCP, RST, ACK = 6, 4, 16
_LIBC = ctypes.CDLL(None, use_errno=True)


class Segment(NamedTuple):
    """A TCP segment that left the device: by which interface, from where, to which port.

    orphan: the kernel's own reset for what came in and belongs to no socket, as the answer does
    that takes another way than the bound one (RST without ACK, RFC 9293 3.10.7.1; a socket that
    gives up sends both).
    """

    device: str
    source: str
    port: int
    orphan: bool = False


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "name space")


def new_space() -> int:
    """Moves this thread into a new name space; a descriptor of it."""
    _check(_LIBC.unshare(CLONE_NEWNET))
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def inside(space: int | None, call: Callable[[], object]) -> object:
    """The result of a call made in that name space, or in a new one, by a thread of its own."""
    results: list[object] = []

    def run() -> None:
        if space is not None:
            _check(_LIBC.setns(space, CLONE_NEWNET))
        results.append(call())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return results[0]


def ip(lines: list[str]) -> None:
    """A batch for `ip`, in the name space of this thread; what fails is left out."""
    subprocess.run(
        ["ip", "-force", "-batch", "-"],
        input="\n".join(lines), text=True, check=False, timeout=120,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _loose() -> None:
    """Answers may come by another cable than the request left by."""
    for end in ("all", "default"):
        with open(f"/proc/sys/net/ipv4/conf/{end}/rp_filter", "w", encoding="ascii") as file:
            file.write("0")


class Network:
    """`with Network(topology) as net:`; the main thread is on the device from then on."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.connections = 0
        self.here, self.there = new_space(), int(str(inside(None, new_space)))
        _loose()
        inside(self.there, _loose)
        self._cables()
        self._watchers = {nic.name: _watch(nic.name) for nic in topology.nics}
        self._arrived: set[int] = set()  # ports of the CA that something has come from
        self._listeners: list[socket.socket] = []

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (*self._watchers.values(), *self._listeners):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        os.close(self.here)
        os.close(self.there)

    def _cables(self) -> None:
        theirs = f"/proc/{os.getpid()}/fd/{self.there}"
        ours, answer = ["link set lo up"], ["link set lo up"]
        for nic in self.topology.nics:
            name = nic.name
            if name != "lo":
                ours.append(f"link add {name} type veth peer name p{nic.number} netns {theirs}")
                ours.append(f"link set {name} up")
                answer += _other_end(nic.number, nic.addresses, nic.state)
            added = [a for a in nic.addresses if a not in LOOPBACK]
            ours += [f"address add {_wide(a, name)} dev {name} nodad" for a in added]
        ip(ours)
        answer += [f"address add {a} dev lo nodad" for a in (*CA_4, *CA_6)]
        answer += self._way_back()
        inside(self.there, lambda: ip(answer))
        late = [f"link set {nic.name} down" for nic in self.topology.nics if nic.state == "down"]
        ip([*late, *self.topology.routes])

    def _way_back(self) -> list[str]:
        """To the loopback addresses of the device, by any cable that works."""
        lines = []
        for address in self.topology.nics[-1].addresses[: -len(LOOPBACK)]:
            for nic in self.topology.nics[:-1]:
                via = nic.primary(family_of(address))
                if via and nic.state == "up":
                    lines.append(f"route add {address} via {via} dev p{nic.number}")
                    break
        return lines

    def listen(self, attempt: Try, answer: Callable[[bytes], bytes]) -> int:
        """A port of the CA for one job; its mishap happens when the first request has come."""
        sock = inside(self.there, lambda: socket.create_server(
            ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True))  # fmt: skip
        assert isinstance(sock, socket.socket)
        self._listeners.append(sock)
        threading.Thread(target=self._serve, args=(sock, attempt, answer), daemon=True).start()
        return int(sock.getsockname()[1])

    def _serve(self, sock: socket.socket, attempt: Try, answer: Callable[[bytes], bytes]) -> None:
        waiting = attempt.mishap
        with suppress(OSError):
            while True:
                connection, _peer = sock.accept()
                self.connections += 1
                with connection, suppress(OSError):
                    connection.settimeout(2)
                    request = web.read_request(connection)
                    if waiting:
                        self._strike(attempt)
                        waiting = None
                    connection.sendall(answer(request))

    def _strike(self, attempt: Try) -> None:
        name = str(attempt.struck)
        lines = {
            "down": f"link set {name} down",
            "removed": f"link del {name}",
            "flushed": f"address flush dev {name}",
            "no-carrier": f"link set p{name[1:]} down",
        }
        space = self.there if attempt.mishap == "no-carrier" else self.here
        inside(space, lambda: ip([lines[str(attempt.mishap)]]))

    def segments(self) -> list[Segment]:
        """The TCP segments that have left since the last time."""
        left: list[tuple[str, str, int, int]] = []
        for name, sock in self._watchers.items():
            for packet, kind in _waiting(sock):
                found = _read(packet)
                if found is None:
                    continue
                source, ports, flags = found
                if kind == socket.PACKET_OUTGOING:
                    left.append((name, source, ports[1], flags))
                else:
                    self._arrived.add(ports[0])
        return [
            Segment(name, source, port, flags & (RST | ACK) == RST and port in self._arrived)
            for name, source, port, flags in left
        ]


def _waiting(sock: socket.socket) -> Iterator[tuple[bytes, int]]:
    """The packets that a watcher has seen, and whether each came or went."""
    while True:
        try:
            packet, address = sock.recvfrom(2048)
        except BlockingIOError:
            return
        except OSError:
            continue  # the interface went down, or away: said once
        yield packet, address[2]


def _other_end(number: int, addresses: tuple[str, ...], state: str) -> list[str]:
    peers = dict.fromkeys(_wide(peer_of(address), "p") for address in addresses)
    lines = [f"address add {peer} dev p{number} nodad" for peer in peers]
    return [*lines, f"link set p{number} {'down' if state == 'no-carrier' else 'up'}"]


def _wide(address: str, device: str) -> str:
    if device == "lo":
        return address
    return f"{address}/{64 if family_of(address) == 6 else 24}"


def _watch(name: str) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WATCH_BYTES)
    sock.bind((name, ETH_P_ALL))
    sock.setblocking(False)
    return sock


def _read(packet: bytes) -> tuple[str, tuple[int, int], int] | None:
    """Source, ports and flags of a TCP segment (RFC 791 3.1, RFC 8200 3 without extension headers:
    the kernel sends none here, RFC 9293 3.1); None for another protocol."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and packet[9] == TCP:
        at, source = (packet[0] & 15) * 4, socket.inet_ntop(socket.AF_INET, packet[12:16])
    elif version == 6 and packet[6] == TCP:
        at, source = 40, socket.inet_ntop(socket.AF_INET6, packet[8:24])
    else:
        return None
    from_port, to_port, flags = struct.unpack_from("!HH9xB", packet, at)
    return source, (from_port, to_port), flags
