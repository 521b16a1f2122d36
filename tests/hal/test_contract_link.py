"""What every `hal.ports.Link` does: the kernel's network on loopback, and the fake."""

import socket
from collections.abc import Iterator

import pytest

from hal.fakes.lines import FakeLink
from hal.link import LinuxLink
from hal.ports import Interface, Link, LinkError, Source

LOOPBACK = "127.0.0.1"


@pytest.fixture(params=["linux", "fake"])
def link(request: pytest.FixtureRequest) -> Link:
    return (
        LinuxLink() if request.param == "linux" else FakeLink([Interface("lo", True, (LOOPBACK,))])
    )


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server((LOOPBACK, 0)) as listening:
        listening.settimeout(60)
        yield listening


def test_loopback_is_listed(link: Link) -> None:
    (found,) = [interface for interface in link.interfaces() if interface.name == "lo"]
    assert found.up
    assert found.addresses[0] == LOOPBACK


@pytest.mark.parametrize(
    "source",
    [
        Source(),
        Source(address=LOOPBACK),
        Source(interface="lo"),
        Source(interface="lo", bind_device=True),
        Source(address=LOOPBACK, bind_device=True),
    ],
)
def test_a_connection_carries_bytes(link: Link, server: socket.socket, source: Source) -> None:
    with link.connect(LOOPBACK, server.getsockname()[1], source, 5) as ours:
        theirs, (address, _port) = server.accept()
        with theirs:
            assert address == LOOPBACK
            ours.sendall(b"GET")
            assert theirs.recv(10) == b"GET"
            assert ours.gettimeout() == 5


@pytest.mark.parametrize(
    ("source", "kind", "where"),
    [
        (Source(interface="nosuch0"), "interface", "nosuch0"),
        (Source(interface="nosuch0", bind_device=True), "interface", "nosuch0"),
        (Source(address="192.0.2.99"), "source", "192.0.2.99"),
        (Source(address="192.0.2.99", bind_device=True), "source", "192.0.2.99"),
    ],
)
def test_no_source_means_no_connection(
    link: Link, server: socket.socket, source: Source, kind: str, where: str
) -> None:
    with pytest.raises(LinkError, match=where) as caught:
        link.connect(LOOPBACK, server.getsockname()[1], source, 5)
    assert caught.value.kind == kind
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        server.accept()


def test_a_source_of_the_other_family_is_no_address(link: Link) -> None:
    with pytest.raises(LinkError, match=LOOPBACK) as caught:
        link.connect("2001:db8::1", 80, Source(address=LOOPBACK), 5)
    assert caught.value.kind == "no-address"


def test_a_closed_port_refuses(link: Link, server: socket.socket) -> None:
    port = server.getsockname()[1]
    server.close()
    with pytest.raises(LinkError, match=LOOPBACK) as caught:
        link.connect(LOOPBACK, port, Source(), 5)
    assert caught.value.kind == "refused"
