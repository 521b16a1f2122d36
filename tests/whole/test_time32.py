"""Where the C library counts seconds in 32 bits: an agent in a real 32-bit Debian 12."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import debian32
from tests.helpers.board import Agent, check_certificate, procedure, run
from tests.helpers.labca import LabCa

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(debian32.missing()), reason=debian32.missing() or "-"),
]

VALIDITY_S = 600_000_000  # 19 years: beyond 2038


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    prefix = debian32.prefix(tmp_path)
    with pytest.raises(
        AssertionError, match="OverflowError"
    ):  # else these tests would show nothing
        run(*prefix, debian32.PYTHON, "-c", "import time; time.gmtime(2**31)")
    python, clone = debian32.PYTHON, debian32.CLONE
    with Agent(tmp_path, prefix=prefix, python=python, clone=clone) as agent:
        yield agent


def test_a_certificate_that_ends_after_2038_is_issued_and_shown(
    agent: Agent, tmp_path: Path
) -> None:
    with LabCa(tmp_path, "--validity", str(VALIDITY_S)) as ca:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"))
        agent.must("system-view", "pki enroll-certificate realm abc")
        check_certificate(agent, ca.dir / "ca.pem")
    ends = run("openssl", "x509", "-in", str(agent.memory("cert.pem")), "-noout", "-enddate")
    year = ends.split()[-2]
    assert int(year) > 2038
    for display, date in (("certificate local", f" {year} GMT"), ("enrollment", f"{year}-")):
        shown = agent.must(f"display pki {display} realm abc")
        assert date in shown, shown


def test_a_clock_of_2040_is_taken_and_of_2106_too(agent: Agent) -> None:
    for date in ("2040-06-01", "2099-12-31"):
        agent.must(f"clock datetime 12:00:00 {date}")
        assert f"{date} 12:0" in agent.must("display clock")
    said = agent.script("clock datetime 12:00:00 2106-02-08")
    assert "a date is YYYY-MM-DD" in said.text
    assert agent.must("display version")
