"""Keys behind a door: counted questions, and blocks that tell nothing."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import pem
from agent.errors import AgentError
from agent.scep import crypto, vault
from agent.scep.keys import CONTENT_KEY_BYTES, Hands, Keeper, OwnKey, RefusedError
from tests.helpers import scep_lab as lab

DEVICE_KEY = b"d" * 32
DIGEST = "sha-256"
VALUE = crypto.digest(DIGEST, b"data")
LENGTHS = {"md5": 16, "sha1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}


def pair(field: str = "key", name: str = "dev", signs: int = 1, unwraps: int = 1) -> dict[str, Any]:
    sealed = vault.seal(DEVICE_KEY, lab.private_der(name), b"key|k1|2")
    names = {"field": field, "name": "k1", "generation": 2, "signatures": signs, "unwraps": unwraps}
    return {**names, "sealed": sealed, "spki": lab.public_der(name)}


def keeper(*pairs: dict[str, Any], digest: str = DIGEST, password: str | None = None) -> Keeper:
    request = {"keys": list(pairs or [pair()]), "digest": digest, "password": password}
    return Keeper(request, DEVICE_KEY)


def wrapped(content_key: bytes, name: str = "dev") -> bytes:
    return crypto.wrap(lab.public_der(name), content_key)


# -- counted questions -----------------------------------------------------------------------------


def test_as_many_signatures_as_were_counted_and_none_more() -> None:
    kept = keeper(pair(signs=2))
    for _question in range(2):
        signature = kept.sign("key", DIGEST, VALUE)
        assert crypto.verify(lab.public_der("dev"), "rsa", DIGEST, signature, b"data")
    with pytest.raises(RefusedError):
        kept.sign("key", DIGEST, VALUE)
    assert not kept.finished  # the block is still to come


def test_as_many_blocks_as_were_counted_and_none_more() -> None:
    kept = keeper()
    assert kept.unwrap("key", wrapped(b"k" * 16), 16, None) == b"k" * 16
    assert kept.finished
    with pytest.raises(RefusedError):
        kept.unwrap("key", wrapped(b"k" * 16), 16, None)


def test_nothing_is_signed_behind_the_first_block() -> None:
    """Of no key: all that a job signs it signs before it reads from the network."""
    kept = keeper(pair(signs=3), pair("renewal.key", "old", signs=3, unwraps=0))
    kept.unwrap("key", wrapped(b"k" * 16), 16, None)
    for name in ("key", "renewal.key"):
        with pytest.raises(RefusedError):
            kept.sign(name, DIGEST, VALUE)
    assert kept.finished


def test_each_key_has_counts_of_its_own() -> None:
    kept = keeper(pair(unwraps=0), pair("renewal.key", "old"))
    kept.sign("key", DIGEST, VALUE)
    signature = kept.sign("renewal.key", DIGEST, VALUE)
    assert crypto.verify(lab.public_der("old"), "rsa", DIGEST, signature, b"data")
    with pytest.raises(RefusedError):
        kept.unwrap("key", wrapped(b"k" * 16), 16, None)
    assert kept.unwrap("renewal.key", wrapped(b"k" * 24, "old"), 24, None) == b"k" * 24


@pytest.mark.parametrize("digest", LENGTHS)
def test_a_digest_has_exactly_its_length(digest: str) -> None:
    assert crypto.DIGEST_BYTES == LENGTHS
    for size in {0, 1, 19, *LENGTHS.values(), 256} - {LENGTHS[digest]}:
        with pytest.raises(RefusedError):
            keeper(digest=digest).sign("key", digest, bytes(size))


@pytest.mark.parametrize(
    ("name", "digest", "value"),
    [
        ("renewal.key", DIGEST, VALUE),  # another key
        ("", DIGEST, VALUE),
        ("key", "sha1", bytes(20)),  # another digest than the job's
        ("key", "", VALUE),
        ("key", "none", VALUE),
    ],
)
def test_another_signature_than_the_jobs_is_refused(name: str, digest: str, value: bytes) -> None:
    with pytest.raises(RefusedError):
        keeper().sign(name, digest, value)


BLOCK = bytes(256)


@pytest.mark.parametrize(
    ("name", "block", "size", "oaep"),
    [
        ("other", BLOCK, 16, None),
        ("key", b"", 16, None),
        ("key", BLOCK[1:], 16, None),
        ("key", BLOCK + b"\0", 16, None),
        ("key", BLOCK, 0, None),
        ("key", BLOCK, 48, None),  # a premaster secret of TLS, say
        ("key", BLOCK, 245, None),
        ("key", BLOCK, 16, ("sha-256", "sha3")),
    ],
)
def test_another_block_than_a_content_keys_is_refused(
    name: str, block: bytes, size: int, oaep: tuple[str, str] | None
) -> None:
    with pytest.raises(RefusedError):
        keeper().unwrap(name, block, size, oaep)


# -- blocks tell nothing ---------------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.binary(min_size=256, max_size=256), st.sampled_from(CONTENT_KEY_BYTES), st.booleans())
def test_a_block_gives_what_was_asked_for_whatever_is_in_it(
    block: bytes, size: int, oaep: bool
) -> None:
    """And the same again: asking twice tells no more than once."""
    scheme = ("sha1", "sha1") if oaep else None
    found = {OwnKey(lab.key("dev")).unwrap(block, size, scheme) for _time in range(2)}
    assert [len(one) for one in found] == [size]


def test_wrong_blocks_look_like_right_ones() -> None:
    """Padding, length of the content key, recipient, a number above the modulus."""
    key, right = lab.own("dev"), wrapped(b"k" * 16)
    blocks = {
        "wrong padding": bytes(255) + b"\2",
        "for another": wrapped(b"k" * 16, "old"),
        "another length": wrapped(b"k" * 24),
        "nothing inside": wrapped(b""),
        "above the modulus": b"\xff" * 256,
    }
    found = {name: key.unwrap(block, 16, None) for name, block in blocks.items()}
    assert {len(one) for one in found.values()} == {16}
    assert len(set(found.values())) == len(blocks)
    assert key.unwrap(right, 16, None) == b"k" * 16
    assert key.unwrap(right, 24, None)[:16] not in (b"k" * 16, key.unwrap(right, 32, None)[:16])


def test_what_is_made_up_hangs_on_the_key() -> None:
    """Else whoever knows the block would know it, too."""
    block = b"\xff" * 256
    assert lab.own("dev").unwrap(block, 32, None) != lab.own("old").unwrap(block, 32, None)


# -- what is unsealed ------------------------------------------------------------------------------


def test_the_password_is_handed_over_and_one_of_another_device_is_an_error() -> None:
    assert keeper(password=vault.seal_password(DEVICE_KEY, "sekret")).password() == "sekret"
    assert keeper().password() is None
    with pytest.raises(AgentError) as caught:
        keeper(password=vault.seal_password(b"e" * 32, "sekret"))
    assert caught.value.code == "sealed-foreign"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"generation": 3}, "sealed-unreadable"),
        ({"spki": b"x"}, "key-mismatch"),
        ({"sealed": 1}, "job-request"),
        ({"unwraps": None}, "job-request"),
    ],
)
def test_a_key_that_does_not_open_is_an_error(change: dict[str, Any], code: str) -> None:
    with pytest.raises(AgentError) as caught:
        keeper({**pair(), **change})
    assert caught.value.code == code


def test_hands_hold_a_device_key_or_somebody_who_keeps_the_keys() -> None:
    descriptor = os.memfd_create("device-key")
    os.write(descriptor, DEVICE_KEY)
    assert Hands((descriptor,)).device_key == DEVICE_KEY
    os.close(descriptor)
    with pytest.raises(AgentError) as caught:
        Hands().key("key", {"spki": b"x"})
    assert caught.value.code == "job-fault"
    kept = keeper()
    assert Hands(holder=kept).key("key", {"spki": b"x"})[:2] == (kept, "key")


def test_a_key_that_is_placed_is_written_and_not_asked_for(tmp_path: Path) -> None:
    request = {"keys": [pair(signs=0, unwraps=0)], "digest": None, "password": None}
    kept = Keeper({**request, "places": "key"}, DEVICE_KEY)
    files = [os.open(tmp_path / name, os.O_WRONLY | os.O_CREAT, 0o600) for name in "ab"]
    try:
        kept.place(files)
    finally:
        for descriptor in files:
            os.close(descriptor)
    kept.ready()
    written = {(tmp_path / name).read_bytes() for name in "ab"}
    assert written == {pem.encode("PRIVATE KEY", [lab.private_der("dev")])}
    assert kept.finished
    with pytest.raises(RefusedError):
        kept.sign("key", DIGEST, VALUE)
