"""Work in pieces, all at once; a piece a turn is `tests/ground/test_loop.py`."""

import pytest

from agent.pieces import Pieces, at_once


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
