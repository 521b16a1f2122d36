"""The certificate inside a reply: for our key, from the CA, in date, and for whom we asked."""

from typing import Any

import pytest
from asn1crypto import x509

from agent import limits
from agent.errors import AgentError
from agent.scep import der, oids
from tests.helpers import scep_lab as lab
from tests.scep.test_trust import REQUEST, code_of, expected, foreign, issued, judge, success


def test_keys() -> None:
    other = issued(spki=lab.public_der("other"))
    assert code_of(success(other)) == "issued-key"
    assert code_of(success(lab.root().der)) == "issued-key"
    assert code_of(success(issued(), issued())) == "issued-key"  # two with our key


def test_issuers() -> None:
    assert code_of(success(issued(foreign()))) == "issued-issuer"
    assert code_of(success(issued(lab.sub()))) == "issued-issuer"  # not in the stored set
    assert code_of(success(issued(lab.root(), issuer_key="foreign"))) == "issued-issuer"
    assert code_of(success(issued(lab.ra_pair()[0])), expected(*lab.ra_pair())) == "issued-issuer"
    assert code_of(success(issued(ca=True))) == "issued-ca"


def test_a_path_that_rfc_5280_does_not_allow() -> None:
    silent = lab.certificate({"common_name": "S"}, "sub", lab.root(), ca=True, usage={"crl_sign"})
    with pytest.raises(AgentError, match="keyCertSign") as caught:
        judge(success(issued(silent)), expected(silent))
    assert caught.value.code == "issued-path"


def test_a_signature_algorithm_that_nobody_here_knows() -> None:
    known, unknown = (der.oid(f"1.2.840.113549.1.1.{last}") for last in (11, 2))
    odd = issued().replace(known, unknown)
    with pytest.raises(AgentError, match="md2WithRSAEncryption, which cannot be ver") as caught:
        judge(success(odd), expected())
    assert caught.value.code == "issued-unverifiable"
    assert "sha256WithRSAEncryption" in caught.value.remedy


def unknown(data: bytes) -> bytes:
    """The same, signed with an algorithm that nobody here verifies."""
    known, other = (der.oid(f"1.2.840.113549.1.1.{last}") for last in (11, 2))
    return data.replace(known, other)


def test_the_signature_of_a_ca_in_between_that_cannot_be_verified() -> None:
    odd = lab.sub()._replace(cert=x509.Certificate.load(unknown(lab.sub().der)))
    with pytest.raises(AgentError) as caught:
        judge(success(issued(lab.sub())), expected(odd))
    assert caught.value.code == "issued-unverifiable"
    assert "the signature of its issuer CN=Lab Sub is md2WithRSAEncryption" in caught.value.what


def test_the_signature_of_an_ra_that_cannot_be_verified() -> None:
    front = lab.ra_pair()[1]
    odd = front._replace(cert=x509.Certificate.load(unknown(front.der)))
    with pytest.raises(AgentError) as caught:
        judge(success(signer=odd), expected(odd, ra=True))
    assert caught.value.code == "certrep-signer"
    assert "its signature is md2WithRSAEncryption, which cannot be verified" in caught.value.what


def test_the_signature_of_a_reply_that_cannot_be_verified() -> None:
    rsa = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    data = success()
    at = data.rindex(rsa)
    pad = der.sequence(der.oid("1.2.840.10040.4.3.1.1"), der.null())
    assert len(pad) == len(rsa)
    with pytest.raises(AgentError) as caught:
        judge(data[:at] + pad + data[at + len(rsa) :], expected())
    assert caught.value.code == "certrep-signature"
    assert "1.2.840.10040.4.3.1.1, which cannot be verified here" in caught.value.what


def test_a_critical_extension_that_nobody_knows() -> None:
    unknown = ("1.2.3.4", True, b"\5\0")
    assert code_of(success(issued(more=[unknown]))) == "issued-critical"
    judge(success(issued(more=[("1.2.3.4", False, b"\5\0")])), expected())


def test_a_certificate_that_no_record_could_hold() -> None:
    large = ("1.2.3.4", False, lab.tlv(4, bytes(limits.CERTIFICATE_BYTES)))
    with pytest.raises(AgentError, match="bytes") as caught:
        judge(success(issued(more=[large])), expected())
    assert caught.value.code == "issued-malformed"


@pytest.mark.parametrize("serial", [-1, 0, 1 << 159])
def test_serial_numbers_that_rfc_5280_does_not_allow(serial: int) -> None:
    """4.1.2.2: positive, at most 20 octets. Of the device's certificate; CAs stay as they are."""
    with pytest.raises(AgentError, match="serial number") as caught:
        judge(success(issued(serial=serial)), expected())
    assert caught.value.code == "issued-malformed"


def test_the_longest_serial_number() -> None:
    judge(success(issued(serial=(1 << 159) - 1)), expected())


def test_a_key_under_another_algorithm_is_not_ours() -> None:
    """The same bits, said to be RSASSA-PSS: nobody could use the certificate with our key."""
    rsa, pss = der.oid(oids.RSA), der.oid(oids.RSA_PSS)
    assert lab.public_der("dev").count(rsa) == 1
    with pytest.raises(AgentError, match="another algorithm") as caught:
        judge(success(issued(spki=lab.public_der("dev").replace(rsa, pss))), expected())
    assert caught.value.code == "issued-malformed"


def test_a_certificate_for_our_key_that_cannot_be_read_says_why() -> None:
    with pytest.raises(AgentError, match="a field is missing") as caught:
        judge(success(b"\x30\x00"), expected())
    assert caught.value.code == "issued-malformed"
    judge(success(b"\x30\x00", issued()), expected())  # whose it is does not matter then


def test_more_certificates_than_come_along() -> None:
    crowd = [issued(spki=lab.public_der("other"), serial=n) for n in range(1, 17)]
    judge(success(issued(), *crowd[:15]), expected())
    with pytest.raises(AgentError, match="it holds 17 certificates") as caught:
        judge(success(issued(), *crowd), expected())
    assert caught.value.code == "certrep-malformed"


def test_dates() -> None:
    ended = issued(start_s=lab.NOW_S - 10 * lab.DAY_S, days=10)
    assert code_of(success(ended)) == "issued-dates"
    assert judge(success(ended), expected(now_s=None)).certificate.der == ended
    soon = issued(start_s=lab.NOW_S + lab.DAY_S)
    against = expected()
    judge(success(soon), against)
    assert any("future" in note for note in against.notes)
    assert code_of(success(issued(start_s=lab.NOW_S + lab.DAY_S + 1))) == "issued-dates"


@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_weak_signatures_of_the_certificate(digest: str) -> None:
    weak = success(issued(digest=digest))
    with pytest.raises(AgentError, match=digest) as caught:
        judge(weak, expected())
    assert caught.value.code == "issued-weak"
    assert f"weak-algorithm {digest}" in caught.value.remedy
    against = expected(weak=[digest])
    judge(weak, against)
    assert any(digest in note for note in against.notes)


@pytest.mark.parametrize(
    ("purposes", "left_out"),
    [
        (["client_auth", "1.3.6.1.5.5.7.3.17"], ""),
        (["client_auth"], "ike"),
        (["server_auth"], "ike, ssl-client"),
        (["2.5.29.37.0"], ""),
        (None, ""),
    ],
)
def test_a_usage_that_the_ca_left_out_is_noted(purposes: list[str] | None, left_out: str) -> None:
    request = REQUEST._replace(key_usage=("ssl-client", "ike"))
    against = expected()._replace(request=request)
    judge(success(issued(**({"purposes": purposes} if purposes else {}))), against)
    noted = [f"the CA left out of the `key-usage`: {left_out}"] if left_out else []
    assert against.notes == noted


X509 = lab.x509
OTHER_NAME = X509.Name.build({"common_name": "other", "organization_name": "Lab"})
CASED = X509.Name.build({"organization_name": "LAB", "common_name": "Dev1 "})
MORE = X509.Name.build({"organization_name": "Lab", "common_name": "dev1", "country_name": "DE"})
NO_SANS: list[Any] = []
DNS = X509.GeneralName("dns_name", "DEV1.example")
MORE_SANS = [DNS, X509.GeneralName("dns_name", "more.example")]


@pytest.mark.parametrize(
    ("how", "strict", "standard"),
    [
        ({}, True, True),
        ({"subject": CASED, "sans": [DNS]}, True, True),
        ({"subject": MORE}, False, True),
        ({"sans": MORE_SANS}, False, True),
        ({"subject": OTHER_NAME}, False, False),
        ({"sans": NO_SANS}, False, False),
    ],
)
def test_subject_match(how: dict[str, Any], strict: bool, standard: bool) -> None:
    data = success(issued(**how))
    for match, good in (("strict", strict), ("standard", standard), ("key-only", True)):
        against = expected(match=match)
        if not good:
            assert code_of(data, against) == "issued-subject"
            continue
        judge(data, against)
        assert bool(against.notes) == (not strict)
