"""The kernel's network: which address is tried from where, time-outs, and a name space of our own.

The reading of netlink messages has its tests in `hal/test_netlink.py`.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hal.fakes.lines import FakeLink
from hal.link import LinuxLink, find_interface
from hal.ports import Interface, LinkError, Source

ETH0 = Interface("eth0", True, ("192.0.2.1", "2001:db8::1", "fe80::1"))
DOWN = Interface("eth1", False, ("198.51.100.1",))
ROOT = Path(__file__).resolve().parents[2]


def test_interfaces_are_found_by_name_when_they_are_up() -> None:
    assert find_interface("eth0", [DOWN, ETH0]) is ETH0
    for name, word in (("eth1", "down"), ("eth2", "no such")):
        with pytest.raises(LinkError, match=f"{name}: .*{word}") as caught:
            find_interface(name, [DOWN, ETH0])
        assert caught.value.kind == "interface"


@pytest.mark.parametrize("host", ["", "nosuch.invalid", "ka\0tze", "größe.example", "a b"])
def test_a_name_that_does_not_resolve(host: str) -> None:
    with pytest.raises(LinkError) as caught:
        LinuxLink().connect(host, 80, Source(), 5)
    assert caught.value.kind == "name"


@pytest.mark.parametrize("address", ["eth0", "192.0.2", "fe80::1%nosuch0", "größe"])
def test_a_source_that_is_no_address_of_ours(address: str) -> None:
    with pytest.raises(LinkError) as caught:
        LinuxLink().connect("127.0.0.1", 80, Source(address=address), 5)
    assert caught.value.kind == "source"


def test_a_listener_that_takes_no_more_runs_into_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        address = listening.getsockname()
        filling = []
        try:
            for _ in range(4):  # until the queue is full, further calls get no answer
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(address)
                filling.append(sock)
            started_ns = time.monotonic_ns()
            with pytest.raises(LinkError, match=r"127\.0\.0\.1") as caught:
                LinuxLink().connect("127.0.0.1", address[1], Source(), 1)
            assert caught.value.kind == "timeout"
            assert 900_000_000 < time.monotonic_ns() - started_ns < 3_000_000_000
        finally:
            for sock in filling:
                sock.close()


def test_a_name_with_two_addresses_is_tried_on_both() -> None:
    """`localhost` is ::1 and 127.0.0.1 on most machines; the server is on one of them only."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with LinuxLink().connect("localhost", port, Source(), 5) as sock:
            assert sock.getpeername()[:2] == ("127.0.0.1", port)


def test_the_fake_may_map_ports_and_keeps_what_was_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        link = FakeLink([ETH0], ports={("ca.example", 80): listening.getsockname()[1]})
        link.connect("ca.example", 80, Source(interface="eth0"), 5).close()
        link.failures["ca.example"] = LinkError("timeout", "no answer", "ca.example")
        with pytest.raises(LinkError, match="no answer"):
            link.connect("ca.example", 80, Source(), 5)
        assert link.connections == [("ca.example", 80, "192.0.2.1")]
        link.network = [DOWN]
        with pytest.raises(LinkError, match="eth0"):
            link.connect("ca.example", 80, Source(interface="eth0"), 5)


def test_the_call_imports_nothing() -> None:
    """A job child can read no module any more when it connects."""
    script = (
        "import sys, socket\n"
        "from hal.link import LinuxLink; from hal.ports import LinkError, Source\n"
        "server = socket.create_server(('127.0.0.1', 0)); before = set(sys.modules)\n"
        "LinuxLink().connect('localhost', server.getsockname()[1], Source(interface='lo'), 5)\n"
        "try: LinuxLink().connect('nosuch.invalid', 1, Source(), 5)\n"
        "except LinkError: pass\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


NETWORK = """
ip link set lo up
ip link add d0 type ifb && ip link set d0 up
ip link add d1 type ifb
sysctl -qw net.ipv6.conf.d0.accept_dad=0
ip address add 10.1.0.1/24 dev d0
ip address add 10.1.0.2/24 dev d0
ip address add 10.2.0.1 peer 10.2.0.9 dev d0
ip address add 10.3.0.1/24 dev d0 preferred_lft 0
ip address add 2001:db8::1/64 dev d0 nodad
ip address add 2001:db8::9/64 dev d0 nodad preferred_lft 0
ip address add fe80::77/64 dev d0 nodad
exec "$0" -c '
import socket
from hal.link import LinuxLink
from hal.ports import LinkError, Source
link = LinuxLink()
for interface in link.interfaces():
    print(interface.name, interface.up, [a for a in interface.addresses if a[:5] != "fe80:"])
scope = socket.if_nametoindex("d0")
with socket.create_server(("10.1.0.2", 0)) as server, socket.socket(socket.AF_INET6) as local:
    local.bind(("fe80::77", 0, 0, scope))
    local.listen()
    port, local_port = server.getsockname()[1], local.getsockname()[1]
    for source in (Source("10.2.0.1"), Source(interface="d0"), Source(interface="lo")):
        with link.connect("10.1.0.2", port, source, 5) as sock:
            print(sock.getsockname()[0])
    with link.connect("fe80::77%d0", local_port, Source(interface="d0"), 5) as sock:
        print(sock.getsockname()[0][:6])
    for host, source in (
        ("10.1.0.2", Source(interface="d1")),
        ("2001:db8::1", Source("2001:db8::1")),
        ("203.0.113.1", Source(interface="d0")),
        ("10.1.0.9", Source("127.0.0.1")),
    ):
        try:
            link.connect(host, port, source, 1)
        except LinkError as error:
            print(error.kind)
'
"""


def _may_unshare() -> bool:
    return os.geteuid() == 0 and all(map(shutil.which, ("unshare", "ip", "sysctl")))


@pytest.mark.needs_root
@pytest.mark.skipif(not _may_unshare(), reason="needs root, unshare, ip, sysctl")
def test_sources_in_a_network_of_our_own() -> None:
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", NETWORK, sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "lo True ['127.0.0.1', '::1']",
        # first addresses of their subnets, then the second one; nothing deprecated
        "d0 True ['10.1.0.1', '10.2.0.1', '10.1.0.2', '2001:db8::1']",
        "d1 False []",
        "10.2.0.1",
        "10.1.0.1",
        "127.0.0.1",
        "fe80::",  # to a link-local address from a link-local one
        "interface",
        "refused",
        "route",
        "source",
    ]


# Four addresses with a server on one, six with none, and one of a family that leads nowhere.
NAMES = """
mount --make-rprivate /
for last in 2 3 4 5; do echo "127.0.0.$last four.example"; done >"$1"
for last in 2 3 4 5 6 7; do echo "127.0.0.$last six.example"; done >>"$1"
printf '127.0.0.1 both.example\\n2001:db8::1 both.example\\n' >>"$1"
mount --bind "$1" /etc/hosts
ip link set lo up
exec "$0" -c '
import socket
from hal.link import LinuxLink
from hal.ports import LinkError, Source
link = LinuxLink()
with socket.create_server(("127.0.0.4", 0)) as server:
    port = server.getsockname()[1]
    with link.connect("four.example", port, Source(), 5) as sock:
        print(sock.getpeername()[0])
for host in ("six.example", "both.example"):
    try:
        link.connect(host, port, Source(), 5)
    except LinkError as error:
        print(error.kind, str(error).count(f"port {port}"), "2001:db8::1" in str(error))
'
"""


@pytest.mark.needs_root
@pytest.mark.skipif(
    not _may_unshare() or shutil.which("mount") is None, reason="needs root, unshare, ip, mount"
)
def test_each_address_of_a_name_is_tried_up_to_a_bound(tmp_path: Path) -> None:
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", NAMES, sys.executable, str(tmp_path / "h")],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.stderr, done.stdout.splitlines()) == (
        "",
        ["127.0.0.4", "refused 4 False", "refused 2 True"],
    )
