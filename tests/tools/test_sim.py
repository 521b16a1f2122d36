"""Virtual time in small: herds that do not come in step, a board that nobody tells the time."""

import pytest

from tests.rigs.test_mixtures import SEED
from tools.sim import __main__ as sim
from tools.sim import herd, timeless
from tools.sim.fleet import SECOND_NS, Request

COUNT, FEW, AWAY_S = 2000, 400, 6 * 3600
CUTS, YEARS = 60, 0.6


@pytest.mark.parametrize(
    "one", [herd.switched_on, herd.expired, herd.renewals], ids=lambda one: one.__name__
)
def test_what_is_due_in_one_second_comes_over_its_window(one: herd.Make) -> None:
    found = one(COUNT, SEED)
    assert found.short() == []
    assert found.requests == 2 * COUNT


def test_a_ca_that_comes_back_is_not_trampled() -> None:
    found = herd.after_an_outage(FEW, SEED, away_s=AWAY_S)
    assert found.short() == []
    assert found.served == FEW


def test_the_rig_finds_a_herd_in_which_all_are_alike() -> None:
    found = [
        herd.switched_on(COUNT, "planted", alike=True),
        herd.expired(COUNT, "planted", alike=True),
        herd.after_an_outage(FEW, "planted", away_s=AWAY_S, alike=True),
        herd.renewals(COUNT, "planted", alike=True),
    ]
    for one in found:
        (text,) = one.short()
        assert " requests in " in text


def test_a_window_begins_anywhere() -> None:
    moments = [Request(at * SECOND_NS, "enrol") for at in (0, 9, 10, 12, 18, 19, 40)]
    assert herd.peak(moments, 10) == 4
    assert herd.peak(moments, 1) == 1
    assert herd.peak([], 10) == 0


def test_a_board_that_nobody_tells_the_time_has_a_certificate_that_is_valid() -> None:
    found = timeless.run(CUTS, YEARS, SEED)
    assert found.short() == []
    assert found.issued > CUTS // 4


def test_the_rig_finds_a_board_that_does_not_renew() -> None:
    found = timeless.run(10, 1, "planted", alone=False)
    assert found.lapses > 0
    assert not found.ended_well
    assert len(found.short()) == 2


def test_the_command_tells_what_falls_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert sim.main(["timeless", "--cuts", "5", "--years", "0.05"]) == 0
    last = capsys.readouterr().out.splitlines()
    assert last[0].startswith("timeless: cuts=5 ")
