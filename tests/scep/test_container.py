"""What files of other tools hold, and what is said about those that do not open."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits, pem
from agent.errors import AgentError
from agent.scep import ber, container, crypto, der
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab

PASSWORD = files.PASSWORD
FORMS: dict[str, tuple[str, ...]] = {
    "modern": (),
    "legacy": ("-legacy",),
    "aes128": ("-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC"),
    "3des": ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"),
    "certificates in plain": ("-certpbe", "NONE"),
    "without a MAC": ("-nomac",),
    "old, without a MAC": ("-nomac", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"),
}


def read(data: bytes, password: str | None = None, **how: Any) -> container.Contents:
    return container.read(data, password, how.get("keys", True))


def refused(data: bytes, password: str | None = None, **how: Any) -> AgentError:
    with pytest.raises(AgentError) as caught:
        read(data, password, **how)
    for text in (caught.value.what, caught.value.cause):
        assert text.isprintable()
    return caught.value


def ders(found: container.Contents) -> list[bytes]:
    return [one.der for one in found.certificates]


def publics(found: container.Contents) -> list[bytes]:
    return [crypto.public_der(key) for key in found.keys]


# -- PKCS#12 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_pkcs12_of_openssl(tmp_path: Path, form: str) -> None:
    data = files.pkcs12(tmp_path, *FORMS[form])
    for given_form in (None, "pkcs12"):
        found = read(data, PASSWORD, form=given_form)
        assert set(ders(found)) == {party.der for party in files.chain()}
        assert publics(found) == [lab.public_der("dev")]


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_password_is_its_own_error(tmp_path: Path, form: str) -> None:
    data = files.pkcs12(tmp_path, *FORMS[form])
    error = refused(data, PASSWORD + "x")
    assert error.code == "import-password"
    # The MAC says so, and needs none of the old ciphers.
    assert "RC2-40" not in error.cause
    assert refused(data).code == "import-password-missing"


@pytest.mark.parametrize("form", [(), ("-nomac",)])
def test_pkcs12_without_a_password(tmp_path: Path, form: tuple[str, ...]) -> None:
    plain = ("-keypbe", "NONE", "-certpbe", "NONE", "-passout", "pass:")
    found = read(files.pkcs12(tmp_path, *plain, *form))
    assert publics(found) == [lab.public_der("dev")]
    assert len(found.certificates) == 3


def test_pkcs12_with_certificates_alone(tmp_path: Path) -> None:
    data = files.pkcs12(tmp_path, key=None, certificates=[lab.sub(), lab.root()])
    found = read(data, PASSWORD)
    assert set(ders(found)) == {lab.sub().der, lab.root().der}
    assert found.keys == []


@pytest.mark.parametrize("length", [1, 30, 31, 32, 64, 200])
def test_a_mac_of_ours_fits_passwords_of_every_length(tmp_path: Path, length: int) -> None:
    password = "pä" * (length // 2) + "x" * (length % 2)
    data = files.pkcs12(tmp_path, "-nomac", "-passout", f"pass:{password}")
    assert len(read(data, password).keys) == 1


def test_a_pkcs12_that_asks_for_hours_is_not_opened(tmp_path: Path) -> None:
    fields = [child.raw for child in ber.read(files.pkcs12(tmp_path)).children]
    mac = [child.raw for child in ber.read(fields[2]).children[:2]]
    greedy = der.sequence(*fields[:2], der.sequence(*mac, der.integer(1 << 31)))
    assert refused(greedy, PASSWORD).code == "import-work"


# -- PEM and DER -----------------------------------------------------------------------------------

KEYS: dict[str, tuple[str, ...]] = {
    "PKCS#1 with AES": ("rsa", "-aes256", "-traditional"),
    "PKCS#1 with 3DES": ("rsa", "-des3", "-traditional"),
    "PKCS#8": ("pkcs8", "-topk8"),
    "PKCS#8 with scrypt": ("pkcs8", "-topk8", "-scrypt"),
    "PKCS#8 with 3DES": ("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"),
}


@pytest.mark.parametrize("kind", KEYS)
def test_encrypted_keys_of_openssl_in_pem(kind: str) -> None:
    words = (*KEYS[kind], "-passout", f"pass:{PASSWORD}")
    data = files.openssl(*words, data=files.key_pem("dev"))
    assert publics(read(data, PASSWORD)) == [lab.public_der("dev")]
    assert refused(data, "wrong").code == "import-password"
    assert refused(data).code == "import-password-missing"
    assert refused(data, "").code == "import-password-missing"


@pytest.mark.parametrize("words", [("rsa", "-traditional"), ("pkcs8", "-topk8", "-nocrypt")])
@pytest.mark.parametrize("form", ["pem", "der"])
def test_keys_in_plain_and_a_password_that_nobody_needs(words: tuple[str, ...], form: str) -> None:
    data = files.openssl(*words, "-outform", form, data=files.key_pem("dev"))
    for password in (None, "needless"):
        for given_form in (None, form):
            found = read(data, password, form=given_form)
            assert publics(found) == [lab.public_der("dev")]


def test_an_encrypted_key_in_der() -> None:
    words = ("pkcs8", "-topk8", "-outform", "der", "-passout", f"pass:{PASSWORD}")
    data = files.openssl(*words, data=files.key_pem("dev"))
    assert len(read(data, PASSWORD).keys) == 1
    assert refused(data).code == "import-password-missing"


def test_pem_in_any_order_each_certificate_and_key_once() -> None:
    parts = [files.certificate_pem(party) for party in files.chain()]
    data = b"text\n" + parts[2] + files.key_pem("dev") + parts[0] + parts[1]
    found = read(data + parts[0] + files.key_pem("dev") + b"more text")
    assert ders(found) == [lab.root().der, files.leaf().der, lab.sub().der]
    assert len(found.keys) == 1
    assert len(read(data + files.key_pem("other")).keys) == 2


def test_keys_that_nobody_asked_for_need_no_password() -> None:
    words = ("pkcs8", "-topk8", "-passout", "pass:x")
    key = files.openssl(*words, data=files.key_pem("dev"))
    found = read(key + files.certificate_pem(lab.root()), keys=False)
    assert (ders(found), found.keys) == ([lab.root().der], [])


def test_certificates_in_der_and_in_pkcs7() -> None:
    assert ders(read(lab.root().der)) == [lab.root().der]
    both = files.certificate_pem(lab.root(), lab.sub())
    for form in ("pem", "der"):
        words = ("crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", "-outform", form)
        assert set(ders(read(files.openssl(*words, data=both)))) == {lab.root().der, lab.sub().der}


# -- refusals --------------------------------------------------------------------------------------


def other_key(kind: str) -> bytes:
    made: Any = ec.generate_private_key(ec.SECP256R1())
    if kind != "ec":
        made = rsa.generate_private_key(65537, int(kind))
    return bytes(
        made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.mark.parametrize("kind", ["ec", "1024"])
def test_keys_that_this_device_does_not_work_with(kind: str) -> None:
    error = refused(other_key(kind))
    assert error.code == "import-key-refused"
    assert ("RSA" in error.what) == (kind == "ec")
    words = ("pkcs12", "-export", "-nocerts", "-passout", "pass:x")
    data = files.openssl(*words, data=other_key(kind))
    assert refused(data, "x").code == "import-key-refused"


NOTHING = [b"", b"junk", b"\x30", b"\x30\x00", b"\x30\x03\x02\x01\x03", b"-----BEGIN ",
           b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
           b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"]  # fmt: skip


@pytest.mark.parametrize("data", NOTHING)
def test_files_with_nothing_in_them(data: bytes) -> None:
    for form in (None, *container.FORMATS):
        assert refused(data, form=form).code in ("import-unreadable", "import-password-missing")


def test_too_much_of_anything() -> None:
    assert refused(bytes(limits.IMPORT_BYTES + 1)).code == "import-too-large"
    many = [
        lab.certificate({"common_name": f"c{n}"}, "dev", lab.root())
        for n in range(limits.CA_SET_CERTIFICATES + 1)
    ]
    assert refused(files.certificate_pem(*many)).code == "import-unreadable"
    name = {"common_name": "x" * (limits.CA_SET_DER_BYTES // 2)}
    large = [lab.certificate(name, "dev", lab.root()) for _ in range(2)]
    assert refused(files.certificate_pem(*large)).code == "import-too-large"


def test_many_keys_are_not_opened_one_after_the_other() -> None:
    """Each may ask for all the rounds that are allowed."""
    words = ("pkcs8", "-topk8", "-iter", "1000000", "-passout", "pass:x")
    key = files.openssl(*words, data=files.key_pem("dev"))
    assert refused(key * 3, "x").code == "import-keys"


def test_an_error_holds_nothing_of_the_file() -> None:
    body = pem.encode("PRIVATE KEY", [lab.private_der("dev")])
    damaged = body.replace(b"\n-----END", b"*\n-----END")
    error = refused(damaged)
    secret = body.splitlines()[3].decode()
    assert secret[:16] not in error.what + error.cause + error.remedy


# -- damage ----------------------------------------------------------------------------------------


def whole_files() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        found = {name: files.pkcs12(Path(folder), *FORMS[name]) for name in ("modern", "legacy")}
        found["nomac"] = files.pkcs12(Path(folder), "-nomac")
    words = ("pkcs8", "-topk8", "-passout", f"pass:{PASSWORD}")
    key = files.openssl(*words, data=files.key_pem("dev"))
    old = files.openssl("rsa", "-aes256", "-traditional", *words[2:], data=files.key_pem("dev"))
    found["pem"] = files.certificate_pem(*files.chain()) + key
    found["traditional"] = old
    found["key"] = files.openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "der",
                                 data=files.key_pem("dev"))  # fmt: skip
    return found


WHOLE: dict[str, bytes] = {}


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.data())
def test_damage_is_one_of_our_errors_or_contents(data: st.DataObject) -> None:
    if not WHOLE:
        WHOLE.update(whole_files())
    whole = WHOLE[data.draw(st.sampled_from(sorted(WHOLE)))]
    at = data.draw(st.integers(0, len(whole) - 1))
    bit, cut = data.draw(st.integers(0, 7)), data.draw(st.booleans())
    damaged = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
    form = data.draw(st.sampled_from([None, *container.FORMATS]))
    try:
        size = len(read(damaged, PASSWORD, form=form).certificates)
    except AgentError:
        return
    assert size <= 3


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.binary(max_size=200), st.sampled_from([None, *container.FORMATS]))
def test_noise_is_one_of_our_errors(noise: bytes, form: str | None) -> None:
    assert refused(noise, PASSWORD, form=form).code.startswith("import-")
