"""The Chance port: the kernel's and the fake draw bytes that nobody has seen before."""

import pytest

from hal.chance import LinuxChance
from hal.fakes.chance import SeededChance
from hal.ports import Chance

both = pytest.mark.parametrize("chance", [LinuxChance(), SeededChance(7)], ids=["real", "fake"])


@both
@pytest.mark.parametrize("count", [0, 1, 16, 31, 32, 33, 1000])
def test_as_many_bytes_as_asked_for(chance: Chance, count: int) -> None:
    assert len(chance.draw(count)) == count


@both
def test_nothing_is_drawn_twice(chance: Chance) -> None:
    assert len({chance.draw(16) for _draw in range(1000)}) == 1000


@both
def test_each_bit_is_drawn(chance: Chance) -> None:
    """A byte that stands still would be seen; it is no test of randomness."""
    ones = zeroes = 0
    for byte in chance.draw(1000):
        ones, zeroes = ones | byte, zeroes | ~byte
    assert (ones, zeroes & 0xFF) == (0xFF, 0xFF)


def test_a_seed_draws_the_same_again_and_another_one_does_not() -> None:
    def drawn(seed: int) -> list[bytes]:
        chance = SeededChance(seed)
        return [chance.draw(count) for count in (3, 16, 40)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
