"""The tables behind docs/interop.md hold together: all they name is there, nothing is left out."""

import pytest

from tests.interop.quirks import ALLOWED, QUIRKS, Quirk
from tests.proofs import missing
from tools.lab_ca.quirks import QUIRKS as SWITCHES

COUNT = 82


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: f"{quirk.number} {quirk.quirk}")
def test_a_quirk_is_proved_or_says_why_not(quirk: Quirk) -> None:
    assert quirk.does or quirk.why_not
    assert bool(quirk.does) == bool(quirk.proofs), "what is done is proved, and nothing else"
    assert missing(quirk.proofs) == []
    assert [name for name in quirk.switches if name not in SWITCHES] == []


def test_every_quirk_stands_once_in_its_order() -> None:
    assert [quirk.number for quirk in QUIRKS] == list(range(1, COUNT + 1))


def test_every_switch_of_the_lab_ca_shows_one_of_them_or_what_is_allowed() -> None:
    named = [name for quirk in QUIRKS for name in quirk.switches] + list(ALLOWED)
    assert sorted(named) == sorted(SWITCHES)
    assert missing(ALLOWED.values()) == []
