"""Where a session stands, and what two sessions on one device do to each other.

The random test drives two terminals with commands, answers, Ctrl+C, half lines and the ends of
tasks; no exception may leave a session. Hypothesis prints the shortest list of steps that does.
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.console.language.views import ENTITY, REALM, SYSTEM, USER
from agent.console.session.session import Session
from agent.console.terminal.pager import MORE
from agent.errors import AgentError
from agent.settings import Entity, Realm
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PENDING, PRINTS, certificate, error, seal
from tests.helpers.device_bench import Bench, ready
from tests.helpers.terminal import Terminal


def two(device: FakeDevice) -> tuple[Terminal, Terminal]:
    device.settings.realms["abc"] = Realm("abc")
    device.settings.entities["e1"] = Entity("e1")
    first, second = Terminal(device), Terminal(device)
    first.type("system-view")
    second.type("system-view")
    return first, second


# -- what another session has taken away -----------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), [(REALM, "abc"), (ENTITY, "e1")])
def test_a_view_that_has_gone_leads_to_the_system_view(kind: str, name: str) -> None:
    first, second = two(FakeDevice())
    assert first.type(f"pki {kind} {name}").endswith(f"[Huawei-pki-{kind}-{name}]")
    second.type(f"undo pki {kind} {name}")
    with pytest.raises(AgentError) as caught:
        first.session.place.record(kind)
    assert caught.value.code == f"{kind}-unknown"
    assert first.session.place.record(SYSTEM) is first.device.settings
    assert "file-format" in first.keys(b"pki ?"), "help is that of the system view too"
    assert first.session.place.view.kind == SYSTEM
    assert first.type(f"\x15pki {kind} {name}").endswith(f"[Huawei-pki-{kind}-{name}]")


def test_a_command_of_a_realm_that_has_gone_is_unrecognized() -> None:
    first, second = two(FakeDevice())
    first.type("pki realm abc")
    second.type("undo pki realm abc")
    assert "Unrecognized command" in first.type("ca id lab")
    assert "abc" not in first.device.settings.realms
    assert first.type("quit").endswith("<Huawei>")
    assert first.session.place.view.kind == USER


def test_two_remove_one_realm() -> None:
    device = FakeDevice()
    first, second = two(device)
    device.locals["abc"] = certificate()
    for terminal in (first, second):
        assert terminal.type("undo pki realm abc").endswith("[Y/N]: ")
    assert "Error" not in first.type("y")
    assert "Error: There is no realm abc." in second.type("y")
    assert device.forgotten == ["abc"]


def test_a_realm_that_goes_while_its_password_is_typed_or_sealed() -> None:
    device = FakeDevice()
    first, second = two(device)
    first.type("pki realm abc", "password cipher", "top secret")
    second.type("undo pki realm abc")
    shown = first.type("top secret")
    assert "Error: There is no realm abc." in shown
    assert (shown.endswith("[Huawei]"), device.tasks) == (True, {})
    for line in ("password cipher topsecret", f"password cipher {seal('topsecret')}"):
        first.type("pki realm abc", line)
        second.type("undo pki realm abc")
        device.finish()
        assert "Error: There is no realm abc." in first.take()


def test_a_password_is_that_of_the_realm_of_now() -> None:
    device = FakeDevice()
    first, second = two(device)
    first.type("pki realm abc", "password cipher topsecret")
    second.type("undo pki realm abc", "pki realm abc")
    device.finish()
    assert device.settings.realms["abc"].password == seal("topsecret")


def test_a_realm_that_goes_while_it_is_applied_for() -> None:
    device = FakeDevice()
    first, second = two(device)
    device.settings.realms["abc"].url, device.locals["abc"] = "http://ca", certificate()
    assert first.type("pki enroll-certificate realm abc").endswith("[Y/N]: ")
    second.type("undo pki realm abc", "y")
    shown = first.type("y")
    assert "Error: There is no realm abc." in shown
    assert "Applying" not in shown
    device.settings.realms["abc"] = Realm("abc")
    device.settings.realms["abc"].url = "http://ca"
    first.type("pki enroll-certificate realm abc", "y")
    second.type("undo pki realm abc", "y")
    device.finish()
    assert "Error: There is no realm abc." in first.take()


def test_a_key_pair_that_is_taken_while_its_size_is_asked() -> None:
    device = FakeDevice()
    first, second = two(device)
    first.type("pki rsa local-key-pair create k1")
    device.add_key_pair("k1")
    second.type("pki realm abc", "rsa local-key-pair k1")
    assert "is used by realm abc" in first.type("3072")
    assert device.pairs["k1"].bits == 2048


@pytest.mark.parametrize(
    "line",
    ["display current-configuration", "display pki realm", "display pki enrollment",
     "display pki entity"],
)  # fmt: skip
def test_a_page_waits_while_others_configure(line: str) -> None:
    device = FakeDevice()
    first, second = two(device)
    for number in range(40):
        device.settings.realms[f"r{number}"] = Realm(f"r{number}")
        device.settings.entities[f"e{number}"] = Entity(f"e{number}")
    first.type("return", "screen-length 5 temporary")
    assert first.type(line).endswith(MORE)
    second.type("pki realm new", "pki entity new", "undo pki realm r39", "undo pki entity e39")
    for _page in range(600):
        shown = first.keys(b" ")
        assert "Error:" not in shown
        if not shown.endswith(MORE):
            break
    assert shown.endswith("<Huawei>")


# -- two at random ---------------------------------------------------------------------------------

LINES = (
    "return", "pki realm abc", "undo pki realm abc", "pki realm default",
    "pki entity e1", "undo pki entity e1", "pki entity r1", "common-name r1", "undo common-name",
    "entity e1", "entity r1", "undo entity", "rsa local-key-pair k1", "undo rsa local-key-pair",
    "password cipher", "password cipher secret", f"password cipher {seal('secret')}",
    "undo password", "enrollment-url http://192.0.2.9/scep", "undo enrollment-url",
    "fingerprint sha1 " + "5a" * 20, "undo fingerprint", "source interface eth0", "ip-address eth0",
    "pki rsa local-key-pair create k1", "pki rsa local-key-pair destroy k1", "sysname R2",
    "pki enroll-certificate realm abc", "pki enroll-certificate realm abc password secret",
    "pki abort-request realm abc", "save", "screen-length 2 temporary", "display this",
    "display current-configuration", "display pki realm", "display pki entity",
    "display pki enrollment", "display pki certificate ca", "display pki certificate local",
    "display pki rsa local-key-pair public", "y", "n", "", "2048", "secret",
)  # fmt: skip
KEYS = (b"\x03", b"\x1a", b" ", b"q", b"?", b"\t", b"\r", b"pki realm ", b"\x15", b"password ci")
# What clashes: most of what is typed, or a run would rarely see two at one thing.
CLASHES = (
    "system-view", "system-view",
    "pki realm abc", "undo pki realm abc", "y", "y", "pki realm new", "undo pki realm new",
    "password cipher secret", "display current-configuration", "pki enroll-certificate realm abc",
)  # fmt: skip
POOL = [line.encode() + b"\r" for line in (*CLASHES * 10, *LINES)] + [*KEYS]
TYPED = st.sampled_from(POOL)
STEP = st.tuples(st.sampled_from([0, 1, 2]), TYPED, st.integers(0, 5))
STEPS = st.lists(STEP, min_size=40, max_size=60)


def happen(device: FakeDevice, what: int) -> None:
    """Something that comes by itself: the end of a task, a question, time."""
    if not device.tasks or what == 0:
        device.reactor.advance(45 * SECOND_NS)
        return
    task = device.tasks[min(device.tasks)]
    if what == 1 and task.progress:
        task.progress.confirm_ca(PRINTS, lambda _yes: None)
    elif what == 2 and task.progress:
        task.progress.note("the CA answers")
    else:
        device.finish(error() if what == 3 else None)


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(STEPS, st.booleans())
def test_two_sessions_on_a_stand_in(steps: list[tuple[int, bytes, int]], held: bool) -> None:
    device = FakeDevice()
    terminals = two(device)
    device.add_key_pair("k1")
    device.settings.realms["abc"].url = "http://192.0.2.9/scep"
    terminals[0].session.screen.height = 3
    if held:
        device.statuses["abc"], device.locals["abc"] = PENDING, certificate()
    for who, data, what in steps:
        if who == 2:
            happen(device, what)
        else:
            terminals[who].session.feed(data)
    for terminal in terminals:
        terminal.session.close()
    while device.tasks:
        device.finish()


def console(bench: Bench, sent: bytearray, level: int) -> Callable[[bytes], None]:
    session = Session(bench.device, sent.extend, bench.loop, level=level, terminal=True)
    session.begin()
    session.feed(b"system-view\r")
    return session.feed


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(STEPS, st.sampled_from([2, 3]))
def test_two_sessions_on_a_device(steps: list[tuple[int, bytes, int]], level: int) -> None:
    bench = ready()
    sent = bytearray()
    feeds = (console(bench, sent, 3), console(bench, sent, level))
    for who, data, what in steps:
        if who == 2:
            bench.turn(1) if what else bench.advance(60)
        else:
            feeds[who](data)
    bench.advance(700)
    assert sent
    bench.device.close()
