"""The lab CA against certmonger: its helper `scep-submit`, and the whole daemon without D-Bus.

certmonger reads no FAILURE and no PENDING without content, which is what RFC 8894 3.3.2.2 demands:
it calls the server unreachable. Hence the quirk `empty-content` of the servers that it works with.
"""

import base64
import hashlib
import os
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

import pytest
from asn1crypto import cms, pem
from asn1crypto import x509 as asn1

from tests.helpers.certmonger import PATIENT, Certmonger
from tests.helpers.labca import LabCa
from tests.helpers.labca_client import PKCS_REQ, Device, decrypted, openssl, pkcs10
from tests.lab_ca.test_clients import run

HELPER = "/usr/lib/certmonger/scep-submit"
CHALLENGE = ("--challenge", "sekret")
EMPTY = ("--quirk", "empty-content")
ISSUED, WAIT, REJECTED, UNREACHABLE = 0, 1, 2, 3  # as certmonger numbers what its helpers say

pytestmark = pytest.mark.skipif(
    shutil.which("certmonger") is None, reason="needs certmonger (Debian package certmonger)"
)


def certificate(path: Path) -> asn1.Certificate:
    return asn1.Certificate.load(pem.unarmor(path.read_bytes())[2])


class Helper:
    """`scep-submit` with one pkiMessage, which certmonger would have made."""

    def __init__(self, folder: Path, ca: LabCa, to: str = "ca.pem") -> None:
        self.dir, self.ca, self.to = folder, ca, ca.dir / to
        self.device = Device(certificate(self.to), certificate(ca.dir / "ca.pem"))

    def ask(self, *options: str) -> subprocess.CompletedProcess[bytes]:
        return run(HELPER, "-u", self.ca.url, *options, cwd=self.dir)

    def enrol(self, challenge: str = "sekret") -> subprocess.CompletedProcess[bytes]:
        message = self.device.message(PKCS_REQ, pkcs10(self.device.key, "dev1", challenge))
        (self.dir / "message.pem").write_bytes(pem.armor("PKCS7", message))
        trusted = ("-r", str(self.to), "-N", str(self.ca.dir / "ca.pem"))
        return self.ask("-p", *trusted, "message.pem")


def test_the_helper_reads_capabilities_and_certificates(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--chain") as ca:
        helper = Helper(tmp_path, ca)
        listed = helper.ask("-c")
        assert listed.returncode == ISSUED
        assert {b"AES", b"SHA-256", b"Renewal"} <= set(listed.stdout.split())
        told = helper.ask("-C")
        assert told.returncode == ISSUED
        for name in ("ca.pem", "root.pem"):
            assert (ca.dir / name).read_bytes().strip() in told.stdout
        # It asks with message=0, 1, ... until an answer repeats.
        assert {entry["operation"] for entry in ca.log()} == {"GetCACaps", "GetCACert"}


@pytest.mark.parametrize("to", ["ca.pem", "ra-enc.pem"])
def test_the_helper_gets_a_certificate(tmp_path: Path, to: str) -> None:
    with LabCa(tmp_path, *CHALLENGE, *(["--ra"] if to != "ca.pem" else [])) as ca:
        helper = Helper(tmp_path, ca, to)
        done = helper.enrol()
        assert done.returncode == ISSUED, done.stdout
        envelope = pem.unarmor(done.stdout)[2]
        inside = cms.ContentInfo.load(decrypted(envelope, helper.device.key))["content"]
        issued = asn1.Certificate.load(inside["certificates"][0].chosen.dump())
        assert issued.subject.native["common_name"] == "dev1"
        assert [line["method"] for line in ca.pki_operations()] == ["GET"]


@pytest.mark.parametrize("quirk", ["empty-content", "zero-content"])
def test_the_helper_understands_a_refusal_with_a_content(tmp_path: Path, quirk: str) -> None:
    with LabCa(tmp_path, *CHALLENGE, "--quirk", quirk) as ca:
        assert Helper(tmp_path, ca).enrol("wrong").returncode == REJECTED


def test_the_helper_waits_and_comes_again(tmp_path: Path) -> None:
    with LabCa(tmp_path, *CHALLENGE, "--manual", *EMPTY) as ca:
        helper = Helper(tmp_path, ca)
        waiting = helper.enrol()
        assert waiting.returncode == WAIT
        assert len(base64.b64decode(waiting.stdout)) == len(helper.device.nonce)
        assert len(ca.approve()) == 1
        assert helper.enrol().returncode == ISSUED


def test_without_the_quirk_it_takes_the_server_for_unreachable(tmp_path: Path) -> None:
    with LabCa(tmp_path, *CHALLENGE) as ca:
        done = Helper(tmp_path, ca).enrol("wrong")
        assert (done.returncode, b"no content" in done.stdout) == (UNREACHABLE, True)


# -- the daemon ------------------------------------------------------------------------------------


@pytest.mark.needs_root
@pytest.mark.skipif(os.geteuid() != 0, reason="certmonger runs as root only")
def test_the_daemon_enrols_and_renews_with_a_new_key(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, LabCa(tmp_path, *CHALLENGE) as ca:
        daemon, cert = Certmonger(Path(folder)), Path(folder, "cert.pem")
        files = ("-k", str(Path(folder, "k.pem")), "-f", str(cert))
        with daemon.running():
            daemon.use(ca)
            names = ("-N", "CN=dev4,O=Lab", "-D", "dev4.example", "-L", "sekret")
            daemon.getcert("request", *files, "-c", "lab", *names, *PATIENT)
            first = cert.read_bytes()
            daemon.getcert("rekey", "-f", str(cert), *PATIENT)
        assert cert.read_bytes() != first
        openssl("verify", "-CAfile", str(ca.dir / "ca.pem"), str(cert))
        assert b"DNS:dev4.example" in openssl("x509", "-noout", "-text", stdin=first)
        enrolment, renewal = ca.pki_operations()
        assert (enrolment["messageType"], renewal["messageType"]) == ("PKCSReq", "PKCSReq")
        assert (enrolment["digest"], enrolment["cipher"]) == ("sha256", "aes256")
        old = ssl.PEM_cert_to_DER_cert(first.decode())
        assert renewal["signer_sha256"] == hashlib.sha256(old).hexdigest()
