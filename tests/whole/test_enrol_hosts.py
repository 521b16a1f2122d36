"""A certificate through a server that is named otherwise than by an IPv4 address.

A name with two addresses is one of a hosts file that only the agent sees (a mount name space).
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.board import Agent, check_certificate, procedure
from tests.helpers.labca import LabCa
from tests.helpers.scep_http import WAIT_S, read_request


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


TWO = "two-addresses.example"
HOSTS = f"::1 {TWO}\n127.0.0.1 {TWO} localhost\n"
SEES = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="needs ::1")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a mount name space")


def hosts_file(folder: Path) -> list[str]:
    """In front of a command that is to see a hosts file of its own."""
    hosts = folder / "hosts"
    hosts.write_text(HOSTS)
    hosts.chmod(0o644)
    private = ["unshare", "--mount", "--propagation", "private"]
    return [*private, "sh", "-c", SEES, "sh", str(hosts)]


@contextmanager
def relay(ca: LabCa, address: str) -> Iterator[tuple[int, list[bytes]]]:
    """Hands requests at this address on to the CA, which has one of IPv4; its port, the requests"""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family)
    requests: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            with connection, socket.create_connection(("127.0.0.1", ca.port), WAIT_S) as onward:
                connection.settimeout(WAIT_S)
                requests.append(read_request(connection))
                onward.sendall(requests[-1])
                for piece in iter(lambda: onward.recv(65536), b""):
                    connection.sendall(piece)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], requests
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(WAIT_S)


@pytest.mark.parametrize(
    ("host", "address", "realm"),
    [
        pytest.param("[::1]", "::1", (), marks=needs_ipv6, id="literal"),
        pytest.param("[::1]", "::1", ("source ::1",), marks=needs_ipv6, id="literal-source"),
        pytest.param(TWO, "::1", (), marks=(needs_ipv6, needs_root), id="name-6"),
        pytest.param(TWO, "127.0.0.1", (), marks=needs_root, id="name-4"),
        pytest.param("localhost", "127.0.0.1", ("source 127.0.0.9",), id="name-source"),
    ],
)
def test_a_certificate_comes_from_there(
    tmp_path: Path, host: str, address: str, realm: tuple[str, ...]
) -> None:
    prefix = hosts_file(tmp_path) if host == TWO else []
    with (
        LabCa(tmp_path) as ca,
        relay(ca, address) as (port, requests),
        Agent(tmp_path, prefix=prefix) as agent,
    ):
        url = f"http://{host}:{port}/scep"
        agent.must(*procedure(url, f"fingerprint sha256 {ca.fingerprint}", *realm))
        agent.must("system-view", "pki enroll-certificate realm abc")
        check_certificate(agent, ca.dir / "ca.pem")
        assert {f"Host: {host}:{port}".encode() in request for request in requests} == {True}
        assert len(requests) == 3
