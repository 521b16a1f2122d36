"""A few a turn: each thing once, in the order in which they came."""

from contextlib import closing

from agent.device.rounds import Round
from agent.loop import Loop
from hal.fakes.work import FakeClock


def test_one_now_and_one_a_turn_each_once() -> None:
    seen: list[str] = []
    with closing(Loop(FakeClock())) as loop:
        ours: Round[str] = Round(loop, seen.append)
        ours.add("abc")
        ours.add("cad")
        assert seen == ["a"]
        counts = []
        for _turn in range(6):
            loop.turn(0)
            counts.append(len(seen))
    assert "".join(seen) == "abcad"
    assert counts == [2, 3, 4, 5, 5, 5]


def test_who_comes_during_a_visit_has_a_turn_and_nobody_has_one_behind_the_end() -> None:
    seen: list[int] = []
    with closing(Loop(FakeClock())) as loop:

        def visit(number: int) -> None:
            seen.append(number)
            if number < 3:
                ours.add([number + 1])

        ours: Round[int] = Round(loop, visit)
        ours.add([1])
        for _turn in range(4):
            loop.turn(0)
        assert seen == [1, 2, 3]
        ours.add([7, 8, 9])
        ours.clear()
        loop.turn(0)
        ours.add([4])
        for _turn in range(3):
            loop.turn(0)
    assert seen == [1, 2, 3, 7, 4]
