"""Two sides: what our writer wrote, read by asn1crypto and `cryptography`, and the other way round.

`--hypothesis-profile=nightly` tries thousands. The same against openssl is
`scep/test_twosided_openssl.py`.
"""

import ipaddress
from typing import Any

import pytest
from asn1crypto import cms as reference
from asn1crypto import core, csr, parser
from asn1crypto import x509 as asn1
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep import (
    ber,
    certificate,
    cms,
    cms_writer,
    crypto,
    messages,
    names,
    oids,
)
from agent.scep import request as pkcs10
from tests.helpers import scep_ca
from tests.helpers import scep_lab as lab
from tests.helpers.scep_random import CIPHERS, DRAWN, KEYS, TREES, Drawn
from tests.scep.test_ber import berify

# `settings()` is the profile that was asked for; an example costs some signatures.
EXAMPLES = settings(
    deadline=None, derandomize=True, max_examples=max(settings().max_examples // 10, 60)
)
SHA1_AND_MD5 = ("md5", "sha1")  # whose signatures newer libraries do not verify
ATTRIBUTES = {
    oids.TRANSACTION_ID: core.PrintableString,
    oids.MESSAGE_TYPE: core.PrintableString,
    oids.SENDER_NONCE: core.OctetString,
}


def party() -> certificate.Certificate:
    return certificate.read(lab.root().der)


def content_of(drawn: Drawn) -> bytes:
    """What the message carries."""
    issuer = party()
    if drawn.kind == messages.CERT_POLL:
        return messages.poll_content(issuer.subject_der, drawn.request)
    if drawn.kind == messages.GET_CRL:
        return cms_writer.issuer_and_serial(issuer.subject_der, issuer.serial)
    return messages.certification_request(drawn.request, lab.own(drawn.key, KEYS[drawn.key]))


def message_of(drawn: Drawn) -> bytes:
    key = lab.own(drawn.key, KEYS[drawn.key])
    signer = messages.signer_certificate(drawn.request, key)
    time_s = drawn.request.time_s if drawn.dated else None
    out = messages.Outgoing(signer, key, party(), drawn.cipher, drawn.nonce, time_s)
    return messages.pki_message(drawn.kind, content_of(drawn), drawn.request, out)


def encoded_again(value: Any) -> bytes:
    """By asn1crypto's writer, from the values that its reader found."""
    whole: bytes = value.copy().dump(force=True)
    return whole


# -- ours, read by others --------------------------------------------------------------------------


@pytest.mark.slow
@EXAMPLES
@given(DRAWN)
def test_a_message_as_asn1crypto_reads_it(drawn: Drawn) -> None:
    data = message_of(drawn)
    got = scep_ca.receive(data, lab.root())  # strict; verifies and decrypts
    assert got.content == content_of(drawn)
    assert got.attributes["transaction_id"] == drawn.request.transaction
    assert got.attributes["message_type"] == str(drawn.kind)
    assert got.attributes["sender_nonce"] == drawn.nonce
    assert ("signing_time" in got.attributes) == drawn.dated
    loaded = reference.ContentInfo.load(data, strict=True)
    assert encoded_again(loaded) == data
    envelope = loaded["content"]["encap_content_info"]["content"].native
    assert encoded_again(reference.ContentInfo.load(envelope, strict=True)) == envelope


@pytest.mark.slow
@EXAMPLES
@given(DRAWN)
def test_a_message_as_we_read_it(drawn: Drawn) -> None:
    data = message_of(drawn)
    message = cms.read_signed(data)
    (signer,) = message.signers
    mine = certificate.read(message.certificates[0])
    assert mine == messages.signer_certificate(drawn.request, lab.own(drawn.key, KEYS[drawn.key]))
    assert signer.identifier.find([party(), mine]) == mine
    assert cms.verify(message, signer, mine.spki) == ""
    envelope = cms.read_envelope(message.content)
    assert envelope.cipher == drawn.cipher
    assert cms.decrypt(envelope, lab.own("root"), party().serial) == content_of(drawn)
    assert ber.read(data).der() == data
    assert ber.read(berify(ber.read(data))).der() == data


def wanted_subject(entity: dict[str, Any]) -> list[tuple[str, str]]:
    """(type, value) in the order of a subject."""
    rows = [(kind, entity[field]) for field, kind in (
        ("country", "2.5.4.6"), ("state", "2.5.4.8"), ("locality", "2.5.4.7"),
        ("organization", "2.5.4.10"), ("organization_unit", "2.5.4.11"),
        ("common_name", "2.5.4.3"), ("serial_number", "2.5.4.5"),
    )]  # fmt: skip
    return [
        (kind, value)
        for kind, field in rows
        for value in (field if isinstance(field, list) else [field])
        if value
    ]


def wanted_alternatives(entity: dict[str, Any]) -> list[tuple[str, str]]:
    addresses = [("ip_address", address) for address in entity["ip_addresses"]]
    rows = (("dns_name", entity["fqdn"]), ("rfc822_name", entity["email"]))
    return [*addresses, *((kind, value) for kind, value in rows if value)]


@pytest.mark.slow
@EXAMPLES
@given(DRAWN)
def test_a_request_as_asn1crypto_reads_it(drawn: Drawn) -> None:
    data = messages.certification_request(drawn.request, lab.own("dev"))
    loaded = scep_ca.read_request(data)
    assert encoded_again(loaded) == data
    subject = loaded["certification_request_info"]["subject"].chosen
    found = [(one["type"].dotted, one["value"].native) for rdn in subject for one in rdn]
    assert found == wanted_subject(drawn.request.entity)
    wanted = {item["extn_id"].native: item for item in scep_ca.requested_extensions(loaded)}
    if "subject_alt_name" in wanted:
        general = wanted["subject_alt_name"]["extn_value"].parsed
        assert [(one.name, one.chosen.contents) for one in general] == [
            (kind, ipaddress.ip_address(text).packed if kind == "ip_address" else text.encode())
            for kind, text in wanted_alternatives(drawn.request.entity)
        ]
    else:
        assert not wanted_alternatives(drawn.request.entity)
    assert challenge_of(loaded) == drawn.request.password
    assert ("extended_key_usage" in wanted) == bool(drawn.request.key_usage)


def challenge_of(loaded: csr.CertificationRequest) -> str | None:
    for attribute in loaded["certification_request_info"]["attributes"]:
        if attribute["type"].dotted == oids.CHALLENGE_PASSWORD:
            text: str = core.load(attribute["values"][0].dump()).native
            return text
    return None


@EXAMPLES
@given(DRAWN)
def test_a_request_as_cryptography_reads_it(drawn: Drawn) -> None:
    data = messages.certification_request(drawn.request, lab.own("dev"))
    loaded = x509.load_der_x509_csr(data)
    found = [(one.oid.dotted_string, one.value) for one in loaded.subject]
    assert found == wanted_subject(drawn.request.entity)
    if drawn.request.digest not in SHA1_AND_MD5:
        assert loaded.is_signature_valid
    try:
        general = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        alternatives = [str(one.value) for one in general]
    except x509.ExtensionNotFound:
        alternatives = []
    assert alternatives == [value for _, value in wanted_alternatives(drawn.request.entity)]


@EXAMPLES
@given(DRAWN)
def test_a_request_as_we_read_it(drawn: Drawn) -> None:
    found = pkcs10.read(messages.certification_request(drawn.request, lab.own("dev")))
    entity = drawn.request.entity
    assert [(a.kind, a.value) for rdn in found.subject for a in rdn] == wanted_subject(entity)
    assert found.spki == lab.public_der("dev")
    alternatives = certificate.read_alternative_names(found.extensions.get(oids.SUBJECT_ALT_NAME))
    kinds = {"IP Address": "ip_address", "DNS": "dns_name", "email": "rfc822_name"}
    assert [(kinds[a.kind], a.value) for a in alternatives] == wanted_alternatives(entity)
    challenge = found.attributes.get(oids.CHALLENGE_PASSWORD)
    assert (None if challenge is None else challenge.text()) == drawn.request.password


@pytest.mark.slow
@EXAMPLES
@given(DRAWN)
def test_the_signer_as_others_read_it(drawn: Drawn) -> None:
    key = lab.own(drawn.key, KEYS[drawn.key])
    mine = messages.signer_certificate(drawn.request, key)
    loaded = asn1.Certificate.load(mine.der, strict=True)
    assert encoded_again(loaded) == mine.der
    assert loaded.serial_number == mine.serial
    assert loaded.subject.dump() == mine.subject_der
    library = x509.load_der_x509_certificate(mine.der)
    assert library.serial_number == mine.serial
    found = [(one.oid.dotted_string, one.value) for one in library.subject]
    assert found == wanted_subject(drawn.request.entity)
    assert int(loaded.not_valid_before.timestamp()) == mine.not_before_s
    assert int(loaded.not_valid_after.timestamp()) == mine.not_after_s


# -- trees -----------------------------------------------------------------------------------------


@EXAMPLES
@given(TREES)
def test_a_tree_comes_back_to_the_byte(data: bytes) -> None:
    assert ber.read(data).der() == data
    assert ber.read(berify(ber.read(data))).der() == data


@EXAMPLES
@given(TREES)
def test_a_tree_as_asn1crypto_sees_it(data: bytes) -> None:
    compare(ber.read(data), data)
    long = berify(ber.read(data))
    compare(ber.read(long), long)


def compare(node: ber.Node, data: bytes) -> None:
    """Class, method, number and content of each element, by both readers."""
    kind, method, number, _header, body, _trailer = parser.parse(data, strict=True)
    assert node.tag == kind << 6 | method << 5 | number
    assert node.content == body
    assert len(node.children) == 0 or method == 1
    at = 0
    for child in node.children:
        compare(child, child.raw)
        assert body[at : at + len(child.raw)] == child.raw
        at += len(child.raw)
    assert at == (len(body) if method else 0)


# -- others', read by us ---------------------------------------------------------------------------


@EXAMPLES
@given(
    st.sampled_from(["md5", "sha1", "sha256", "sha384", "sha512"]),
    st.sampled_from(sorted(crypto.KEY_BYTES)),
    st.binary(max_size=2000),
    st.sampled_from([{}, {"oaep": True}, {"constructed": True}]),
    st.booleans(),
)
def test_a_reply_of_asn1crypto(
    digest: str, cipher: str, plain: bytes, how: dict[str, bool], long: bool
) -> None:
    sealed = lab.seal(plain, lab.root().cert, cipher, **how)
    data = lab.signed(sealed, {"transaction_id": "ab" * 16}, lab.root(), digest=digest)
    message = cms.read_signed(berify(ber.read(data)) if long else data)
    assert message.content == sealed
    assert [ber.read(one).der() for one in message.certificates] == [lab.root().der]
    (signer,) = message.signers
    assert signer.digest == {"sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512"}.get(
        digest, digest
    )
    assert cms.verify(message, signer, party().spki) == ""
    body = berify(ber.read(message.content)) if long else message.content
    envelope = cms.read_envelope(body)
    assert cms.decrypt(envelope, lab.own("root"), party().serial) == plain
    loaded = reference.ContentInfo.load(data)["content"]
    assert [node.der() for node in signer.attributes[oids.TRANSACTION_ID]] == [
        value.dump()
        for attribute in loaded["signer_infos"][0]["signed_attrs"]
        if attribute["type"].dotted == oids.TRANSACTION_ID
        for value in attribute["values"]
    ]


NAMES = st.lists(
    st.tuples(
        st.sampled_from(["common_name", "organization_name", "locality_name", "title"]),
        st.sampled_from(["utf8_string", "printable_string", "bmp_string", "universal_string",
                         "teletex_string"]),
        st.text("ABCZabcz0189 '()+,-./:=?", min_size=1, max_size=40),
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip


@EXAMPLES
@given(NAMES)
def test_a_name_of_asn1crypto_with_every_type_of_string(rows: list[tuple[str, str, str]]) -> None:
    relative = [
        asn1.RelativeDistinguishedName(
            [{"type": kind, "value": asn1.DirectoryString(name=form, value=text)}]
        )
        for kind, form, text in rows
    ]
    made = asn1.Name(name="", value=asn1.RDNSequence(relative))
    found = names.read(ber.read(made.dump()))
    wanted = [(asn1.NameType(kind).dotted, text) for kind, _, text in rows]
    assert [(a.kind, a.value) for rdn in found for a in rdn] == wanted
    assert ber.read(berify(ber.read(made.dump()))).der() == made.dump()


@pytest.mark.parametrize("cipher", CIPHERS)
def test_a_damaged_message_is_seen_by_both_sides(cipher: str) -> None:
    """The comparisons above can fail."""
    data = cms_writer.encrypt(b"content", party(), cipher)
    changed = data[:-1] + bytes((data[-1] ^ 1,))
    assert encoded_again(reference.ContentInfo.load(changed)) == changed != data
    with pytest.raises(ValueError, match="Insufficient data"):
        reference.ContentInfo.load(data[:-1], strict=True)
    with pytest.raises(AssertionError):
        compare(ber.read(data), changed)
