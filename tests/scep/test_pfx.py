"""PKCS#12 that the library does not open: the lock by itself, then each bag by itself."""

from pathlib import Path

import pytest

from agent import limits
from agent.errors import AgentError
from agent.scep import ber, cms_writer, container, crypto, der, oids, pbe, pfx
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab
from tests.scep.test_container import FORMS, PASSWORD, publics

CERT_BAG, KEY_BAG = "1.2.840.113549.1.12.10.1.3", "1.2.840.113549.1.12.10.1.2"
X509 = "1.2.840.113549.1.9.22.1"
OURS = [form for form in FORMS if form != "legacy"]  # RC2 is left to the library


def info(content: bytes) -> bytes:
    return der.sequence(der.oid(oids.DATA), der.tlv(der.explicit(0), der.octet_string(content)))


def bag(kind: str, value: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.tlv(der.explicit(0), value))


def built(
    *ders: bytes, password: str = PASSWORD, digest: str = "sha-256", version: int = 3
) -> bytes:
    """A PKCS#12 with a shrouded key, certificates in plain, and a MAC."""
    bags = [bag(KEY_BAG, pbe.shroud(lab.private_der("dev"), password))]
    for one in ders:
        inner = der.sequence(der.oid(X509), der.tlv(der.explicit(0), der.octet_string(one)))
        bags.append(bag(CERT_BAG, inner))
    safe = der.sequence(info(der.sequence(*bags)))
    salt, rounds = b"saltsalt", 2048
    print_ = der.octet_string(pbe.mac(digest, password, salt, rounds, safe))
    algorithm = cms_writer.algorithm(oids.DIGESTS[digest])
    mac = der.sequence(der.sequence(algorithm, print_), der.octet_string(salt), der.integer(rounds))
    return der.sequence(der.integer(version), info(safe), mac)


def odd(*changes: tuple[bytes, bytes]) -> bytes:
    """The root certificate with a fault that a library refuses."""
    data = lab.root().der
    for old, new in changes:
        assert old in data
        data = data.replace(old, new, 1)
    return data


ODD = {
    "version": odd((b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x63")),
    "time": odd((b"\x17\x0d2", b"\x17\x0d9"), (b"Z\x17\x0d2", b"Z\x17\x0dx")),
    "name": odd((b"\x0c\x08Lab Root", b"\x0c\x08Lab \xff\xffot")),
    "no certificate": der.sequence(der.integer(5)),
}


@pytest.mark.parametrize("digest", ["sha1", "sha-256", "sha-384", "sha-512"])
def test_openssl_takes_a_mac_of_ours(tmp_path: Path, digest: str) -> None:
    """The key derivation of RFC 7292 B.2, as somebody else has it."""
    (tmp_path / "a.p12").write_bytes(built(files.leaf().der, digest=digest))
    words = ("pkcs12", "-in", str(tmp_path / "a.p12"), "-nodes", "-passin", f"pass:{PASSWORD}")
    assert b"BEGIN PRIVATE KEY" in files.openssl(*words)


@pytest.mark.parametrize("form", OURS)
def test_files_of_openssl_as_the_library_opens_them(tmp_path: Path, form: str) -> None:
    data = files.pkcs12(tmp_path, *FORMS[form])
    bags = pfx.read(data, PASSWORD)
    assert set(bags.certificates) == {party.der for party in files.chain()}
    assert len(bags.keys) == 1
    for wrong in (PASSWORD + "x", None):
        with pytest.raises(AgentError) as caught:
            container.read(data, wrong, keys=True)
        code = "import-password" if wrong else "import-password-missing"
        assert caught.value.code == code


@pytest.mark.parametrize("words", [(), ("-nomac",)])
def test_files_without_a_password(tmp_path: Path, words: tuple[str, ...]) -> None:
    plain = ("-keypbe", "NONE", "-certpbe", "NONE", "-passout", "pass:")
    bags = pfx.read(files.pkcs12(tmp_path, *plain, *words), None)
    assert (len(bags.keys), len(bags.certificates)) == (1, 3)


@pytest.mark.parametrize("kind", ODD)
def test_one_odd_certificate_costs_neither_the_key_nor_the_others(kind: str) -> None:
    data = built(files.leaf().der, ODD[kind], lab.sub().der)
    found = container.read(data, PASSWORD, keys=True)
    assert publics(found) == [lab.public_der("dev")]
    ders = [one.der for one in found.certificates]
    assert [files.leaf().der, lab.sub().der] == [one for one in ders if one != ODD[kind]]
    if kind != "name":  # our reader takes it, and shows what cannot be read as U+FFFD
        assert crypto.digest("sha-256", ODD[kind]).hex() in found.left_out


@pytest.mark.parametrize("kind", ODD)
def test_a_wrong_password_is_told_from_an_odd_certificate(kind: str) -> None:
    data = built(files.leaf().der, ODD[kind])
    with pytest.raises(AgentError) as caught:
        container.read(data, "wrong", keys=True)
    assert caught.value.code == "import-password"


@pytest.mark.parametrize("version", [0, 1, 4, 99])
def test_a_version_of_the_file_locks_nothing(version: int) -> None:
    found = container.read(built(files.leaf().der, version=version), PASSWORD, keys=True)
    assert publics(found) == [lab.public_der("dev")]


def test_an_encryption_that_nobody_knows_is_named_and_no_password_is_called_wrong() -> None:
    key = pbe.shroud(lab.private_der("dev"), PASSWORD)
    aes, unknown = der.oid(oids.CIPHERS["aes256"]), der.oid("2.16.840.1.101.3.4.1.46")
    with pytest.raises(AgentError) as caught:
        container.read(key.replace(aes, unknown), PASSWORD, keys=True)
    assert caught.value.code == "import-unreadable"
    assert "the cipher 2.16.840.1.101.3.4.1.46" in caught.value.what


def test_work_that_stands_behind_a_lock_is_counted_too() -> None:
    greedy = pbe.shroud(lab.private_der("dev"), PASSWORD)
    rounds = der.integer(limits.EXPORT_KDF_ROUNDS)
    greedy = greedy.replace(rounds, der.integer((1 << 23) - 1))
    bags = der.sequence(bag(KEY_BAG, greedy))
    algorithm = ber.read(pbe.shroud(bags, PASSWORD)).children
    encrypted = der.sequence(
        der.integer(0),
        der.sequence(
            der.oid(oids.DATA),
            algorithm[0].raw,
            der.tlv(der.context(0), algorithm[1].octet_string()),
        ),
    )
    part = der.sequence(der.oid(oids.ENCRYPTED_DATA), der.tlv(der.explicit(0), encrypted))
    data = der.sequence(der.integer(3), info(der.sequence(part)))
    with pytest.raises(AgentError) as caught:
        container.read(data, PASSWORD, keys=True)
    assert caught.value.code == "import-work"


@pytest.mark.parametrize("depth", [1, 4, 5])
def test_bags_of_bags(depth: int) -> None:
    contents = der.sequence(bag(KEY_BAG, pbe.shroud(lab.private_der("dev"), PASSWORD)))
    for _ in range(depth):
        contents = der.sequence(bag("1.2.840.113549.1.12.10.1.6", contents))
    data = der.sequence(der.integer(3), info(der.sequence(info(contents))))
    assert len(pfx.read(data, PASSWORD).keys) == (depth <= 4)


def test_too_many_bags() -> None:
    with pytest.raises(ValueError, match="bags"):
        pfx.read(built(*[lab.root().der] * 65), PASSWORD)
