"""What a line offers that lets nobody in: one word, one question, a minute; and how it ends."""

import re

import pytest

from agent import limits
from agent.console.login.recovery import Recovery
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_parts import FakeUnusable
from tests.helpers.appliance_values import error

OFFER = "Type ERASE to erase this device"
NOTHING = "Info: Nothing was changed.\n"


class Line:
    """A closed line of a device that has lost its configuration."""

    def __init__(self, *, recovery: bool = True, unusable: bool = False) -> None:
        self.device = FakeDevice()
        if unusable:
            self.device.unusable = FakeUnusable("holds something else", self.device.task)
        self.device.configuration.missing = "the saved configuration is gone"
        self.device.system.recovery = recovery
        self.sent = bytearray()
        self.log: list[str] = []
        self.erased = self.ends = 0
        self.recovery = Recovery(
            self.device,
            self.sent.extend,
            self.device.reactor,
            report=lambda mnemonic, _text: self.log.append(mnemonic),
            erased=self._erased,
            ended=self._ended,
        )
        self.recovery.begin()

    def _erased(self) -> None:
        self.erased += 1

    def _ended(self) -> None:
        self.ends += 1

    @property
    def wiped(self) -> bool:
        return ("erase", None) in self.device.system.done

    def type(self, *lines: str) -> str:
        for line in lines:
            self.recovery.feed(line.encode() + b"\r")
        return self.take()

    def take(self) -> str:
        text = self.sent.decode().replace("\r\n", "\n")
        self.sent.clear()
        return text

    def wait(self, seconds: int) -> None:
        self.device.reactor.advance(seconds * SECOND_NS)


def waiting() -> Line:
    """The minute has begun."""
    line = Line()
    assert line.type("ERASE", "y").endswith("The device is erased in 60 s. Any key stops it.\n")
    return line


def test_it_says_why_and_the_way_that_loses_nothing() -> None:
    said = Line().take()
    assert "Nobody can log in on this line: the saved configuration is gone." in said
    assert "`scep-agent console`, as root" in said
    assert OFFER in said
    assert said.endswith("\nWord: ")


def test_the_word_the_yes_and_the_minute_erase() -> None:
    line = waiting()
    line.wait(limits.ERASE_WAIT_S - 1)
    assert not line.wiped
    line.wait(1)
    assert line.wiped
    assert line.take() == "Info: This device is like a new one.\n"
    assert (line.log, line.erased, line.ends) == (["ERASING", "ERASED"], 1, 0)


@pytest.mark.parametrize(
    "word", ["erase", "Erase", "ERASE!", "ERASE ALL", " ERASE", "", "yes", "?"]
)
def test_another_word_is_an_end(word: str) -> None:
    line = Line()
    assert line.type(word).endswith(NOTHING)
    line.type("ERASE", "y")
    line.wait(1000)
    assert (line.ends, line.log, line.wiped) == (1, [], False)


@pytest.mark.parametrize("answer", ["n", "N", "", "no", "ERASE", "yy"])
def test_all_but_yes_is_an_end(answer: str) -> None:
    line = Line()
    assert line.type("ERASE", answer).endswith(NOTHING)
    line.wait(1000)
    assert (line.ends, line.log, line.wiped) == (1, [], False)


@pytest.mark.parametrize("keys", [b"\x03", b"\r", b" ", b"\xff", b"\x1b[A", b"\0\0", b"\nn"])
def test_any_key_of_the_minute_stops_it(keys: bytes) -> None:
    line = waiting()
    line.wait(limits.ERASE_WAIT_S - 1)
    line.recovery.feed(keys)
    assert line.take() == NOTHING
    line.wait(1000)
    assert (line.ends, line.log, line.wiped) == (1, ["ERASING", "ERASE_STOPPED"], False)


@pytest.mark.parametrize("behind", [b"\n", b"\0"])
def test_the_second_half_of_enter_is_no_key(behind: bytes) -> None:
    line = waiting()
    line.recovery.feed(behind)
    line.wait(limits.ERASE_WAIT_S)
    assert line.wiped


def test_a_hang_up_stops_it() -> None:
    for line in (Line(), waiting()):
        line.recovery.close()
        line.wait(1000)
        assert (line.ends, line.wiped, line.erased) == (0, False, 0)
    assert line.log == ["ERASING", "ERASE_STOPPED"]


def test_ctrl_c_and_silence_are_an_end() -> None:
    for step in ((), ("ERASE",)):
        line = Line()
        line.type(*step)
        line.recovery.feed(b"\x03")
        assert line.ends == 1
        line = Line()
        line.type(*step)
        line.wait(limits.LOGIN_S)
        assert line.take().endswith(NOTHING)
        assert (line.ends, line.log) == (1, [])


def test_who_mends_the_device_in_the_minute_loses_nothing() -> None:
    line = waiting()
    line.device.configuration.missing = ""
    line.wait(limits.ERASE_WAIT_S)
    assert (line.ends, line.log, line.wiped) == (1, ["ERASING", "ERASE_STOPPED"], False)


def test_a_flash_that_refuses_is_told() -> None:
    line = waiting()
    line.device.system.refusal = error("the store is read-only")
    line.wait(limits.ERASE_WAIT_S)
    assert "Error: The store is read-only." in line.take()
    assert (line.ends, line.erased, line.log) == (1, 0, ["ERASING", "ERASE_ERR"])


def test_a_board_without_recovery_offers_nothing() -> None:
    line = Line(recovery=False)
    said = line.take()
    assert OFFER not in said
    assert "`scep-agent console`, as root" in said
    line.type("ERASE", "y")
    line.wait(1000)
    assert (line.ends, line.wiped) == (1, False)


def test_nothing_but_a_question_ends_like_a_prompt() -> None:
    said = Line().take() + waiting().take() + Line().type("x")
    assert not re.search(r"[>\]]|user:|username|login|user name|password", said, re.IGNORECASE)


def test_noise_erases_nothing() -> None:
    for seed in range(256):
        line = Line()
        for _again in range(40):
            line.recovery.feed(bytes((seed * 7 + n * 31) % 256 for n in range(64)) + b"\r")
        line.wait(1000)
        assert (line.wiped, line.log) == (False, [])


# -- a storage that cannot be used -----------------------------------------------------------------


def test_such_a_line_shows_what_the_device_is_and_goes_on() -> None:
    line = Line(unusable=True)
    told = " ".join(line.take().split())
    assert "`display version`, `display clock`, `display interface brief`" in told
    said = line.type("display version", "disp clock")
    assert "scep-agent software, Version" in said
    assert "Time source: ntp" in said
    assert said.endswith("\nWord: ")
    assert line.ends == 0
    line.wait(limits.LOGIN_S)
    assert line.ends == 1


def test_a_line_of_a_device_that_has_lost_its_configuration_alone_shows_nothing() -> None:
    line = Line()
    assert line.type("display version").endswith(NOTHING)
    assert line.ends == 1


def test_without_the_offer_to_erase_it_still_shows() -> None:
    line = Line(unusable=True, recovery=False)
    assert OFFER not in line.take()
    assert "scep-agent software, Version" in line.type("display version")
    assert line.type("ERASE", "y").endswith(NOTHING)
    line.wait(1000)
    assert line.device.unusable is not None
    assert line.device.unusable.renewed == []


def test_the_part_memory_and_files_are_erased_and_that_takes_its_time() -> None:
    line = Line(unusable=True)
    line.type("ERASE", "y")
    line.wait(limits.ERASE_WAIT_S)
    assert line.device.unusable is not None
    assert line.device.unusable.renewed == [True]
    assert (line.take(), line.erased) == ("", 0)
    line.device.finish()
    assert line.take() == "Info: This device is like a new one.\n"
    assert (line.log, line.erased, line.ends, line.wiped) == (["ERASING", "ERASED"], 1, 0, False)


@pytest.mark.parametrize("result", [None, error()])
def test_a_hang_up_while_the_part_is_erased_stops_nothing(result: object) -> None:
    line = Line(unusable=True)
    line.type("ERASE", "y")
    line.wait(limits.ERASE_WAIT_S)
    line.recovery.close()
    line.device.finish(result)
    assert (line.take(), line.erased, line.ends) == ("", 0, 0)
    assert line.log == ["ERASING", "ERASE_ERR" if result else "ERASED"]


def test_a_part_that_does_not_become_erased_is_told() -> None:
    line = Line(unusable=True)
    line.type("ERASE", "y")
    line.wait(limits.ERASE_WAIT_S)
    line.device.finish(error())
    assert "Error: " in line.take()
    assert (line.log, line.erased, line.ends) == (["ERASING", "ERASE_ERR"], 0, 1)
