"""Bytes of a terminal as keys: what was typed, what a key is called, and what is noise."""

import pytest

from agent.console.terminal.keys import Keys


def taken(data: bytes) -> list[str]:
    keys = Keys()
    return [key for byte in data if (key := keys.take(byte))]


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"a ?~", ["a", " ", "?", "~"]),
        (b"\x00\x01\x1a\x7f\x08", ["^@", "^A", "^Z", "^?", "^H"]),
        (b"\x1c\x1f", [" ", " "]),
        (b"\r\n\r\x00\r\r\n\n", ["^M", "^M", "^M", "^M", "^J"]),
        (b"\x1b[A\x1bOH\x1b[3~", ["[A", "OH", "[3~"]),
        ("é日€".encode(), ["é", "日", "€"]),
    ],
    ids=["characters", "controls", "separators", "ends of lines", "sequences", "UTF-8"],
)
def test_keys(data: bytes, keys: list[str]) -> None:
    assert taken(data) == keys


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x1b[1\x01b", ["^A", "b"]),
        (b"\x1b[12345678", ["8"]),
        (b"\x1bxy", ["y"]),
        (b"\xe2\x82\xc3\xa9", ["é"]),
        (b"\xff\xbf\xf8a", ["a"]),
        (b"\xe2\x82a\xac", ["a"]),
    ],
    ids=["broken off", "without end", "unknown", "another begins", "no lead", "a byte is lost"],
)
def test_noise_is_dropped(data: bytes, keys: list[str]) -> None:
    assert taken(data) == keys


def test_any_byte_at_any_place_is_no_exception() -> None:
    for first in range(256):
        for second in range(256):
            assert all(len(key) <= 8 for key in taken(bytes((27, first, second, 195, first))))
