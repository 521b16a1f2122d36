"""Pages: how many rows, which keys, and a transport that is slow."""

from collections.abc import Callable

import pytest

from agent import limits
from agent.console.terminal.pager import ERASE_NARROW, MORE, Pager


class Page:
    """A screen of ten columns that keeps what it was sent."""

    width = 10

    def __init__(self, room: int = 1_000_000) -> None:
        self.sent: list[str] = []
        self.room = room
        self.later: list[Callable[[], None]] = []
        self.resumed = 0

    def line(self, text: str) -> None:
        self.sent.append(text)

    def write(self, text: str) -> None:
        self.sent.append(text)

    def has_room(self) -> bool:
        self.room -= 1
        return self.room >= 0

    def after(self, delay_s: int, call: Callable[[], None]) -> None:
        self.later.append(call)

    def resume(self) -> None:
        self.resumed += 1


def started(lines: list[str], page: int, room: int = 1_000_000) -> tuple[Page, Pager]:
    screen = Page(room)
    pager = Pager(screen)
    pager.begin(iter(lines), page, [])
    return screen, pager


def test_what_fits_is_not_paged() -> None:
    screen, pager = started(["a", "b", "c"], 3)
    assert screen.sent == ["a", "b", "c"]
    assert not pager.active


def test_a_page_and_a_line() -> None:
    screen, pager = started(list("abcdefg"), 3)
    assert screen.sent == ["a", "b", "c", MORE]
    pager.key(13)
    assert screen.sent[4:] == [ERASE_NARROW, "d", MORE]
    pager.key(32)
    assert screen.sent[7:] == [ERASE_NARROW, "e", "f", "g"]
    assert not pager.active


def test_wide_lines_take_the_rows_that_they_need() -> None:
    assert started(["x" * 21, "y", "z"], 4)[0].sent == ["x" * 21, "y", MORE]


def test_a_page_ends_within_a_line_that_is_wrapped() -> None:
    screen = Page()
    screen.width = 20
    pager = Pager(screen)
    pager.begin(iter(["a " * 30, "b"]), 2, [], wraps=True)
    rest = ["    " + " ".join("a" * count) for count in (8, 8, 4)]
    assert screen.sent == [" ".join("a" * 10), rest[0], MORE]
    pager.key(32)
    assert screen.sent[3:] == [ERASE_NARROW, *rest[1:], MORE]
    pager.key(32)
    assert screen.sent[7:] == [ERASE_NARROW, "b"]


def test_other_keys_wait_and_q_stops() -> None:
    screen, pager = started(list("abc"), 1)
    pager.key(ord("x"))
    assert pager.waiting
    pager.key(ord("q"))
    assert screen.sent == ["a", MORE, ERASE_NARROW]
    assert not pager.active
    assert not pager.waiting


def test_nothing_is_made_before_there_is_room() -> None:
    made = []

    def lines():  # type: ignore[no-untyped-def]
        for number in range(1000):
            made.append(number)
            yield str(number)

    screen = Page(room=2)
    pager = Pager(screen)
    pager.begin(lines(), 0, [])
    shown = 2 * limits.OUTPUT_LINES
    assert len(screen.sent) == shown
    assert len(made) == shown + 1, "the next one is known, so that a last page has no `More`"
    screen.room = 100
    pager.pump()
    assert len(screen.sent) == 1000


@pytest.mark.parametrize(
    ("search", "shown"),
    [
        (b"/d\r", ["d", "e", MORE]),
        (b"-c\r", ["d", "e", MORE]),
        (b"+ab\x7f\x7fe\r", ["e"]),
        (b"/\r", ["c", "d", MORE]),
        (b"/nowhere\r", []),
    ],
)
def test_a_search_at_more(search: bytes, shown: list[str]) -> None:
    screen, pager = started(list("abcdefg"), 2)
    for byte in search:
        pager.key(byte)
    at = len(screen.sent) - len(shown)
    assert screen.sent[at:] == shown
    assert screen.sent[at - 1] == ERASE_NARROW
    assert pager.waiting == (MORE in shown)


def test_a_search_is_shown_as_it_is_typed_and_can_be_left() -> None:
    screen, pager = started(list("abcde"), 1)
    for byte in b"/q\x1b\xff":
        pager.key(byte)
    assert screen.sent[-2:] == [ERASE_NARROW, "/q"], "q is a letter here"
    for byte in b"\x7f\x7f":
        pager.key(byte)
    assert screen.sent[-1] == MORE
    for byte in b"/x\x03":
        pager.key(byte)
    assert screen.sent[-1] == ERASE_NARROW
    assert not pager.active
    for byte in b"/" + b"x" * 1000:
        started(["a", "b"], 1)[1].key(byte)


def test_wide_characters_take_their_rows() -> None:
    assert started(["日本" * 3, "y", "z"], 3)[0].sent == ["日本" * 3, "y", MORE]


def test_lines_that_are_left_out_cost_their_turns_too() -> None:
    screen = Page()
    pager = Pager(screen)
    cap = limits.LEFT_OUT_LINES
    pager.begin(map(str, range(3 * cap)), 0, [lambda line: line in ("1", str(3 * cap - 1))])
    assert screen.sent == ["1"]
    assert pager.active
    while screen.later:
        screen.later.pop()()
        assert screen.resumed
        pager.pump()
    assert screen.resumed == 2
    assert screen.sent == ["1", str(3 * cap - 1)]
    assert not pager.active
