"""https at a real agent: `https ca-file` to the certificate in use, and what is said before."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hal.sockets import connect_unix, peer_credentials
from tests.helpers import scep_lab
from tests.helpers import tls_server as https
from tests.helpers.board import IN_USE, Agent, procedure
from tests.helpers.hostile import descendants
from tests.helpers.labca import LabCa

CHILD_KIB = 56 * 1024


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCa]:
    with LabCa(tmp_path_factory.mktemp("ca")) as found:
        yield found


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path) as found:
        yield found


class Front:
    """TLS in front of the lab CA; keeps the peaks of the children that it sees."""

    def __init__(self, ca: LabCa, agent: Agent) -> None:
        self._place = urlsplit(ca.url)
        with connect_unix(str(agent.dir / "console.sock")) as console:
            self._agent = peer_credentials(console).pid
        self.peaks: list[int] = []

    def __call__(self, request: bytes) -> bytes:
        place = (str(self._place.hostname), self._place.port or 80)
        with socket.create_connection(place, 10) as real:
            real.sendall(request)
            answer = b"".join(iter(lambda: real.recv(65536), b""))
        self.peaks += [one.peak_kib for one in descendants(self._agent) if one.depth == 2]
        return answer


def test_a_certificate_through_https(tmp_path: Path, ca: LabCa, agent: Agent) -> None:
    web = https.authority()
    front = Front(ca, agent)
    (agent.dir / "storage" / "web.cer").write_bytes(web.der)
    with https.serving(front, https.context(tmp_path, https.server_certificate(web))) as up:
        pin = f"fingerprint sha256 {ca.fingerprint}"
        agent.must(*procedure(up.url(), pin), "pki realm abc", "https ca-file web.cer")
        said = agent.must("system-view", "pki enroll-certificate realm abc")
        assert IN_USE in said
        found = agent.must("diagnose realm abc")
    for check in ("name", "route", "port", "TLS", "HTTP", "capabilities", "CA set", "fingerprint"):
        assert check in found
    assert len(front.peaks) >= 3
    assert max(front.peaks) < CHILD_KIB


def test_what_is_said_when_it_does_not_work(tmp_path: Path, ca: LabCa, agent: Agent) -> None:
    own = https.context(tmp_path, https.server_certificate(https.authority()))
    yesterday_s = int(time.time()) - https.DAY_S
    other = scep_lab.certificate(
        {"common_name": "Web CA"}, "other", None, ca=True, start_s=yesterday_s
    )
    (agent.dir / "storage" / "other.cer").write_bytes(other.der)
    with https.serving(Front(ca, agent), own) as up:
        agent.must(*procedure(up.url(), f"fingerprint sha256 {ca.fingerprint}"))
        for setting, words in (
            ("undo https ca-file", "`https ca-file FILENAME`"),
            ("https ca-file gone.cer", "gone.cer"),
            ("https ca-file other.cer", "not trusted"),
        ):
            agent.must("system-view", "pki realm abc", setting)
            said = agent.script("system-view", "pki enroll-certificate realm abc")
            assert said.status == 1
            assert words in said.text
    assert up.requests == []


def test_a_server_whose_common_name_alone_fits_is_an_impostor(
    tmp_path: Path, ca: LabCa, agent: Agent
) -> None:
    """RFC 9525: the web CA certified this name as any text; the attacker holds its key."""
    web = https.authority()
    (agent.dir / "storage" / "web.cer").write_bytes(web.der)
    start_s = int(time.time()) - https.DAY_S
    mallory = scep_lab.certificate({"common_name": https.NAME}, "web", web, start_s=start_s)
    with https.serving(Front(ca, agent), https.context(tmp_path, mallory)) as up:
        agent.must(*procedure(up.url(), f"fingerprint sha256 {ca.fingerprint}"))
        realm = ("pki realm abc", "https ca-file web.cer", "password cipher sekret")
        agent.must("system-view", *realm)
        said = agent.script("system-view", "pki enroll-certificate realm abc")
    assert said.status == 1
    assert "not for localhost" in said.text
    assert "subjectAltName" in said.text
    assert up.requests == []
