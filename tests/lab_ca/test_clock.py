"""A CA that lives by the clock of a simulated board: both say the same time at any moment."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hal.clock import LinuxClock, ScaledClock
from tests.helpers.labca import LabCa
from tests.helpers.labca_http import by_post, device_of
from tools.lab_ca import clock
from tools.lab_ca.__main__ import main

YEAR_S = 365 * 86400


def write(path: Path, text: str) -> None:
    staged = path.with_name("staged")
    staged.write_text(text)
    staged.rename(path)


def check_same(board: ScaledClock, now_s: Callable[[], int]) -> None:
    before_s, middle_s, after_s = board.wall_s(), now_s(), board.wall_s()
    assert before_s <= middle_s <= after_s


@pytest.mark.parametrize("rate", [1, 0, 0.5, 20, 100_000])
@pytest.mark.parametrize("offset_s", [0, YEAR_S, -20 * YEAR_S])
def test_it_says_what_the_board_says(tmp_path: Path, rate: float, offset_s: int) -> None:
    path = tmp_path / "clock"
    write(path, json.dumps({"offset_s": offset_s, "rate": rate}))
    board, now_s = ScaledClock(LinuxClock(), str(path)), clock.of_board(path)
    check_same(board, now_s)
    board.set_wall(1_900_000_000)  # the board's own `clock datetime`
    check_same(board, now_s)
    check_same(ScaledClock(LinuxClock(), str(path)), now_s)  # the board was cut and has come back


def test_a_board_that_has_not_started_has_gained_nothing(tmp_path: Path) -> None:
    plain, path = clock.of_board(tmp_path / "nowhere"), tmp_path / "clock"
    write(path, json.dumps({"offset_s": 1000, "rate": 1000}))
    first_s, moved_s, last_s = plain(), clock.of_board(path)(), plain()
    assert first_s + 1000 <= moved_s <= last_s + 1000


@pytest.mark.parametrize("text", ["", '{"offset_s": 5', "[1]", '{"offset_s": null}'])
def test_a_file_that_is_being_written_moves_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "clock"
    write(path, json.dumps({"offset_s": YEAR_S, "rate": 1}))
    now_s = clock.of_board(path)
    before_s = now_s()
    write(path, text)
    assert before_s <= now_s() < before_s + YEAR_S // 2


def test_what_it_issues_begins_on_the_day_of_the_board(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    write(path, json.dumps({"offset_s": 10 * YEAR_S, "rate": 1}))
    now_s = clock.of_board(path)
    with LabCa(tmp_path, "--clock", str(path), "--no-backdate") as ca:
        device, before_s = device_of(ca.url), now_s()
        leaf = device.enrol(by_post(ca.url)).leaf(device.key)
        assert before_s <= leaf.not_valid_before.timestamp() <= now_s()
        words = ["--dir", str(ca.dir), "--clock", str(path)]
        serial = f"{leaf.serial_number:032X}"
        assert main([*words, "revoke", serial]) == 0
        assert int((ca.dir / "revoked" / serial).read_text()) >= before_s
