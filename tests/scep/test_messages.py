"""PKCS#10, signer certificate, pkiMessage; read by asn1crypto, openssl and `cryptography`."""

import os
import subprocess
from typing import Any

import pytest
from asn1crypto import core, x509
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep import ber, certificate, crypto, messages
from agent.scep.keys import OwnKey
from tests.helpers import scep_ca
from tests.helpers import scep_lab as lab

ENTITY = {"common_name": "dev1", "organization": "Lab", "fqdn": "dev1.example",
          "ip_addresses": ["192.0.2.1"]}  # fmt: skip


def request(**changes: Any) -> messages.Request:
    made = messages.Request("0" * 31 + "1", lab.NOW_S, "sha-256", ENTITY, (), "sekret")
    return made._replace(**changes)


def openssl(*arguments: str, data: bytes) -> str:
    run = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    return (run.stdout + run.stderr).decode()


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha-256", "sha-384", "sha-512"])
def test_pkcs10_in_every_digest(digest: str) -> None:
    made = messages.certification_request(request(digest=digest), lab.own("dev"))
    loaded = scep_ca.read_request(made)  # verifies its signature
    info = loaded["certification_request_info"]
    assert info["subject_pk_info"].dump() == lab.public_der("dev")
    assert info["subject"].native["common_name"] == "dev1"
    assert "verify OK" in openssl("req", "-inform", "der", "-verify", "-noout", data=made)


def test_attributes_of_the_request() -> None:
    made = messages.certification_request(request(key_usage=("ssl-server", "ike")), lab.own("dev"))
    loaded = scep_ca.read_request(made)
    found = {e["extn_id"].native: e for e in scep_ca.requested_extensions(loaded)}
    assert found["key_usage"]["critical"].native
    assert found["key_usage"]["extn_value"].native == {
        "digital_signature", "non_repudiation", "key_encipherment",
    }  # fmt: skip
    assert found["extended_key_usage"]["extn_value"].native == ["ipsec_ike", "server_auth"]
    assert found["subject_alt_name"]["extn_value"].native == ["192.0.2.1", "dev1.example"]
    attributes = loaded["certification_request_info"]["attributes"]
    dumped = [attribute.dump() for attribute in attributes]
    assert dumped == sorted(dumped)


@pytest.mark.parametrize(
    ("usage", "bits", "purposes"),
    [
        ("ike", {"digital_signature", "non_repudiation", "key_encipherment"}, 1),
        ("ssl-client", {"digital_signature", "key_encipherment"}, 1),
        ("ssl-server", {"digital_signature", "key_encipherment"}, 1),
    ],
)
def test_key_usages(usage: str, bits: set[str], purposes: int) -> None:
    made = messages.requested_extensions(request(key_usage=(usage,)))
    assert made is not None
    found = {e["extn_id"].native: e for e in x509.Extensions.load(made, strict=True)}
    assert found["key_usage"]["extn_value"].native == bits
    assert len(found["extended_key_usage"]["extn_value"].native) == purposes


@pytest.mark.parametrize(
    ("password", "kind"),
    [("sekret-1", core.PrintableString), ("under_score", core.UTF8String),
     ("p@ss", core.UTF8String), ("päss", core.UTF8String), ("x" * 255, core.PrintableString),
     ("€" * 85, core.UTF8String)],
)  # fmt: skip
def test_challenge_password(password: str, kind: type) -> None:
    made = messages.certification_request(request(password=password), lab.own("dev"))
    attributes = scep_ca.read_request(made)["certification_request_info"]["attributes"]
    (value,) = (core.load(a["values"][0].dump()) for a in attributes if "1.9.7" in a["type"].dotted)
    assert isinstance(value, kind)
    assert value.native == password


def test_nothing_asked_for_is_an_empty_set_of_attributes() -> None:
    bare = request(password=None, entity={"common_name": "x"})
    info = scep_ca.read_request(messages.certification_request(bare, lab.own("dev")))
    assert len(info["certification_request_info"]["attributes"]) == 0
    assert messages.requested_extensions(bare) is None


def test_the_signer_is_what_rfc_8894_wants() -> None:
    made = messages.signer_certificate(request(), lab.own("dev"))
    loaded = x509.Certificate.load(made.der, strict=True)
    csr = scep_ca.read_request(messages.certification_request(request(), lab.own("dev")))
    assert loaded.subject.dump() == csr["certification_request_info"]["subject"].dump()
    assert loaded.issuer == loaded.subject
    assert loaded.key_usage_value.native == {"digital_signature", "key_encipherment"}
    assert loaded["tbs_certificate"]["validity"]["not_before"].native.timestamp() == (
        lab.NOW_S - lab.DAY_S
    )
    assert made.not_after_s > lab.NOW_S + 300 * lab.DAY_S
    assert made.signed_by(made.spki)
    text = openssl("x509", "-inform", "der", "-noout", "-text", data=made.der)
    assert "Digital Signature, Key Encipherment" in text


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(0, (1 << 128) - 1), st.integers(0, (1 << 128) - 1))
def test_serials_are_positive_short_and_distinct(one: int, two: int) -> None:
    serials = [messages.signer_serial(f"{number:032x}") for number in (one, two)]
    assert all(0 < serial < 1 << 159 for serial in serials)
    assert (serials[0] == serials[1]) == (one == two)


def test_a_request_comes_out_the_same_to_the_byte() -> None:
    """Also after a restart: the key is loaded anew, the entity comes from other objects."""
    again = OwnKey(crypto.load_own(lab.private_der("dev")))
    copied = request(entity=dict(reversed(ENTITY.items())))
    for make in (messages.certification_request, messages.signer_certificate):
        assert make(request(), lab.own("dev")) == make(copied, again)


def test_each_input_of_a_request_matters() -> None:
    base = messages.certification_request(request(), lab.own("dev"))
    changes = [{"digest": "sha-512"}, {"entity": {"common_name": "y"}}, {"key_usage": ("ike",)},
               {"password": "other"}]  # fmt: skip
    made = [messages.certification_request(request(**c), lab.own("dev")) for c in changes]
    assert len({base, *made}) == len(changes) + 1
    signers = [
        messages.signer_certificate(request(**c), lab.own("dev")).der
        for c in ({}, {"transaction": "0" * 32}, {"time_s": lab.NOW_S + 1})
    ]
    assert len(set(signers)) == 3


@pytest.mark.parametrize("time_s", [0, 1_800_000_000, 2_524_607_999, 4_000_000_000])
def test_dates_of_the_signer_at_any_time(time_s: int) -> None:
    made = messages.signer_certificate(request(time_s=time_s), lab.own("dev"))
    loaded = x509.Certificate.load(made.der, strict=True)
    validity = loaded["tbs_certificate"]["validity"]
    assert int(validity["not_before"].native.timestamp()) == time_s - lab.DAY_S == made.not_before_s


def outgoing(**changes: Any) -> messages.Outgoing:
    key = lab.own("dev")
    signer = messages.signer_certificate(request(), key)
    recipient = certificate.read(lab.root().der)
    made = messages.Outgoing(signer, key, recipient, "aes128", b"n" * 16, lab.NOW_S)
    return made._replace(**changes)


@pytest.mark.parametrize("cipher", ["aes128", "aes256", "3des"])
def test_a_pki_message_as_a_ca_reads_it(cipher: str) -> None:
    data = messages.pki_message(19, b"content", request(), outgoing(cipher=cipher))
    received = scep_ca.receive(
        data, lab.root()
    )  # verifies digest and signature, opens the envelope
    assert received.content == b"content"
    attributes = received.attributes
    assert attributes["transaction_id"] == request().transaction
    assert attributes["message_type"] == "19"
    assert attributes["sender_nonce"] == b"n" * 16
    assert int(attributes["signing_time"].timestamp()) == lab.NOW_S


def test_no_signing_time_without_a_trusted_clock() -> None:
    data = messages.pki_message(20, b"", request(), outgoing(signing_time_s=None))
    assert "signing_time" not in scep_ca.receive(data, lab.root()).attributes


def test_what_a_poll_asks_for() -> None:
    node = ber.read(messages.poll_content(lab.root().cert.subject.dump(), request()))
    issuer, subject = (x509.Name.load(child.raw) for child in node.children)
    assert issuer == lab.root().cert.subject
    assert subject.native["common_name"] == "dev1"


def test_a_key_that_cannot_encrypt() -> None:
    odd = certificate.read(lab.root().der)._replace(spki=b"x")
    with pytest.raises(ValueError, match="key"):
        messages.pki_message(19, b"", request(), outgoing(recipient=odd))


def test_nonces_come_from_the_caller() -> None:
    nonce = os.urandom(16)
    data = messages.pki_message(19, b"", request(), outgoing(nonce=nonce))
    assert scep_ca.receive(data, lab.root()).attributes["sender_nonce"] == nonce
