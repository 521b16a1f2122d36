"""What the lab CA checks, decides and answers, without HTTP and without a process."""

import contextlib
import datetime
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers import labca_client as client
from tests.helpers.labca_bench import CIPHER_NAMES, DAY_S, PLAIN, RA, Bench, a_home, public_key
from tests.helpers.labca_client import Device, Shape, openssl, pkcs10, rsa_key, self_signed
from tools.lab_ca import ledger
from tools.lab_ca import request as scep
from tools.lab_ca.authority import Authority, Plan
from tools.lab_ca.hostile import HOSTILE


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(a_home(tmp_path))


def names_of(certificate: asn1.Certificate) -> x509.Extensions:
    return x509.load_der_x509_certificate(certificate.dump()).extensions


def test_an_issued_certificate_is_what_was_asked_for(bench: Bench, tmp_path: Path) -> None:
    device = bench.device("router1")
    san = x509.SubjectAlternativeName([x509.DNSName("router1.example")])
    usage = x509.KeyUsage(True, False, True, False, False, False, False, False, False)
    purpose = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")])
    ignored = x509.BasicConstraints(True, None)
    wanted = ((san, False), (usage, True), (purpose, False), (ignored, True))
    csr = pkcs10(device.key, "router1", None, wanted)
    reply = device.ask(bench.send(), client.PKCS_REQ, csr)
    leaf = reply.leaf(device.key)
    found = names_of(leaf)
    assert leaf.subject == device.signer.subject
    assert public_key(leaf) == public_key(device.signer)
    assert [found.get_extension_for_class(type(item)).value for item, _ in wanted[:3]] == [
        san,
        usage,
        purpose,
    ]
    assert found.get_extension_for_class(x509.BasicConstraints).critical
    assert not found.get_extension_for_class(x509.BasicConstraints).value.ca
    assert found.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert leaf.authority_key_identifier == bench.ca.key_identifier
    assert leaf.serial_number.bit_length() == 127
    lifetime = leaf.not_valid_after - leaf.not_valid_before
    assert lifetime == datetime.timedelta(seconds=DAY_S + 300)
    (path,) = (bench.home / "issued").iterdir()
    assert path.stem == f"{leaf.serial_number:032X}"
    assert b"OK" in openssl("verify", "-x509_strict", "-CAfile", f"{bench.home}/ca.pem", str(path))
    assert bench.reached == ["pkcsreq", "issued"]


def test_a_reply_answers_its_request(bench: Bench) -> None:
    device = bench.device()
    reply = device.enrol(bench.send())
    assert reply.verifies(bench.ca)
    assert [item.dump() for item in reply.certificates] == [bench.ca.dump()]
    assert reply.attributes["2"] == "3"
    assert reply.attributes["7"] == device.transaction_id
    assert reply.attributes["6"] == device.nonce
    assert reply.attributes["5"] != device.nonce
    assert reply.signer_info["signature_algorithm"]["algorithm"].native == "rsassa_pkcs1v15"


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_the_digest_is_the_clients_or_the_configured_one(bench: Bench, digest: str) -> None:
    device = bench.device()
    reply = device.enrol(bench.send(), shape=Shape(digest=digest))
    assert reply.signer_info["digest_algorithm"]["algorithm"].native == digest
    assert reply.verifies(bench.ca)
    forced = bench.device().enrol(bench.send(PLAIN._replace(digest=digest)))
    assert forced.signer_info["digest_algorithm"]["algorithm"].native == digest
    assert forced.verifies(bench.ca)
    assert [note["digest"] for note in bench.notes] == [digest, "sha256"]


@pytest.mark.parametrize("cipher", ["des", "3des", "aes128", "aes192", "aes256"])
def test_the_cipher_is_the_clients_or_the_configured_one(bench: Bench, cipher: str) -> None:
    for policy, asked in ((PLAIN, cipher), (PLAIN._replace(cipher=cipher), "aes128")):
        device = bench.device()
        reply = device.enrol(bench.send(policy), shape=Shape(cipher=asked))
        assert bench.notes[-1]["cipher"] == asked
        assert CIPHER_NAMES.get(reply.cipher, reply.cipher) == cipher
        assert public_key(reply.leaf(device.key)) == public_key(device.signer)


def flipped(der: bytes) -> bytes:
    return der[:-1] + bytes((der[-1] ^ 1,))


Case = Callable[[Device], tuple[str, bytes, Shape]]


def asking(
    message_type: str = client.PKCS_REQ, content: bytes | None = None, shape: Shape = client.HONEST
) -> Case:
    def case(device: Device) -> tuple[str, bytes, Shape]:
        csr = pkcs10(device.key, "dev1", "sekret") if content is None else content
        return message_type, csr, shape

    return case


def with_ec_signer(device: Device) -> tuple[str, bytes, Shape]:
    device.signer = self_signed(client.ec_key(), "dev1")
    return client.PKCS_REQ, pkcs10(device.key, "dev1", "sekret"), client.HONEST


REFUSALS: dict[str, tuple[Case, str, str]] = {
    "wrong signature": (
        asking(shape=Shape(sign_with=rsa_key(1))), client.BAD_MESSAGE_CHECK, "does not verify"),
    "no signer certificate": (
        asking(shape=Shape(with_certificate=False)),
        client.BAD_MESSAGE_CHECK, "not in the message"),
    "digest not served": (asking(shape=Shape(digest="sha224")), client.BAD_ALG, "sha224"),
    "cipher not served": (asking(shape=Shape(cipher="camellia")), client.BAD_ALG, "not served"),
    "no challenge": (
        lambda d: (client.PKCS_REQ, pkcs10(d.key, "dev1"), Shape()),
        client.BAD_REQUEST, "challenge"),
    "wrong challenge": (
        lambda d: (client.PKCS_REQ, pkcs10(d.key, "dev1", "sekre"), Shape()),
        client.BAD_REQUEST, "challenge"),
    "another key than the signer's": (
        lambda _: (client.PKCS_REQ, pkcs10(rsa_key(1), "dev1", "sekret"), Shape()),
        client.BAD_REQUEST, "another key"),
    "proof of possession": (
        lambda d: (client.PKCS_REQ, flipped(pkcs10(d.key, "dev1", "sekret")), Shape()),
        client.BAD_MESSAGE_CHECK, "PKCS#10"),
    "an EC signer": (with_ec_signer, client.BAD_ALG, "RSA"),
    "an EC key": (asking(content=pkcs10(client.ec_key(), "dev1")), client.BAD_ALG, "RSA"),
    "to another recipient": (
        lambda d: (client.PKCS_REQ, b"", Shape(envelope=client.encrypted(b"x", d.signer))),
        client.BAD_MESSAGE_CHECK, "another certificate"),
    "key transport by OAEP": (
        lambda d: (client.PKCS_REQ, b"", Shape(envelope=client.encrypted(
            b"x", d.to, "aes128", "-keyopt", "rsa_padding_mode:oaep"))),
        client.BAD_ALG, "PKCS#1"),
    "no envelope": (
        asking(shape=Shape(envelope=b"rubbish")), client.BAD_MESSAGE_CHECK, "EnvelopedData"),
    "empty content": (asking(shape=Shape(envelope=b"")), client.BAD_REQUEST, "no content"),
    "a spoilt last block": (
        lambda d: (
            client.PKCS_REQ, b"", Shape(envelope=flipped(client.encrypted(b"x", d.to)))),
        client.BAD_MESSAGE_CHECK, "decrypted"),
    "rubbish inside": (asking(content=b"rubbish"), client.BAD_MESSAGE_CHECK, "no ASN.1"),
    "no PKCS#10 inside": (asking(content=b"\x30\x00"), client.BAD_REQUEST, "PKCS#10"),
    "no IssuerAndSubject": (
        asking(client.CERT_POLL, b"\x30\x00"), client.BAD_REQUEST, "IssuerAndSubject"),
    "no IssuerAndSerialNumber": (asking("21"), client.BAD_REQUEST, "IssuerAndSerialNumber"),
    "GetCRL of another CA": (
        lambda d: ("22", client.issuer_and_serial(d.signer), Shape()),
        client.BAD_CERT_ID, "not this CA"),
    "GetCert of a stranger": (
        lambda d: ("21", client.issuer_and_serial(d.ca), Shape()),
        client.BAD_CERT_ID, "no such certificate"),
    "unknown type": (asking("99"), client.BAD_REQUEST, "99 is not here yet"),
    "renewal signed by a stranger": (asking("17"), client.BAD_REQUEST, "not ours"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSALS)
def test_what_is_refused_and_why(bench: Bench, what: str) -> None:
    make, fail_info, text = REFUSALS[what]
    device = bench.device()
    message_type, content, shape = make(device)
    send = bench.send(PLAIN._replace(challenge="sekret"))
    reply = device.ask(send, message_type, content, shape)
    assert (reply.status, reply.fail_info) == (client.FAILURE, fail_info)
    assert text in str(reply.text)
    assert reply.content is None
    assert reply.verifies(bench.ca)
    assert reply.attributes["6"] == device.nonce
    assert bench.notes[0]["pkiStatus"] == "FAILURE"
    assert bench.notes[0]["failInfoText"] == reply.text
    assert not (bench.home / "issued").exists()
    assert bench.ledger.records() == []


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\x30\x00", client.tlv(0x30, b"\x06\x01\x2a"), b"\x30\x80" * 100]
)
def test_what_is_no_pki_message_gets_no_reply(bench: Bench, body: bytes) -> None:
    with pytest.raises(scep.MalformedError):
        bench.send()(body)


@pytest.mark.parametrize("transaction_id", ["", "x" * 81])
def test_a_transaction_id_has_a_length(bench: Bench, transaction_id: str) -> None:
    device = bench.device()
    device.transaction_id = transaction_id
    with pytest.raises(scep.MalformedError, match="transactionID"):
        device.enrol(bench.send())


MUTATIONS = st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))


def mutated(data: bytes, mutation: tuple[int, bytes]) -> bytes:
    at, octets = mutation[0] % len(data), mutation[1]
    return data[:at] + octets + data[at + len(octets) :]


def test_mutated_messages_end_in_one_of_two_ways(bench: Bench) -> None:
    device, send = bench.device(), bench.send(PLAIN._replace(manual=True))
    message = device.message(client.PKCS_REQ, pkcs10(device.key, "dev1"))

    @settings(max_examples=80, deadline=None)
    @given(MUTATIONS)
    def mutate(mutation: tuple[int, bytes]) -> None:
        try:
            body = send(mutated(message, mutation))
        except scep.MalformedError:
            return
        assert client.read_reply(body).status in (client.FAILURE, client.PENDING)

    mutate()


def test_mutated_inner_layers_are_refused_or_read(bench: Bench) -> None:
    device = bench.device()
    csr = pkcs10(device.key, "dev1", "sekret")
    envelope = client.encrypted(csr, device.to)
    message = scep.read_message(device.message(client.PKCS_REQ, csr))
    layers: list[tuple[bytes, Callable[[bytes], object]]] = [
        (csr, scep.read_csr),
        (device.signer.subject.dump(), scep.read_poll),
        (
            envelope,
            lambda octets: scep.open_envelope(
                message._replace(content=octets), bench.authority.encryption
            ),
        ),
    ]

    @settings(max_examples=80, deadline=None)
    @given(st.sampled_from(layers), MUTATIONS)
    def mutate(layer: tuple[bytes, Callable[[bytes], object]], mutation: tuple[int, bytes]) -> None:
        data, read = layer
        with contextlib.suppress(scep.RefusedError):
            read(mutated(data, mutation))

    mutate()


@pytest.mark.parametrize("option", [(), ("-stream", "-indef")])
def test_ber_is_read_in_every_layer(bench: Bench, option: tuple[str, ...]) -> None:
    device = bench.device()
    csr = client.to_ber(pkcs10(device.key, "dev1"))
    envelope = client.encrypted(csr, device.to, "aes128", *option)
    shape = Shape(envelope=client.to_ber(envelope) if not option else envelope, wire=client.to_ber)
    reply = device.ask(bench.send(), client.PKCS_REQ, csr, shape)
    assert reply.status == client.SUCCESS, reply.text
    assert bench.notes[0]["csr_sha256"] == hashlib.sha256(pkcs10(device.key, "dev1")).hexdigest()


def test_the_same_request_again_gets_the_same_certificate(bench: Bench) -> None:
    device = bench.device()
    first, again = (device.enrol(bench.send()).leaf(device.key) for _ in range(2))
    assert first.dump() == again.dump()
    (record,) = bench.ledger.records()
    assert (record.state, record.requests) == (ledger.ISSUED, 2)
    device.key = device.signer_key = rsa_key(1)
    device.signer = self_signed(device.key, "dev1")
    refused = device.enrol(bench.send())
    assert "used before" in str(refused.text)


def test_pending_approved_and_polled(bench: Bench) -> None:
    device, send = bench.device(), bench.send(PLAIN._replace(manual=True))
    for _ in range(2):
        reply = device.enrol(send)
        assert (reply.status, reply.content) == (client.PENDING, None)
    assert device.poll(send).status == client.PENDING
    assert bench.ledger.decide("another", ledger.APPROVED) == []
    assert bench.ledger.decide(device.transaction_id, ledger.APPROVED) == [device.transaction_id]
    issued = device.poll(send).leaf(device.key)
    assert device.poll(send).leaf(device.key).dump() == issued.dump()
    assert device.enrol(send).leaf(device.key).dump() == issued.dump()
    (record,) = bench.ledger.records()
    assert (record.requests, record.polls) == (3, 3)
    assert bench.reached.count("pending") == bench.reached.count("issued") == 1


def test_denied(bench: Bench) -> None:
    device, send = bench.device(), bench.send(PLAIN._replace(manual=True))
    device.enrol(send)
    bench.ledger.decide(ledger.ALL, ledger.DENIED)
    reply = device.poll(send)
    assert (reply.status, reply.fail_info) == (client.FAILURE, client.BAD_REQUEST)
    assert "denied" in str(reply.text)


def test_polls_are_checked(bench: Bench) -> None:
    device, send = bench.device(), bench.send(PLAIN._replace(manual=True))
    assert device.poll(send).fail_info == client.BAD_CERT_ID
    device.enrol(send)
    assert "subject" in str(device.poll(send, "somebody else").text)
    device.ca = device.signer
    assert "issuer" in str(device.poll(send).text)
    stranger = bench.device(key=1)
    stranger.transaction_id = device.transaction_id
    assert stranger.poll(send).fail_info == client.BAD_MESSAGE_CHECK


def test_a_renewal_needs_a_certificate_of_this_ca_in_date(bench: Bench) -> None:
    policy = PLAIN._replace(challenge="sekret")
    device = bench.device()
    old = device.enrol(bench.send(policy), "sekret").leaf(device.key)
    late = Bench(bench.home, offset_s=2 * DAY_S)
    refused = bench.device().renew(late.send(policy), old, 1)
    assert (refused.fail_info, "in date" in str(refused.text)) == (client.BAD_REQUEST, True)
    first_id, device.transaction_id = device.transaction_id, "renewal"
    key = device.key
    reply = device.renew(bench.send(policy), old, 1)
    assert reply.recipient_serial == old.serial_number
    assert public_key(reply.leaf(key)) != public_key(old)
    assert bench.notes[-1]["messageType"] == "RenewalReq"
    # A client that derives the id from its key renews under the id of its first request.
    device.transaction_id, device.key = first_id, key
    again = device.ask(bench.send(policy), client.RENEWAL_REQ, pkcs10(key, "dev1"))
    assert again.leaf(key).dump() != old.dump()


def test_a_certificate_that_was_never_ours_does_not_renew(bench: Bench) -> None:
    device = bench.device()
    reply = device.enrol(bench.send(PLAIN._replace(hooks=HOSTILE["issuer"])))
    stranger = reply.leaf(device.key)
    assert device.renew(bench.send(), stranger, 1).fail_info == client.BAD_REQUEST


def test_the_ra_stands_in_front(tmp_path: Path) -> None:
    bench = Bench(a_home(tmp_path), RA)
    encryption, signing = bench.authority.encryption, bench.authority.signing
    assert [item.dump() for item in bench.authority.published] == [
        encryption.certificate.dump(),
        signing.certificate.dump(),
        bench.ca.dump(),
    ]
    assert encryption.certificate.key_usage_value.native == {"key_encipherment"}
    assert signing.certificate.key_usage_value.native == {"digital_signature"}
    device = bench.device()
    reply = device.enrol(bench.send())
    assert reply.verifies(signing.certificate)
    assert not reply.verifies(bench.ca)
    assert [item.dump() for item in reply.certificates] == [signing.certificate.dump()]
    assert reply.leaf(device.key).issuer == bench.ca.subject
    device.to = bench.ca
    assert device.enrol(bench.send()).fail_info == client.BAD_MESSAGE_CHECK


def test_a_hostile_transaction_id_stays_in_its_folder(bench: Bench) -> None:
    device = bench.device()
    device.transaction_id = "../../ca"
    device.enrol(bench.send())
    names = [path.name for path in (bench.home / "requests").glob("*.json")]
    assert names == ["..%2F..%2Fca.json"]
    assert bench.ledger.records()[0].id == "../../ca"


def test_an_authority_is_the_same_after_a_restart(bench: Bench) -> None:
    again = Bench(bench.home)
    assert again.ca.dump() == bench.ca.dump()
    assert (bench.home / "ca.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="without a root"):
        Authority(bench.home, Plan(chain=True))


def test_dates_beyond_2049_are_generalized_time(bench: Bench) -> None:
    far = Bench(bench.home, offset_s=40 * 365 * DAY_S)
    device = far.device()
    leaf = device.enrol(far.send()).leaf(device.key)
    assert leaf["tbs_certificate"]["validity"]["not_before"].name == "general_time"
    assert leaf.not_valid_before.year >= 2060
