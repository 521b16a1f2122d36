"""The saved configuration on a device: whole after any power cut, tried again at each start."""

import pytest

from agent.errors import AgentError
from agent.pieces import at_once
from agent.settings import Settings
from hal.fakes.flash import FakeFlash, PowerCut
from tests.helpers.device_bench import CONFIGURATION, Bench, ready


def unapplied(bench: Bench) -> list[str]:
    return [line.text for line in bench.device.settings.unapplied]


def test_a_power_cut_during_save_leaves_the_old_or_the_new_configuration() -> None:
    """At every operation of the flash, torn or not; and after both the device can save again."""
    found = set()
    image = _saved("old").flash.image()
    for operation in range(1000):
        for tear, keep in ((0, -1), (3, -1), (0, 0)):
            bench = Bench(flash=FakeFlash.from_image(image, 4096))
            bench.device.settings.sysname = "new"
            bench.flash.cut_after(operation, tear, keep)
            try:
                at_once(bench.device.configuration.save())
            except PowerCut:
                bench.reboot()
                found.add(bench.device.settings.sysname)
                assert unapplied(bench) == []
                at_once(bench.device.configuration.save())
            else:
                assert found == {"old", "new"}
                assert operation > 1
                return
    raise AssertionError("a save that never ends")


def _saved(name: str) -> Bench:
    bench = Bench()
    bench.device.settings.sysname = name
    at_once(bench.device.configuration.save())
    return bench


def test_a_line_waits_for_what_it_needs() -> None:
    bench = Bench(CONFIGURATION.replace(" common-name r1.example\n", ""))
    assert unapplied(bench) == ["entity r1"]
    at_once(bench.device.configuration.save())
    bench.factory = ""
    bench.reboot()
    assert unapplied(bench) == ["entity r1"]
    assert "entity r1: entity r1 has no common name" in bench.logged()
    bench.device.settings.entities["r1"].common_name = "r1.example"
    at_once(bench.device.configuration.save())
    bench.reboot()
    assert unapplied(bench) == []
    assert bench.device.settings.realms["abc"].entity == "r1"
    assert not bench.device.configuration.unsaved()


@pytest.mark.parametrize(("line", "told"), [("", True), (" auto-enroll\n", False)])
def test_a_key_pair_that_is_not_there_is_told_at_a_start_and_counts_once_it_is(
    line: str, told: bool
) -> None:
    bench = Bench(CONFIGURATION.replace("realm abc\n", f"realm abc\n{line}"))
    assert unapplied(bench) == []
    assert bench.device.settings.realms["abc"].key_pair == "k1"
    assert ("CONFIG_ERR: realm abc: there is no RSA key pair k1" in bench.logged()) is told


def test_no_password_in_plain_gets_into_the_flash() -> None:
    text = "pki realm abc\n password cipher topsecret\n pasword cipher topsecret\n"
    bench = Bench(text)
    assert unapplied(bench) == ["password cipher ******", "pasword ******"]
    at_once(bench.device.configuration.save())
    assert b"topsecret" not in bench.flash.image()
    assert "topsecret" not in bench.logged()


def test_none_is_saved_after_reset_and_the_factory_serves_again() -> None:
    bench = ready()
    at_once(bench.device.configuration.reset())
    assert at_once(bench.device.configuration.saved()) is None
    bench.factory = "sysname fresh\n"
    bench.reboot()
    assert bench.device.settings.sysname == "fresh"


def test_replacing_saves_forgets_and_goes_on_undisturbed() -> None:
    bench = ready()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    assert bench.enrol().code is None
    before = bench.device.status("abc")
    assert before.state == "pending"
    bench.replace(_loaded(CONFIGURATION + "sysname r7\n", bench))
    assert bench.device.status("abc") == before
    bench.reboot()
    assert bench.device.settings.sysname == "r7"
    assert bench.device.status("abc").transaction == before.transaction
    commits = bench.store.counters.syncs
    bench.replace(Settings())
    assert bench.store.counters.syncs == commits + 1
    assert bench.store.keys("realm/abc/") == []
    assert bench.memory.current("abc", "cert.pem") is None


def _loaded(text: str, bench: Bench) -> Settings:
    """What a device on a part like this one makes of a text."""
    other = Bench(text)
    other.device.settings.realms["abc"].key_pair = bench.device.settings.realms["abc"].key_pair
    return other.device.settings


def test_when_flash_fails_nothing_is_replaced() -> None:
    bench = ready()
    bench.enrol()
    running, saved = bench.device.settings, at_once(bench.device.configuration.saved())
    for block in range(bench.flash.block_count):
        bench.flash.spoil(block, "program error")
    with pytest.raises(AgentError, match="did not take"):
        bench.replace(Settings())
    assert bench.device.settings is running
    assert at_once(bench.device.configuration.saved()) == saved
    assert bench.device.local("abc") is not None
