"""Files for others: openssl opens what leaves, we take it back, and no key leaves in plain."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from agent.errors import AgentError
from agent.scep import container, exports
from agent.scep.keys import Hands
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab
from tests.scep.test_operations import device_key, key_fields

PASSWORD = files.PASSWORD
IN = ("-passin", f"pass:{PASSWORD}")


@pytest.fixture
def key_file() -> Iterator[list[int]]:
    descriptor = device_key()
    yield [descriptor]
    os.close(descriptor)


def run(kind: str, form: str, opened: list[int], **more: Any) -> bytes:
    own, *above = files.chain()
    job = {
        "kind": kind, "format": form, "certificate": own.der, "chain": [], "key": None,
        "password": None, "ca": lab.stored(*above, roots=(lab.root(),)), **lab.JUDGED,
    }  # fmt: skip
    data = exports.run({**job, **more}, Hands(tuple(opened)))["data"]
    assert isinstance(data, bytes)
    assert lab.private_der("dev")[-200:-180] not in data  # of its private half
    return data


def refused(kind: str, form: str, opened: list[int], **more: Any) -> str:
    with pytest.raises(AgentError) as caught:
        run(kind, form, opened, **more)
    return caught.value.code


def test_certificates_as_pem() -> None:
    data = run("local", "pem", [])
    assert data == files.certificate_pem(*files.chain())
    words = ("crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin")
    listed = files.openssl("pkcs7", "-print_certs", "-noout", data=files.openssl(*words, data=data))
    assert listed.count(b"subject=") == 3


def test_der_is_one_certificate(key_file: list[int]) -> None:
    assert run("ca", "der", [], ca=lab.stored(lab.root())) == lab.root().der
    assert run("local", "der", []) == files.leaf().der  # its chain is left out
    with_key = {"key": key_fields(), "password": PASSWORD}
    assert refused("key", "der", key_file, **with_key) == "export-format"


def test_a_key_as_pem_is_encrypted(key_file: list[int]) -> None:
    data = run("key", "pem", key_file, key=key_fields(), password=PASSWORD)
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in data
    assert b"BEGIN RSA" not in data
    assert files.openssl("pkey", *IN, "-pubout", "-outform", "der", data=data) == (
        lab.public_der("dev")
    )


def test_a_pkcs12_that_openssl_opens(key_file: list[int], tmp_path: Any) -> None:
    data = run("local", "pkcs12", key_file, key=key_fields(), password=PASSWORD)
    path = tmp_path / "out.p12"
    path.write_bytes(data)
    words = ("pkcs12", "-in", str(path), *IN, "-nodes")
    keyed = files.openssl(*words, "-nocerts")
    assert files.openssl("pkey", "-pubout", "-outform", "der", data=keyed) == lab.public_der("dev")
    own = files.openssl(*words, "-clcerts", "-nokeys")
    assert files.openssl("x509", "-outform", "der", data=own) == files.leaf().der
    assert files.openssl(*words, "-cacerts", "-nokeys").count(b"BEGIN CERTIFICATE") == 2
    files.openssl("pkcs12", "-in", str(path), "-passin", "pass:wrong", "-nodes", good=False)


def test_how_a_pkcs12_is_protected(key_file: list[int], tmp_path: Any) -> None:
    """PBES2 with AES-256 and an HMAC-SHA-256: what OpenSSL 3 and Windows Server 2019 read."""
    path = tmp_path / "out.p12"
    path.write_bytes(run("local", "pkcs12", key_file, key=key_fields(), password=PASSWORD))
    words = ("pkcs12", "-in", str(path), *IN, "-info", "-noout")
    told = files.openssl_says(*words)
    assert told.count("PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256") == 2
    assert "MAC: sha256" in told


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_certificates_alone_as_pkcs12(password: str | None, tmp_path: Any) -> None:
    ders = [lab.sub().der, lab.root().der]
    data = run("ca", "pkcs12", [], password=password)
    found = container.read(data, password, True)
    assert ({one.der for one in found.certificates}, found.keys) == (set(ders), [])


@pytest.mark.parametrize("form", ["pem", "pkcs12"])
def test_a_key_alone(key_file: list[int], form: str) -> None:
    alone = {"certificates": [], "key": key_fields(), "password": PASSWORD}
    found = container.read(run("key", form, key_file, **alone), PASSWORD, True)
    assert (len(found.keys), found.certificates) == (1, [])


@pytest.mark.parametrize("form", ["pem", "pkcs12"])
def test_what_leaves_comes_in_again(key_file: list[int], form: str) -> None:
    data = run("local", form, key_file, key=key_fields(), password=PASSWORD)
    found = container.read(data, PASSWORD, True)
    assert {one.der for one in found.certificates} == {party.der for party in files.chain()}
    assert len(found.keys) == 1
    with pytest.raises(AgentError) as caught:
        container.read(data, "wrong", True)
    assert caught.value.code == "import-password"


@pytest.mark.parametrize("form", ["pem", "pkcs12"])
def test_no_key_leaves_without_a_password(key_file: list[int], form: str) -> None:
    for password in (None, ""):
        for kind in ("key", "local"):
            code = refused(kind, form, key_file, key=key_fields(), password=password)
            assert code == "export-password-missing"
    assert refused("key", form, key_file, password=PASSWORD) == "job-request"


def test_a_key_that_another_device_has_sealed(key_file: list[int]) -> None:
    foreign = {**key_fields(), "generation": 9}
    code = refused("key", "pem", key_file, key=foreign, password=PASSWORD)
    assert code == "sealed-unreadable"


def test_what_the_library_does_not_take() -> None:
    assert refused("local", "pkcs12", [], certificate=b"none", ca=None) == "export-refused"


def test_the_ca_that_leaves_is_judged_by_the_job_that_writes_it() -> None:
    foreign = lab.certificate({"common_name": "Other"}, "other", None, ca=True)
    ca = lab.stored(lab.root(), lab.sub(), foreign, lab.ra_pair()[0])
    assert run("ca", "pem", [], ca=ca) == files.certificate_pem(lab.root(), lab.sub())
    assert refused("ca", "pem", [], ca=lab.stored(foreign, pin=lab.root())) == "ca-pin-missing"
    anchored = {**ca, "anchor": {"algorithm": "sha1", "hex": "00" * 20}}
    assert refused("ca", "pem", [], ca=anchored) == "ca-pin-mismatch"
