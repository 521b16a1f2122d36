"""rtnetlink messages: made by hand as rtnetlink(7) says, and nonsense."""

import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal import netlink


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def message(kind: int, body: bytes, flags: int = 0) -> bytes:
    data = struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body
    return data + bytes(-len(data) % 4)


def link(name: bytes, flags: int, index: int = 2) -> bytes:
    return struct.pack("=BxHiII", 0, 1, index, flags, 0) + attribute(3, name + b"\0")


def address(family: int, *attributes: bytes, flags: int = 0, scope: int = 0) -> bytes:
    return struct.pack("=BBBBI", family, 24, flags, scope, 2) + b"".join(attributes)


V4, V6 = socket.AF_INET, socket.AF_INET6
ONE, TWO = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
LOCAL6 = socket.inet_pton(V6, "fe80::1")


def test_a_datagram_holds_several_messages() -> None:
    data = message(16, b"abcde") + message(20, b"", 0x10) + message(3, struct.pack("=i", 0))
    assert list(netlink.messages(data)) == [
        (16, 0, b"abcde"),
        (20, netlink.INTERRUPTED, b""),
        (netlink.DONE, 0, bytes(4)),
    ]


@pytest.mark.parametrize(
    "data", [b"x", bytes(15), struct.pack("=IHHII", 15, 3, 0, 0, 0), message(3, b"ab")[:17]]
)
def test_a_wrong_length_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="netlink"):
        list(netlink.messages(data))


@pytest.mark.parametrize(
    ("flags", "up"), [(0, False), (0x1, False), (0x40, False), (0x41, True), (0x1043, True)]
)
def test_up_is_switched_on_with_a_carrier(flags: int, up: bool) -> None:
    assert netlink.parse_link(link(b"eth0", flags)) == netlink.LinkRow(2, "eth0", up)


def test_the_frames_that_failed_are_counted() -> None:
    counts = struct.pack("=24Q", *range(24))  # struct rtnl_link_stats64
    found = netlink.parse_link(link(b"eth0", 0x41) + attribute(23, counts))
    assert found == netlink.LinkRow(2, "eth0", True, in_errors=4, out_errors=5)
    old = netlink.parse_link(link(b"eth0", 0x41) + attribute(23, counts[:8]))
    assert old == netlink.LinkRow(2, "eth0", True)


def test_a_point_to_point_address_is_ours_not_the_peers() -> None:
    found = netlink.parse_address(address(V4, attribute(1, TWO), attribute(2, ONE)))
    assert found == netlink.AddressRow((0, 0, 0), 2, "192.0.2.1")


@pytest.mark.parametrize(
    ("family", "raw", "flags", "scope", "rank"),
    [
        (V4, ONE, 0, 0, (0, 0, 0)),
        (V4, ONE, 1, 0, (0, 0, 1)),
        (V4, ONE, 0, 253, (0, 1, 0)),
        (V6, LOCAL6, 0, 0, (1, 0, 0)),
        (V6, LOCAL6, 0x80, 253, (1, 1, 0)),
    ],
)
def test_the_rank_sorts_addresses(
    family: int, raw: bytes, flags: int, scope: int, rank: tuple[int, int, int]
) -> None:
    found = netlink.parse_address(address(family, attribute(1, raw), flags=flags, scope=scope))
    assert found is not None
    assert found.rank == rank


@pytest.mark.parametrize("flags", [0x08, 0x20, 0x40, 0x44])
def test_an_address_that_may_not_be_used_is_left_out(flags: int) -> None:
    long = attribute(8, struct.pack("=I", 0x200 | flags))
    assert netlink.parse_address(address(V6, attribute(1, LOCAL6), flags=flags)) is None
    assert netlink.parse_address(address(V6, attribute(1, LOCAL6), long)) is None


def test_other_families_and_empty_addresses_are_passed_over() -> None:
    assert netlink.parse_address(address(7, attribute(1, ONE))) is None
    assert netlink.parse_address(address(V4)) is None
    assert netlink.parse_address(address(V4, attribute(1, LOCAL6))) is None


def test_error_numbers() -> None:
    assert netlink.error_number(struct.pack("=i", -13) + bytes(16)) == 13
    assert netlink.error_number(b"") == 0


def test_a_request_asks_for_everything_of_a_kind() -> None:
    ((kind, flags, body),) = netlink.messages(netlink.request(netlink.GET_ADDRESS))
    assert (kind, flags, len(body)) == (22, 0x301, 16)


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (message(16, b"abcd"), True),
        (message(17, b"abcd"), True),
        (message(20, b"abcd"), True),
        (message(21, b"abcd"), True),
        (message(24, b"a route"), False),
        (message(24, b"a route") + message(20, b"abcd"), True),
        (b"nonsense", True),
        (b"", False),
    ],
)
def test_what_may_tell_of_a_change(datagram: bytes, expected: bool) -> None:
    assert netlink.is_change(datagram) is expected


@settings(deadline=None, max_examples=300)
@given(data=st.binary(max_size=128))
def test_nonsense_is_a_value_error_at_most(data: bytes) -> None:
    for reading in (lambda: list(netlink.messages(data)), lambda: netlink.parse_link(data)):
        try:
            reading()
        except ValueError:
            pass
    try:
        netlink.parse_address(data)
    except ValueError:
        pass
    netlink.error_number(data)
