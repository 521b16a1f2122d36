"""Seals, passwords and key pairs under the device key."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.errors import LocalError
from agent.scep import vault
from tests.helpers import scep_lab as lab

KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.fixture
def descriptor() -> Iterator[int]:
    made = os.memfd_create("device-key")
    yield made
    os.close(made)


def test_the_device_key_is_32_bytes_wherever_the_offset_is(descriptor: int) -> None:
    os.write(descriptor, KEY)
    assert vault.device_key(descriptor) == KEY
    assert vault.device_key(descriptor) == KEY
    for wrong in (b"", b"k" * 31, b"k" * 33):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, wrong, 0)
        with pytest.raises(LocalError) as caught:
            vault.device_key(descriptor)
        assert caught.value.code == "device-key"


def test_a_closed_descriptor_is_an_error_of_ours() -> None:
    reading, writing = os.pipe()  # pread fails on a pipe
    try:
        with pytest.raises(LocalError) as caught:
            vault.device_key(reading)
    finally:
        os.close(reading)
        os.close(writing)
    assert caught.value.code == "device-key"


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_was_sealed_opens_in_its_place_only(plain: bytes, bound: bytes) -> None:
    sealed = vault.seal(KEY, plain, bound)
    assert vault.unseal(KEY, sealed, bound) == plain
    assert vault.seal(KEY, plain, bound) != sealed
    for key, data, place in ((OTHER, sealed, bound), (KEY, sealed, bound + b"x")):
        with pytest.raises(LocalError) as caught:
            vault.unseal(key, data, place)
        assert caught.value.code == "sealed-unreadable"


def test_every_flipped_bit_and_every_cut_is_noticed() -> None:
    sealed = vault.seal(KEY, b"secret", b"place")
    damaged = [sealed[:cut] for cut in range(len(sealed))]
    for at in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[at // 8] ^= 1 << at % 8
        damaged.append(bytes(flipped))
    for data in damaged:
        with pytest.raises(LocalError) as caught:
            vault.unseal(KEY, data, b"place", "thing")
        assert caught.value.code == "sealed-unreadable"
        assert "thing" in caught.value.what


@pytest.mark.parametrize("plain", ["a", "sekret", "ü" * 127, "x" * limits.PASSWORD_BYTES])
def test_passwords_in_their_text_form(plain: str) -> None:
    text = vault.seal_password(KEY, plain)
    assert text.startswith("%^%#")
    assert text.endswith("%^%#")
    assert len(text) <= limits.SEALED_PASSWORD_CHARACTERS
    assert len(f" password cipher {text}") <= limits.LINE_CHARACTERS
    assert text.isascii()
    assert " " not in text
    assert vault.unseal_password(KEY, text) == plain


def test_a_password_that_has_not_changed_keeps_its_sealed_form() -> None:
    before = vault.seal_password(KEY, "sekret")
    assert vault.seal_again(KEY, "sekret", before) == before
    for other in (None, vault.seal_password(KEY, "secret"), vault.seal_password(OTHER, "sekret"),
                  "", "sekret", before[:-1]):  # fmt: skip
        text = vault.seal_again(KEY, "sekret", other)
        assert text not in (before, other)
        assert vault.unseal_password(KEY, text) == "sekret"


@pytest.mark.parametrize("plain", ["", "x" * (limits.PASSWORD_BYTES + 1), "ü" * 128])
def test_passwords_out_of_range(plain: str) -> None:
    with pytest.raises(LocalError) as caught:
        vault.seal_password(KEY, plain)
    assert caught.value.code == "job-request"


def test_a_password_of_another_device_says_so() -> None:
    good = vault.seal_password(KEY, "sekret")
    foreign = vault.seal_password(OTHER, "sekret")
    wrong = [foreign, good[:-1], good[1:], "%^%#%^%#", "%^%#", "%^%#!!!%^%#", "plain", "",
             "%^%#" + "A" * 200 + "%^%#", good.replace("A", "B", 1) + "x"]  # fmt: skip
    for text in wrong:
        with pytest.raises(LocalError) as caught:
            vault.unseal_password(KEY, text)
        assert caught.value.code == "sealed-foreign"


def test_a_key_pair_opens_by_name_generation_and_public_half() -> None:
    sealed, spki = vault.generate(KEY, "k1", 3, 2048)
    pair = vault.load(KEY, "k1", 3, sealed, spki)
    assert pair.key_size == 2048
    wrong = [
        (OTHER, "k1", 3, spki, "sealed-unreadable"),
        (KEY, "k2", 3, spki, "sealed-unreadable"),
        (KEY, "k1", 4, spki, "sealed-unreadable"),
        (KEY, "k1", 3, lab.public_der("someone"), "key-mismatch"),
    ]
    for key, name, generation, public, code in wrong:
        with pytest.raises(LocalError) as caught:
            vault.load(key, name, generation, sealed, public)
        assert caught.value.code == code


def test_a_key_pair_from_elsewhere_is_sealed_alike() -> None:
    sealed, spki = vault.seal_key(KEY, "k1", 3, lab.key("dev"))
    assert spki == lab.public_der("dev")
    assert vault.load(KEY, "k1", 3, sealed, spki).key_size == 2048


def test_a_sealed_thing_that_is_no_key() -> None:
    sealed = vault.seal(KEY, b"no key", b"key|k1|1")
    with pytest.raises(LocalError) as caught:
        vault.load(KEY, "k1", 1, sealed, b"")
    assert caught.value.code == "sealed-unreadable"
