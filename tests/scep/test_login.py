"""Passwords of logins: one word each, never the same twice, and no word costs more than ours."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.errors import AgentError
from agent.scep import login

SALT = "AAECAwQFBgcICQoLDA0ODw"  # the bytes 0 to 15


@pytest.mark.slow
def test_a_word_for_a_configuration() -> None:
    first, second = (login.hashed("sekret", None) for _ in range(2))
    assert first != second
    for word in (first, second):
        assert len(word) <= limits.PASSWORD_HASH_CHARACTERS
        assert word.isascii()
        assert word.isprintable()
        assert not set(word) & set(" ?\"'|")
        assert login.matches("sekret", word)
        assert not login.matches("sekreT", word)
        assert not login.matches("", word)


def test_the_hash_is_that_of_openssl() -> None:
    numbers = ("n:1024", "r:8", "p:1", "pass:sekret", f"hexsalt:{bytes(range(16)).hex()}")
    options = [word for number in numbers for word in ("-kdfopt", number)]
    made = subprocess.run(
        ["openssl", "kdf", "-keylen", "32", *options, "-binary", "SCRYPT"],
        capture_output=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    word = f"$scrypt$ln=10,r=8,p=1${SALT}${login._text(made)}"
    assert login.matches("sekret", word)
    assert not login.matches("secret", word)


@pytest.mark.slow
def test_the_word_of_before_stays_when_the_password_does() -> None:
    before = login.hashed("sekret", None)
    assert login.hashed("sekret", before) == before
    for old in (login.hashed("other", None), "junk", before.replace("ln=14", "ln=13")):
        again = login.hashed("sekret", old)
        assert again != old
        assert login.matches("sekret", again)


@pytest.mark.parametrize("plain", ["", "x" * (limits.LOGIN_PASSWORD_BYTES + 1), "ü" * 65])
def test_passwords_out_of_range(plain: str) -> None:
    with pytest.raises(AgentError) as caught:
        login.hashed(plain, None)
    assert caught.value.code == "job-request"


@pytest.mark.parametrize("plain", ["ü" * 64, "with ? and blanks", "\t"])
def test_passwords_of_every_character(plain: str) -> None:
    assert login.matches(plain, login.hashed(plain, None))


GOOD = f"$scrypt$ln=14,r=8,p=1${SALT}${'A' * 43}"
BAD = [
    "", "plain", GOOD[:-1], GOOD + "A", GOOD + "\n", GOOD.replace("scrypt", "bcrypt"),
    GOOD.replace("ln=14", "ln=15"), GOOD.replace("ln=14", "ln=0"), GOOD.replace("ln=14", "ln=99"),
    GOOD.replace("r=8", "r=9"), GOOD.replace("r=8", "r=0"), GOOD.replace("p=1", "p=2"),
    GOOD.replace("ln=14", "ln=١٤"), GOOD.replace("AAEC", "A?EC"), "$" * 200, GOOD * 1000,
]  # fmt: skip


@pytest.mark.parametrize("word", BAD)
def test_words_that_are_none_or_ask_for_too_much(word: str) -> None:
    with pytest.raises(AgentError) as caught:
        login.matches("sekret", word)
    assert caught.value.code == "hash-unreadable"


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, len(GOOD) - 1), st.text(max_size=2))
def test_a_damaged_word_lets_nobody_in(at: int, noise: str) -> None:
    word = login.hashed("sekret", GOOD)
    damaged = word[:at] + noise + word[at + len(noise) :]
    try:
        found = login.matches("sekret", damaged)
    except AgentError:
        return
    assert not found or login._read(damaged) == login._read(word)
