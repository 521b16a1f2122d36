"""The bytes that wait to be looked at."""

import pytest

from agent import limits
from agent.console.terminal.typed import TypeAhead, last_stop


def test_in_order_and_up_to_the_cap() -> None:
    typed = TypeAhead()
    assert typed.add(b"ab")
    assert [typed.take(), typed.take(), len(typed)] == [97, 98, 0]
    assert typed.add(b"x" * limits.TYPE_AHEAD_BYTES)
    assert not typed.add(b"y")
    assert len(typed) == limits.TYPE_AHEAD_BYTES
    typed.clear()
    assert not typed


@pytest.mark.parametrize(
    ("pieces", "clean"),
    [
        ([b"a\r\0b"], b"a\rb"),
        ([b"a\r", b"\0b"], b"a\rb"),
        ([b"a\r", b"", b"b\0"], b"a\rb\0"),
        ([b"\0", b"\0\r\n\0"], b"\0\0\r\n\0"),  # breaks
    ],
)
def test_the_nul_of_telnet_is_no_break(pieces: list[bytes], clean: bytes) -> None:
    typed = TypeAhead()
    assert b"".join(map(typed.cleaned, pieces)) == clean


def test_where_the_last_stop_is() -> None:
    assert last_stop(b"a\x03b\x00c", (3,)) == 1
    assert last_stop(b"a\x03b\x00c", (3, 0)) == 3
    assert last_stop(b"abc", (3, 0)) == -1


def test_what_is_typed_before_a_stop_is_skipped() -> None:
    typed = TypeAhead()
    typed.add(b"ab\x00c\x03d")
    assert typed.skip((3, 0))
    assert (len(typed), typed.take()) == (3, ord("c"))
    assert not typed.skip((0,))
    assert (len(typed), typed.take()) == (2, 3)
