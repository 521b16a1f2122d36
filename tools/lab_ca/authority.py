"""The keys and certificates of the CA and its RA, and the issuing of certificates (RFC 5280).

Everything lies in the state folder and is made at the first start that needs it, the key before
its certificate, each file in one step: a start that was cut off is finished by the next one.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from asn1crypto import keys, pem, x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tools.lab_ca import algorithms, folder
from tools.lab_ca.algorithms import Identity

DAY_S = 86_400
YEAR_S = 365 * DAY_S
CA_LIFE_S = 3650 * DAY_S
CA_USAGE = frozenset({"digital_signature", "key_encipherment", "key_cert_sign", "crl_sign"})
BACKDATE_S = 300
ENROLLMENT_AGENT = "1.3.6.1.4.1.311.20.2.1"  # in both RA certificates of NDES
CMC_RA, ANY_PURPOSE = "1.3.6.1.5.5.7.3.28", "2.5.29.37.0"  # RFC 6402 2.10, RFC 5280 4.2.1.12
NEXT, FORMER, REVOKED = "ca-next", "former", "revoked"  # below the state folder


class Template(NamedTuple):
    """A certificate before it is signed; the tables of switches change it."""

    subject: x509.Name
    spki: keys.PublicKeyInfo
    issuer: x509.Name
    issuer_key: rsa.RSAPrivateKey
    not_before_s: int
    not_after_s: int
    extensions: tuple[x509.Extension, ...] = ()  # besides basicConstraints, SKI and AKI
    ca: bool = False
    version: str = "v3"
    serial: int | None = None  # None: a random one of 16 octets
    digest: str = "sha256"
    broken_signature: bool = False


class Plan(NamedTuple):
    """What stands in the state folder. A usage of None leaves the keyUsage out, a purpose of None
    the extendedKeyUsage."""

    chain: bool = False
    ra: bool = False
    ca_usage: frozenset[str] | None = CA_USAGE
    ca_life_s: int = CA_LIFE_S
    encryption_usage: frozenset[str] | None = frozenset({"key_encipherment"})
    signing_usage: frozenset[str] | None = frozenset({"digital_signature"})
    encryption_stem: str = "ra-enc"  # the RA's certificate to encrypt to: its file
    ra_purpose: str | None = ENROLLMENT_AGENT
    ca_signs: bool = False  # the RA only decrypts


ALONE = Plan()
Change = Callable[[Template], Template]


def name(common_name: str) -> x509.Name:
    return x509.Name.build(
        {"country_name": "DE", "organization_name": "Lab", "common_name": common_name}
    )


def key_usage(bits: frozenset[str] | None) -> tuple[x509.Extension, ...]:
    """The extension, or none."""
    if bits is None:
        return ()
    value = x509.KeyUsage(set(bits))
    return (x509.Extension({"extn_id": "key_usage", "critical": True, "extn_value": value}),)


def purpose(oid: str | None) -> tuple[x509.Extension, ...]:
    """extendedKeyUsage with one purpose, or no extension."""
    if oid is None:
        return ()
    return (x509.Extension({"extn_id": "extended_key_usage", "extn_value": [oid]}),)


def certify(template: Template) -> x509.Certificate:
    """Signs a template with RSA and its digest."""
    algorithm = {"algorithm": f"{template.digest}_rsa"}
    serial = secrets.randbits(126) | 1 << 126 if template.serial is None else template.serial
    fields: dict[str, object] = {
        "version": template.version,
        "serial_number": serial,
        "signature": algorithm,
        "issuer": template.issuer,
        "validity": {
            "not_before": algorithms.asn1_time(template.not_before_s),
            "not_after": algorithms.asn1_time(template.not_after_s),
        },
        "subject": template.subject,
        "subject_public_key_info": template.spki,
    }
    if template.version == "v3":
        fields["extensions"] = [*_own_extensions(template), *template.extensions]
    tbs = x509.TbsCertificate(fields)
    signature = algorithms.sign(template.issuer_key, tbs.dump(), template.digest)
    if template.broken_signature:
        signature = algorithms.spoilt(signature)
    made = {"tbs_certificate": tbs, "signature_algorithm": algorithm, "signature_value": signature}
    # Loaded again, so that what is published is what a peer will read.
    return x509.Certificate.load(x509.Certificate(made).dump(), strict=True)


def self_signed(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    life: tuple[int, int],
    usage: frozenset[str] | None = CA_USAGE,
) -> Identity:
    """A CA of its own; `life` is (notBefore, notAfter) in seconds."""
    template = Template(
        subject=subject,
        spki=algorithms.spki_of(key.public_key()),
        issuer=subject,
        issuer_key=key,
        not_before_s=life[0],
        not_after_s=life[1],
        extensions=key_usage(usage),
        ca=True,
    )
    return Identity(certify(template), key)


Make = Callable[[rsa.RSAPrivateKey], Identity]


class Authority:
    """The CA of a state folder, with the root above it and the RA in front of it, if wanted."""

    def __init__(
        self,
        home: Path,
        plan: Plan = ALONE,
        clock_offset_s: int = 0,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._home, self._plan = home, plan
        self._clock_s, self._clock_offset_s = clock_s, clock_offset_s
        if plan.chain and (home / "ca.pem").exists() and not (home / "root.pem").exists():
            raise ValueError(f"{home} holds a CA without a root; --chain needs a new folder")
        self._above: tuple[x509.Certificate, ...] = ()
        if plan.chain:
            self._root = self._identity(
                "root", self._make_alone("Lab Root CA", CA_USAGE, CA_LIFE_S)
            )
            self._above = (self._root.certificate,)
        self.degenerate = plan.ra or plan.chain  # a set, even when it is a set of one
        self._stamp: object = None
        self._lock = threading.Lock()
        self.refresh()

    def refresh(self) -> None:
        """Takes over what the operator's commands changed in the state folder meanwhile."""
        with self._lock:
            path = self._home / "ca.pem"
            if self._stamp is None or self._stamp != _stamp_of(path):
                self._load()
                self._stamp = _stamp_of(path)

    def _load(self) -> None:
        self.ca = self.encryption = self.signing = self._identity("ca", self._make_ca)
        ra_certificates: tuple[x509.Certificate, ...] = ()
        if self._plan.ra:
            stem, usage = self._plan.encryption_stem, self._plan.encryption_usage
            self.encryption = self._identity(stem, self._ra_maker("key encipherment", usage))
            ra_certificates = (self.encryption.certificate,)
        if self._plan.ra and not self._plan.ca_signs:
            usage = self._plan.signing_usage
            self.signing = self._identity("ra-sig", self._ra_maker("digital signature", usage))
            ra_certificates += (self.signing.certificate,)
        self.published = (*ra_certificates, self.ca.certificate, *self._above)

    def now_s(self) -> int:
        """The time as this CA believes it."""
        return int(self._clock_s()) + self._clock_offset_s

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

    def shelf(self) -> list[x509.Certificate]:
        """Every certificate that was issued, the oldest first."""
        paths = list((self._home / "issued").glob("*.pem"))
        return [read_certificate(p) for p in sorted(paths, key=lambda p: p.stat().st_mtime_ns)]

    def signed(self, certificate: x509.Certificate) -> bool:
        """Whether this CA, or the one that it followed, issued a certificate."""
        former = [read_certificate(path) for path in (self._home / FORMER).glob("*.pem")]
        return any(_issued_by(certificate, ca) for ca in (self.ca.certificate, *former))

    def vouches_for(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate is from here, in date and not revoked."""
        begin_s = int(certificate.not_valid_before.timestamp())
        end_s = int(certificate.not_valid_after.timestamp())
        in_date = begin_s <= self.now_s() <= end_s
        return in_date and self.signed(certificate) and serial_of(certificate) not in self.revoked()

    def next_set(self) -> tuple[x509.Certificate, ...]:
        """The CA that follows this one and what stands above it; empty when none was prepared."""
        path = self._home / f"{NEXT}.pem"
        return (read_certificate(path), *self._above) if path.exists() else ()

    def next_key(self) -> rsa.RSAPrivateKey:
        return self._identity(NEXT, self._make_ca).key

    def prepare(self) -> None:
        """Makes the next CA, with a key of its own and the same name."""
        self._identity(NEXT, self._make_ca)

    def roll_over(self) -> None:
        """The next CA takes the place of this one; the RA gets new certificates from it."""
        if not self.next_set():
            raise ValueError("no next CA is prepared")
        former = self._home / FORMER
        former.mkdir(exist_ok=True)
        serial = serial_of(self.ca.certificate)
        for ending in ("key", "pem"):
            os.replace(self._home / f"ca.{ending}", former / f"{serial}.{ending}")
            os.replace(self._home / f"{NEXT}.{ending}", self._home / f"ca.{ending}")
        for path in self._home.glob("ra-*.pem"):
            path.unlink()
        self.refresh()

    def renew(self) -> None:
        """A new certificate for the name and the key of this CA; the one before is kept below
        former/, beside those of CAs that were followed."""
        former, serial = self._home / FORMER, serial_of(self.ca.certificate)
        former.mkdir(exist_ok=True)
        folder.write(former / f"{serial}.key", _key_pem(self.ca.key), 0o600)
        folder.write(former / f"{serial}.pem", to_pem(self.ca.certificate))
        folder.write(self._home / "ca.pem", to_pem(self._make_ca(self.ca.key).certificate))
        self.refresh()

    def formers(self) -> list[Identity]:
        """The CA certificates before this one, the oldest first, each with its key."""
        paths = sorted((self._home / FORMER).glob("*.pem"), key=lambda p: p.stat().st_mtime_ns)
        return [self._identity(f"{FORMER}/{path.stem}", self._make_ca) for path in paths]

    def crossed(self, subject: Identity, issuer: Identity) -> x509.Certificate:
        """The certificate of one generation of this CA for the key of another (RFC 4210 4.4)."""
        template = Template(
            subject=subject.certificate.subject,
            spki=algorithms.spki_of(subject.key.public_key()),
            issuer=issuer.certificate.subject,
            issuer_key=issuer.key,
            not_before_s=self.now_s() - DAY_S,
            not_after_s=int(subject.certificate.not_valid_after.timestamp()),
            extensions=key_usage(self._plan.ca_usage),
            ca=True,
        )
        return certify(template)

    def revoke(self, serial: str) -> None:
        """Puts a certificate on the CRL; its serial number in hexadecimal."""
        self.issued(serial)
        folder.write(self._home / REVOKED / serial, f"{self.now_s()}\n")

    def revoked(self) -> dict[str, int]:
        """Serial number in hexadecimal -> when it was revoked, in seconds."""
        paths = sorted((self._home / REVOKED).glob("[!.]*"))
        return {path.name: int(path.read_text(encoding="utf-8")) for path in paths}

    def _issued(self, serial: str) -> Path:
        return self._home / "issued" / f"{serial}.pem"

    def _identity(self, stem: str, make: Make) -> Identity:
        certificate, path = self._home / f"{stem}.pem", self._home / f"{stem}.key"
        if not path.exists():
            folder.write(path, _key_pem(algorithms.new_key()), 0o600)
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{path} holds no RSA key")
        if not certificate.exists():
            folder.write(certificate, to_pem(make(key).certificate))
        return Identity(read_certificate(certificate), key)

    def _make_ca(self, key: rsa.RSAPrivateKey) -> Identity:
        usage = self._plan.ca_usage
        if not self._plan.chain:
            return self._make_alone("Lab CA", usage, self._plan.ca_life_s)(key)
        return self._make("Lab Issuing CA", self._root, key_usage(usage), key, ca=True)

    def _make_alone(self, common_name: str, usage: frozenset[str] | None, life_s: int) -> Make:
        now_s = self.now_s()
        life = (now_s - DAY_S, now_s + life_s)
        return lambda key: self_signed(name(common_name), key, life, usage)

    def _ra_maker(self, what_for: str, usage: frozenset[str] | None) -> Make:
        extensions = (*key_usage(usage), *purpose(self._plan.ra_purpose))
        return lambda key: self._make(f"Lab RA {what_for}", self.ca, extensions, key, ca=False)

    def _make(
        self,
        common_name: str,
        issuer: Identity,
        extensions: tuple[x509.Extension, ...],
        key: rsa.RSAPrivateKey,
        *,
        ca: bool,
    ) -> Identity:
        template = Template(
            subject=name(common_name),
            spki=algorithms.spki_of(key.public_key()),
            issuer=issuer.certificate.subject,
            issuer_key=issuer.key,
            not_before_s=self.now_s() - DAY_S,
            not_after_s=self.now_s() + (self._plan.ca_life_s if ca else CA_LIFE_S),
            extensions=extensions,
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


def _stamp_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def _issued_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    if certificate.signature_algo != "rsassa_pkcs1v15" or certificate.issuer != ca.subject:
        return False
    key = algorithms.rsa_public(ca.public_key.dump())
    signed, digest = certificate["tbs_certificate"].dump(), certificate.hash_algo
    return algorithms.verifies(key, certificate.signature, signed, digest)


def _own_extensions(template: Template) -> list[dict[str, object]]:
    issuer_spki = algorithms.spki_of(template.issuer_key.public_key())
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
