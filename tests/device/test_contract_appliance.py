"""The Appliance protocol: the device of the console's tests keeps the promises of the real one."""

from collections.abc import Callable
from typing import Any

import pytest

from agent.appliance import Appliance, Described, KeyPair
from agent.console.language.passwords import is_hash
from agent.errors import AgentError
from agent.pieces import at_once
from agent.settings import Realm, Settings, Unapplied
from tests.helpers.appliance import FakeDevice
from tests.helpers.device_bench import Bench, Waiter


class Subject:
    """A device, a way to let its tasks end, and one to log a line."""

    def __init__(
        self, device: Appliance, turn: Callable[[], None], log: Callable[[str], None]
    ) -> None:
        self.device, self.turn, self.log = device, turn, log

    def task(self, start: Callable[[Callable[[object], None]], int]) -> object:
        results: list[Any] = []
        assert isinstance(start(results.append), int)
        self.turn()
        (result,) = results
        return result


@pytest.fixture(params=["real", "fake"])
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "fake":
        fake = FakeDevice(eager=True)
        return Subject(fake, lambda: None, fake.report)
    bench = Bench()
    return Subject(bench.device, bench.turn, lambda text: bench.device.shared.log.report("X", text))


def test_a_new_device_has_the_default_realm_and_nothing_else(subject: Subject) -> None:
    device = subject.device
    assert list(device.settings.realms) == ["default"]
    assert device.status("default").state == "nothing"
    assert device.local("default") is None
    assert device.ca("default") is None
    assert device.key_pairs() == []
    assert not device.applications.abort("default")
    assert device.wall_s() > 1_700_000_000
    assert any(interface.name == "eth0" for interface in device.interfaces())
    assert device.linux_name("eth0") == "eth0"
    for typed in ("gi 0/0/9", "GE0/0/9"):
        assert device.interface_name(typed) == "GigabitEthernet0/0/9"
    assert device.router_names("eth9") == []


def test_key_pairs_come_are_used_and_go(subject: Subject) -> None:
    device = subject.device
    made = subject.task(lambda done: device.create_key_pair("k1", 2048, True, done))
    assert isinstance(made, KeyPair)
    assert (made.name, made.bits, made.exportable) == ("k1", 2048, True)
    assert [pair.name for pair in device.key_pairs()] == ["k1"]
    assert device.key_pair_user("k1") is None
    realm = device.settings.realms["abc"] = Realm("abc")
    realm.key_pair = "k1"
    device.changed()
    assert device.key_pair_user("k1") == "abc"
    realm.key_pair = None
    device.destroy_key_pair("k1")
    assert device.key_pairs() == []
    with pytest.raises(AgentError, match="no RSA key pair"):
        device.destroy_key_pair("k1")


def test_passwords_are_sealed_in_the_form_that_is_taken_back(subject: Subject) -> None:
    device = subject.device
    sealed = subject.task(lambda done: device.seal_password("sekret", None, done))
    assert isinstance(sealed, str)
    assert sealed.startswith("%^%#")
    assert sealed.endswith("%^%#")
    assert "sekret" not in sealed
    assert subject.task(lambda done: device.check_sealed_password(sealed, done)) is None


def test_login_passwords_are_hashed_and_compared(subject: Subject) -> None:
    access = subject.device.access
    stored = subject.task(lambda done: access.hash_password("sekret", None, done))
    assert isinstance(stored, str)
    assert is_hash(stored)
    assert "sekret" not in stored
    assert subject.task(lambda done: access.check_password("sekret", stored, done)) is True
    assert subject.task(lambda done: access.check_password("Sekret", stored, done)) is False


def test_certificates_are_described_one_by_one(subject: Subject) -> None:
    found = subject.task(
        lambda done: subject.device.describe("certificate", [b"one", b"two"], done)
    )
    assert isinstance(found, list)
    assert [type(one) for one in found] == [Described, Described]


def test_saved_is_saved_until_something_changes(subject: Subject) -> None:
    device, configuration = subject.device, subject.device.configuration
    assert at_once(configuration.saved()) is None
    device.settings.sysname = "r9"
    device.changed()
    assert configuration.unsaved()
    at_once(configuration.save())
    assert not configuration.unsaved()
    assert at_once(configuration.saved()) == list(configuration.running())
    assert "sysname r9" in configuration.running()
    at_once(configuration.reset())
    assert at_once(configuration.saved()) is None
    assert configuration.unsaved()
    assert device.settings.sysname == "r9"


def test_lines_that_do_not_apply_are_saved_with_the_others(subject: Subject) -> None:
    configuration = subject.device.configuration
    subject.device.settings.unapplied = [
        Unapplied("pki realm default", "rsa local-key-pair k1", "why"),
        Unapplied("", "foo bar", "why"),
    ]
    at_once(configuration.save())
    lines = at_once(configuration.saved()) or []
    assert lines[lines.index("pki realm default") + 1] == " rsa local-key-pair k1"
    assert "foo bar" in lines


def test_other_settings_take_over_and_are_saved(subject: Subject) -> None:
    device = subject.device
    device.settings.realms["abc"] = Realm("abc")
    device.changed()
    other = Settings()
    other.sysname = "r8"
    settings = device.settings
    at_once(device.configuration.replace(other, device.configuration.edits()))
    assert device.settings is settings  # one object for the life of the agent
    assert (settings.sysname, settings.realms) == ("r8", other.realms)
    assert not device.configuration.unsaved()
    with pytest.raises(AgentError, match="no realm abc"):
        device.status("abc")


def test_the_log_is_read_and_heard(subject: Subject) -> None:
    device = subject.device
    texts: list[str] = []
    cancel = device.listen(lambda line: texts.append(line.text))
    subject.log("one")
    cancel()
    cancel()
    subject.log("two")
    assert len(texts) == 1
    assert texts[0].endswith("one")
    assert [line.text[-3:] for line in device.log_lines()[-2:]] == ["one", "two"]
    assert device.log_lines()[-1].at_s == device.wall_s()
    assert device.log_lines()[-1].level == 5


def test_an_incomplete_realm_is_refused_at_once_and_by_name(subject: Subject) -> None:
    device, waiter = subject.device, Waiter()
    device.settings.realms["abc"] = Realm("abc")
    device.changed()
    with pytest.raises(AgentError) as caught:
        device.applications.enrol("abc", None, waiter, waiter.done)
    assert caught.value.code == "realm-incomplete"
    subject.turn()
    assert waiter.results == []
    del device.settings.realms["abc"]
    device.forget_realm("abc")
