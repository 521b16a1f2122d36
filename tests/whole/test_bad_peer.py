"""What the operator reads when the other end misbehaves, and that nothing in use is touched by it.

Each case is typed at the console of a real agent that already serves a certificate of the lab CA.
"""

import hashlib
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from asn1crypto import x509

from hal.sockets import connect_unix, peer_credentials
from tests.helpers import netns, scep_lab
from tests.helpers.board import Agent, Said, procedure
from tests.helpers.hostile import BEHAVIOURS, LOCATION, PIECE, PKI, Hostile, Line, descendants
from tests.helpers.labca import LabCa
from tests.helpers.netns import NetNs
from tests.helpers.scep_http import ok

CAP_S = 30  # no case may take longer, whatever the peer does
DAY_S = 86_400
# A board whose line is so good that nobody need wait long: the caps themselves are what is tried.
# And yet so long that the honest CA answers in time on a machine that is busy.
EXCHANGE_S = 3
BOARD = f"[worker]\nconnect_s = 2\nreceive_s = 2\nexchange_s = {EXCHANGE_S}\n"

needs_netns = pytest.mark.skipif(bool(netns.missing()), reason=netns.missing() or "none")


class Bench:
    """An agent with a certificate in use, and the CA that issued it."""

    def __init__(self, agent: Agent, ca: LabCa) -> None:
        self.agent, self.ca = agent, ca

    def enrol(self) -> None:
        """The first certificate."""
        self.agent.must(
            *procedure(self.ca.url, f"fingerprint sha256 {self.ca.fingerprint}"),
            "pki enroll-certificate realm abc",
        )

    def apply(self, url: str, *realm: str, pin: str = "") -> Said:
        """Applies again; the answer is Yes to the question whether to replace what is in use."""
        return self.agent.script(
            *("system-view", "pki realm abc", f"fingerprint sha256 {pin or self.ca.fingerprint}"),
            *(f"enrollment-url {url}", *realm, "quit"),
            *("pki enroll-certificate realm abc", "y"),
        )

    def refused(self, url: str, *realm: str, pin: str = "") -> str:
        """The three lines of the error; what was in use before still is, byte for byte."""
        before, began = in_use(self.agent), time.monotonic()
        said = self.apply(url, *realm, pin=pin)
        assert time.monotonic() - began < CAP_S
        assert self.agent.state() == "failed"
        assert in_use(self.agent) == before
        return error_of(said)


def error_of(said: Said) -> str:
    """The last three lines: what happened, the likely cause, the next step; fit for a terminal."""
    assert said.status == 1, said.text
    lines = said.text.splitlines()[-3:]
    for line, start in zip(lines, ("Error: ", " Cause: ", " Next step: "), strict=True):
        assert line.startswith(start), said.text
        assert line.isprintable()
        assert len(start) + 10 < len(line) < 1000
    return "\n".join(lines)


def in_use(agent: Agent) -> dict[str, bytes]:
    """Every file that a consumer or an operator may read."""
    folders = (agent.dir / "storage", agent.memory("current").resolve())
    found = {
        f"{path.parent.name}/{path.name}": path.read_bytes()
        for folder in folders
        for path in folder.iterdir()
    }
    assert len(found) == 7  # two in device storage, five in device memory
    return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bad-peer")
    with LabCa(folder) as ca, _started(folder) as agent:
        found = Bench(agent, ca)
        found.enrol()
        yield found


def _started(folder: Path, *prefix: str) -> Agent:
    """An agent on the board above."""
    (folder / "board.toml").write_text(BOARD)
    agent = Agent(folder, prefix=prefix)
    words = ("run", "--board", str(folder / "board.toml"), "--state", str(agent.dir))
    with open(folder / "agent.log", "ab") as log:
        agent.adopt(
            subprocess.Popen(
                [*prefix, *agent.command(*words)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        )
    return agent


# -- answers that are none -------------------------------------------------------------------------

NOT_HTTP = "is not valid HTTP"
TOO_LARGE = "larger than 262144 bytes"
SHORT = "the answer was cut short"
# What the error must say of each behaviour, whatever was asked for.
SAID = {
    "html": "It works!",
    "redirect": f"HTTP 302): {LOCATION}",
    "not-found": "HTTP 404 Not Found",
    "broken": "HTTP 500 Internal Server Error: java.lang.NullPointerException",
    "empty": "HTTP 200 with nothing in it",
    "silent-end": SHORT,
    "garbage": NOT_HTTP,
    "garbage-body": "4096 bytes that are no text",
    "other-protocol": "220 mail.example ESMTP ready",
    "huge": TOO_LARGE,
    "huge-announced": TOO_LARGE,
    "huge-chunk": TOO_LARGE,
    "huge-error": "HTTP 503 Busy",
    "drip-header": f"has not finished its answer after {EXCHANGE_S} s",
    "drip-body": f"has not finished its answer after {EXCHANGE_S} s",
    "drip-interim": f"has not finished its answer after {EXCHANGE_S} s",
    "never": "did not answer in time",
    "stuck-in-body": "did not answer in time",
    "cut": SHORT,
    "cut-header": SHORT,
    "chunk-nonsense": NOT_HTTP,
    "chunk-negative": NOT_HTTP,
    "chunk-cut": SHORT,
    "chunk-endless-size": NOT_HTTP,
    "length-twice": "makes no sense: Content-Length",
    "length-lies": "body",
    "length-nonsense": "makes no sense: Content-Length",
    "header-flood": "the header is too large",
    "header-endless": "the header is too large",
    "interim-flood": "too many interim answers",
}
# A server that may be busy for a moment -> what it is asked in one more try: for the answer, and
# where it has one that is none, with the same request.
AGAIN = {"empty": 2, "huge-error": 1}


def test_every_behaviour_is_tried() -> None:
    assert SAID.keys() == BEHAVIOURS.keys()


@pytest.mark.parametrize("behaviour", SAID)
def test_a_server_that_is_no_ca(bench: Bench, behaviour: str) -> None:
    with Hostile(behaviour) as bad:
        assert SAID[behaviour] in bench.refused(f"{bad.url} times 1")
        # GetCACaps, GetCACert; not followed, and tried again only where it may be busy
        assert len(bad.asked) == (4 if behaviour in AGAIN else 2)


@pytest.mark.parametrize("behaviour", SAID)
def test_a_ca_that_breaks_down_after_its_certificates(bench: Bench, behaviour: str) -> None:
    with Hostile(behaviour, bench.ca.url, PKI) as bad:
        assert SAID[behaviour] in bench.refused(f"{bad.url} times 1")
        assert len(bad.asked) == 3 + AGAIN.get(behaviour, 0)


def test_a_server_that_drips_is_left_at_the_cap_of_the_exchange(bench: Bench) -> None:
    """Not by the death of the child: the error says what to change."""
    with Hostile("drip-body", bench.ca.url, PKI) as bad:
        began = time.monotonic()
        assert "`exchange_s`" in bench.refused(bad.url)
        assert time.monotonic() - began >= EXCHANGE_S


@pytest.mark.parametrize("target", [b"operation=", PKI], ids=["certificates", "reply"])
def test_memory_of_a_child_that_is_sent_400_mib(bench: Bench, target: bytes) -> None:
    """Nothing of it is kept: the peak stays where it was before the first byte of the body."""
    with connect_unix(str(bench.agent.dir / "console.sock")) as console:
        agent = peer_credentials(console).pid
    peaks: list[int] = []

    def look() -> None:
        peaks.extend(one.peak_kib for one in descendants(agent) if one.depth == 2)

    def pour(line: Line) -> None:
        look()
        line.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            line.send(PIECE)
            look()

    with Hostile(pour, bench.ca.url, target) as bad:
        assert TOO_LARGE in bench.refused(bad.url)
    assert len(peaks) >= 3
    assert max(peaks) - peaks[0] < 4 * 1024
    assert max(peaks) < 64 * 1024


# -- no way to a server ----------------------------------------------------------------------------


def test_connection_refused(bench: Bench) -> None:
    with Hostile("html") as bad:
        url = bad.url
    assert "refused the connection" in bench.refused(url)


def test_a_name_that_cannot_be(bench: Bench) -> None:
    error = bench.refused("http://no..such/scep")
    assert "The name no..such could not be resolved" in error
    assert "`enrollment-url`" in error


def test_a_source_that_is_not_there(bench: Bench) -> None:
    try:
        error = bench.refused(bench.ca.url, "source 192.0.2.77")
    finally:
        bench.agent.must("system-view", "pki realm abc", "undo source")
    assert "The source of the connection is not there" in error
    assert "192.0.2.77" in error


@needs_netns
def test_no_route_and_no_name_server(tmp_path: Path) -> None:
    with NetNs() as net, _started(tmp_path, *net.prefix) as agent:
        agent.must(*procedure("http://192.0.2.1/scep", "fingerprint md5 " + "0" * 32))
        error = error_of(agent.script("system-view", "pki enroll-certificate realm abc"))
        assert "192.0.2.1 cannot be reached" in error
        assert "check the routes" in error
        agent.must("system-view", "pki realm abc", "enrollment-url http://ca.example/scep")
        error = error_of(agent.script("system-view", "pki enroll-certificate realm abc"))
        assert "The name ca.example could not be resolved" in error
        assert "name servers" in error
        assert agent.state() == "failed"


# -- CA certificates that must not be trusted ------------------------------------------------------


def _sends(certificate: bytes) -> Hostile:
    return Hostile(lambda line: line.send(ok(certificate)))


def test_a_ca_certificate_that_has_expired(bench: Bench) -> None:
    ended_s = int(time.time()) - DAY_S
    old = scep_lab.certificate(
        {"common_name": "Old CA"}, "old", None, ca=True, start_s=ended_s - DAY_S, days=1
    ).der
    with _sends(old) as bad:
        error = bench.refused(bad.url, pin=hashlib.sha256(old).hexdigest())
    assert "The CA certificate has expired: CN=Old CA" in error
    assert "`display clock`" in error


def test_a_certificate_that_is_no_cas(bench: Bench) -> None:
    start_s = int(time.time()) - DAY_S
    leaf = scep_lab.certificate({"common_name": "web"}, "web", None, start_s=start_s).der
    with _sends(leaf) as bad:
        assert "holds no CA certificate" in bench.refused(bad.url)


def test_ca_certificates_that_no_flash_should_hold(bench: Bench) -> None:
    """Each is small enough for HTTP and for the reader, together they are no CA's chain."""
    start_s = int(time.time()) - DAY_S
    names = x509.GeneralNames(
        [x509.GeneralName("dns_name", f"{i}.{'a' * 60}.b") for i in range(45)]
    )
    made = [
        scep_lab.certificate(
            {"common_name": f"CA {i}"}, "old", None, ca=True, start_s=start_s, sans=names
        ).der
        for i in range(10)
    ]
    assert 32 * 1024 < len(b"".join(made)) < 64 * 1024
    with _sends(scep_lab.degenerate(made)) as bad:
        error = bench.refused(bad.url, pin=hashlib.sha256(made[0]).hexdigest())
    assert "bytes, 32768 are allowed" in error


def test_a_wrong_fingerprint(bench: Bench) -> None:
    error = bench.refused(bench.ca.url, pin="ab" * 32)
    assert "ab" * 32 in error
    assert bench.ca.fingerprint in error  # so that it can be compared with what the operator has
    assert "correct `fingerprint`" in error


def test_an_ra_offered_as_the_ca(tmp_path: Path, bench: Bench) -> None:
    """Whoever is below a CA could otherwise make itself the root of our trust."""
    with LabCa(tmp_path, "--ra") as other:
        ra = ssl.PEM_cert_to_DER_cert((other.dir / "ra-sig.pem").read_text())
        error = bench.refused(f"{other.url} ra", pin=hashlib.sha256(ra).hexdigest())
        assert "The pinned certificate is not that of a CA" in error
        assert other.fingerprint in error
        assert other.pki_operations() == []


# -- certificates that must not be installed -------------------------------------------------------

MISISSUED = {
    "key": "0 of the issued certificates are for our key",
    "subject": "the common name is not in its subject C=DE, O=Lab, CN=somebody else",
    "issuer": "The certificate is not from the pinned CA",
}


@pytest.mark.parametrize("fault", MISISSUED)
def test_a_certificate_that_is_not_ours(tmp_path: Path, fault: str) -> None:
    with Agent(tmp_path) as agent:
        with LabCa(tmp_path) as ca:
            Bench(agent, ca).enrol()
        with LabCa(tmp_path, "--hostile", fault) as ca:
            assert MISISSUED[fault] in Bench(agent, ca).refused(ca.url)
        with LabCa(tmp_path) as ca:  # it comes to its senses: nothing is left in the way
            before = in_use(agent)
            assert Bench(agent, ca).apply(ca.url).status == 0
            assert in_use(agent) != before
            assert agent.state() == "issued"
