"""Pages: how many rows, which keys, and a transport that is slow."""

from agent.console.pager import ERASE_MORE, MORE, Pager


class Page:
    """A screen of ten columns that keeps what it was sent."""

    width = 10

    def __init__(self, room: int = 1_000_000) -> None:
        self.sent: list[str] = []
        self.room = room

    def line(self, text: str) -> None:
        self.sent.append(text)

    def write(self, text: str) -> None:
        self.sent.append(text)

    def has_room(self) -> bool:
        self.room -= 1
        return self.room >= 0


def started(lines: list[str], page: int, room: int = 1_000_000) -> tuple[Page, Pager]:
    screen = Page(room)
    pager = Pager(screen)
    pager.begin(iter(lines), page)
    return screen, pager


def test_what_fits_is_not_paged() -> None:
    screen, pager = started(["a", "b", "c"], 3)
    assert screen.sent == ["a", "b", "c"]
    assert not pager.active


def test_a_page_and_a_line() -> None:
    screen, pager = started(list("abcdefg"), 3)
    assert screen.sent == ["a", "b", "c", MORE]
    pager.key(13)
    assert screen.sent[4:] == [ERASE_MORE, "d", MORE]
    pager.key(32)
    assert screen.sent[7:] == [ERASE_MORE, "e", "f", "g"]
    assert not pager.active


def test_wide_lines_take_the_rows_that_they_need() -> None:
    assert started(["x" * 21, "y", "z"], 4)[0].sent == ["x" * 21, "y", MORE]


def test_other_keys_wait_and_q_stops() -> None:
    screen, pager = started(list("abc"), 1)
    pager.key(ord("x"))
    assert pager.waiting
    pager.key(ord("q"))
    assert screen.sent == ["a", MORE, ERASE_MORE]
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
    pager.begin(lines(), 0)
    assert len(screen.sent) == 400
    assert len(made) == 401
    screen.room = 100
    pager.pump()
    assert len(screen.sent) == 1000
