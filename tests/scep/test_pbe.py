"""What encrypted files ask for, told before they are opened; and our own encryption of a key."""

from pathlib import Path

import pytest

from agent import limits, pem
from agent.errors import LocalError
from agent.scep import crypto, der, oids, pbe
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab

ROUNDS = ("-iter", "5000", "-macalg", "sha256")


def key_info(parameters: bytes, kind: str = "1.2.840.113549.1.5.12") -> bytes:
    """An EncryptedPrivateKeyInfo whose key derivation has these parameters."""
    function = der.sequence(der.oid(kind), parameters)
    cipher = der.sequence(der.oid(oids.CIPHERS["aes256"]), der.octet_string(bytes(16)))
    algorithm = der.sequence(der.oid("1.2.840.113549.1.5.13"), der.sequence(function, cipher))
    return der.sequence(algorithm, der.octet_string(bytes(32)))


def derivation(*numbers: int) -> bytes:
    return der.sequence(der.octet_string(bytes(8)), *map(der.integer, numbers))


def test_the_rounds_of_a_pkcs12_are_added_up(tmp_path: Path) -> None:
    data = files.pkcs12(tmp_path, *ROUNDS)
    # The MAC, the certificates and the key, which is nested in an octet string.
    assert pbe.demand(data) == (15_000, 0, "")


def test_old_algorithms_are_named(tmp_path: Path) -> None:
    assert pbe.demand(files.pkcs12(tmp_path, "-legacy")).rare == "RC2-40"
    words = ("pkcs8", "-topk8", "-outform", "der", "-passout", "pass:x", "-v1", "PBE-MD5-DES")
    made = files.openssl(*words, *files.LEGACY, data=files.key_pem("dev"))
    assert pbe.demand(made) == (2048, 0, "MD5 and DES")


def test_the_memory_of_scrypt() -> None:
    words = ("pkcs8", "-topk8", "-outform", "der", "-passout", "pass:x", "-scrypt")
    made = files.openssl(*words, data=files.key_pem("dev"))
    assert pbe.demand(made).memory_bytes == 16 * 1024 * 1024


SCRYPT = "1.3.6.1.4.1.11591.4.11"
GREEDY = [
    key_info(derivation(limits.KDF_ROUNDS + 1)),
    key_info(derivation(-limits.KDF_ROUNDS - 1)),
    key_info(derivation(1 << 60_000)),  # more digits than Python writes
    key_info(derivation(1 << 15, 8, 1), SCRYPT),
    key_info(derivation(2, 1, 1 << 30), SCRYPT),
    key_info(derivation(1 << 200, 1 << 200, 1), SCRYPT),
    der.sequence(*[key_info(derivation(limits.KDF_ROUNDS // 4))] * 5),
    der.octet_string(der.octet_string(key_info(derivation(1 << 40)))),
]


@pytest.mark.parametrize("data", GREEDY)
def test_what_asks_for_too_much_is_not_opened(data: bytes) -> None:
    with pytest.raises(LocalError) as caught:
        pbe.demand(data)
    assert caught.value.code == "import-work"
    assert caught.value.what.isprintable()


def test_what_is_within_the_caps() -> None:
    assert pbe.demand(key_info(derivation(limits.KDF_ROUNDS))).rounds == limits.KDF_ROUNDS
    assert pbe.demand(key_info(derivation())) == (0, 0, "")
    assert pbe.demand(der.sequence(der.octet_string(b"0 no DER"))) == (0, 0, "")


def test_our_encrypted_key_opens_with_openssl_and_with_the_library() -> None:
    made = pbe.shroud(lab.private_der("dev"), files.PASSWORD)
    assert pbe.demand(made) == (limits.EXPORT_KDF_ROUNDS, 0, "")
    text = pem.encode("ENCRYPTED PRIVATE KEY", [made])
    words = ("pkey", "-passin", f"pass:{files.PASSWORD}", "-outform", "der", "-pubout")
    assert files.openssl(*words, data=text) == lab.public_der("dev")
    words = ("pkey", "-passin", "pass:wrong", "-pubout")
    files.openssl(*words, data=text, good=False)
    assert isinstance(crypto.open_key(made, False, files.PASSWORD.encode()), crypto.PrivateKey)
    assert b"aes-256-cbc" in files.openssl("asn1parse", "-inform", "der", data=made)


def test_no_two_are_alike() -> None:
    first, second = (pbe.shroud(b"key", "x") for _ in range(2))
    assert first != second
