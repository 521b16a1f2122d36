"""rtnetlink messages (rtnetlink(7)): requests for, and readings of, interfaces and addresses; and
whether a message tells of a change of them.

No socket is opened here. Fault model: the kernel is trusted to be honest, not to be like the one
this was written on: unknown messages, attributes and families are passed over; a length that
does not fit ends the reading with ValueError.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from hal.named import NamedTuple

GET_LINK, GET_ADDRESS = 18, 22  # RTM_GETLINK, RTM_GETADDR
NEW_LINK, NEW_ADDRESS = 16, 20
ERROR, DONE = 2, 3
REMOVED_LINK, REMOVED_ADDRESS = 17, 21  # RTM_DELLINK, RTM_DELADDR
CHANGES = (NEW_LINK, REMOVED_LINK, NEW_ADDRESS, REMOVED_ADDRESS)
CHANGED_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
INTERRUPTED = 0x10  # NLM_F_DUMP_INTR: the table changed under the dump

_DUMP_REQUEST = 0x301  # NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # family, ARP type, index, flags, changed flags
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_TYPE_MASK = 0x3FFF  # above it: nested, byte order

_LINK_NAME, _LINK_COUNTS = 3, 23  # IFLA_IFNAME, IFLA_STATS64
_COUNTS = struct.Struct("=32xQQ")  # behind packets and bytes: errors in, errors out
_PEER, _LOCAL, _FLAGS = 1, 2, 8  # IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS (32 bits, newer kernels)
_UP_AND_RUNNING = 0x41  # IFF_UP | IFF_RUNNING: switched on, and with a carrier
_NOT_PRIMARY = 0x01  # IFA_F_SECONDARY; for IPv6 the same bit says temporary (RFC 8981)
_NOT_USABLE = 0x08 | 0x20 | 0x40  # duplicate found, deprecated, still tentative
_SCOPE_LINK = 253  # RT_SCOPE_LINK; larger is narrower
_RANKED = {socket.AF_INET: (0, 4), socket.AF_INET6: (1, 16)}  # order and length of an address


class LinkRow(NamedTuple):
    """An interface as the kernel lists it."""

    number: int
    name: str
    up: bool
    in_errors: int = 0
    out_errors: int = 0


class AddressRow(NamedTuple):
    """A usable address; `rank` sorts IPv4 first, global before link-local, primary first."""

    rank: tuple[int, int, int]
    interface: int  # its number
    text: str


def request(kind: int) -> bytes:
    """The request for a dump of everything of this kind."""
    body = _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    return _HEADER.pack(_HEADER.size + len(body), kind, _DUMP_REQUEST, 1, 0) + body


def messages(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, flags, body) of each message in a datagram. Raises ValueError."""
    at = 0
    while at < len(datagram):
        if len(datagram) - at < _HEADER.size:
            raise ValueError("a netlink header is cut off")
        length, kind, flags, _sequence, _port = _HEADER.unpack_from(datagram, at)
        if not _HEADER.size <= length <= len(datagram) - at:
            raise ValueError("a netlink message has a wrong length")
        yield kind, flags, datagram[at + _HEADER.size : at + length]
        at += _aligned(length)


def is_change(datagram: bytes) -> bool:
    """Whether it tells of an interface or an address. What cannot be read may do so."""
    try:
        return any(kind in CHANGES for kind, _flags, _body in messages(datagram))
    except ValueError:
        return True


def error_number(body: bytes) -> int:
    """The errno of an error message, or of the end of a dump; 0 is success."""
    return -struct.unpack("=i", body[:4])[0] if len(body) >= 4 else 0


def parse_link(body: bytes) -> LinkRow:
    """Reads an RTM_NEWLINK body. Raises ValueError."""
    if len(body) < _LINK.size:
        raise ValueError("a link message is cut off")
    _family, _kind, index, flags, _change = _LINK.unpack_from(body)
    found = _attributes(body[_LINK.size :])
    name, counts = found.get(_LINK_NAME, b"").rstrip(b"\0"), found.get(_LINK_COUNTS, b"")
    errors = _COUNTS.unpack_from(counts) if len(counts) >= _COUNTS.size else (0, 0)
    up = flags & _UP_AND_RUNNING == _UP_AND_RUNNING
    return LinkRow(index, name.decode("ascii", "replace"), up, *errors)


def parse_address(body: bytes) -> AddressRow | None:
    """Reads an RTM_NEWADDR body; None when it is no address to send from. Raises ValueError."""
    if len(body) < _ADDRESS.size:
        raise ValueError("an address message is cut off")
    family, _prefix, flags, scope, index = _ADDRESS.unpack_from(body)
    found = _attributes(body[_ADDRESS.size :])
    if len(found.get(_FLAGS, b"")) == 4:
        (flags,) = struct.unpack("=I", found[_FLAGS])
    raw = found.get(_LOCAL, found.get(_PEER, b""))  # point-to-point: ADDRESS is the other end
    order, length = _RANKED.get(family, (0, -1))
    if len(raw) != length or flags & _NOT_USABLE:
        return None
    rank = (order, int(scope >= _SCOPE_LINK), flags & _NOT_PRIMARY)
    return AddressRow(rank, index, socket.inet_ntop(family, raw))


def _attributes(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while len(data) - at >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if not _ATTRIBUTE.size <= length <= len(data) - at:
            raise ValueError("a netlink attribute has a wrong length")
        found[kind & _TYPE_MASK] = data[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3
