"""The border to the library: outcomes, never its exceptions, whatever its version."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509 import InvalidVersion
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import AgentError, fail
from agent.scep import cms_writer, crypto, der, oids, pbe, pkcs12
from tests.helpers import scep_lab as lab

DIGESTS = ("md5", "sha1", "sha-256", "sha-384", "sha-512")


@pytest.mark.parametrize("digest", DIGESTS)
def test_signatures_verify_and_are_the_same_each_time(digest: str) -> None:
    key, spki = lab.key("dev"), lab.public_der("dev")
    signature = crypto.sign(key, digest, crypto.digest(digest, b"data"))
    assert signature == crypto.sign(key, digest, crypto.digest(digest, b"data"))
    assert crypto.verify(spki, "rsa", digest, signature, b"data")
    assert not crypto.verify(spki, "rsa", digest, signature, b"date")
    assert not crypto.verify(lab.public_der("root"), "rsa", digest, signature, b"data")
    assert not crypto.verify(spki, "ecdsa", digest, signature, b"data")


def test_ecdsa_of_a_ca() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signature = key.sign(b"data", ec.ECDSA(hashes.SHA256()))
    assert crypto.verify(spki, "ecdsa", "sha-256", signature, b"data")
    assert not crypto.verify(spki, "ecdsa", "sha-256", signature, b"date")
    assert not crypto.verify(spki, "rsa", "sha-256", signature, b"data")
    with pytest.raises(ValueError, match="RSA"):
        crypto.wrap(spki, b"k" * 16)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.binary(max_size=100), st.binary(max_size=100))
def test_verification_never_raises(spki: bytes, signature: bytes) -> None:
    assert not crypto.verify(spki, "rsa", "sha-256", signature, b"data")
    with pytest.raises(ValueError, match="key"):
        crypto.wrap(spki, b"k" * 16)


@pytest.mark.parametrize("cipher", crypto.KEY_BYTES)
def test_content_ciphers(cipher: str) -> None:
    key, iv = b"0123456789abcdefghijklmnopqrstuv"[: crypto.KEY_BYTES[cipher]], b"i" * 16
    iv = iv[: crypto.block_bytes(cipher)]
    for plain in (b"", b"x" * 15, b"x" * 16, b"x" * 4096):
        secret = crypto.encrypt_cbc(cipher, key, iv, plain)
        assert crypto.decrypt_cbc(cipher, key, iv, secret) == plain
        assert crypto.decrypt_cbc(cipher, key, iv, secret[:-1]) is None
        assert crypto.decrypt_cbc(cipher, key, iv[:-1], secret) is None
    assert crypto.decrypt_cbc(cipher, key, iv, b"") is None


def test_own_keys_load_without_the_long_test() -> None:
    loaded = crypto.load_own(lab.private_der("dev"))
    assert crypto.public_der(loaded) == lab.public_der("dev")
    assert crypto.private_der(loaded) == lab.private_der("dev")
    for wrong in (b"", b"x", lab.public_der("dev")):
        with pytest.raises(ValueError):  # noqa: PT011  # the texts are the library's
            crypto.load_own(wrong)


def test_a_key_of_another_kind_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    data = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="RSA"):
        crypto.load_own(data)


def test_a_key_of_our_own_is_not_tested_again() -> None:
    """One of whose two primes is none: it signs, and a test would find it."""
    p, one, other = (1 << 1279) - 1, (1 << 521) - 1, (1 << 607) - 1
    q, e = one * other, 65537
    dp, dq = pow(e, -1, p - 1), pow(e, -1, (one - 1) * (other - 1))
    d = pow(e, -1, (p - 1) * (one - 1) * (other - 1))
    numbers = (0, p * q, e, d, p, q, dp, dq, pow(q, -1, p))
    octets = der.octet_string(der.sequence(*map(der.integer, numbers)))
    pkcs8 = der.sequence(der.integer(0), cms_writer.algorithm(oids.RSA), octets)
    key = crypto.load_own(pkcs8)
    signature = crypto.sign(key, "sha-256", crypto.digest("sha-256", b"data"))
    assert crypto.verify(crypto.public_der(key), "rsa", "sha-256", signature, b"data")
    assert crypto.open_key(pkcs8, False, None) is None


def test_unwrapping_gives_none_or_a_wrong_key_but_never_raises() -> None:
    key = lab.key("dev")
    assert crypto.unwrap(key, crypto.wrap(lab.public_der("dev"), b"k" * 16), None) == b"k" * 16
    wrong = crypto.unwrap(key, crypto.wrap(lab.public_der("root"), b"k" * 16), None)
    assert wrong != b"k" * 16  # None, or random bytes where the library rejects implicitly
    assert crypto.unwrap(key, b"", None) is None
    assert crypto.unwrap(key, b"x" * 256, ("sha1", "sha1")) is None


# -- passwords and files (`container`, `exports` and `login` use them whole) -----------------------


def test_derivations_of_their_documents() -> None:
    """RFC 7914 11 (PBKDF2-HMAC-SHA-256) and 12 (scrypt), RFC 4231 4.2 (HMAC-SHA-256)."""
    found = crypto.pbkdf2(b"passwd", b"salt", 1, 64)
    assert found.hex().startswith(
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
    )
    found = crypto.scrypt(b"pleaseletmein", b"SodiumChloride", 16384, 8, 64)
    assert found.hex().startswith(
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    )
    found = crypto.hmac_sha256(b"\x0b" * 20, b"Hi There")
    assert found.hex() == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.binary(max_size=100), st.booleans(), st.sampled_from([None, b"", b"password"]))
def test_noise_opens_nothing(data: bytes, is_pem: bool, password: bytes | None) -> None:
    assert crypto.open_key(data, is_pem, password) is None


# -- whatever the library throws -------------------------------------------------------------------


class PanicException(BaseException):  # as PyO3 calls that of Rust
    """No Exception, since nobody is expected to go on after it."""


@pytest.mark.parametrize(
    "thrown",
    [
        ValueError("x"), TypeError(), OverflowError(), KeyError("x"), AttributeError(),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "x"), RecursionError(), InvalidSignature(),
        UnsupportedAlgorithm("x"), InvalidVersion("x", 99), InternalError("x", []),
        PanicException("x"),
    ],
)  # fmt: skip
def test_whatever_the_library_throws_is_a_no(thrown: BaseException) -> None:
    def call() -> bytes:
        raise thrown

    assert crypto.asked(call) is None


@pytest.mark.parametrize(
    "thrown", [fail("job-deadline", seconds=1), MemoryError(), KeyboardInterrupt(), SystemExit()]
)
def test_what_is_not_the_library_s_passes(thrown: BaseException) -> None:
    def call() -> bytes:
        raise thrown

    with pytest.raises(type(thrown)):
        crypto.asked(call)


READS = {
    "load_der_public_key", "load_der_private_key", "load_pem_private_key",
    "load_key_and_certificates", "load_der_x509_certificate", "verify", "decrypt",
    "decryptor", "unpadder", "derive",
}  # fmt: skip
OWN = {"load_own", "pbkdf2", "scrypt"}  # what this device has sealed; costs that a caller asks for


@pytest.mark.parametrize("module", ["crypto", "pkcs12"])
def test_every_call_that_gets_foreign_bytes_is_asked(module: str) -> None:
    """Within a function that `asked` gets, or in an argument of it."""
    path = Path(crypto.__file__).with_name(f"{module}.py")
    tree = ast.parse(path.read_text())
    passed = {
        argument.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "asked"
        for argument in node.args
        if isinstance(argument, ast.Name)
    }
    found = list(_calls(tree, False, passed))
    assert [name for name, asked in found if not asked] == []
    assert len(found) >= 2


def _calls(node: ast.AST, asked: bool, passed: set[str]) -> list[tuple[str, bool]]:
    if isinstance(node, ast.FunctionDef):
        asked = asked or node.name in passed or node.name in OWN
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "asked":
        asked = True
    here: list[tuple[str, bool]] = []
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        here = [(name, asked)] if name in READS else []
    return here + [
        one for child in ast.iter_child_nodes(node) for one in _calls(child, asked, passed)
    ]


CALLS: dict[str, Callable[[bytes, bytes], object]] = {
    "verify, rsa": lambda a, b: crypto.verify(a, "rsa", "sha-256", b, b),
    "verify, pss": lambda a, b: crypto.verify(a, "pss", "sha-256", b, b, ("sha1", len(b))),
    "verify, ecdsa": lambda a, b: crypto.verify(a, "ecdsa", "sha3-256", b, b),
    "verify, ed25519": lambda a, b: crypto.verify(a, "ed25519", "sha-512", b, b),
    "can_verify": lambda a, _: crypto.can_verify(a),
    "wrap": lambda a, _: crypto.wrap(a, bytes(16)),
    "unwrap": lambda a, _: crypto.unwrap(lab.key("dev"), a, None),
    "decrypt_cbc": lambda a, b: crypto.decrypt_cbc("aes128", a, b, a),
    "decrypt_gcm": lambda a, b: crypto.decrypt_gcm(a, b, a),
    "open_key, DER": lambda a, b: crypto.open_key(a, False, b or None),
    "open_key, PEM": lambda a, b: crypto.open_key(a, True, b or None),
    "pkcs12": lambda a, b: pkcs12.opened(a, b or None),
    "pkcs12 made": lambda a, b: pkcs12.made(None, [a], b or None, 2),
}


def damaged(data: st.DataObject) -> bytes:
    """Noise, or a public key, a private key or a certificate with some octets changed."""
    whole = data.draw(st.sampled_from([
        b"", lab.public_der("dev"), lab.private_der("dev"), lab.root().der,
        pbe.shroud(lab.private_der("dev"), "x"),
    ]))  # fmt: skip
    octets = bytearray(whole or data.draw(st.binary(max_size=80)))
    for _ in range(data.draw(st.integers(0, 3)) if octets else 0):
        octets[data.draw(st.integers(0, min(len(octets), 120) - 1))] = data.draw(
            st.integers(0, 255)
        )
    return bytes(octets)


@pytest.mark.parametrize("call", CALLS)
@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.data())
def test_a_library_call_ends_in_a_value_or_in_one_of_our_errors(
    call: str, data: st.DataObject
) -> None:
    try:
        CALLS[call](damaged(data), data.draw(st.binary(max_size=32)))
    except (AgentError, ValueError):
        return  # ValueError is what `border.reading` makes one of ours
