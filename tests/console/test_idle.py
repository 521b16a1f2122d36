"""The end of a session that somebody has left: when it comes, when not, what is said."""

import pytest

from agent import limits
from agent.console.session.idle import Idle
from agent.console.terminal.pager import ERASE_MORE, MORE
from agent.settings import Realm
from hal.clock import SECOND_NS
from hal.fakes.work import FakeReactor
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PRINTS
from tests.helpers.terminal import Script, Terminal

IDLE_S = limits.IDLE_SESSION_S
GOODBYE = f"Info: The session ends: nothing was typed for {IDLE_S} s.\n"


def idle(reactor: FakeReactor, ends: list[int]) -> Idle:
    clock, start_ns = reactor.clock, reactor.clock.outside_ns()
    return Idle(
        clock.outside_ns,
        lambda: IDLE_S,
        lambda: ends.append((clock.outside_ns() - start_ns) // SECOND_NS),
    )


def test_it_expires_once_and_counts_from_what_was_heard_last() -> None:
    reactor, ends = FakeReactor(), []
    watch = idle(reactor, ends)
    watch.start(reactor)
    reactor.advance((IDLE_S - 1) * SECOND_NS)
    watch.heard()
    assert reactor.pending() == 1
    reactor.advance((IDLE_S - 1) * SECOND_NS)
    assert ends == []
    reactor.advance(5 * IDLE_S * SECOND_NS)
    assert ends == [2 * IDLE_S - 1]


def test_the_limit_may_change_and_0_is_never() -> None:
    reactor, ends = FakeReactor(), []
    limit_s = [0]
    watch = Idle(reactor.clock.outside_ns, lambda: limit_s[0], lambda: ends.append(1))
    watch.start(reactor)
    reactor.advance(100 * IDLE_S * SECOND_NS)
    assert (ends, watch.idle_s()) == ([], 100 * IDLE_S)
    limit_s[0] = 101 * IDLE_S
    reactor.advance((IDLE_S - 1) * SECOND_NS)
    assert ends == []
    limit_s[0] = 5
    reactor.advance(limits.IDLE_LOOK_S * SECOND_NS)
    assert ends == [1]


def test_many_keys_are_one_timer_and_stop_cancels_it() -> None:
    reactor, ends = FakeReactor(), []
    watch = idle(reactor, ends)
    watch.stop()
    watch.start(reactor)
    for _key in range(1000):
        watch.heard()
    assert reactor.pending() == 1
    watch.stop()
    reactor.advance(2 * IDLE_S * SECOND_NS)
    assert ends == []


def test_a_terminal_that_was_left_is_logged_out() -> None:
    terminal = Terminal(FakeDevice())
    terminal.type("system-view")
    terminal.keys(b"pki rea")
    terminal.reactor.advance((IDLE_S - 1) * SECOND_NS)
    assert terminal.keys(b"l") == "l"
    terminal.reactor.advance((IDLE_S - 1) * SECOND_NS)
    assert not terminal.logged_out
    terminal.reactor.advance(SECOND_NS)
    assert terminal.take() == "\n" + GOODBYE
    assert (terminal.logged_out, terminal.session.closed) == (True, True)
    assert terminal.reactor.pending() == 0
    assert terminal.keys(b"display clock\r") == ""


@pytest.mark.parametrize("asked", [False, True])
def test_a_task_does_not_keep_a_session_and_goes_on_without_it(asked: bool) -> None:
    device, answers = FakeDevice(), []
    device.settings.realms["default"].url = "http://ca"
    terminal = Terminal(device)
    terminal.type("system-view", "pki enroll-certificate realm default")
    terminal.reactor.advance((IDLE_S - 30) * SECOND_NS)
    if asked:
        next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, answers.append)
    terminal.take()
    terminal.reactor.advance(30 * SECOND_NS)
    assert terminal.take().endswith("\n" + GOODBYE)
    assert (terminal.logged_out, device.detached) == (True, [1])
    assert answers == ([False] if asked else [])
    device.finish()
    assert terminal.take() == ""


def test_a_page_does_not_keep_a_session() -> None:
    device = FakeDevice()
    for number in range(30):
        device.settings.realms[f"r{number}"] = Realm(f"r{number}")
    terminal = Terminal(device)
    assert terminal.type("display current-configuration").endswith(MORE)
    terminal.reactor.advance(IDLE_S * SECOND_NS)
    assert terminal.take() == ERASE_MORE + "\n" + GOODBYE
    assert terminal.logged_out


def test_who_logs_out_or_hangs_up_leaves_no_timer() -> None:
    for end in (b"quit\r", None):
        terminal = Terminal(FakeDevice())
        terminal.keys(end) if end else terminal.session.close()
        assert terminal.reactor.pending() == 0


def test_a_script_may_be_slow() -> None:
    script = Script(FakeDevice())
    script.run("system-view")
    script.reactor.advance(3 * IDLE_S * SECOND_NS)
    assert script.run("pki realm abc") == ("", 0)
