"""Erasing a device of fakes: nothing is left, or all of it, whatever cuts or refuses it."""

import pytest

from agent.errors import AgentError
from agent.pieces import at_once
from hal import record_codec, record_keys, records
from hal.fakes.flash import PROGRAM_ERROR, FakeFlash, PowerCut
from hal.ports import FilesError, StoreError
from tests.doors.test_attach_login import Port
from tests.helpers.device_bench import CONFIGURATION, Bench, Waiter
from tests.helpers.loss import closed, spoilt, with_users


def erased(bench: Bench, full_of: list[str]) -> bool:
    """Whether the device is like a new one; if not, all of it is there."""
    keys = bench.store.keys("")
    assert keys in ([], full_of)
    return not keys


def erase(bench: Bench) -> None:
    """To its end."""
    waiter = Waiter()
    bench.device.system.erase(waiter.done)
    while not waiter.results:
        bench.turn(1)
    assert waiter.results == [None]


def full() -> Bench:
    """A device with a configuration, users, a certificate, and a file of somebody."""
    bench = with_users()
    bench.enrol()
    bench.files.write("upload.p12", b"a private key")
    bench.memory.sets["gone"] = {"key.pem": b"of a realm that the store knows no more"}
    return bench


def test_an_erase_leaves_nothing() -> None:
    bench = full()
    sealed = b"sealed key"
    assert sealed in bench.flash.image()
    erase(bench)
    assert bench.store.keys("") == []
    assert bench.files.names() == []
    assert bench.memory.sets == {}
    for secret in (sealed, b"local-user", b"r1.example"):
        assert secret not in bench.flash.image()
    assert bench.device.settings.users == {}
    assert "abc" in bench.device.settings.realms, "that of the factory"
    bench.key()
    bench.device.settings.realms["abc"].key_pair = "k1"
    assert bench.enrol().code is None, "it works like a new one"


@pytest.mark.slow
def test_after_every_power_cut_of_an_erase_all_is_there_or_nothing() -> None:
    before = full()
    image, keys = before.flash.image(), before.store.keys("")
    found = set()
    for operation in range(2000):
        for tear, keep in ((0, -1), (3, -1), (0, 0)):
            bench = Bench(CONFIGURATION, FakeFlash.from_image(image, 4096))
            bench.flash.cut_after(operation, tear, keep)
            try:
                erase(bench)
            except PowerCut:
                bench.files.write("upload.p12", b"a private key")
                bench.reboot()
                found.add(erased(bench, keys))
                assert closed(bench) == ""
            else:
                assert found == {False, True}
                assert operation > 10
                return
    raise AssertionError("an erase that never ends")


def test_an_erase_that_was_cut_goes_on_at_the_start_with_the_folders_too() -> None:
    bench = full()
    bench.store.commit({record_keys.erase_key(): record_codec.encode(records.EraseRecord(1))})
    files, memory = bench.files, bench.memory
    bench.device.boot(CONFIGURATION)
    assert (files.names(), memory.sets) == ([], {})
    assert "ERASED: the erase was ended at this start" in bench.logged()
    assert bench.store.keys("") == []


def spoil(flash: FakeFlash) -> None:
    for block in range(flash.block_count):
        flash.spoil(block, PROGRAM_ERROR)


def test_an_erase_that_cannot_end_keeps_the_line_closed() -> None:
    bench = full()
    bench.store.commit({record_keys.erase_key(): record_codec.encode(records.EraseRecord(1))})
    image = bench.flash.image()
    flash = FakeFlash.from_image(image, 4096)
    spoil(flash)
    bench = Bench(CONFIGURATION, flash)
    assert "was to be erased" in closed(bench)
    assert list(bench.device.settings.realms) == ["default"]


def test_a_flash_that_refuses_erases_nothing() -> None:
    bench = full()
    keys = bench.store.keys("")
    spoil(bench.flash)
    with pytest.raises(AgentError, match="did not take"):
        bench.device.system.erase(Waiter().done)
    assert bench.store.keys("") == keys
    assert bench.files.names() != []
    assert bench.device.local("abc") is not None


def test_a_folder_that_refuses_is_told_and_stops_nothing() -> None:
    bench = full()
    bench.files.faults.at[bench.files.faults.calls + 2] = FilesError("Read-only file system", "x")
    erase(bench)
    assert bench.store.keys("") == []
    assert "STORAGE_ERR: not erased: " in bench.logged()
    assert len(bench.files.names()) == 1


def fill(bench: Bench, size: int) -> None:
    for number in range(1000):
        bench.store.commit({f"realm/r{size}-{number}/crl": bytes(size)})


def test_a_full_store_can_be_erased() -> None:
    bench = full()
    for size in (30_000, 3_000, 300, 30):
        with pytest.raises(StoreError, match="full"):
            fill(bench, size)
    erase(bench)
    assert bench.store.keys("") == []


def test_the_whole_way_at_a_line() -> None:
    """Three people at lines: the first minute erases; the second one ends while that goes on, and
    the third one finds it done."""
    bench = full()
    spoilt(bench, config={"v": 99}, config__console__0={"v": 9}, config__console__1=None)
    bench.factory = ""
    one, other, third = (Port(bench, number) for number in range(3))
    assert "Nobody can log in on this line: the saved configuration cannot be" in one.type("")
    for port in (other, third):
        port.type("")
    for port, behind_s in ((one, 5), (other, 15), (third, 0)):
        assert port.type("ERASE").endswith("[Y/N]: ")
        port.type("y")
        bench.advance(behind_s)
    bench.advance(39)
    assert len(bench.store.keys("")) > 5
    bench.advance(6)
    bench.turn(100)  # piece by piece
    said = one.read()
    assert "Info: This device is like a new one." in said
    assert said.endswith("<Huawei>")
    assert bench.store.keys("") == []
    assert "the device is being erased" in other.read()
    bench.advance(20)
    assert "Nothing was changed." in third.read()
    for port in (other, third):
        assert port.type("").endswith("<Huawei>")
    log = bench.logged()
    assert log.count("SHELL/4/ERASING") == 3
    assert log.count("SHELL/4/ERASED") == 1


def test_nothing_is_written_while_it_goes_on() -> None:
    bench = full()
    waiter = Waiter()
    bench.device.system.erase(waiter.done)
    with pytest.raises(AgentError, match="is being erased"):
        at_once(bench.device.configuration.save())
    bench.turn(200)
    assert waiter.results == [None]
    assert bench.store.keys("") == []
    at_once(bench.device.configuration.save())


def test_a_flash_that_fails_in_the_middle_is_told_and_nothing_is_loaded() -> None:
    bench = full()
    waiter = Waiter()
    bench.device.system.erase(waiter.done)
    spoil(bench.flash)
    bench.turn(200)
    assert waiter.code == "store-failed"
    assert list(bench.device.settings.realms) == ["default"]
    assert "was to be erased" in bench.device.configuration.closed()
