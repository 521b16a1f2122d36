"""Whether a CA is to be trusted: who is asked, what is shown first, and when nobody answers."""

from agent import limits
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PRINTS
from tests.helpers.parts import Parts


def test_what_was_typed_before_is_no_answer_and_an_answer_counts_once() -> None:
    parts, answers = Parts(FakeDevice(), terminal=True), list[bool]()
    parts.typed.add(b"y\r")
    parts.trust.ask(PRINTS, answers.append)
    assert len(parts.typed) == 0
    shown = parts.said()
    assert shown.index("aa" * 20) < shown.index("bb" * 32) < shown.index("CN=lab CA")
    parts.answer("y")
    parts.trust.reply(False)
    assert answers == [True]


def test_nobody_answers() -> None:
    parts, answers = Parts(FakeDevice(), terminal=True), list[bool]()
    parts.trust.ask(PRINTS, answers.append)
    parts.device.reactor.advance(limits.CONFIRM_CA_S * SECOND_NS)
    assert (answers, parts.dialogue.asking) == ([False], False)
    assert "Nobody answered within" in parts.said()


def test_who_may_not_accept_a_ca_is_not_asked() -> None:
    parts, answers = Parts(FakeDevice(), terminal=True, level=2), list[bool]()
    parts.trust.ask(PRINTS, answers.append)
    assert (answers, parts.errors, parts.dialogue.asking) == ([False], ["level-too-low"], False)


def test_the_ca_before_is_shown_or_said_to_be_lost() -> None:
    for before, text in (("cc" * 32, "Trusted until now, SHA-256: cc"), ("", "the flash has lost")):
        parts = Parts(FakeDevice(), terminal=False)
        parts.trust.ask(PRINTS._replace(before=before), lambda _yes: None)
        assert text in parts.said()
