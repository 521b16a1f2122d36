"""Files that are in order and of no use here: each is named, with the command that converts it."""

import base64
import subprocess
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.scep import ca_query, container, foreign, tls
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab
from tests.rigs.interop import readers
from tests.scep.test_request import made as request

PUTTY = b"PuTTY-User-Key-File-3: ssh-rsa\r\nEncryption: none\r\nComment: me\r\nPublic-Lines: 6\r\n"
SSH2 = b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n"


def openssh(folder: Path) -> bytes:
    words = ("-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(folder / "key"))
    subprocess.run(["ssh-keygen", *words], check=True, timeout=120)
    return (folder / "key").read_bytes()


def refused(data: bytes, keys: bool = True) -> AgentError:
    with pytest.raises(AgentError) as caught:
        container.read(data, "pw", keys)
    return caught.value


@pytest.mark.parametrize("encode", [bytes, lambda data: readers.BOM + data.replace(b"\n", b"\r\n")])
def test_a_key_of_openssh(tmp_path: Path, encode: object) -> None:
    data = openssh(tmp_path)
    error = refused(encode(data))  # type: ignore[operator]
    assert error.code == "import-foreign"
    assert error.what == "the file is of no use here: it is a private key of OpenSSH"
    assert "ssh-keygen -p -m PEM -f FILE" in error.remedy
    beside = refused(files.certificate_pem(lab.root()) + data)
    assert beside.what == error.what
    # The command that is named makes a key of it that this device takes.
    change = ("-p", "-m", "PEM", "-P", "", "-N", "", "-f", str(tmp_path / "key"))
    subprocess.run(["ssh-keygen", *change], check=True, timeout=120, capture_output=True)
    assert len(container.read((tmp_path / "key").read_bytes(), None, keys=True).keys) == 1


def public(form: str) -> bytes:
    words = ("rsa", "-pubout", "-outform", form)
    return files.openssl(*words, data=files.key_pem("dev"))


NAMED: dict[str, tuple[bytes, str, str]] = {
    "PuTTY": (PUTTY, "a private key of PuTTY", "puttygen FILE -O private-openssh"),
    "JKS": (b"\xfe\xed\xfe\xed\0\0\0\2", "a Java key store (JKS)", "keytool -importkeystore"),
    "JCEKS": (b"\xce\xce\xce\xce\0\0\0\2", "a Java key store (JCEKS)", "-srcstoretype JCEKS"),
    "PVK": (b"\x1e\xf1\xb5\xb0\0\0\0\0", "a private key of Microsoft (PVK)", "-inform PVK"),
    "public key, PEM": (public("pem"), "a public key", "private key"),
    "public key, DER": (public("der"), "a public key", "private key"),
    "public key, base64": (base64.b64encode(public("der")), "a public key", "private key"),
    "public key, SSH": (b"ssh-rsa AAAAB3NzaC1yc2E me", "a public key of OpenSSH", "private key"),
    "public key, SSH2": (SSH2, "a public key of SSH", "private key"),
    "request": (request(), "a certificate request", "give it to the CA"),
    "request, another label": (
        files.text_of(request(), "CERTIFICATE"), "a certificate request", "give it to the CA"
    ),
    "list": (readers.crl(), "a revocation list", "pki get-crl"),
    "list, PEM": (files.text_of(readers.crl(), "X509 CRL"), "a revocation list", "pki get-crl"),
    "page": (b"<html><title>Certificates</title></html>", "a page for people", "fetch the file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMED)
def test_what_it_is_and_what_to_do(kind: str) -> None:
    data, name, remedy = NAMED[kind]
    error = refused(data)
    assert (error.code, error.what) == (
        "import-foreign", f"the file is of no use here: it is {name}",
    )  # fmt: skip
    assert remedy in error.remedy


def test_a_private_key_where_a_ca_was_expected() -> None:
    error = refused(files.key_pem("dev"), keys=False)
    assert (error.code, "a private key" in error.what) == ("import-foreign", True)
    assert "pki import rsa-key-pair" in error.remedy


@pytest.mark.parametrize("kind", ["public key, DER", "request", "list", "public key, base64"])
def test_other_readers_name_it_too(kind: str) -> None:
    data, name, _ = NAMED[kind]
    with pytest.raises(AgentError, match=name) as caught:
        ca_query.ca_certificates(data)
    assert caught.value.code == "ca-set-malformed"
    with pytest.raises(AgentError, match=name) as caught:
        tls.context(data, "web.pem", check_dates=True)
    assert caught.value.code == "tls-trust-file"


@pytest.mark.parametrize("party", [lab.root(), lab.sub(), files.leaf()])
def test_a_certificate_is_known_by_its_shape(party: lab.Party) -> None:
    assert foreign.of_data(party.der) == foreign.CERTIFICATE
    old = lab.certificate({"common_name": "x"}, "root", None, version="v1")
    assert foreign.of_data(old.der) == foreign.CERTIFICATE


@pytest.mark.parametrize("data", [b"", b"0", b"junk", bytes(64), b"\x30\x00", b"\x30\x80\0\0"])
def test_what_is_nothing_has_no_name(data: bytes) -> None:
    assert foreign.of_data(data) is None
