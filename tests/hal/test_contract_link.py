"""What every `hal.ports.Link` does: the kernel's network on loopback, and the fake.

Changes of interfaces are made in a name space of the test's own.
"""

import select
import socket
from collections.abc import Iterator

import pytest

from hal.fakes.lines import FakeLink
from hal.link import LinuxLink, LinuxLinkNews
from hal.ports import Interface, Link, LinkError, LinkNews, Source
from tests.helpers import netns

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


# -- news ------------------------------------------------------------------------------------------

WITHIN_S = 20


class Kernel:
    """An interface `d0` of the kernel, which is down and has no address at first."""

    def __init__(self, net: netns.NetNs) -> None:
        self._net, self._link = net, LinuxLink()
        net.run("ip", "link", "add", "d0", "type", "ifb")

    def news(self) -> LinkNews:
        return self._net.inside(self._link.news)

    def interfaces(self) -> list[Interface]:
        return self._net.inside(self._link.interfaces)

    def up(self) -> None:
        self._net.run("ip", "link", "set", "d0", "up")

    def address(self, text: str) -> None:
        self._net.run("ip", "address", "add", f"{text}/24", "dev", "d0")

    def no_address(self, text: str) -> None:
        self._net.run("ip", "address", "del", f"{text}/24", "dev", "d0")


class Data:
    """The same of the fake."""

    def __init__(self) -> None:
        self._now = Interface("d0", False, ())
        self._link = FakeLink([self._now])
        self.news, self.interfaces = self._link.news, self._link.interfaces

    def up(self) -> None:
        self._become(self._now._replace(up=True))

    def address(self, text: str) -> None:
        self._become(self._now._replace(addresses=(*self._now.addresses, text)))

    def no_address(self, text: str) -> None:
        rest = tuple(one for one in self._now.addresses if one != text)
        self._become(self._now._replace(addresses=rest))

    def _become(self, now: Interface) -> None:
        self._now = now
        self._link.become(now)


@pytest.fixture(params=["linux", "fake"])
def network(request: pytest.FixtureRequest) -> Iterator[Kernel | Data]:
    if request.param == "fake":
        yield Data()
        return
    if reason := netns.missing():
        pytest.skip(reason)
    with netns.NetNs() as net:
        yield Kernel(net)


@pytest.fixture
def news(network: Kernel | Data) -> Iterator[LinkNews]:
    opened = network.news()
    yield opened
    opened.close()


def heard(news: LinkNews) -> bool:
    """Whether it tells of a change, sooner or later."""
    ready, _, _ = select.select([news.fileno()], [], [], WITHIN_S)
    return bool(ready) and news.read()


def d0(network: Kernel | Data) -> Interface:
    (found,) = [interface for interface in network.interfaces() if interface.name == "d0"]
    return found


def test_each_change_is_told_and_can_be_seen_then(network: Kernel | Data, news: LinkNews) -> None:
    network.up()
    while not d0(network).up:  # a carrier may come behind the switch
        assert heard(news)
    network.address("192.0.2.7")
    while "192.0.2.7" not in d0(network).addresses:
        assert heard(news)
    while news.read():
        pass
    network.no_address("192.0.2.7")
    assert heard(news)
    assert "192.0.2.7" not in d0(network).addresses


def test_each_listener_is_told(network: Kernel | Data, news: LinkNews) -> None:
    other = network.news()
    try:
        network.address("192.0.2.7")
        assert heard(news)
        assert heard(other)
    finally:
        other.close()


@pytest.mark.needs_root
@pytest.mark.skipif(bool(netns.missing()), reason=netns.missing())
def test_what_got_lost_is_a_change_and_the_next_one_is_told() -> None:
    with netns.NetNs() as net:
        kernel = Kernel(net)
        news = net.inside(lambda: LinuxLinkNews(room_bytes=1))  # the kernel's least: some messages
        try:
            addresses = [f"address add 10.0.{n // 200}.{n % 200 + 1}/32 dev d0" for n in range(400)]
            net.run("sh", "-c", f"printf '{chr(10).join(addresses)}' | ip -batch -")
            assert news.read()  # ENOBUFS is in between
            while news.read():
                pass
            kernel.address("192.0.2.7")
            assert heard(news)
        finally:
            news.close()
