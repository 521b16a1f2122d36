"""What was lost, on a device of fakes: what serves then, and who may replace it."""

import pytest

from agent.console.configuration.apply import How, apply
from agent.console.session.session import Session
from agent.pieces import at_once
from agent.settings import LocalUser, Settings
from hal import record_keys, records
from hal.fakes.flash import READ_ERROR, FakeFlash, PowerCut
from tests.doors.test_attach_login import Port
from tests.helpers.appliance_values import hashed
from tests.helpers.device_bench import CONFIGURATION, Bench, ready
from tests.helpers.loss import closed, spoilt, typed, with_users

COPIES = tuple(map(record_keys.console_key, records.COPIES))


# -- the configuration -----------------------------------------------------------------------------


def test_a_device_on_which_nobody_has_saved_is_that_of_the_factory() -> None:
    bench = Bench("sysname fresh\n")
    assert (bench.device.settings.sysname, closed(bench)) == ("fresh", "")
    assert bench.device.configuration.lost() == ""


def test_with_rot_the_factory_serves_and_its_line_does_not() -> None:
    """Nobody can tell whether what was lost was a configuration."""
    bench = Bench("sysname fresh\nuser-interface console 0\n idle-timeout 5 0\n")
    bench.key()
    bench.key("k2")
    data = bytearray(bench.flash.image())
    at = data.index(b"scpT")
    data[at + 5] ^= 1  # its head: not even its keys can be told
    bench.flash = FakeFlash.from_image(bytes(data), bench.flash.block_size)
    bench.reboot()
    assert bench.device.settings.sysname == "fresh"
    assert closed(bench) == "damage of the flash may have taken the saved configuration"


def test_the_loss_of_something_else_closes_nothing() -> None:
    bench = ready()
    bench.enrol()
    data = bytearray(bench.flash.image())
    data[data.index(b"sealed key")] ^= 1
    bench.flash = FakeFlash.from_image(bytes(data), bench.flash.block_size)
    bench.reboot()
    assert "damaged and left out" in bench.logged()
    assert closed(bench) == ""


def test_what_was_saved_since_is_not_lost() -> None:
    """The record that rots was replaced before."""
    bench = ready()
    old = bench.flash.image()
    bench.device.settings.sysname = "r2"
    at_once(bench.device.configuration.save())
    data = bytearray(bench.flash.image())
    data[old.rindex(b"sysname")] ^= 1
    bench.flash = FakeFlash.from_image(bytes(data), bench.flash.block_size)
    bench.reboot()
    assert "damaged" in bench.logged()
    assert (bench.device.settings.sysname, closed(bench)) == ("r2", "")
    assert bench.device.configuration.lost() == ""
    assert (
        "one copy only of entity r1, realm default, realm abc, the users"
        in bench.device.configuration.worn()
    )


def test_a_configuration_of_the_release_before_is_read_and_kept_twice_from_then_on() -> None:
    text = "sysname old\naaa\n local-user ann service-type terminal\n"
    bench = Bench()
    spoilt(bench, config={"v": 1, "text": text})
    assert (bench.device.settings.sysname, closed(bench)) == ("old", "")
    assert "ann" in bench.device.settings.users
    at_once(bench.device.configuration.save())
    assert bench.store.get(COPIES[0]) == bench.store.get(COPIES[1])
    bench.reboot()
    assert "ann" in bench.device.settings.users


def test_users_of_the_release_before_do_not_come_back() -> None:
    """The first save of this release rots away: of its two transactions the second is left."""
    text = "sysname old\naaa\n local-user gone service-type terminal\n"
    bench = Bench()
    spoilt(bench, config={"v": 1, "text": text})
    bench.device.settings.users = {"ann": LocalUser("ann", hashed("of ann"), 3, True)}
    bench.device.settings.console.mode = "aaa"
    at_once(bench.device.configuration.save())
    bench.store.commit({"config": {"v": 1, "text": text}, COPIES[0]: None})
    bench.reboot()
    assert list(bench.device.settings.users) == ["ann"]
    assert bench.device.settings.sysname == "old"


@pytest.mark.parametrize(
    "line",
    [
        "user-interface console 0\n authentication-mode radius",
        "user-interface console 0\n user privilege level 9",
        "user-interface console 7\n authentication-mode aaa",
        "line console 0\n authentication-mode aaa",
        "authentication-mode aaa",
    ],
)
def test_what_is_not_understood_of_the_serial_lines_opens_none(line: str) -> None:
    bench = Bench(f"sysname r1\n{line}\n")
    assert "a line about serial lines does not apply: " in closed(bench)
    assert bench.device.settings.sysname == "r1"


def test_an_operator_opens_no_line_by_a_file_that_leaves_out_what_is_not_understood() -> None:
    bench = Bench("user-interface console 0\n authentication-mode radius\n")
    script = Session(bench.device, lambda _data: None, bench.loop, level=2, terminal=False)
    found: list[int] = []
    script.perform(lambda it: apply(it, "sysname r2\n", How()), found.append)
    bench.turn(100)
    assert found == [1]
    assert closed(bench)
    typed(bench, 2, "system-view", "sysname r3")
    assert closed(bench), "another setting has nothing to do with it"
    assert typed(bench, 2, "save", "y").endswith("The configuration was saved successfully.\n")
    bench.reboot()
    assert closed(bench), "the line was kept"
    assert bench.device.settings.sysname == "r3"
    typed(bench, 3, "system-view", "undo user-interface console 0")
    assert closed(bench) == ""


def test_another_line_that_does_not_apply_closes_nothing() -> None:
    bench = Bench("foo\naaa\n local-user ann privilege level 9\n")
    assert len(bench.device.settings.unapplied) == 2
    assert closed(bench) == ""


def test_a_first_block_that_cannot_be_read_is_no_new_device() -> None:
    flash = FakeFlash.from_image(ready().flash.image(), 4096)
    flash.spoil(0, READ_ERROR)
    unusable = Bench("sysname fresh\n", flash).device.unusable
    assert unusable
    assert "nothing of what was stored can be found" in unusable.reason


def test_nothing_is_written_over_what_is_lost_without_a_word() -> None:
    bench = ready()
    spoilt(bench, config={"v": 99})
    bench.advance(3600)
    assert bench.store.get("config") == {"v": 99}
    assert list(bench.device.settings.realms) == ["default", "abc"], "of records of their own"
    assert bench.memory.sets.keys() <= {"abc"}
    assert bench.worker.ops() == []


def test_every_power_cut_of_a_save_leaves_one_of_the_two_sets_of_users() -> None:
    bench = with_users()
    image = bench.flash.image()
    found = set()
    for operation in range(1000):
        for tear, keep in ((0, -1), (3, -1), (0, 0)):
            one = Bench(flash=FakeFlash.from_image(image, 4096))
            one.device.settings.users["bob"] = LocalUser("bob", hashed("of bob"), 3, True)
            one.flash.cut_after(operation, tear, keep)
            try:
                at_once(one.device.configuration.save())
            except PowerCut:
                one.reboot()
                found.add(tuple(one.device.settings.users))
                assert closed(one) == ""
                assert one.device.configuration.lost() == ""
                assert one.device.settings.console.mode == "aaa"
            else:
                assert found == {("ann",), ("ann", "bob")}
                assert operation > 2
                return
    raise AssertionError("a save that never ends")


@pytest.mark.slow
def test_every_single_bit_of_the_flash_keeps_the_line_closed_to_strangers() -> None:
    """Rot anywhere: ann's password opens the line, or nobody gets in."""
    bench = with_users()
    image = bench.flash.image()
    end = len(image.rstrip(b"\xff"))
    kept = shut = 0
    for position in range(0, end * 8, 61):
        flash = FakeFlash.from_image(image, 4096)
        flash.flip(position // 8, position % 8)
        one = Bench(CONFIGURATION, flash)
        if closed(one):
            shut += 1
        else:
            kept += 1
            assert one.device.settings.console.mode == "aaa", position
            assert list(one.device.settings.users) == ["ann"], position
        one.device.close()
    print(f"loss: flips={kept + shut} kept={kept} shut={shut}")
    assert kept > shut


@pytest.mark.parametrize("spoil", [{"v": 99}, None])
def test_users_of_an_older_generation_than_the_configuration_are_not_taken(spoil: object) -> None:
    """Both copies were written anew once; a copy that is older is somebody's past."""
    bench = with_users()
    old = bench.store.get(COPIES[0])
    bench.device.settings.users["ann"] = LocalUser("ann", hashed("newer"), 3, True)
    at_once(bench.device.configuration.save())
    bench.store.commit({COPIES[0]: old, COPIES[1]: spoil})
    bench.reboot()
    assert "users and serial lines cannot be read" in closed(bench)
    assert bench.device.settings.users == {}


# -- who may replace it ----------------------------------------------------------------------------


@pytest.mark.parametrize("level", [2, 3])
def test_only_who_may_do_all_replaces_what_says_whom_to_let_in(level: int) -> None:
    """An operator of level 2 would get level 3 at the line that his `save` opens."""
    bench = ready()
    spoilt(bench, config={"v": 99})
    said = typed(bench, level, "save", "y")
    if level == 2:
        assert "Error: This user may not change whom the serial lines let in" in said
        assert closed(bench)
    else:
        assert "will then be open to all" in said
        assert closed(bench) == ""
        bench.reboot()
        assert closed(bench) == ""


def test_what_is_left_is_shown_and_what_is_lost_is_said() -> None:
    bench = with_users()
    spoilt(bench, config={"v": 99})
    said = typed(bench, 3, "display saved-configuration")
    assert said.startswith("Warning: This is what is left of it: the saved configuration cannot")
    assert "local-user ann" in said
    bench = Bench()
    at_once(bench.device.configuration.save())
    for name in ("entity/r1", "realm/default"):
        bench.store.commit(dict.fromkeys(record_keys.block_key(name, n) for n in records.COPIES))
    spoilt(bench, config={"v": 99})
    said = typed(bench, 3, "display saved-configuration")
    assert "Error: Nothing of the saved configuration can be shown" in said
    assert "type `save`" in said


def test_what_is_lost_can_be_reset_and_the_next_start_is_that_of_a_new_device() -> None:
    bench = ready()
    spoilt(bench, config={"v": 99})
    typed(bench, 3, "reset saved-configuration", "y")
    assert closed(bench), "until then nothing opens"
    bench.reboot()
    assert (closed(bench), bench.device.configuration.lost()) == ("", "")
    assert "abc" in bench.device.settings.realms, "of the factory"


def test_a_replaced_configuration_ends_the_loss() -> None:
    bench = ready()
    spoilt(bench, config={"v": 99})
    bench.replace(Settings())
    assert (closed(bench), bench.device.configuration.lost()) == ("", "")


def test_a_line_that_was_asking_asks_no_more_when_nobody_may_get_in() -> None:
    """Root sets a password on a device that has lost its own, and takes it away again."""
    bench = ready()
    spoilt(bench, config={"v": 99})
    console = bench.device.settings.console
    console.mode, console.password = "password", hashed("line")
    port = Port(bench)
    assert port.type("") == "Password:"
    console.mode = "none"
    assert port.type("") != ""
    assert bench.device.access.seats == []
    assert "Nobody can log in" in port.type("")
