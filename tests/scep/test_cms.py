"""Reading CMS: what asn1crypto and `openssl cms` have made, in BER, and under mutation."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.errors import AgentError, PeerError
from agent.scep import ber, certificate, cms, crypto, der, oids
from tests.helpers import scep_lab as lab
from tests.scep.test_ber import berify

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=150)
CONTENT = b"some content that is longer than one block of any cipher"


def party() -> certificate.Certificate:
    return certificate.read(lab.root().der)


def pem_files(folder: Path) -> tuple[str, str]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    key.write_bytes(
        lab.key("root").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    run = ["openssl", "x509", "-inform", "der", "-out", str(cert)]
    subprocess.run(run, input=lab.root().der, check=True)
    return str(cert), str(key)


def openssl(*arguments: str, data: bytes) -> bytes:
    run = subprocess.run(
        ["openssl", "cms", *arguments], input=data, capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


# -- signed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [(), ("-stream", "-indef")])
def test_we_verify_what_openssl_signs(tmp_path: Path, streamed: tuple[str, ...]) -> None:
    cert, key = pem_files(tmp_path)
    content = CONTENT * 900  # so that streaming makes pieces
    sign = ("-sign", "-binary", "-nodetach", "-signer", cert, "-inkey", key, "-outform", "DER")
    data = openssl(*sign, *streamed, data=content)
    assert (data[1] == 0x80) == bool(streamed)
    message = cms.read_signed(data)
    assert message.content == content
    assert cms.verify(message, message.signers[0], party().spki) == ""


@pytest.mark.parametrize("content", [None, b"", b"\0", CONTENT])
def test_content_absent_empty_and_one_zero_byte(content: bytes | None) -> None:
    data = lab.signed(content, {}, lab.root())
    message = cms.read_signed(data)
    assert message.content == (content or b"")
    assert cms.verify(message, message.signers[0], party().spki) == ""


def test_a_reply_in_ber_throughout_verifies() -> None:
    data = berify(ber.read(lab.signed(CONTENT, {"transaction_id": "ab"}, lab.root())))
    message = cms.read_signed(data)
    assert cms.verify(message, message.signers[0], party().spki) == ""


def test_signed_attributes_count_in_the_order_sent() -> None:
    """A sender that does not sort signs what it sends."""
    data = lab.signed(CONTENT, {"transaction_id": "ab"}, lab.root())
    node = ber.read(data)
    signer = node.children[1].children[0].children[-1].children[0]
    attributes = [child.raw for child in reversed(signer.children[3].children)]
    signature = lab.sign("root", der.tlv(der.SET, *attributes), "sha256")
    fields = [child.raw for child in signer.children]
    fields[3] = der.tlv(der.explicit(0), *attributes)
    fields[5] = der.octet_string(signature)
    changed = data.replace(signer.raw, der.sequence(*fields))
    message = cms.read_signed(changed)
    assert cms.verify(message, message.signers[0], party().spki) == ""


@pytest.mark.parametrize("algorithm", ["rsassa_pkcs1v15", "sha256_rsa"])
def test_both_ways_to_name_the_signature(algorithm: str) -> None:
    data = lab.signed(CONTENT, {}, lab.root(), signature_algorithm=algorithm)
    message = cms.read_signed(data)
    assert cms.verify(message, message.signers[0], party().spki) == ""


def test_a_signer_by_key_identifier() -> None:
    signer = lab.certificate({"common_name": "RA"}, "ra-sig", lab.root(), key_id=b"identifier")
    message = cms.read_signed(lab.signed(CONTENT, {}, signer, by_key_id=True))
    found = message.signers[0].identifier.find([party(), certificate.read(signer.der)])
    assert found == certificate.read(signer.der)


def test_a_digest_that_differs_from_the_signature_is_refused() -> None:
    data = lab.signed(CONTENT, {}, lab.root(), signature_algorithm="sha1_rsa")
    with pytest.raises(ber.BerError, match="digest"):
        cms.read_signed(data)


@pytest.mark.parametrize(("attribute", "said"), [("content_type", "contentType"),
                                                 ("message_digest", "messageDigest")])  # fmt: skip
def test_attributes_that_cms_demands(attribute: str, said: str) -> None:
    message = cms.read_signed(lab.signed(CONTENT, {attribute: None}, lab.root()))
    assert said in cms.verify(message, message.signers[0], party().spki)


@pytest.mark.parametrize(("called", "name"), [(3, "enveloped_data"), (2, "signed_data")])
def test_content_that_is_called_by_what_it_holds(called: int, name: str) -> None:
    """XiPKI does so; the signed attribute must say the same (RFC 5652 5.3)."""
    good = cms.read_signed(lab.signed(CONTENT, {"content_type": name}, lab.root(), called=called))
    assert (good.content, cms.verify(good, good.signers[0], party().spki)) == (CONTENT, "")
    for data in (
        lab.signed(CONTENT, {}, lab.root(), called=called),
        lab.signed(CONTENT, {"content_type": name}, lab.root()),
    ):
        message = cms.read_signed(data)
        assert "contentType" in cms.verify(message, message.signers[0], party().spki)
    with pytest.raises(ber.BerError, match="no data"):
        cms.read_signed(lab.signed(CONTENT, {}, lab.root(), called=5))


def test_degenerate_in_any_order() -> None:
    ders = [lab.root().der, lab.sub().der]
    for order in (ders, ders[::-1]):
        message = cms.read_signed(lab.degenerate(order))
        assert message.certificates == order
        assert message.signers == []


def test_openssl_makes_a_degenerate_set(tmp_path: Path) -> None:
    cert, _ = pem_files(tmp_path)
    run = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", cert, "-outform", "DER"]
    data = subprocess.run(run, capture_output=True, check=True).stdout
    assert cms.read_signed(data).certificates == [lab.root().der]


def test_more_certificates_than_any_ca_has() -> None:
    with pytest.raises(ber.BerError, match="certificates"):
        cms.read_signed(lab.degenerate([lab.root().der] * 17))


def test_an_attribute_twice_is_refused() -> None:
    data = lab.signed(CONTENT, {"transaction_id": "ab"}, lab.root())
    node = ber.read(data)
    attributes = node.children[1].children[0].children[-1].children[0].children[3]
    doubled = der.tlv(der.explicit(0), *[child.raw for child in attributes.children] * 2)
    with pytest.raises(ber.BerError):
        cms.read_signed(rebuilt(node, attributes, doubled))


def rebuilt(node: ber.Node, target: ber.Node, replacement: bytes) -> bytes:
    if node is target:
        return replacement
    if not node.children:
        return node.raw
    return der.tlv(node.tag, *(rebuilt(child, target, replacement) for child in node.children))


# -- enveloped -------------------------------------------------------------------------------------


def opened(data: bytes, serial: int | None = None) -> bytes | None:
    number = party().serial if serial is None else serial
    return cms.decrypt(cms.read_envelope(data), lab.own("root"), number)


@pytest.mark.parametrize("cipher", ["-aes128", "-aes192", "-aes256", "-des3"])
@pytest.mark.parametrize("streamed", [(), ("-stream", "-indef")])
def test_we_decrypt_what_openssl_encrypts(
    tmp_path: Path, cipher: str, streamed: tuple[str, ...]
) -> None:
    cert, _ = pem_files(tmp_path)
    content = CONTENT * 900
    encrypt = ("-encrypt", "-binary", "-outform", "DER", cipher, *streamed, cert)
    assert opened(openssl(*encrypt, data=content)) == content


def test_we_decrypt_oaep_of_openssl(tmp_path: Path) -> None:
    cert, _ = pem_files(tmp_path)
    sha256, java = ("-keyopt", "rsa_oaep_md:sha256"), ("-keyopt", "rsa_mgf1_md:sha1")
    for extra in ((), sha256, (*sha256, *java)):
        oaep = ("-recip", cert, "-keyopt", "rsa_padding_mode:oaep", *extra)
        encrypt = ("-encrypt", "-binary", "-outform", "DER", "-aes128", *oaep)
        assert opened(openssl(*encrypt, data=CONTENT)) == CONTENT


@pytest.mark.parametrize("how", [{}, {"constructed": True}])
@pytest.mark.parametrize("cipher", crypto.KEY_BYTES)
def test_every_cipher_primitive_and_in_pieces(cipher: str, how: dict[str, bool]) -> None:
    sealed = lab.seal(CONTENT, lab.root().cert, cipher, **how)
    assert cms.read_envelope(sealed).cipher == cipher
    assert opened(sealed) == CONTENT
    assert opened(berify(ber.read(sealed))) == CONTENT


def test_oaep() -> None:
    assert opened(lab.seal(CONTENT, lab.root().cert, oaep=True)) == CONTENT


@pytest.mark.parametrize(("label", "readable"), [(b"", True), (b"x", False)])
def test_a_label_of_oaep_may_be_empty_only(label: bytes, readable: bool) -> None:
    """RFC 4055 4.1: the empty one is the default, which some spell out."""
    sealed = lab.seal(CONTENT, lab.root().cert, oaep=True, label=label)
    if readable:
        assert opened(sealed) == CONTENT
        return
    with pytest.raises(AgentError, match="RSA-OAEP") as caught:
        cms.read_envelope(sealed)
    assert caught.value.code == "certrep-cipher"


def test_every_failure_to_decrypt_is_none() -> None:
    to = lab.root().cert
    wrong = [
        lab.seal(CONTENT, to, broken=True),
        lab.seal(CONTENT, to, spki=lab.public_der("dev")),  # wrapped for another key
        lab.seal(CONTENT, to, serial=5),  # no recipient is ours
        lab.seal(b"", to, broken=True),
    ]
    short = lab.seal(CONTENT, to, "aes128", content_key=b"k" * 16)
    wrong.append(short.replace(b"\x60\x86\x48\x01\x65\x03\x04\x01\x02",
                               b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a"))  # fmt: skip
    for data in wrong:
        assert opened(data) != CONTENT  # None, or by chance a valid padding around noise


def recipients(*infos: bytes, more: int = 1) -> bytes:
    """An envelope for us, with these RecipientInfos in front and ours so many times."""
    node = ber.read(lab.seal(CONTENT, lab.root().cert))
    held = node.children[1].children[0].children[1]
    return rebuilt(node, held, der.tlv(der.SET, *infos, *[held.children[0].raw] * more))


def test_whom_an_envelope_may_name() -> None:
    """Exactly one recipient is us; of the others nothing is used, and their number is capped."""
    other = ber.read(lab.seal(CONTENT, lab.root().cert, serial=5)).children[1].children[0]
    info = other.children[1].children[0].raw
    assert opened(recipients(info)) == CONTENT
    assert opened(recipients(*[info] * (limits.CMS_RECIPIENTS - 1))) == CONTENT
    assert opened(recipients(more=2)) != CONTENT
    with pytest.raises(ber.BerError, match="recipients"):
        cms.read_envelope(recipients(*[info] * limits.CMS_RECIPIENTS))


def test_a_key_that_was_wrapped_with_a_password_is_named() -> None:
    password = der.tlv(der.explicit(3), der.integer(0))
    with pytest.raises(PeerError, match="challenge password") as caught:
        cms.read_envelope(recipients(password, more=0))
    assert caught.value.code == "certrep-password"
    assert opened(recipients(password)) == CONTENT  # the other way is there as well


def test_encrypted_content_is_data() -> None:
    """RFC 8894 3.2.2"""
    node = ber.read(lab.seal(CONTENT, lab.root().cert))
    kind = node.children[1].children[0].children[2].children[0]
    with pytest.raises(ber.BerError, match="no data"):
        cms.read_envelope(rebuilt(node, kind, der.oid(oids.SIGNED_DATA)))


def test_ciphers_that_are_not_known_are_named() -> None:
    sealed = lab.seal(CONTENT, lab.root().cert, "aes128")
    rc2 = sealed.replace(
        der.oid(oids.CIPHERS["aes128"]), der.tlv(der.OID, b"\x60\x86\x48\x01\x65\x03\x04\x01\x07")
    )
    with pytest.raises(PeerError) as caught:
        cms.read_envelope(rc2)
    assert caught.value.code == "certrep-cipher"
    assert "2.16.840.1.101.3.4.1.7" in caught.value.what


def test_a_password_recipient_is_named_where_it_is_the_only_one(tmp_path: Path) -> None:
    cert, _key = pem_files(tmp_path)
    words = ("-encrypt", "-binary", "-outform", "DER", "-aes128", "-pwri_password", "sekret")
    with pytest.raises(PeerError) as caught:
        cms.read_envelope(openssl(*words, data=CONTENT))
    assert caught.value.code == "certrep-password"
    assert opened(openssl(*words, "-recip", cert, data=CONTENT)) == CONTENT


# -- hostile ---------------------------------------------------------------------------------------

SIGNED = lab.signed(CONTENT, {"transaction_id": "ab"}, lab.root())
SEALED = lab.seal(CONTENT, lab.root().cert)


def judge(data: bytes) -> None:
    try:
        message = cms.read_signed(data)
        for signer in message.signers:
            cms.verify(message, signer, party().spki)
    except ber.BerError:
        pass
    try:
        opened(data)
    except (ber.BerError, PeerError):
        pass


@EXAMPLES
@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    judge(data)


@EXAMPLES
@given(st.sampled_from([SIGNED, SEALED]), st.data())
def test_one_flipped_bit(whole: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(whole) * 8 - 1))
    flipped = bytearray(whole)
    flipped[at // 8] ^= 1 << at % 8
    judge(bytes(flipped))


@EXAMPLES
@given(st.sampled_from([SIGNED, SEALED]), st.data())
def test_cut_anywhere(whole: bytes, draw: st.DataObject) -> None:
    cut = draw.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ber.BerError):
        cms.read_signed(whole[:cut])
