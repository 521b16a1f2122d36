"""What the lab CA does wrong on purpose: each fault is there, and it is the only one."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1

from tests import labca_client as client
from tests.labca_bench import PLAIN, Bench, a_home, public_key
from tests.labca_client import Device, element
from tools.lab_ca import faults


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(a_home(tmp_path))


def seconds_off(certificate: asn1.Certificate) -> tuple[bool, bool]:
    now = datetime.datetime.now(datetime.UTC)
    return certificate.not_valid_before <= now, now <= certificate.not_valid_after


Judge = Callable[[Bench, Device, asn1.Certificate], bool]
MISISSUED: dict[str, Judge] = {
    "key": lambda _, device, leaf: public_key(leaf) != public_key(device.signer),
    "subject": lambda _, device, leaf: leaf.subject != device.signer.subject,
    "issuer": lambda bench, _, leaf: leaf.issuer != bench.ca.subject,
    "ca-flag": lambda _b, _d, leaf: bool(leaf.ca),
    "expired": lambda _b, _d, leaf: seconds_off(leaf) == (True, False),
    "not-yet": lambda _b, _d, leaf: seconds_off(leaf) == (False, True),
}


@pytest.mark.parametrize("what", faults.MISISSUE)
def test_misissued_certificates_are_wrong_in_one_way(bench: Bench, what: str) -> None:
    device = bench.device()
    leaf = device.enrol(bench.send(PLAIN._replace(misissue=what))).leaf(device.key)
    assert [name for name, wrong in MISISSUED.items() if wrong(bench, device, leaf)] == [what]


TAMPERED: dict[str, Callable[[Bench, Device, client.CertRep], bool]] = {
    "signature": lambda _, _d, reply: not reply.verifies(reply.certificates[0]),
    "transaction": lambda _, device, reply: reply.attributes["7"] != device.transaction_id,
    "nonce": lambda _, device, reply: reply.attributes.get("6", device.nonce) != device.nonce,
    "no-nonce": lambda _b, _d, reply: "6" not in reply.attributes,
    "message-type": lambda _b, _d, reply: reply.attributes["2"] == "19",
    "signer": lambda bench, _, reply: reply.certificates[0].dump() != bench.ca.dump(),
}


@pytest.mark.parametrize("what", faults.TAMPER)
def test_tampered_replies_are_wrong_in_one_way(bench: Bench, what: str) -> None:
    device = bench.device()
    reply = device.enrol(bench.send(PLAIN._replace(tamper=what)))
    assert [name for name, wrong in TAMPERED.items() if wrong(bench, device, reply)] == [what]
    assert reply.certificates[0].subject == bench.ca.subject, "an impostor takes the name"
    assert public_key(reply.leaf(device.key)) == public_key(device.signer)


def test_the_legacy_reply_has_the_shape_of_micromdm(bench: Bench) -> None:
    device = bench.device()
    reply = device.enrol(bench.send(PLAIN._replace(legacy=True)))
    leaf = reply.leaf(device.key)
    assert reply.verifies(bench.ca)
    assert [item.dump() for item in reply.certificates] == [leaf.dump(), bench.ca.dump()]
    assert reply.attributes["5"] == reply.attributes["6"] == device.nonce
    assert reply.signer_info["signature_algorithm"]["algorithm"].native == "sha1_rsa"
    assert reply.cipher == "des"
    at = (reply.content or b"").rindex(b"\xa0\x82")
    tag, content, end = element(reply.content or b"", at)
    assert (tag, content[0], end) == (0xA0, 0x04, len(reply.content or b""))
    assert element(content, 0)[2] == len(content)
    refused = device.enrol(bench.send(PLAIN._replace(legacy=True, challenge="sekret")))
    assert (refused.status, refused.content) == (client.FAILURE, b"")
    assert refused.verifies(bench.ca)
