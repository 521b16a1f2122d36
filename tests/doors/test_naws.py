"""The size of a window between what is typed."""

import pytest

from agent.doors import naws
from agent.doors.naws import IAC, NAWS, SB, SE

SIZES = [(80, 24), (255, 255), (65535, 255), (0, 0), (240, 511)]


def read(data: bytes, piece: int) -> tuple[bytes, list[tuple[int, int]]]:
    reader, text, sizes = naws.Reader(), b"", []
    for at in range(0, len(data), piece):
        typed, size = reader.feed(data[at : at + piece])
        text += typed
        sizes += [size] if size else []
    return text, sizes


def test_a_size_as_rfc_1073_has_it() -> None:
    assert naws.size(80, 24) == bytes((255, 250, 31, 0, 80, 0, 24, 255, 240))
    assert naws.size(255, 24) == bytes((255, 250, 31, 0, 255, 255, 0, 24, 255, 240))


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
def test_sizes_and_text_in_pieces(piece: int) -> None:
    typed = "Größe 日本".encode() + bytes(range(256))
    data = b"".join(naws.size(*one) + naws.typed(typed) for one in SIZES)
    text, sizes = read(data, piece)
    assert text == typed * len(SIZES)
    assert sizes[-1] == SIZES[-1]
    if piece == 1:
        assert sizes == SIZES


@pytest.mark.parametrize(
    "bad",
    [
        bytes((IAC, SE)),
        bytes((IAC, 241)),
        bytes((IAC, SB, 24, 0, 120, IAC, SE)),
        bytes((IAC, SB, NAWS, 0, 80, IAC, SE)),
        bytes((IAC, SB, IAC, SE)),
    ],
)
def test_what_is_no_size_is_dropped(bad: bytes) -> None:
    assert read(b"a" + bad + b"b", 1) == (b"ab", [])


def test_a_command_without_an_end_is_bounded() -> None:
    reader = naws.Reader()
    text, size = reader.feed(bytes((IAC, SB, NAWS)) + b"x" * 1000)
    assert size is None
    assert len(text) > 900
