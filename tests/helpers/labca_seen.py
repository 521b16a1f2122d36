"""A lab CA with switches, served in this process, and what a test can see of it from outside.

A switch is proved by contrast: a `Seen` looks at a CA and says whether a sentence is true of it;
it must be true with the switch and false without it.
"""

import base64
import contextlib
import datetime
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from asn1crypto import cms
from asn1crypto import x509 as asn1

from tests.helpers import labca_client as client
from tests.helpers.labca_bench import DAY_S, a_home, replanned
from tests.helpers.labca_client import CertRep, Device, Shape, openssl, pkcs10
from tests.helpers.labca_http import Answer, http_request
from tools.lab_ca import hooks, server
from tools.lab_ca.authority import ALONE, Authority, Plan
from tools.lab_ca.hold import Gate
from tools.lab_ca.hooks import Hooks
from tools.lab_ca.ledger import ALL, APPROVED, Ledger, Log
from tools.lab_ca.operations import Policy, Responder

CHALLENGE = "sekret"
LOOK_S = 0.02
WAIT_S = 10
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
PKI = "operation=PKIOperation"


class Base(NamedTuple):
    """The CA that a switch is added to."""

    plan: Plan = ALONE
    challenge: str | None = None
    manual: bool = False
    life_s: int = DAY_S
    offset_s: int = 0
    following: bool = False  # a next CA is prepared


PLAIN = Base()


class Lab:
    """A CA that serves on a free port of loopback, and one who asks it."""

    def __init__(self, home: Path, base: Base, switches: Iterable[Hooks]) -> None:
        self.home, self.base = home, base
        chosen = hooks.combined(switches)
        plan = chosen.plan(base.plan)
        self.authority = Authority(replanned(home) if plan != ALONE else home, plan, base.offset_s)
        if base.following:
            self.authority.prepare()
        self.ledger = Ledger(home)
        life = (300, base.life_s)
        policy = Policy(base.challenge, base.manual, life, hooks=chosen)
        service = server.Service(
            authority=self.authority,
            responder=Responder(self.authority, self.ledger, policy),
            gate=Gate(home, frozenset(), always=False),
            log=Log(home),
            capabilities=tuple(server.CAPABILITIES.split()),
            hooks=chosen,
            debug=False,
        )
        self.server = server.Server(("127.0.0.1", 0), service)
        self.url = self.server.url

    @property
    def ca(self) -> asn1.Certificate:
        return self.authority.ca.certificate

    def passes(self, seconds: int) -> None:
        """The clock of this CA alone moves on."""
        self.authority._clock_offset_s += seconds

    # -- one operation

    def get(self, operation: str, more: str = "", headers: dict[str, str] | None = None) -> Answer:
        return http_request(self.url, f"operation={operation}{more}", None, headers)

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        return http_request(self.url, PKI, body, headers)

    def send(self, body: bytes) -> bytes:
        return self.post(body).body

    def by_get(self, body: bytes, spelled: Callable[[bytes], str] | None = None) -> Answer:
        text = quote(base64.b64encode(body), safe="") if spelled is None else spelled(body)
        return http_request(self.url, f"{PKI}&message={text}")

    def request(self, query: str, body: bytes | None = None) -> bytes:
        """The octets of a request."""
        method = "GET" if body is None else "POST"
        head = f"{method} /scep?{query} HTTP/1.1\r\nHost: 127.0.0.1:{self.server.server_port}\r\n"
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        return f"{head}{length}Connection: close\r\n\r\n".encode() + (body or b"")

    @contextlib.contextmanager
    def line(self, request: bytes) -> Iterator[socket.socket]:
        """A connection on which a request was sent."""
        with socket.create_connection(("127.0.0.1", self.server.server_port), WAIT_S) as line:
            line.sendall(request)
            yield line

    def octets(self, request: bytes, limit: int = 1 << 20) -> bytes:
        """What comes until the end, or as much as was wanted."""
        found = bytearray()
        with self.line(request) as line:
            while len(found) < limit and (piece := line.recv(1 << 16)):
                found += piece
        return bytes(found)

    def head(self, operation: str) -> list[str]:
        """The status line and the headers of an answer, as they came."""
        octets = self.octets(self.request(f"operation={operation}"))
        return octets.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")

    # -- a device

    def device(self, name: str = "dev1", key: int = 0) -> Device:
        return Device(self.authority.encryption.certificate, self.ca, name, key)

    def message(self, device: Device | None = None) -> bytes:
        """A good PKCSReq."""
        device = device or self.device()
        return device.message(client.PKCS_REQ, pkcs10(device.key, device.name, self.base.challenge))

    def body(self) -> bytes:
        """What answers a good PKCSReq, unread."""
        return self.send(self.message())

    def enrol(self, shape: Shape = client.HONEST, device: Device | None = None) -> CertRep:
        return (device or self.device()).enrol(self.send, self.base.challenge, shape)

    def refused(self) -> CertRep:
        """What answers a wrong challenge."""
        return self.device().enrol(self.send, "wrong")

    def leaf(self) -> asn1.Certificate:
        return self.enrol().leaf(client.rsa_key(0))

    def inside(self) -> list[asn1.Certificate]:
        """All certificates inside the envelope."""
        content = client.decrypted(self.enrol().content or b"", client.rsa_key(0))
        signed = cms.ContentInfo.load(content)["content"]
        return [choice.chosen for choice in signed["certificates"] or ()]

    def polled(self, *, approve: bool) -> CertRep:
        """PENDING, and then a poll."""
        device = self.device()
        device.enrol(self.send, self.base.challenge)
        if approve:
            self.ledger.decide(ALL, APPROVED)
        return device.poll(self.send)

    def renewed(
        self,
        message_type: str = client.RENEWAL_REQ,
        challenge: str | None = None,
        name: str = "dev1",
    ) -> CertRep:
        """Enrolment, and then a renewal with a new key."""
        device = self.device()
        old = device.enrol(self.send, self.base.challenge).leaf(device.key)
        device.signer, device.key = old, client.rsa_key(1)
        device.transaction_id = "renewal"
        csr = pkcs10(device.key, name, challenge)
        return device.ask(self.send, message_type, csr)

    # -- sets of certificates

    def ca_set(self) -> list[asn1.Certificate]:
        """What an answer carries, whatever its type says."""
        body = self.get("GetCACert").body
        if SIGNED_DATA not in body[:20]:
            return [asn1.Certificate.load(body)]
        signed = cms.ContentInfo.load(body)["content"]
        return [choice.chosen for choice in signed["certificates"] or ()]


class Seen(NamedTuple):
    """How a switch is seen; `spares` must be true with it: what it leaves alone."""

    true: Callable[[Lab], bool]
    base: Base = PLAIN
    spares: Callable[[Lab], bool] | None = None


@contextlib.contextmanager
def serving(base: Base, *switches: Hooks) -> Iterator[Lab]:
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(a_home(Path(folder)), base, switches)
        thread = threading.Thread(target=lab.server.serve_forever, args=(LOOK_S,))
        thread.start()
        try:
            yield lab
        finally:
            lab.server.shutdown()
            thread.join(WAIT_S)
            lab.server.server_close()


def prove(seen: Seen, switch: Hooks) -> None:
    """The sentence is true with the switch, false without, and what it spares goes well."""
    with serving(seen.base, switch) as lab:
        assert seen.true(lab), f"not seen: {switch.says}"
        assert seen.spares is None or seen.spares(lab), "it does more than its sentence says"
    with serving(seen.base) as lab:
        assert not seen.true(lab), f"seen without the switch: {switch.says}"


def names_signer(reply: CertRep) -> asn1.Certificate:
    """The certificate that comes along; it must be the one that the SignerInfo names."""
    (certificate,) = reply.certificates
    sid = reply.signer_info["sid"].chosen
    assert sid["serial_number"].native == certificate.serial_number
    return certificate


def issued_here(lab: Lab, certificate: asn1.Certificate) -> bool:
    """openssl verifies it up to the CA, whatever the time."""
    path = lab.home / "liar.pem"
    path.write_bytes(client.pem_of(certificate))
    words = ("verify", "-no_check_time", "-CAfile", str(lab.home / "ca.pem"), str(path))
    try:
        return b"OK" in openssl(*words)
    except AssertionError:
        return False


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def asn1parse(octets: bytes) -> bytes:
    return openssl("asn1parse", "-inform", "DER", stdin=octets)


def words(lab: Lab) -> list[str]:
    return lab.get("GetCACaps").body.decode().splitlines()


def succeeded(reply: CertRep) -> bool:
    return reply.status == client.SUCCESS


def fails(make: Callable[[Lab], CertRep], fail_info: str) -> Callable[[Lab], bool]:
    def true(lab: Lab) -> bool:
        reply = make(lab)
        return (reply.status, reply.fail_info) == (client.FAILURE, fail_info)

    return true


def goes(make: Callable[[Lab], CertRep]) -> Callable[[Lab], bool]:
    return lambda lab: succeeded(make(lab))


def enrolled(lab: Lab) -> bool:
    return succeeded(lab.enrol())
