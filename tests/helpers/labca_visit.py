"""A realm of an agent at a lab CA: ways to get what it wants, and what somebody does meanwhile."""

import datetime
import hashlib
import json
import ssl
from collections.abc import Callable

from asn1crypto import pem

from tests.helpers.board import Agent, Said
from tests.helpers.labca_seen import Lab
from tools.lab_ca import request as scep
from tools.lab_ca.algorithms import Identity
from tools.lab_ca.authority import DAY_S, Authority
from tools.lab_ca.edits import same
from tools.lab_ca.ledger import ALL, APPROVED
from tools.lab_ca.operations import Policy, Responder
from tools.lab_ca.quirks import QUIRKS

FAST = 60  # a poll of a minute in a second
WAIT_S = 30
ENDS = ("issued", "failed")


class Visit:
    """One realm of the agent at one CA."""

    def __init__(self, agent: Agent, lab: Lab, realm: str) -> None:
        self.agent, self.lab, self.realm = agent, lab, realm
        self.asked = 0  # how often a person applied

    @property
    def front(self) -> tuple[Identity, Identity]:
        """To whom requests are encrypted, and who signs: the RA, or twice the CA."""
        return self.lab.authority.encryption, self.lab.authority.signing

    def type(self, *lines: str) -> None:
        """In the realm's view; places of the CA and of the test are filled in."""
        issued = self.lab.authority.shelf()
        places = {
            "url": self.lab.url,
            "host": self.lab.url.removesuffix("/scep"),
            "pin": hashlib.sha256(self.lab.ca.dump()).hexdigest(),
            "realm": self.realm,
            "ra": " ".join(found.certificate.sha256.hex() for found in self.front),
            "serial": f"{issued[-1].serial_number:x}" if issued else "",
        }
        typed = [line.format_map(places) for line in lines]
        self.agent.must("system-view", f"pki realm {self.realm}", *typed)

    def system(self, *lines: str) -> Said:
        return self.agent.script("system-view", *lines)

    def apply(self) -> Said:
        answer = ("y",) if self.agent.memory("cert.pem", self.realm).exists() else ()
        return self.system(f"pki enroll-certificate realm {self.realm}", *answer)

    def shown(self) -> dict[str, str | None]:
        text = self.agent.must(f"display pki enrollment realm {self.realm} json")
        (item,) = json.loads(text)["items"]
        return dict(item)

    def failure(self) -> str:
        """What the display says of the last attempt, as a session would have been told."""
        found = self.shown()
        return f"Error: {found['last_error']}\n Next step: {found['last_error_next_step']}\n"

    def in_use(self) -> bytes:
        text = self.agent.memory("cert.pem", self.realm).read_text(encoding="ascii")
        return ssl.PEM_cert_to_DER_cert(text)


Way = Callable[[Visit], str]  # how something is got; the error as it was told, or "" when it is had


def enrol(visit: Visit) -> str:
    """An application that ends while the person waits; what is in use then is what was issued."""
    held = visit.in_use() if visit.agent.memory("cert.pem", visit.realm).exists() else b""
    said = visit.apply()
    if said.status:
        assert visit.shown()["state"] == "failed"
        return said.text
    return held_now(visit) if visit.in_use() != held else "the same certificate"


def held_now(visit: Visit) -> str:
    """Nothing more is asked; what is in use came from this CA, which knows it."""
    assert visit.shown()["state"] == "issued"
    assert visit.in_use() in [found.dump() for found in visit.lab.authority.shelf()]
    return ""


def busy(visit: Visit) -> str:
    """The same in more than one try, with a clock that does not make the test wait for the pause.

    Both are one transaction: what was issued already is asked for first.
    """
    visit.agent.rate(FAST)
    try:
        said = visit.apply()
    finally:
        visit.agent.rate(1)
    assert said.status == 0, said.text
    assert said.text.count("; trying again") == 1
    log = (visit.lab.home / "log.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [found for found in map(json.loads, log) if found["operation"] == "PKIOperation"]
    assert [found["messageType"] for found in asked] == ["PKCSReq", "CertPoll"]
    assert len({found["transactionID"] for found in asked}) == 1
    return held_now(visit)


def poll(visit: Visit) -> str:
    """PENDING; somebody approves; the polls have the answer."""
    apply_and_wait(visit)
    return polled(visit)


def apply_and_wait(visit: Visit) -> None:
    said = visit.apply()
    assert (said.status, visit.shown()["state"]) == (0, "pending"), said.text
    approve(visit)


def polled(visit: Visit) -> str:
    visit.agent.rate(FAST)
    try:
        state = visit.agent.wait_state(*ENDS, realm=visit.realm, timeout_s=WAIT_S)
    finally:
        visit.agent.rate(1)
    return held_now(visit) if state == "issued" else visit.failure()


def poll_a_new_ra(visit: Visit) -> str:
    """Between PENDING and the poll the RA gets a new key to encrypt to."""
    apply_and_wait(visit)
    lab = visit.lab
    authority = Authority(lab.home, QUIRKS["ra-renewed"].plan(lab.base.plan))
    responder = Responder(authority, lab.ledger, Policy(manual=True))
    lab.server.service = lab.server.service._replace(authority=authority, responder=responder)
    return polled(visit)


def renew(visit: Visit) -> str:
    """The first certificate, if there is none yet, and then another in its place."""
    if not visit.agent.memory("cert.pem", visit.realm).exists():
        assert enrol(visit) == ""
    return enrol(visit)


def renew_another_name(visit: Visit) -> str:
    """A renewal for an entity that was renamed since."""
    assert enrol(visit) == ""
    visit.system("pki entity r2", "common-name r2.example")
    visit.type("entity r2")
    return enrol(visit)


def next_ca(visit: Visit) -> str:
    """The CA that follows, as this one names it."""
    assert enrol(visit) == ""
    said = visit.system(f"pki get-certificate ca realm {visit.realm} next")
    assert (visit.shown()["next_ca"] is None) == (said.status == 1)
    return said.text if said.status else ""


def crl(visit: Visit) -> str:
    """The revocation list."""
    if not visit.agent.memory("cert.pem", visit.realm).exists():
        assert enrol(visit) == ""
    said = visit.system(f"pki get-crl realm {visit.realm}")
    return said.text if said.status else ""


def approve(visit: Visit) -> None:
    visit.lab.ledger.decide(ALL, APPROVED)


def hand_over(visit: Visit) -> None:
    """The CA's operator brings the certificate as a file."""
    lab = visit.lab
    asked = scep.read_csr(bytes.fromhex(lab.ledger.records()[0].csr))
    found = lab.authority.issue(asked.subject, asked.spki, asked.extensions, (300, DAY_S), same)
    path = visit.agent.dir / "storage" / "by-hand.cer"
    path.write_bytes(pem.armor("CERTIFICATE", found.dump()))


def roll_over(visit: Visit) -> None:
    visit.lab.authority.roll_over()


def half_a_day_passes(visit: Visit) -> None:
    """At the CA; the certificate that it then issues begins in this device's future, a little."""
    visit.lab.passes(DAY_S // 2 + 60)


def set_clock(visit: Visit, wrong_s: int = 0) -> None:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=wrong_s)
    visit.agent.must(f"clock datetime {now:%H:%M:%S %Y-%m-%d}")
