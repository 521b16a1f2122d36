"""The keys and certificates of the CA and its RA, and the issuing of certificates (RFC 5280).

Everything lies in the state folder and is made at the first start that needs it, the key before
its certificate, each file in one step: a start that was cut off is finished by the next one.
"""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from asn1crypto import keys, pem, x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tools.lab_ca import algorithms, folder
from tools.lab_ca.algorithms import Identity

DAY_S = 86_400
CA_LIFE_S = 3650 * DAY_S
CA_USAGE = frozenset({"digital_signature", "key_encipherment", "key_cert_sign", "crl_sign"})
BACKDATE_S = 300


class Template(NamedTuple):
    """A certificate before it is signed; the table of misissuing changes it."""

    subject: x509.Name
    spki: keys.PublicKeyInfo
    issuer: x509.Name
    issuer_key: rsa.RSAPrivateKey
    not_before_s: int
    not_after_s: int
    extensions: tuple[x509.Extension, ...] = ()  # besides basicConstraints, SKI and AKI
    ca: bool = False


Change = Callable[[Template], Template]


def name(common_name: str) -> x509.Name:
    return x509.Name.build(
        {"country_name": "DE", "organization_name": "Lab", "common_name": common_name}
    )


def key_usage(bits: frozenset[str]) -> x509.Extension:
    return x509.Extension(
        {"extn_id": "key_usage", "critical": True, "extn_value": x509.KeyUsage(set(bits))}
    )


def certify(template: Template) -> x509.Certificate:
    """Signs a template with sha256WithRSA and a random serial number of 16 octets."""
    algorithm = {"algorithm": "sha256_rsa"}
    issuer_spki = algorithms.spki_of(template.issuer_key.public_key())
    tbs = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": secrets.randbits(126) | 1 << 126,
            "signature": algorithm,
            "issuer": template.issuer,
            "validity": {
                "not_before": _time(template.not_before_s),
                "not_after": _time(template.not_after_s),
            },
            "subject": template.subject,
            "subject_public_key_info": template.spki,
            "extensions": [*_own_extensions(template, issuer_spki), *template.extensions],
        }
    )
    signature = algorithms.sign(template.issuer_key, tbs.dump(), "sha256")
    fields = {
        "tbs_certificate": tbs,
        "signature_algorithm": algorithm,
        "signature_value": signature,
    }
    # Loaded again, so that what is published is what a peer will read.
    return x509.Certificate.load(x509.Certificate(fields).dump(), strict=True)


def self_signed(subject: x509.Name, not_before_s: int, not_after_s: int) -> Identity:
    """A CA of its own, with a new key."""
    key = algorithms.new_key()
    template = Template(
        subject=subject,
        spki=algorithms.spki_of(key.public_key()),
        issuer=subject,
        issuer_key=key,
        not_before_s=not_before_s,
        not_after_s=not_after_s,
        extensions=(key_usage(CA_USAGE),),
        ca=True,
    )
    return Identity(certify(template), key)


class Authority:
    """The CA of a state folder, with the root above it and the RA in front of it, if wanted."""

    def __init__(
        self, home: Path, *, chain: bool, omit_root: bool, ra: bool, clock_offset_s: int
    ) -> None:
        self._home, self._clock_offset_s = home, clock_offset_s
        self.ca = self._identity("ca", self._make_under_root if chain else self._make_alone)
        root = home / "root.pem"
        if chain and not root.exists():
            raise ValueError(f"{home} holds a CA without a root; --chain needs a new folder")
        above = (read_certificate(root),) if chain and not omit_root else ()
        self.encryption = self.signing = self.ca
        ra_certificates: tuple[x509.Certificate, ...] = ()
        if ra:
            self.encryption = self._identity("ra-enc", self._ra_maker("key_encipherment"))
            self.signing = self._identity("ra-sig", self._ra_maker("digital_signature"))
            ra_certificates = (self.encryption.certificate, self.signing.certificate)
        self.published = (*ra_certificates, self.ca.certificate, *above)
        self.degenerate = ra or chain  # GetCACert answers with a set, even when it is a set of one

    def now_s(self) -> int:
        """The time as this CA believes it."""
        return int(time.time()) + self._clock_offset_s

    def issue(
        self,
        subject: x509.Name,
        spki: bytes,
        extensions: tuple[x509.Extension, ...],
        life: tuple[int, int],
        change: Change,
    ) -> x509.Certificate:
        """A certificate, recorded below issued/; `life` is (backdated by, valid for) in seconds."""
        now_s = self.now_s()
        template = Template(
            subject=subject,
            spki=keys.PublicKeyInfo.load(spki),
            issuer=self.ca.certificate.subject,
            issuer_key=self.ca.key,
            not_before_s=now_s - life[0],
            not_after_s=now_s + life[1],
            extensions=extensions,
        )
        certificate = certify(change(template))
        folder.write(self._issued(serial_of(certificate)), to_pem(certificate))
        return certificate

    def issued(self, serial: str) -> x509.Certificate:
        """A certificate that was issued before, by its serial number in hexadecimal."""
        return read_certificate(self._issued(serial))

    def vouches_for(self, certificate: x509.Certificate) -> bool:
        """Whether this CA issued a certificate and its time has come and not gone."""
        signed_by_us = certificate.signature_algo == "rsassa_pkcs1v15" and algorithms.verifies(
            self.ca.key.public_key(),
            certificate.signature,
            certificate["tbs_certificate"].dump(),
            certificate.hash_algo,
        )
        begin_s = int(certificate.not_valid_before.timestamp())
        end_s = int(certificate.not_valid_after.timestamp())
        named = certificate.issuer == self.ca.certificate.subject
        return bool(named and signed_by_us and begin_s <= self.now_s() <= end_s)

    def _issued(self, serial: str) -> Path:
        return self._home / "issued" / f"{serial}.pem"

    def _identity(self, stem: str, make: Callable[[], Identity]) -> Identity:
        certificate, key = self._home / f"{stem}.pem", self._home / f"{stem}.key"
        if not certificate.exists():
            made = make()
            folder.write(key, _key_pem(made.key), 0o600)
            folder.write(certificate, to_pem(made.certificate))
        loaded = serialization.load_pem_private_key(key.read_bytes(), None)
        if not isinstance(loaded, rsa.RSAPrivateKey):
            raise ValueError(f"{key} holds no RSA key")
        return Identity(read_certificate(certificate), loaded)

    def _make_alone(self) -> Identity:
        now_s = self.now_s()
        return self_signed(name("Lab CA"), now_s - DAY_S, now_s + CA_LIFE_S)

    def _make_under_root(self) -> Identity:
        now_s = self.now_s()
        root = self_signed(name("Lab Root CA"), now_s - DAY_S, now_s + CA_LIFE_S)
        folder.write(self._home / "root.pem", to_pem(root.certificate))
        return self._make(name("Lab Issuing CA"), root, CA_USAGE, ca=True)

    def _ra_maker(self, usage: str) -> Callable[[], Identity]:
        subject = name(f"Lab RA {usage.replace('_', ' ')}")
        return lambda: self._make(subject, self.ca, frozenset({usage}), ca=False)

    def _make(
        self, subject: x509.Name, issuer: Identity, usage: frozenset[str], *, ca: bool
    ) -> Identity:
        key = algorithms.new_key()
        template = Template(
            subject=subject,
            spki=algorithms.spki_of(key.public_key()),
            issuer=issuer.certificate.subject,
            issuer_key=issuer.key,
            not_before_s=self.now_s() - DAY_S,
            not_after_s=self.now_s() + CA_LIFE_S,
            extensions=(key_usage(usage),),
            ca=ca,
        )
        return Identity(certify(template), key)


def serial_of(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:032X}"


def to_pem(certificate: x509.Certificate) -> str:
    text: bytes = pem.armor("CERTIFICATE", certificate.dump())
    return text.decode("ascii")


def read_certificate(path: Path) -> x509.Certificate:
    _, _, der = pem.unarmor(path.read_bytes())
    return x509.Certificate.load(der, strict=True)


def _key_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")


def _time(at_s: int) -> x509.Time:
    """RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime after it."""
    moment = datetime.fromtimestamp(at_s, UTC)
    kind = "utc_time" if moment.year < 2050 else "general_time"
    return x509.Time(kind, moment)


def _own_extensions(template: Template, issuer_spki: keys.PublicKeyInfo) -> list[dict[str, object]]:
    return [
        {
            "extn_id": "basic_constraints",
            "critical": True,
            "extn_value": x509.BasicConstraints({"ca": template.ca}),
        },
        {"extn_id": "key_identifier", "extn_value": template.spki.sha1},
        {
            "extn_id": "authority_key_identifier",
            "extn_value": x509.AuthorityKeyIdentifier({"key_identifier": issuer_spki.sha1}),
        },
    ]
