"""Login on a line: what is asked, who is let in, what wrong ones cost, what cannot hang."""

import re
from collections.abc import Callable

import pytest

from agent import limits
from agent.console.language.passwords import is_hash
from agent.console.login.lockout import Lockout
from agent.console.login.login import NOBODY, Entry, Login
from agent.settings import LocalUser
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import error, hashed

WRONG = "Error: Authentication failed.\n"


class Line:
    """A serial line of a device; `dial` begins a login, as the first key does."""

    def __init__(self, mode: str = "aaa", *, eager: bool = True) -> None:
        self.device = FakeDevice(eager=eager)
        console = self.device.settings.console
        console.mode, console.password = mode, hashed("line")
        for name, level in (("ann", 3), ("bob", 1)):
            self.device.settings.users[name] = LocalUser(name, hashed(f"of {name}"), level, True)
        self.device.settings.users["web"] = LocalUser("web", hashed("of web"), 3)
        self.lockout = Lockout()
        self.sent = bytearray()
        self.log: list[tuple[str, str]] = []
        self.entries: list[Entry] = []
        self.ends = 0
        self.login = self.dial()

    def dial(self) -> Login:
        self.sent.clear()
        self.login = Login(
            self.device,
            self.lockout,
            self.sent.extend,
            self.device.reactor,
            report=lambda mnemonic, text: self.log.append((mnemonic, text)),
            entered=self.entries.append,
            ended=self._end,
        )
        self.login.begin()
        return self.login

    def _end(self) -> None:
        self.ends += 1

    def type(self, *lines: str) -> str:
        for line in lines:
            self.login.feed(line.encode() + b"\r")
        return self.take()

    def take(self) -> str:
        text = self.sent.decode().replace("\r\n", "\n")
        self.sent.clear()
        return text

    def fail(self, name: str, password: str = "wrong") -> str:
        """A wrong attempt, and its delay."""
        said = self.type(name, password) if name else self.type(password)
        self.device.reactor.advance(limits.LOGIN_DELAYS_S[-1] * SECOND_NS)
        return said + self.take()


def test_nothing_is_asked_when_nothing_shall_be() -> None:
    line = Line("none")
    assert line.entries == [Entry("", 3, 0)]
    assert line.sent == b""


def test_the_password_of_the_line() -> None:
    line = Line("password")
    line.device.settings.console.level = 2
    assert line.take() == "Password:"
    assert line.type("line") == "\n", "no echo"
    assert line.entries == [Entry("", 2, 0)]


@pytest.mark.parametrize(("name", "level"), [("ann", 3), ("ANN", 3), ("bob", 1)])
def test_a_user_of_each_level(name: str, level: int) -> None:
    line = Line()
    assert line.take() == "Username:"
    assert line.type(name) == f"{name}\nPassword:"
    assert line.type(f"of {name.lower()}") == "\n"
    assert line.entries == [Entry(name.lower(), level, 0)]


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "wrong"), ("nobody", "wrong"), ("web", "of web"), ("ann", "x" * 65), ("x" * 300, "x")],
)
def test_wrong_ones_read_and_cost_the_same(name: str, password: str) -> None:
    line = Line()
    line.take()
    assert line.type(name, password).endswith("\nPassword:\n" + WRONG)
    assert (len(line.device.access.checked), line.entries) == (1, [])
    assert is_hash(line.device.access.checked[0][1])
    assert line.take() == ""
    line.device.reactor.advance(SECOND_NS)
    assert line.take() == "Username:"
    assert [mnemonic for mnemonic, _text in line.log] == ["LOGINFAIL"]


def test_who_is_unknown_is_compared_with_what_nobody_can_type() -> None:
    line = Line()
    line.type("nobody", "wrong")
    assert line.device.access.checked == [("wrong", NOBODY)]
    assert line.log == [("LOGINFAIL", "an unknown user: wrong password")], "no name: a secret?"


def test_nobody_logs_in_even_if_his_hash_should_match() -> None:
    line = Line(eager=False)
    line.type("nobody", "x")
    line.device.finish(True)
    assert line.entries == []


def test_the_delay_holds_through_a_hang_up_and_what_is_typed_meanwhile_is_dropped() -> None:
    line = Line()
    line.fail("ann")
    line.type("ann", "wrong")
    line.login.close()
    line.dial()
    assert line.type("ann", "of ann") == ""
    line.device.reactor.advance(2 * SECOND_NS)
    assert line.take() == "Username:"
    line.type("ann", "of ann")
    assert line.entries == [Entry("ann", 3, 2)]


def test_five_failures_lock_the_user_on_this_line_and_nobody_else() -> None:
    line = Line()
    for _try in range(5):
        line.fail("ann")
    assert line.log[-1] == ("LOGINLOCK", "user ann: locked for 300 s")
    line.dial()
    before = len(line.device.access.checked)
    assert line.take() == "Username:", "others may log in"
    said = line.type("ann", "of ann")
    assert "Error: This user is locked for another 292 s.\n" in said
    assert (line.entries, len(line.device.access.checked)) == ([], before)
    line.type("bob", "of bob")
    assert line.entries == [Entry("bob", 1, 5)]
    line.device.reactor.advance(limits.LOGIN_LOCK_S * SECOND_NS)
    line.dial()
    line.type("ann", "of ann")
    assert line.entries[1:] == [Entry("ann", 3, 0)]


def test_an_unknown_name_is_locked_like_any_other() -> None:
    line = Line()
    for _try in range(5):
        line.fail("nobody")
    assert "This user is locked" in line.type("nobody", "x")


def test_five_failures_lock_a_line_that_asks_for_a_password_only_and_it_ends() -> None:
    line = Line("password")
    for _try in range(5):
        said = line.fail("")
    assert said.endswith("Error: This line is locked for another 292 s.\n")
    assert line.ends == 1
    line.dial()
    assert line.take() == "Error: This line is locked for another 292 s.\n"
    assert line.ends == 2
    line.device.reactor.advance(limits.LOGIN_LOCK_S * SECOND_NS)
    line.dial()
    assert line.take() == "Password:"
    line.type("line")
    assert len(line.entries) == 1


def test_an_empty_line_is_no_attempt() -> None:
    line = Line()
    assert line.take() == "Username:"
    assert line.type("") == "\nUsername:"
    assert line.type("ann", "") == "ann\nPassword:\nUsername:"
    assert (line.log, line.device.access.checked) == ([], [])


def test_any_printable_key_may_be_in_a_password() -> None:
    line = Line("password")
    line.device.settings.console.password = hashed("a?b c%é")
    line.type("a?b c%é")
    assert len(line.entries) == 1


def test_ctrl_c_begins_anew() -> None:
    line = Line()
    line.type("ann")
    line.login.feed(b"of a\x03")
    assert line.take().endswith("Username:")
    line.type("bob", "of bob")
    assert line.entries == [Entry("bob", 1, 0)]


def test_who_stays_silent_gives_the_line_back() -> None:
    line = Line()
    line.type("ann")
    line.device.reactor.advance(limits.LOGIN_S * SECOND_NS)
    assert line.take() == "\nInfo: Nobody logged in within 60 s.\n"
    assert line.ends == 1
    line.device.reactor.advance(1000 * SECOND_NS)
    assert (line.ends, line.take()) == (1, "")


def test_a_hang_up_during_the_check_lets_nobody_in_and_counts() -> None:
    for right in (True, False):
        line = Line(eager=False)
        line.type("ann", "x")
        line.login.close()
        line.device.finish(right)
        assert (line.entries, line.ends) == ([], 0)
        assert line.lockout.failures == (0 if right else 1)


def test_what_is_typed_during_the_check_is_dropped() -> None:
    line = Line(eager=False)
    line.type("ann", "wrong")
    assert line.type("bob", "of bob") == ""
    line.device.finish(False)
    line.device.reactor.advance(SECOND_NS)
    assert line.take() == WRONG + "Username:"


def test_a_user_who_was_removed_or_changed_during_the_check_is_not_let_in() -> None:
    for change in ({}, {"ann": LocalUser("ann", hashed("new"), 3, True)}):
        line = Line(eager=False)
        line.type("ann", "of ann")
        line.device.settings.users = {**change, "bob": line.device.settings.users["bob"]}
        line.device.finish(True)
        assert line.entries == []


def test_a_worker_that_cannot_check_lets_nobody_in_and_counts_nothing() -> None:
    line = Line(eager=False)
    line.type("ann", "of ann")
    line.device.finish(error("the worker could not be started"))
    assert "Error: The worker could not be started.\n" in line.take()
    assert (line.entries, line.ends, line.lockout.failures) == ([], 1, 0)


def _no_password(line: Line) -> None:
    line.device.settings.console.password = None


def _no_user(line: Line) -> None:
    line.device.settings.users = {"web": line.device.settings.users["web"]}


@pytest.mark.parametrize(("mode", "spoil"), [("password", _no_password), ("aaa", _no_user)])
def test_a_line_that_nobody_can_log_in_on_is_shut_and_says_the_way_out(
    mode: str, spoil: Callable[[Line], None]
) -> None:
    line = Line(mode)
    spoil(line)
    line.dial()
    said = line.take()
    assert "Nobody can log in on this line" in said
    assert "`scep-agent console`, as root" in said
    assert (line.ends, line.entries) == (1, [])


def test_nothing_but_a_prompt_ends_like_one() -> None:
    line = Line()
    said = line.take() + line.fail("nobody")
    for _try in range(6):
        said += line.fail("ann")
    line.device.settings.users = {}
    line.dial()
    said += line.take()
    assert WRONG in said
    assert "locked" in said
    assert "scep-agent console" in said
    told = said.replace("Username:", "").replace("Password:", "")
    assert not re.search(r"[>\]]|user:|username|login|user name|password", told, re.IGNORECASE)


def test_bytes_of_a_noisy_line_are_no_exception() -> None:
    line = Line()
    for byte in range(256):
        line.login.feed(bytes((byte, 255 - byte)))
    line.login.feed(b"\xff\xfe" * 5000 + b"\r" + b"\xc3" * 700 + b"\r")
    assert line.entries == []
