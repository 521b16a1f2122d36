"""The journey of one enrolment: recorded, the same each time, and as its page says."""

import json
import re
import sys
from pathlib import Path

import pytest

from tools.structure import __main__ as command
from tools.structure import journey

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "journey.md"


@pytest.fixture(scope="module")
def recorded() -> journey.Journey:
    return journey.record()


def test_the_page_is_what_is_recorded(recorded: journey.Journey) -> None:
    assert PAGE.read_text() == journey.page(recorded), "run `make docs`"


def test_what_is_recorded(recorded: journey.Journey) -> None:
    assert recorded == journey.record()
    jobs = [stop for stop in recorded.stops if stop.startswith(journey.JOB)]
    assert jobs == ["-> fetch-ca", "-> enrol", "-> activate"]
    assert {"agent.enrolment.engine", "hal.store"} <= set(recorded.files)
    assert not set(recorded.files) & set(recorded.leaves)
    assert recorded.moves > 0
    assert len(recorded.files) <= 30, "a call goes where it belongs, or two files are one idea"
    assert recorded.device <= 3, "device.py wires its parts, and is no way to them"
    assert not [name for name in recorded.files if "fake" in name or "scep" in name]
    assert sys.getprofile() is None


def test_each_file_of_the_page_has_a_sentence(recorded: journey.Journey) -> None:
    rows = re.findall(r"^(?:\d+\.|\*) `(.+?)`: (.+)\.$", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == len(recorded.files) + len(recorded.leaves)
    assert all((ROOT / path).is_file() and sentence for path, sentence in rows)


def test_a_job_that_fails_is_no_journey() -> None:
    bench = journey.ready()
    bench.jobs.outcomes[:] = []
    with pytest.raises(RuntimeError, match="that was to be recorded failed"):
        journey.Typist(bench).apply()


def test_the_command_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--journey"]) == 0
    assert re.fullmatch(
        r"journey: files=\d+ leaves=\d+ moves=\d+ device=\d+",
        capsys.readouterr().out.split("\n")[-2],
    )
    assert command.main(["--journey", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["moves"] > 0
