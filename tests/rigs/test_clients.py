"""A slice of `make clients`: the clients that are among the development packages."""

import sys

import pytest

from tests.helpers.sshd import missing
from tests.rigs.clients.__main__ import SCRIPTS, main

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(missing()), reason=missing() or "it can run"),
]


@pytest.mark.parametrize("name", ["with_netmiko", "with_oxidized"])
def test_a_client_works_unchanged(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert name in {script.stem for script in SCRIPTS}
    status = main(["--python", sys.executable, name])
    said = capfd.readouterr()
    assert status == 0, said.out + said.err
    assert " failed=0 " in said.out.splitlines()[-1]


def test_a_client_that_does_not_work_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--python", sys.executable, "with_nobody"]) == 1
    assert "failed with_nobody: it ended by itself" in capfd.readouterr().out
