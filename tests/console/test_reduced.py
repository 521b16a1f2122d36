"""The displays of a line that lets nobody in."""

import pytest

from agent.console.login import reduced
from agent.errors import fail
from tests.helpers.appliance import FakeDevice


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("display version", "scep-agent software, Version"),
        ("DISP  ver", "scep-agent software, Version"),
        ("display clock", "Time source: ntp"),
        ("d int b", "eth0"),
    ],
)
def test_three_displays(text: str, shown: str) -> None:
    assert any(shown in line for line in reduced.lines(FakeDevice(), text))


@pytest.mark.parametrize(
    "text", ["", "display", "display pki realm", "display version json", "x version", "save"]
)
def test_and_nothing_else(text: str) -> None:
    assert reduced.lines(FakeDevice(), text) == []


def test_what_cannot_be_found_out_is_told() -> None:
    class Broken(FakeDevice):
        def interfaces(self) -> list[object]:  # type: ignore[override]
            raise fail("interfaces-unknown", reason="netlink")

    assert "netlink" in "".join(reduced.lines(Broken(), "display interface brief"))
