"""No turn of the loop has all realms in it: what it takes is the same for twice as many.

Steps are calls of Python functions, the same on each machine and at each load.
"""

from collections.abc import Callable

import pytest

from agent.console.configuration.apply import How, apply
from hal.fakes.flash import FakeFlash
from tests.helpers import fleet
from tests.helpers.counted import calls
from tests.helpers.device_bench import Bench
from tests.helpers.turns import longest, longest_of, script

FEW, MANY = 60, 120
STEPS = 20_000  # of any turn: some milliseconds
PER_CENT = 130  # of what half as many take: a piece may have other lines in it


def configured(count: int) -> Bench:
    """Nothing is saved yet."""
    bench = Bench(fleet.text(count), FakeFlash(fleet.BLOCK, 4 * fleet.MIB // fleet.BLOCK))
    bench.factory = ""
    return bench


def applied(bench: Bench, text: str) -> int:
    with script(bench) as typed:
        statuses = typed.statuses
        bench.loop.after(
            0,
            lambda: typed.session.perform(lambda it: apply(it, text, How()), statuses.append),
        )

        def over() -> bool:
            typed.read()
            return bool(statuses)

        steps = longest(bench, over)
        assert statuses == [0], typed.text[-300:]
        return steps


def apply_to_nothing(count: int) -> int:
    bench = Bench("", FakeFlash(fleet.BLOCK, 4 * fleet.MIB // fleet.BLOCK))
    return applied(bench, fleet.text(count))


def apply_what_is_there(count: int) -> int:
    bench = configured(count)
    return applied(bench, "\n".join(bench.device.configuration.running()))


def typing(*lines: str) -> Callable[[int], int]:
    return lambda count: longest_of(fleet.saved(count), *lines)


ACTS: dict[str, Callable[[int], int]] = {
    "apply": apply_to_nothing,
    "apply again": apply_what_is_there,
    "apply one line": lambda count: applied(fleet.saved(count), "sysname r7\n"),
    "save": lambda count: longest_of(configured(count), "save", "y"),
    "save again": typing("save", "y"),
    "reset": typing("reset saved-configuration", "y"),
    "display running": typing("display current-configuration"),
    "display saved": typing("display saved-configuration"),
    "compare": typing("compare configuration"),
    "compare with nothing": lambda count: longest_of(
        fleet.saved(count), "system-view", "sysname r7", "return", "compare configuration"
    ),
    "display realms": typing("display pki realm"),
    "display enrollment": typing("display pki enrollment"),
}


@pytest.mark.parametrize("act", ACTS)
def test_the_longest_turn_is_the_same_for_twice_as_many(act: str) -> None:
    steps = {count: ACTS[act](count) for count in (FEW, MANY)}
    print(f"turns: {act.replace(' ', '-')}={steps[MANY]} steps")
    assert steps[MANY] < STEPS
    assert 100 * steps[MANY] <= PER_CENT * steps[FEW]


def configuring(count: int) -> int:
    """The steps of what devices do about a line of one realm, all of which have worked."""
    bench = fleet.saved(count)
    for name in list(bench.device.shared.settings.realms):
        bench.device.realms.runner(name)
    return calls(bench.device.changed)


def test_a_line_costs_the_others_a_look() -> None:
    more = configuring(MANY) - configuring(FEW)
    assert more <= 3 * (MANY - FEW), f"{more} steps for {MANY - FEW} more realms"
