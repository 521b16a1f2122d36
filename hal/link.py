"""The network: interfaces and their addresses, and connections that leave from a chosen place.

The only module that opens network sockets. Fault model: an interface may be missing or down, have
no address of the family that the peer needs, lose an address between question and use; the name
server may be slow or lie; a peer may refuse, drop or never answer. Promised: a connection leaves
from the source that was asked for, or not at all; the time-out covers all tries together (but not
the name server: the agent kills the job at its deadline); every failure is a LinkError that names
the interface or the address.

`connect` runs in a job child which has dropped its rights: it imports nothing, and hands names
to the C library as bytes, since text would make Python load its IDNA codec from disk.
"""

from __future__ import annotations

import errno
import os
import socket

from hal import netlink
from hal.annotations import Any
from hal.clock import SECOND_NS, LinuxClock
from hal.named import NamedTuple
from hal.ports import Interface, LinkError, Source

ADDRESSES_TRIED = 4  # of a name that has many: beyond, it is the peer that is down

KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.ENETUNREACH: "route",
    errno.EHOSTUNREACH: "route",
    errno.ENETDOWN: "route",
    errno.EHOSTDOWN: "route",
    errno.ETIMEDOUT: "timeout",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EADDRNOTAVAIL: "source",
    errno.EINVAL: "source",  # 127.0.0.1 to another host
    errno.ENODEV: "interface",
    errno.EPERM: "source",  # SO_BINDTODEVICE before Linux 5.7 needs CAP_NET_RAW
    errno.EACCES: "source",
}
_DATAGRAM_BYTES = 64 * 1024  # the kernel fills at most 32 KiB at a time
_DATAGRAMS = 1024  # a router with 10,000 addresses needs below 100
_DUMPS = 5  # a table that changes under each of these dumps is read as it comes
_KERNEL_S = 2
_NEWS_A_READ = 64  # datagrams; a turn of the loop has others to serve


class _Address(NamedTuple):
    """A socket address: family, and what the C library made of a name or a number."""

    family: int
    sockaddr: tuple[Any, ...]

    @property
    def text(self) -> str:
        return str(self.sockaddr[0])


class LinuxLinkNews:
    """What rtnetlink(7) tells of interfaces and addresses. See `hal.ports.LinkNews`.

    An address of IPv6 is told of twice: while it is tentative, and when it can be used.
    """

    __slots__ = ("_socket",)

    def __init__(self, room_bytes: int | None = None) -> None:
        """room_bytes: for messages that wait; None: as the system has it. Raises LinkError."""
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
            )
        except OSError as error:
            raise _silent(error) from error
        try:
            if room_bytes is not None:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room_bytes)
            self._socket.bind((0, netlink.CHANGED_GROUPS))
        except OSError as error:
            self._socket.close()
            raise _silent(error) from error

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> bool:
        """A storm of messages is read in parts: what is left makes it readable once more."""
        changed = False
        for _ in range(_NEWS_A_READ):
            try:
                changed = netlink.is_change(self._socket.recv(_DATAGRAM_BYTES)) or changed
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise _silent(error) from error
                changed = True
        return changed

    def close(self) -> None:
        self._socket.close()


def _silent(error: OSError) -> LinkError:
    return LinkError("other", f"the kernel does not tell of its interfaces: {error.strerror}")


class LinuxLink:
    """The network of the Linux kernel. See `hal.ports.Link`.

    `interfaces` leaves out addresses that are tentative, deprecated or duplicate. An interface is
    up when it is switched on and has a carrier. The socket that `connect` returns is connected and
    has `timeout_s` as the time-out of each operation.
    """

    __slots__ = ("_clock",)

    def __init__(self) -> None:
        self._clock = LinuxClock()

    def interfaces(self) -> list[Interface]:
        """All interfaces in the kernel's order. Raises LinkError."""
        links = [netlink.parse_link(body) for body in _dump(netlink.GET_LINK)]
        rows = [netlink.parse_address(body) for body in _dump(netlink.GET_ADDRESS)]
        addresses = sorted((row for row in rows if row), key=lambda row: row.rank)
        texts: dict[int, list[str]] = {link.number: [] for link in links}
        for row in addresses:
            texts.setdefault(row.interface, []).append(row.text)
        return [
            Interface(
                link.name, link.up, tuple(texts[link.number]), link.in_errors, link.out_errors
            )
            for link in links
        ]

    def connect(self, host: str, port: int, source: Source, timeout_s: int) -> socket.socket:
        """A TCP connection from the source. Raises LinkError, never tries another source."""
        deadline_ns = self._clock.outside_ns() + timeout_s * SECOND_NS
        locals_ = self._locals(source)
        bound = source.bind_device or source.vrf
        device = _device(source, self.interfaces()) if bound else None
        pairs = _pairs(_resolve(host, port), locals_, source)[:ADDRESSES_TRIED]
        failures: list[LinkError] = []
        for tried, (target, local) in enumerate(pairs):
            left_ns = deadline_ns - self._clock.outside_ns()
            share_ns = left_ns // (len(pairs) - tried)  # a silent address leaves time for the next
            try:
                sock = _open(target, local, device, share_ns)
            except OSError as error:
                failures.append(_failure(error, target, local, device))
                continue
            sock.settimeout(timeout_s)
            return sock
        raise _verdict(failures)

    def news(self) -> LinuxLinkNews:
        """From now on. Raises LinkError."""
        return LinuxLinkNews()

    def _locals(self, source: Source) -> list[_Address] | None:
        """The addresses that the source allows, best first; None when any will do."""
        if source.address is not None:
            return [_numeric(source.address)]
        if source.interface is None:
            return None
        found = find_interface(source.interface, self.interfaces())
        return [_numeric(_scoped(text, found.name)) for text in found.addresses]


def _dump(kind: int) -> list[bytes]:
    """The bodies of one whole table of the kernel."""
    try:
        for _ in range(_DUMPS):
            bodies, interrupted = _dump_once(kind)
            if not interrupted:
                break
    except (OSError, ValueError) as error:
        raise LinkError("other", f"the kernel does not list its interfaces: {error}") from error
    return bodies


def _dump_once(kind: int) -> tuple[list[bytes], bool]:
    bodies: list[bytes] = []
    interrupted = False
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(_KERNEL_S)
        sock.sendto(netlink.request(kind), (0, 0))
        for _ in range(_DATAGRAMS):
            for found, flags, body in netlink.messages(sock.recv(_DATAGRAM_BYTES)):
                interrupted = interrupted or bool(flags & netlink.INTERRUPTED)
                if found in (netlink.DONE, netlink.ERROR):
                    _check_end(netlink.error_number(body))
                    return bodies, interrupted
                bodies.append(body)
    raise ValueError("the list does not end")


def _check_end(number: int) -> None:
    if number:
        raise OSError(number, os.strerror(number))


def find_interface(name: str, interfaces: list[Interface]) -> Interface:
    """The interface of a Linux name; a LinkError when there is none or it is down."""
    for interface in interfaces:
        if interface.name == name:
            if not interface.up:
                raise LinkError("interface", "the interface is down", name)
            return interface
    raise LinkError("interface", "there is no such interface", name)


def _device(source: Source, interfaces: list[Interface]) -> str:
    """The device to bind to: that of the VRF, the interface named, or the one of the address."""
    if source.vrf is not None and not source.bind_device:
        return find_interface(source.vrf, interfaces).name
    if source.interface is not None:
        return find_interface(source.interface, interfaces).name
    for interface in interfaces:
        if source.address in interface.addresses:
            return interface.name
    raise LinkError("source", "no interface has this address", source.address or "no source")


def _resolve(host: str, port: int) -> list[_Address]:
    if not (host.isascii() and host.isprintable()):
        raise LinkError("name", "not a host name", ascii(host))
    try:
        found = socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise LinkError("name", f"the name does not resolve: {error.strerror}", host) from error
    return [_Address(row[0], row[4]) for row in found]


def _numeric(text: str) -> _Address:
    """An address of our own, ready for bind; `fe80::1%eth0` has its scope."""
    flags = socket.AI_NUMERICHOST
    try:
        row = socket.getaddrinfo(text.encode(), 0, type=socket.SOCK_STREAM, flags=flags)[0]
    except (OSError, UnicodeError) as error:
        raise LinkError("source", "not an address of this device", text) from error
    return _Address(row[0], row[4])


def _link_local(text: str) -> bool:
    """fe80::/10, RFC 4291 section 2.5.6."""
    return text[:3].lower() in ("fe8", "fe9", "fea", "feb")


def _scoped(text: str, interface: str) -> str:
    return f"{text}%{interface}" if _link_local(text) else text


def _pairs(
    targets: list[_Address], locals_: list[_Address] | None, source: Source
) -> list[tuple[_Address, _Address | None]]:
    """Which address of the peer is tried from which of ours: same family, same reach."""
    if locals_ is None:
        return [(target, None) for target in targets]
    pairs: list[tuple[_Address, _Address | None]] = []
    for target in targets:
        fitting = [
            local
            for local in locals_
            if local.family == target.family
            and (source.address or _link_local(local.text) == _link_local(target.text))
        ]
        if fitting:
            pairs.append((target, fitting[0]))
    if not pairs:
        peers = ", ".join(target.text for target in targets[:ADDRESSES_TRIED])
        where = source.address or source.interface or ""
        raise LinkError("no-address", f"no address of the family of {peers}", where)
    return pairs


def _open(
    target: _Address, local: _Address | None, device: str | None, timeout_ns: int
) -> socket.socket:
    """One try. Raises OSError."""
    if timeout_ns <= 0:
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    sock = socket.socket(target.family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_ns / SECOND_NS)
        if device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
        if local is not None:
            sock.bind(local.sockaddr)
        sock.connect(target.sockaddr)
    except OSError:
        sock.close()
        raise
    return sock


def _failure(
    error: OSError, target: _Address, local: _Address | None, device: str | None
) -> LinkError:
    number = errno.ETIMEDOUT if isinstance(error, TimeoutError) else error.errno or 0
    origin = f" from {local.text}" if local else ""
    on = f" on {device}" if device else ""
    where = f"{target.text} port {target.sockaddr[1]}{origin}{on}"
    return LinkError(KINDS.get(number, "other"), os.strerror(number), where)


def _verdict(failures: list[LinkError]) -> LinkError:
    """All tries in one error. The last one gives the kind, but for those without a route: a device
    with one family alone has none to the other addresses of a name, which come before or after."""
    what = "; ".join(str(failure) for failure in failures)
    reached = [failure for failure in failures if failure.kind != "route"]
    return LinkError((reached or failures)[-1].kind, what)
