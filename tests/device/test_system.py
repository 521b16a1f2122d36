"""The device as a machine: its files, its clock, what it counts, its end."""

import pytest

from agent.appliance import FileEntry
from agent.device.erasing import Erasure
from agent.device.shared import Shared
from agent.device.storage import DeviceStorage
from agent.device.system import DeviceSystem
from agent.errors import AgentError
from agent.pieces import at_once
from hal.fakes.storage import FakeFiles
from hal.fakes.work import FakeClock, FakeRtc
from hal.ports import FilesError, HalError
from tests.helpers.board import SAVE, Agent, wait_for
from tests.helpers.device_bench import START_S, Bench, Waiter, ready


def test_storage_lists_reads_and_says_what_is_wrong() -> None:
    files = FakeFiles({"a.cer": b"abc"})
    storage = DeviceStorage(files)
    assert storage.entries() == [FileEntry("a.cer", 3, files.modified_s)]
    assert storage.exists("a.cer")
    assert not storage.exists("b.cer")
    storage.write("b.cer", b"x")
    assert storage.read("b.cer") == b"x"
    with pytest.raises(AgentError, match=r"file can't be found: c\.cer"):
        storage.read("c.cer")
    files.faults.at[files.faults.calls + 1] = FilesError("an I/O error")
    with pytest.raises(AgentError, match=r"the file a.cer cannot be read: an I/O error"):
        storage.read("a.cer")
    for call in (storage.entries, lambda: storage.exists("a"), lambda: storage.write("a", b"")):
        files.faults.at[files.faults.calls + 1] = FilesError("the folder is gone")
        with pytest.raises(AgentError, match="could not be written"):
            call()


def system(bench: Bench, clock: FakeClock, *, has_rtc: bool = False) -> DeviceSystem:
    rtc = FakeRtc(START_S) if has_rtc else None
    hardware = bench.hardware._replace(clock=clock, rtc=rtc)
    device, log = bench.device, bench.device.shared.log
    erasure = Erasure(bench.store, bench.files, bench.memory, log)
    shared = Shared(bench.loop, bench.store, hardware, device.shared.jobs, log)
    return DeviceSystem(shared, device.realms, device.keys, erasure, device.identity, lambda: None)


def test_who_vouches_for_the_time() -> None:
    bench = ready()
    clock = FakeClock(START_S)
    assert system(bench, clock).clock().source == "system"
    machine = system(bench, clock, has_rtc=True)
    assert machine.clock().source == "rtc"
    machine.set_clock(START_S + 5)
    assert (machine.clock().source, clock.wall_s()) == ("operator", START_S + 5)
    assert system(bench, FakeClock(START_S, synchronised=True)).clock().source == "ntp"


def test_a_clock_in_1970_is_not_trusted_and_says_what_to_type() -> None:
    bench = ready()
    bench.clock.jump(-START_S)
    state = bench.device.system.clock()
    assert not state.trusted
    assert (state.says_s, state.counts_s, bench.device.wall_s()) == (0, START_S, START_S)
    assert "clock datetime" in state.why
    bench.device.system.set_clock(START_S)
    assert bench.device.system.clock().trusted


def test_a_clock_that_cannot_be_set_is_an_error() -> None:
    class Refusing(FakeClock):
        def set_wall(self, wall_s: int) -> None:
            raise HalError("Operation not permitted", "system clock")

    with pytest.raises(AgentError, match="not permitted"):
        system(ready(), Refusing(START_S)).set_clock(0)


def test_statistics_count_what_is_there_and_what_happened() -> None:
    bench = ready()
    bench.enrol()
    found = bench.device.system.statistics()
    assert (found["realms"], found["key_pairs"], found["certificates"]) == (2, 1, 1)
    assert (found["expiring"], found["expired"], found["under_way"]) == (0, 0, 0)
    assert "GET_LOCAL_CERT_OK : 1" in found["events"]
    bench.clock.jump(300 * 86400)
    assert bench.device.system.statistics()["expiring"] == 1
    bench.clock.jump(300 * 86400)
    assert bench.device.system.statistics()["expired"] == 1


def test_compacting_takes_replaced_values_from_flash() -> None:
    bench = ready()
    bench.enrol()
    bench.device.settings.sysname = "OLDNAME"
    at_once(bench.device.configuration.save())
    bench.device.settings.sysname = "new"
    at_once(bench.device.configuration.save())
    assert b"OLDNAME" in bench.flash.image()
    waiter = Waiter()
    bench.device.system.compact(waiter.done)
    assert b"OLDNAME" in bench.flash.image()  # piece by piece
    bench.turn(100)
    assert waiter.results == [None]
    assert b"OLDNAME" not in bench.flash.image()
    assert bench.device.local("abc") is not None


def test_a_wipe_leaves_the_configuration_alone() -> None:
    bench = ready()
    bench.enrol()
    bench.device.system.wipe()
    assert bench.device.key_pairs() == []
    assert bench.device.local("abc") is None
    assert bench.memory.current("abc", "cert.pem") is None
    assert bench.device.settings.realms["abc"].url
    bench.reboot()
    assert bench.device.status("abc").state == "nothing"


def test_a_wipe_waits_for_what_is_under_way() -> None:
    bench = ready()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    bench.enrol()
    with pytest.raises(AgentError, match="under way"):
        bench.device.system.wipe()
    assert bench.device.key_pairs() != []


def test_a_board_that_cannot_reboot_says_so() -> None:
    with pytest.raises(AgentError, match="cannot be rebooted"):
        ready().device.system.reboot()


def test_the_simulated_board_reboots_with_what_was_saved(tmp_path: object) -> None:
    with Agent(tmp_path) as agent:  # type: ignore[arg-type]
        agent.must("system-view", "sysname saved", *SAVE, "system-view", "sysname lost")
        agent.script("reboot", "y")
        wait_for(lambda: agent.log().count("AGENT_START") == 2, 60, "it did not come back")
        text = agent.must("display current-configuration")
        assert "sysname saved" in text
