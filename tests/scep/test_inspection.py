"""Certificates, requests and CRLs as text and as maps, beside what openssl says of them."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import AgentError
from agent.scep import inspection
from hal import cbor
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab
from tests.scep.test_crl import built, openssl_crl
from tests.scep.test_describe import normal
from tests.scep.test_request import made


def run(kind: str, *ders: bytes) -> tuple[list[str], list[dict[str, Any]]]:
    found = inspection.run({"kind": kind, "ders": list(ders)})
    assert cbor.loads(cbor.dumps(found), max_bytes=1 << 20) == found
    return found["texts"], found["items"]  # type: ignore[return-value]


def one(kind: str, data: bytes) -> tuple[str, dict[str, Any]]:
    (text,), (item,) = run(kind, data)
    return text, item


def missing(text: str, theirs: bytes, *differing: str) -> list[str]:
    """Lines of openssl that ours does not have, but for those that begin so."""
    ours = [normal(line) for line in text.splitlines()]
    wanted = [line for line in map(normal, theirs.decode().splitlines()) if line]
    return [line for line in wanted if line not in ours and not line.startswith(differing)]


def test_a_certificate_as_a_map() -> None:
    sans = [lab.x509.GeneralName("dns_name", "a.example")]
    usage = {"digital_signature", "key_encipherment"}
    party = lab.certificate(
        {"common_name": "dev1"}, "dev", lab.root(), sans=sans, usage=usage, serial=0xABC,
        purposes=["server_auth", "1.3.6.1.5.5.7.3.17", "1.2.3"],
    )  # fmt: skip
    _, item = one("certificate", party.der)
    assert item == {
        "subject": "CN=dev1",
        "issuer": "C=DE, CN=Lab Root",
        "serial": "abc",
        "not_before_s": lab.NOW_S - lab.DAY_S,
        "not_after_s": lab.NOW_S + 364 * lab.DAY_S,
        "key": "rsa 2048",
        "signature": "sha256WithRSAEncryption",
        "subject_alternative_names": ["DNS:a.example"],
        "key_usage": ["digitalSignature", "keyEncipherment"],
        "extended_key_usage": ["1.2.3", "IPsec IKE", "TLS Web Server Authentication"],
        "is_ca": False,
        "sha1": party.cert.sha1.hex(),
        "sha256": party.cert.sha256.hex(),
    }


def test_a_certificate_with_little_in_it() -> None:
    _, item = one("certificate", lab.sub().der)
    assert item["is_ca"] is True
    assert (
        item["subject_alternative_names"] == item["key_usage"] == item["extended_key_usage"] == []
    )


def test_keys_of_other_kinds() -> None:
    words = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-subj", "/CN=x", "-outform", "der", "-keyout", "/dev/null")  # fmt: skip
    _, item = one("certificate", files.openssl(*words))
    assert (item["key"], item["signature"]) == ("ec P-256", "ecdsa-with-sha256")
    words = ("req", "-x509", "-newkey", "ed25519", *words[6:])
    _, item = one("certificate", files.openssl(*words))
    assert (item["key"], item["signature"]) == ("1.3.101.112", "ED25519")


def test_a_request_beside_openssl() -> None:
    data = made("sekret")
    text, item = one("request", data)
    theirs = files.openssl("req", "-inform", "der", "-noout", "-text", data=data)
    assert missing(text, theirs, "Subject:", "challengePassword", "ipsec Internet Key") == []
    assert "sekret" not in text + str(item)
    assert "challengePassword :******" in [normal(line) for line in text.splitlines()]
    assert item["subject"] == "O=Lab, CN=dev1"
    assert item["challenge_password"] is True
    assert item["subject_alternative_names"] == ["DNS:dev1.example"]
    assert item["extended_key_usage"] == ["IPsec IKE"]
    assert item["key"] == "rsa 2048"


def test_a_request_without_attributes() -> None:
    data = made(None, (), fqdn=None)
    text, item = one("request", data)
    theirs = files.openssl("req", "-inform", "der", "-noout", "-text", data=data)
    assert missing(text, theirs, "Subject:", "Requested Extensions:") == []
    assert item["challenge_password"] is False


def test_a_crl_beside_openssl(tmp_path: Path) -> None:
    data = openssl_crl(tmp_path, "0A,keyCompromise", "FEDCBA9876543210FF")
    text, item = one("crl", data)
    theirs = files.openssl("crl", "-inform", "der", "-noout", "-text", data=data)
    differing = ("Issuer:", "Revoked",
                 "CRL entry extensions", "X509v3 CRL Reason Code", "Key Compromise",
                 "X509v3 CRL Number", "4096", "DirName")  # fmt: skip
    assert missing(text, theirs, *differing) == []
    assert "Revoked Certificates: 2" in text
    assert "X509v3 CRL Reason Code: keyCompromise" in text
    assert item["revoked_count"] == 2
    assert [entry["serial"] for entry in item["revoked"]] == ["a", "fedcba9876543210ff"]
    assert item["next_update_s"] - item["this_update_s"] == 7 * lab.DAY_S


def test_a_long_crl_says_how_many_more() -> None:
    text, item = one("crl", built(1000))
    assert "Revoked Certificates: 1000" in text
    assert "... and 936 more" in text
    assert (item["revoked_count"], len(item["revoked"])) == (1000, 64)
    text, _ = one("crl", built(0))
    assert "No Revoked Certificates." in text


@pytest.mark.parametrize("kind", ["certificate", "request", "crl"])
def test_what_cannot_be_read_costs_only_itself(kind: str) -> None:
    good = {"certificate": lab.root().der, "request": made(), "crl": built(1)}
    texts, items = run(kind, b"junk", good[kind], b"")
    assert ["error" in item for item in items] == [True, False, True]
    assert "cannot be read" in texts[0]
    assert items[0] == {"error": texts[0]}


def test_pem_is_shown_like_the_der_inside() -> None:
    for data in (files.certificate_pem(lab.root()), b"text\n" + files.certificate_pem(lab.root())):
        assert one("certificate", data) == one("certificate", lab.root().der)
    text, item = one("certificate", files.certificate_pem(lab.root())[:-30])
    assert text.startswith("Certificate: ")
    assert "cannot be read" in item["error"]


def test_another_kind_is_a_fault_of_ours() -> None:
    with pytest.raises(AgentError) as caught:
        run("else")
    assert caught.value.code == "job-request"


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.data(), st.sampled_from(["certificate", "request", "crl"]))
def test_damage_never_raises_and_nothing_drives_a_terminal(data: st.DataObject, kind: str) -> None:
    good = {"certificate": lab.sub().der, "request": made(), "crl": built(3)}
    whole = bytearray(good[kind])
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    text, item = one(kind, bytes(whole))
    assert all(line.isprintable() for line in text.splitlines())
    assert ("error" in item) == ("cannot be read" in text)
