"""Every reason for which a reply is refused, one at a time, and what is accepted with a note."""

import functools
from collections.abc import Sequence
from typing import Any

import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import AgentError
from agent.scep import caset, certificate, crypto, messages, trust
from agent.scep.ra import RaRules
from tests.helpers import scep_ca
from tests.helpers import scep_lab as lab

ENTITY = {"common_name": "dev1", "organization": "Lab", "fqdn": "dev1.example"}
NONCE = b"0123456789abcdef"
REQUEST = messages.Request("ab" * 16, lab.NOW_S, "sha-256", ENTITY, (), "sekret")
SETTINGS = settings(derandomize=True, deadline=None, max_examples=150)


def expected(
    *others: lab.Party, match: str = "standard", compatibility: Sequence[str] = (),
    ra: bool | RaRules = False, **rules: Any,
) -> trust.Expected:  # fmt: skip
    front = ra if isinstance(ra, RaRules) else RaRules() if ra else None
    judged = caset.Rules(rules.get("now_s", lab.NOW_S), frozenset(rules.get("weak", ())))
    pin = crypto.digest("sha-256", lab.root().der).hex()
    ca = caset.load([lab.root().der, *(p.der for p in others)], pin, judged)
    return trust.Expected(
        ca, front, REQUEST, NONCE, messages.signer_certificate(REQUEST, lab.own("dev")),
        lab.own("dev"), lab.public_der("dev"), match,
        frozenset(compatibility), [],
    )  # fmt: skip


@functools.cache
def received() -> scep_ca.Received:
    key = lab.own("dev")
    signer = messages.signer_certificate(REQUEST, key)
    recipient = certificate.read(lab.root().der)
    out = messages.Outgoing(signer, key, recipient, "aes128", NONCE, lab.NOW_S)
    content = messages.certification_request(REQUEST, key)
    return scep_ca.receive(messages.pki_message(19, content, REQUEST, out), lab.root())


def issued(issuer: lab.Party | None = None, **how: Any) -> bytes:
    request = scep_ca.read_request(received().content)
    return scep_ca.issue(request, issuer or lab.root(), **how)


def success(
    *certificates: bytes, signer: lab.Party | None = None, cipher: str = "aes128",
    seal: dict[str, Any] | None = None, **how: Any,
) -> bytes:  # fmt: skip
    inner = lab.degenerate(list(certificates) or [issued()])
    envelope = lab.seal(inner, received().signer, cipher, **(seal or {}))
    return scep_ca.cert_rep(received(), signer or lab.root(), envelope, **how)


def judge(data: bytes, against: trust.Expected) -> trust.Issued:
    return trust.issued(trust.accept(data, against), against)


def code_of(data: bytes, against: trust.Expected | None = None) -> str:
    with pytest.raises(AgentError) as caught:
        judge(data, against or expected())
    assert "{" not in caught.value.what + caught.value.cause + caught.value.remedy
    return caught.value.code


# -- what is accepted ------------------------------------------------------------------------------


def test_a_good_reply() -> None:
    against, cert = expected(match="strict"), issued()
    found = judge(success(cert), against)
    assert found.certificate.der == cert
    assert found.chain == [lab.root().der]
    assert against.notes == []


@pytest.mark.parametrize("cipher", ["aes128", "aes192", "aes256", "3des"])
@pytest.mark.parametrize("seal", [{}, {"constructed": True}, {"oaep": True}])
def test_ciphers_and_encodings(cipher: str, seal: dict[str, Any]) -> None:
    assert judge(success(cipher=cipher, seal=seal), expected()).certificate.serial


def test_certificates_in_any_order_and_strangers_among_them() -> None:
    stranger = lab.certificate({"common_name": "other"}, "other", lab.root())
    cert = issued()
    inner = [lab.root().der, stranger.der, b"\x30\x03\x02\x01\x05", cert, cert]
    everyone = [stranger.cert, lab.root().cert]
    assert judge(success(*inner, certificates=everyone), expected()).certificate.der == cert


def test_no_certificate_in_the_reply() -> None:
    assert judge(success(certificates=[]), expected()).certificate


def test_signed_by_an_ra_of_the_set_and_by_key_identifier() -> None:
    signer = lab.ra_pair()[1]
    stored = expected(*lab.ra_pair(), ra=True)
    judge(success(signer=signer, certificates=[]), stored)
    assert stored.notes == []
    named = lab.certificate({"common_name": "RA"}, "ra-sig", lab.root(), key_id=b"id",
                            purposes=["1.3.6.1.4.1.311.20.2.1"])  # fmt: skip
    judge(success(signer=named, by_key_id=True), expected(named, ra=True))


@pytest.mark.parametrize("ra", [False, True])
def test_signed_by_the_ca_or_one_below_it(ra: bool) -> None:
    judge(success(certificates=[]), expected(ra=ra))
    judge(success(signer=lab.sub(), certificates=[]), expected(lab.sub(), ra=ra))


def test_issued_by_a_ca_below_the_pin() -> None:
    found = judge(success(issued(lab.sub())), expected(lab.sub()))
    assert found.chain == [lab.sub().der, lab.root().der]


def test_pending_is_read_before_any_certificate() -> None:
    for content in (None, b"", b"\0"):
        data = scep_ca.cert_rep(received(), lab.root(), content, status="3")
        assert trust.accept(data, expected()).status == "3"


def test_a_reply_without_sender_nonce() -> None:
    assert judge(success(sender_nonce=None), expected()).certificate


# -- what is refused, in the order of the checks ---------------------------------------------------

FOREIGN = {"common_name": "Lab Root", "country_name": "DE"}


def foreign() -> lab.Party:
    return lab.certificate(FOREIGN, "foreign", None, ca=True)


def test_signatures_and_signers() -> None:
    assert code_of(success(other_key="dev")) == "certrep-signature"
    assert code_of(success(signer=foreign())) == "certrep-signer"
    unrelated = lab.certificate({"common_name": "dev1"}, "dev", None)
    assert code_of(success(signer=unrelated)) == "certrep-signer"
    assert code_of(success(signer=unrelated, certificates=[])) == "certrep-signer"
    below = lab.certificate({"common_name": "x"}, "third", lab.ra_pair()[0])
    assert code_of(success(signer=below), expected(below, ra=True)) == "certrep-signer"
    ended = lab.certificate({"common_name": "RA"}, "ra-sig", lab.root(), days=1,
                            start_s=lab.NOW_S - 3 * lab.DAY_S,
                            purposes=["1.3.6.1.4.1.311.20.2.1"])  # fmt: skip
    assert code_of(success(signer=ended), expected(ended, ra=True)) == "certrep-signer"
    assert judge(success(signer=ended), expected(ended, ra=True, now_s=None)).certificate


def test_a_customer_of_the_ca_signs_no_reply() -> None:
    """Its certificate is in the stored set and chains to the pin; it has no purpose of an RA."""
    customer = lab.certificate({"common_name": "x"}, "third", lab.root(), purposes=["client_auth"])
    assert code_of(success(signer=customer), expected(customer, ra=True)) == "certrep-signer"


@pytest.mark.parametrize("count", [0, 2])
def test_exactly_one_signer(count: int) -> None:
    with pytest.raises(AgentError, match="not exactly one signer") as caught:
        judge(with_signers(success(), count), expected())
    assert caught.value.code == "certrep-malformed"


def with_signers(data: bytes, count: int) -> bytes:
    message = cms.ContentInfo.load(data)
    signers = message["content"]["signer_infos"]
    message["content"]["signer_infos"] = [signers[0]] * count
    made: bytes = message.dump(force=True)
    return made


def test_a_certificate_with_the_issuer_and_serial_of_the_signer_does_not_replace_it() -> None:
    twin = lab.certificate(
        FOREIGN, "foreign", None, ca=True, serial=lab.root().cert.serial_number,
        issuer_name=lab.root().cert.subject,
    )  # fmt: skip
    assert code_of(success(signer=twin)) == "certrep-signature"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"transaction": "cd" * 16}, "certrep-transaction"),
        ({"transaction": None}, "certrep-transaction"),
        ({"nonce": b"x" * 16}, "certrep-nonce"),
        ({"nonce": NONCE[:8]}, "certrep-nonce-short"),
        ({"nonce": NONCE[:7]}, "certrep-nonce"),
        ({"nonce": None}, "certrep-nonce"),
        ({"kind": "19"}, "certrep-type"),
        ({"kind": None}, "certrep-type"),
        ({"status": "1"}, "certrep-status"),
        ({"status": "00"}, "certrep-status"),
        ({"status": None}, "certrep-status"),
        ({"attributes": {"content_type": None}}, "certrep-signature"),
        ({"attributes": {"message_digest": b"x" * 32}}, "certrep-signature"),
    ],
)
def test_attributes(how: dict[str, Any], code: str) -> None:
    assert code_of(success(**how)) == code


def test_the_first_fault_in_the_order_is_the_one_that_is_told() -> None:
    everything = {"transaction": "x", "nonce": b"x", "kind": "1", "status": "9"}
    codes = []
    for name, good in (("none", ""), ("transaction", REQUEST.transaction), ("nonce", NONCE),
                       ("kind", "3"), ("status", "0")):  # fmt: skip
        everything[name] = good
        how = {k: v for k, v in everything.items() if k != "none"}
        codes.append(code_of(success(lab.root().der, **how)))
    assert codes == ["certrep-transaction", "certrep-nonce", "certrep-type", "certrep-status",
                     "issued-key"]  # fmt: skip


def test_a_shortened_nonce_where_the_realm_allows_it() -> None:
    against = expected(compatibility=["short-nonce"])
    judge(success(nonce=NONCE[:8]), against)
    assert any("short-nonce" in note for note in against.notes)
    for nonce in (NONCE[:7], b"", NONCE[1:9], None):
        assert code_of(success(nonce=nonce), against) == "certrep-nonce"


@pytest.mark.parametrize(
    ("number", "code"),
    [("0", "ca-badAlg"), ("1", "ca-badMessageCheck"), ("2", "ca-badRequest"), ("3", "ca-badTime"),
     ("4", "ca-badCertId"), ("5", "ca-failure"), ("-1", "ca-failure"), (None, "ca-failure")],
)  # fmt: skip
@pytest.mark.parametrize("content", [None, b"", b"\0"])
def test_refusals(number: str | None, code: str, content: bytes | None) -> None:
    how = {"status": "2", "fail_info": number}
    assert code_of(scep_ca.cert_rep(received(), lab.root(), content, **how)) == code


def test_the_words_of_the_ca_are_shown_safely() -> None:
    how = {"status": "2", "fail_info": "2", "fail_info_text": "no\x1b[2J\n" + "x" * 1000,
           "hresult": "-2147024809"}  # fmt: skip
    data = scep_ca.cert_rep(received(), lab.root(), b"\0", certificates=[], digest="sha1", **how)
    with pytest.raises(AgentError) as caught:
        trust.accept(data, expected())
    assert r"(no\x1b[2J xxx" in caught.value.what
    assert caught.value.what.isprintable()
    assert len(caught.value.what) < 300
    short = {**how, "fail_info_text": "no"}
    data = scep_ca.cert_rep(received(), lab.root(), None, **short)
    with pytest.raises(AgentError, match="HRESULT -2147024809"):
        trust.accept(data, expected())


def test_whatever_is_wrong_with_the_envelope_is_one_error() -> None:
    wrong = [
        {"broken": True},
        {"spki": lab.public_der("other")},
        {"serial": 77},
        {"content_key": b"k" * 16, "cipher": "aes128", "spki": lab.public_der("root")},
    ]
    errors = set()
    for seal in wrong:
        how = {k: v for k, v in seal.items() if k != "cipher"}
        with pytest.raises(AgentError) as caught:
            judge(success(seal=how), expected())
        errors.add(tuple(caught.value.as_map().items()))
    garbage = lab.seal(b"not a SignedData", received().signer)
    with pytest.raises(AgentError) as caught:
        judge(scep_ca.cert_rep(received(), lab.root(), garbage), expected())
    errors.add(tuple(caught.value.as_map().items()))
    assert len(errors) == 1
    assert caught.value.code == "cannot-decrypt"


def test_success_without_an_envelope() -> None:
    for content in (None, b"", b"\0"):
        data = scep_ca.cert_rep(received(), lab.root(), content)
        assert code_of(data) == "certrep-malformed"


def test_no_bytes_at_all_and_an_error_page() -> None:
    for data in (b"", b"\x30\x00", b"<html>down</html>"):
        assert code_of(data) == "certrep-malformed"
    with pytest.raises(AgentError) as caught:
        trust.accept(b"<html><title>Sorry</title>down</html>", expected())
    assert caught.value.cause.endswith(": Sorry: down")


def test_weak_signatures_of_the_reply() -> None:
    against = expected()
    judge(success(digest="sha1"), against)
    assert against.notes == ["the signature of the reply uses sha1"]
    assert code_of(success(digest="md5")) == "certrep-weak-signature"
    allowed = expected(weak=["md5"])
    judge(success(digest="md5"), allowed)
    assert any("md5" in note for note in allowed.notes)


def test_single_des_only_where_it_is_allowed() -> None:
    data = success(cipher="des", seal={"constructed": True})
    with pytest.raises(AgentError, match="single DES") as caught:
        judge(data, expected())
    assert caught.value.code == "certrep-weak-cipher"
    assert "weak-algorithm des" in caught.value.remedy
    assert "broken" in caught.value.remedy
    against = expected(weak=["des"])
    judge(data, against)
    assert any("des" in note for note in against.notes)


# -- hostile ---------------------------------------------------------------------------------------


@pytest.mark.slow
@SETTINGS
@given(st.binary(max_size=500))
def test_random_bytes_are_errors(data: bytes) -> None:
    with pytest.raises(AgentError):
        trust.accept(data, expected())


@functools.cache
def sample() -> bytes:
    return success(lab.root().der, issued(), seal={"constructed": True})


@pytest.mark.slow
@SETTINGS
@given(st.data())
def test_one_flipped_bit_is_an_error_or_changes_nothing(data: st.DataObject) -> None:
    """What may change without notice: the unsigned parts, of which only certificates are used."""
    whole = bytearray(sample())
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    try:
        found = judge(bytes(whole), expected(match="strict"))
    except AgentError:
        return
    assert found.certificate.issued_by(certificate.read(lab.root().der))
    assert found.certificate.spki == lab.public_der("dev")


@pytest.mark.slow
@SETTINGS
@given(st.data())
def test_one_flipped_bit_inside_a_signed_envelope(data: st.DataObject) -> None:
    envelope = bytearray(lab.seal(lab.degenerate([issued()]), received().signer))
    at = data.draw(st.integers(0, len(envelope) * 8 - 1))
    envelope[at // 8] ^= 1 << at % 8
    against = expected(match="strict")
    try:
        found = judge(scep_ca.cert_rep(received(), lab.root(), bytes(envelope)), against)
    except AgentError:
        return
    assert found.certificate.issued_by(certificate.read(lab.root().der))
