"""The lab CA against clients that are not ours: scepclient and strongSwan."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers import peers
from tests.helpers.labca import CALL_S, InBackground, LabCa
from tests.helpers.labca_client import key_pem, openssl, rsa_key
from tools.lab_ca import server


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=cwd, capture_output=True, timeout=CALL_S, check=False)


def have_strongswan() -> bool:
    if shutil.which("pki") is None:
        return False
    usage = subprocess.run(["pki", "--help"], capture_output=True, timeout=CALL_S, check=False)
    return b"--scepca" in usage.stdout + usage.stderr


SCEPCLIENTS = {
    "2.1.0": (
        "scepclient",
        "" if shutil.which("scepclient") else "needs scepclient (Debian package scep)",
    ),
    "2.3.0": (str(peers.program("scepclient")), peers.missing("scepclient")),
}
each_scepclient = pytest.mark.parametrize(
    "program",
    [
        pytest.param(program, marks=pytest.mark.skipif(bool(why), reason=why), id=version)
        for version, (program, why) in SCEPCLIENTS.items()
    ],
)
needs_strongswan = pytest.mark.skipif(
    not have_strongswan(), reason="needs pki --scep (Debian package strongswan-pki)"
)


def scepclient(
    program: str, ca: LabCa, folder: Path, challenge: str
) -> subprocess.CompletedProcess[bytes]:
    (folder / "k.pem").write_bytes(key_pem(rsa_key(0)))
    files = ("-private-key", "k.pem", "-certificate", "cert.pem")
    words = ("-server-url", ca.url, *files, "-cn", "dev1", "-challenge", challenge)
    return run(program, *words, cwd=folder)


@each_scepclient
@pytest.mark.parametrize("option", [(), ("--quirk", "legacy-reply")], ids=["plain", "legacy"])
def test_scepclient_enrols_and_renews(
    tmp_path: Path, program: str, option: tuple[str, ...]
) -> None:
    with LabCa(tmp_path, "--challenge", "sekret", *option) as ca:
        for _ in range(2):
            done = scepclient(program, ca, tmp_path, "sekret")
            assert done.returncode == 0, done.stderr.decode()
        openssl("verify", "-CAfile", str(ca.dir / "ca.pem"), str(tmp_path / "cert.pem"))
        lines = ca.pki_operations()
        assert [line["messageType"] for line in lines] == ["PKCSReq", "RenewalReq"]
        assert {line["cipher"] for line in lines} == {"des"}
        assert len(ca.issued()) == 2


@each_scepclient
def test_scepclient_is_refused_with_the_wrong_challenge(tmp_path: Path, program: str) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca:
        assert scepclient(program, ca, tmp_path, "wrong").returncode != 0
        assert not (tmp_path / "cert.pem").exists()
        (line,) = ca.pki_operations()
        assert (line["pkiStatus"], line["failInfo"]) == ("FAILURE", "badRequest")


STRONGSWAN_FILES = {"--ra": ("ra-enc.pem", "ra-sig.pem")}  # to encrypt to, to verify with


@needs_strongswan
@pytest.mark.parametrize("option", ["--debug", "--ra"])
def test_strongswan_enrols(tmp_path: Path, option: str) -> None:
    with LabCa(tmp_path, "--challenge", "sekret", option) as ca:
        (tmp_path / "k.pem").write_bytes(key_pem(rsa_key(0)))
        fetch = f"pki --scepca --url {ca.url} --caout ca.pem --raout ra.pem --outform pem --force"
        assert run(*fetch.split(), cwd=tmp_path).returncode == 0
        encryption, signing = STRONGSWAN_FILES.get(option, ("ca.pem", "ca.pem"))
        enrol = (
            f"pki --scep --url {ca.url} --in k.pem --san dev3.example --password sekret"
            f" --cacert-enc {ca.dir / encryption} --cacert-sig {ca.dir / signing}"
            f" --cacert ca.pem --outform pem"
        )
        done = run(*enrol.split(), "--dn", "C=DE, O=Lab, CN=dev3", cwd=tmp_path)
        assert done.returncode == 0, done.stderr.decode()
        (tmp_path / "cert.pem").write_bytes(done.stdout)
        openssl("verify", "-CAfile", str(ca.dir / "ca.pem"), str(tmp_path / "cert.pem"))
        assert b"DNS:dev3.example" in openssl("x509", "-noout", "-text", stdin=done.stdout)
        (line,) = ca.pki_operations()
        assert (line["digest"], line["cipher"]) == ("sha256", "aes128")


def strongswan(ca: LabCa, *more: str) -> subprocess.CompletedProcess[bytes]:
    """`pki --scep` with the CA's certificate for everything."""
    own = str(ca.dir / "ca.pem")
    trusted = ("--cacert-enc", own, "--cacert-sig", own, "--cacert", own)
    names = ("--dn", "C=DE, O=Lab, CN=dev3", "--outform", "pem")
    return run("pki", "--scep", "--url", ca.url, *trusted, *names, *more, cwd=ca.dir)


def with_keys(ca: LabCa) -> list[str]:
    for number in range(2):
        (ca.dir / f"k{number}.pem").write_bytes(key_pem(rsa_key(number)))
    return [str(ca.dir / f"k{number}.pem") for number in range(2)]


@needs_strongswan
def test_strongswan_renews(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca:
        old, new = with_keys(ca)
        first = strongswan(ca, "--in", old, "--password", "sekret")
        (ca.dir / "cert.pem").write_bytes(first.stdout)
        second = strongswan(ca, "--in", new, "--cert", "cert.pem", "--key", old)
        for done in (first, second):
            assert done.returncode == 0, done.stderr.decode()
            assert b"BEGIN CERTIFICATE" in done.stdout
        assert [line["messageType"] for line in ca.pki_operations()] == ["PKCSReq", "RenewalReq"]


@needs_strongswan
def test_strongswan_needs_sha_384_in_the_list_for_its_aes(tmp_path: Path) -> None:
    """It compares places of the list as if they were bits; hence SHA-384 in our default list."""
    words = [word for word in server.CAPABILITIES.split() if word != "SHA-384"]
    with LabCa(tmp_path, "--caps", " ".join(words)) as ca:
        done = strongswan(ca, "--in", with_keys(ca)[0])
        assert done.returncode != 0
        assert b"AES_CBC encryption algorithm not supported" in done.stderr


@needs_strongswan
def test_strongswan_waits_for_approval(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--manual", "--hold", "certpoll") as ca:
        key = with_keys(ca)[0]
        waiting = InBackground(lambda: strongswan(ca, "--in", key, "--interval", "1"))
        ca.held()
        assert len(ca.approve()) == 1
        ca.release()
        done = waiting.result()
        assert isinstance(done, subprocess.CompletedProcess)
        assert done.returncode == 0, done.stderr.decode()
        assert b"BEGIN CERTIFICATE" in done.stdout
