"""Work in pieces, all at once; a piece a turn is `tests/ground/test_loop.py`."""

import pytest

from agent.pieces import TOGETHER, Pieces, at_once, grouped


def counting(seen: list[int]) -> Pieces[str]:
    for number in range(3):
        seen.append(number)
        yield
    return "end"


def failing() -> Pieces[None]:
    yield
    raise ValueError("in the second piece")


def test_all_at_once_gives_the_result_of_the_last_piece() -> None:
    seen: list[int] = []
    assert at_once(counting(seen)) == "end"
    assert seen == [0, 1, 2]


def test_an_error_of_a_piece_is_one_of_the_whole() -> None:
    with pytest.raises(ValueError, match="in the second piece"):
        at_once(failing())


def test_small_pieces_are_put_together() -> None:
    def many() -> Pieces[str]:
        for _piece in range(3 * TOGETHER):
            yield
        return "end"

    assert sum(1 for _piece in grouped(many())) == 3
    assert at_once(grouped(many())) == "end"
    assert at_once(grouped(counting([]))) == "end"
    with pytest.raises(ValueError, match="in the second piece"):
        next(grouped(failing()))
