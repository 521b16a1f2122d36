"""Certificates as text, line by line beside `openssl x509 -text`."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep import ber, der, inspection
from tests.helpers import scep_lab as lab

EXTENSIONS = """
basicConstraints = critical,CA:TRUE,pathlen:3
keyUsage = critical,digitalSignature,nonRepudiation,keyEncipherment,keyCertSign,cRLSign
extendedKeyUsage = serverAuth,clientAuth,1.3.6.1.5.5.7.3.17,1.2.3.4
subjectAltName = DNS:a.example,IP:192.0.2.1,IP:2001:db8::1,email:a@b.example,URI:http://x/y
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer:always
crlDistributionPoints = URI:http://crl.example/ca.crl
authorityInfoAccess = OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/ca.cer
certificatePolicies = 1.2.3.4.5
1.2.3.4.5.6 = ASN1:UTF8String:unknown to us
"""


def openssl(folder: Path, *key: str, extensions: str = EXTENSIONS) -> tuple[bytes, str]:
    """A self-signed certificate, and openssl's text of it."""
    config = folder / "c.cnf"
    config.write_text(
        "[req]\ndistinguished_name = dn\nx509_extensions = ext\nprompt = no\n"
        f"[dn]\nC = DE\nO = Lab\nCN = Zoe\n[ext]\n{extensions}"
    )
    made = subprocess.run(
        ["openssl", "req", "-x509", "-config", str(config), "-newkey", *key, "-nodes", "-days",
         "30", "-keyout", str(folder / "k.pem"), "-outform", "der"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    text = subprocess.run(
        ["openssl", "x509", "-inform", "der", "-noout", "-text"],
        input=made, check=True, capture_output=True,
    ).stdout.decode()  # fmt: skip
    return made, text


def shown(data: bytes, kind: str = "certificate") -> str:
    """The text of what may be anything: the caller of `describe` makes a line of what it is not."""
    (text,) = inspection.run({"kind": kind, "ders": [data]})["texts"]
    return str(text)


def normal(line: str) -> str:
    return " ".join(line.split())


def test_the_lines_of_openssl_are_there(tmp_path: Path) -> None:
    made, theirs = openssl(tmp_path, "rsa:2048")
    ours = [normal(line) for line in shown(made).splitlines()]
    same = [line for line in map(normal, theirs.splitlines()) if line]
    # Addresses of version 6, and the blanks in names are shown in our own way.
    differing = ("Issuer:", "Subject:", "DNS:", "TLS Web", "Full Name", "URI:", "DirName",
                 "1.2.3.4.5.6", ".", "unknown to us")  # fmt: skip
    missing = [x for x in same if x not in ours and not x.startswith(differing)]
    assert missing == []
    text = "\n".join(ours)
    assert "Subject: C=DE, O=Lab, CN=Zoe" in text
    assert (
        "TLS Web Server Authentication, TLS Web Client Authentication, IPsec IKE, 1.2.3.4" in text
    )
    assert "DNS:a.example, IP Address:192.0.2.1, IP Address:2001:db8::1, email:a@b.example" in text
    assert "Full Name: URI:http://crl.example/ca.crl" in text
    assert "OCSP - URI:http://ocsp.example/" in text
    assert "Policy: 1.2.3.4.5" in text
    assert "DirName:C=DE, O=Lab, CN=Zoe" in text
    assert "1.2.3.4.5.6:" in text


def test_an_ec_key(tmp_path: Path) -> None:
    made, _ = openssl(
        tmp_path, "ec", "-pkeyopt", "ec_paramgen_curve:P-384", extensions="basicConstraints=CA:TRUE"
    )
    text = shown(made)
    assert "Public Key Algorithm: id-ecPublicKey" in text
    assert "Curve: P-384" in text
    assert "Signature Algorithm: ecdsa-with-sha256" in text


@pytest.mark.parametrize("serial", [0, 1, (1 << 62) + 1, 1 << 100])
def test_serial_numbers(serial: int) -> None:
    made = lab.certificate({"common_name": "x"}, "dev", lab.root(), serial=serial)
    text = shown(made.der)
    assert (f"{serial} (0x{serial:x})" in text) == (serial < 1 << 63)
    if serial >= 1 << 63:
        assert "10:00:00:00:00" in text


def test_what_cannot_be_read_is_one_line() -> None:
    for data in (b"", b"junk", lab.root().der[:-1]):
        text = shown(data)
        assert text.startswith(f"Certificate: {len(data)} bytes that cannot be read")
        assert "\n" not in text


def test_text_of_a_peer_cannot_drive_a_terminal() -> None:
    hostile = lab.certificate({"common_name": "a\x1b[2J\u202e\r\nb"}, "dev", None)
    assert r"Subject: CN=a\x1b[2J\u202e\x0d\x0ab" in shown(hostile.der)


@pytest.mark.parametrize(("octets", "shown_as"), [("00", "00"), ("0082", "82"), ("7f", "7F")])
def test_the_serial_of_an_authority_key_has_no_sign_octet(octets: str, shown_as: str) -> None:
    node = ber.read(lab.root().der)
    tbs = [child.raw for child in node.children[0].children]
    value = der.sequence(der.tlv(der.context(2), bytes.fromhex(octets)))
    extension = der.sequence(der.oid("2.5.29.35"), der.octet_string(value))
    tbs[7] = der.tlv(der.explicit(3), der.sequence(extension))
    made = der.sequence(der.sequence(*tbs), *(child.raw for child in node.children[1:]))
    assert f"serial:{shown_as}\n" in shown(made)


def test_a_malformed_extension_is_shown_as_it_is() -> None:
    node = ber.read(lab.root().der)
    tbs = [child.raw for child in node.children[0].children]
    odd = der.sequence(der.oid("2.5.29.31"), der.octet_string(b"\xab\xcd"))
    tbs[7] = der.tlv(der.explicit(3), der.sequence(odd))
    made = der.sequence(der.sequence(*tbs), *(child.raw for child in node.children[1:]))
    assert "X509v3 CRL Distribution Points:\n                ab:cd" in shown(made)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.data())
def test_it_never_raises(data: st.DataObject) -> None:
    whole = bytearray(lab.sub().der)
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    text = shown(bytes(whole))
    assert text.startswith("Certificate:")
    assert all(line.isprintable() for line in text.splitlines())
