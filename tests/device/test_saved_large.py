"""A large save: many small commits, of which none counts before the last."""

from collections.abc import Callable, Iterable, Iterator

import pytest

from agent.device import saved
from agent.errors import AgentError
from agent.pieces import Pieces, at_once
from agent.settings import Realm, Settings
from hal import record_keys
from hal.fakes.flash import FakeFlash, PowerCut
from tests.helpers.device_bench import Bench

MANY = 90  # blocks: three commits of one copy each


def large(ca: str, numbers: Iterable[int]) -> list[str]:
    return [line for n in numbers for line in (f"pki realm r{n:02}", f" ca id {ca}{n}")]


def many() -> Bench:
    """A device with many realms, of which half go, half change, and half as many come."""
    bench = Bench("\n".join(large("old", range(MANY))) + "\n", FakeFlash(4096, 64))
    at_once(bench.device.configuration.save())
    bench.factory = ""
    return bench


def change(bench: Bench) -> None:
    settings = bench.device.settings
    for number in range(MANY):
        name = f"r{number:02}"
        if number % 2:
            del settings.realms[name]
        else:
            settings.realms[name].ca_id = f"new{number}"
    for number in range(MANY, MANY + MANY // 2):
        settings.realms[f"r{number}"] = Realm(f"r{number}")
    bench.device.changed()


def shown(bench: Bench) -> list[str]:
    return at_once(bench.device.configuration.saved()) or []


def cuts(image: bytes, act: Callable[[Bench], Pieces[None]]) -> Iterator[Bench]:
    """The device behind a power cut in each operation of some work."""
    for operation in range(1000):
        one = Bench(flash=FakeFlash.from_image(image, 4096))
        work = act(one)
        one.flash.cut_after(operation, 3, -1)
        try:
            at_once(work)
        except PowerCut:
            one.reboot()
            yield one
        else:
            return
    raise AssertionError("it does not end")


def saving(bench: Bench) -> Pieces[None]:
    change(bench)
    return bench.device.configuration.save()


def test_a_large_save_is_many_small_commits() -> None:
    bench = many()
    change(bench)
    sizes, before = [], bench.store.counters.programmed_bytes
    for _piece in bench.device.configuration.save():
        sizes.append(bench.store.counters.programmed_bytes - before)
        before = bench.store.counters.programmed_bytes
    assert len([size for size in sizes if size > 1000]) > 4
    assert max(sizes) < saved.PIECE_BYTES + 1000
    assert shown(bench) == list(bench.device.configuration.running())
    assert not bench.store.keys("config/realm/r01")
    assert record_keys.saving_key() not in bench.store


def test_every_power_cut_of_a_large_save_leaves_all_old_or_all_new_blocks() -> None:
    bench = many()
    old, image = shown(bench), bench.flash.image()
    change(bench)
    new, found = list(bench.device.configuration.running()), set()
    for one in cuts(image, saving):
        now = list(one.device.configuration.running())
        assert now in (old, new)
        assert (shown(one), one.device.configuration.lost()) == (now, "")
        found.add(now == new)
        generations = [generation(one, "realm/r02")]
        for name in ("again", "and again"):  # over what the save before has left
            one.device.settings.sysname = name
            at_once(one.device.configuration.save())
            generations.append(generation(one, "realm/r02"))
        assert generations == sorted(generations)
        one.reboot()
        assert one.device.configuration.lost() == one.device.configuration.worn() == ""
        assert shown(one)[1] == "sysname and again"
    assert found == {False, True}


def generation(bench: Bench, block: str) -> int:
    """Of the copy that counts."""
    newest = at_once(saved.reading(bench.store)).blocks[block].newest
    assert newest
    return newest.generation


def test_every_power_cut_of_a_first_save_leaves_nothing_or_all_saved() -> None:
    bench = Bench("\n".join(large("old", range(MANY))) + "\n", FakeFlash(4096, 64))
    new, found = list(bench.device.configuration.running()), set()
    text = bench.factory

    def first(one: Bench) -> Pieces[None]:
        one.factory = text
        one.reboot()
        one.factory = "sysname factory\n"
        return one.device.configuration.save()

    for one in cuts(FakeFlash(4096, 64).image(), first):
        if at_once(one.device.configuration.saved()) is None:
            assert one.device.settings.sysname == "factory"
        else:
            assert list(one.device.configuration.running()) == new
        assert (one.device.configuration.lost(), one.device.configuration.closed()) == ("", "")
        found.add(one.device.settings.sysname)
    assert found == {"factory", "Huawei"}


def test_every_power_cut_of_a_reset_of_many_leaves_all_or_nothing_saved() -> None:
    bench = many()
    old, found = shown(bench), set()
    for one in cuts(bench.flash.image(), lambda it: it.device.configuration.reset()):
        assert shown(one) in (old, [])
        assert one.device.configuration.lost() == ""
        found.add(bool(shown(one)))
        one.device.settings.realms["r07"] = Realm("r07")
        at_once(one.device.configuration.save())
        one.reboot()
        assert one.device.configuration.lost() == one.device.configuration.worn() == ""
        assert list(one.device.configuration.running()) == shown(one)
    assert found == {False, True}


def test_who_reads_meanwhile_reads_what_was_saved_before_and_nobody_else_writes() -> None:
    bench = many()
    old = shown(bench)
    change(bench)
    seen, new = [], list(bench.device.configuration.running())
    for _piece in bench.device.configuration.save():
        seen.append(shown(bench))
        for other in (bench.device.configuration.save(), bench.device.configuration.reset()):
            with pytest.raises(AgentError) as caught:
                at_once(other)
            assert caught.value.code == "configuration-busy"
    assert [state for at, state in enumerate(seen) if state != [old, *seen][at]] == [new]
    at_once(bench.device.configuration.save())


def test_what_is_saved_is_the_configuration_of_one_moment() -> None:
    """Two settings that are always the same are the same in what is saved."""
    bench = many()
    realms, work, pieces = bench.device.settings.realms, bench.device.configuration.save(), 0
    for _piece in work:
        pieces += 1
        realms["r00"].ca_id = realms["r89"].ca_id = f"ca{pieces}"
        bench.device.changed()
    assert pieces > 5
    assert bench.device.configuration.unsaved(), "something was changed behind that moment"
    bench.reboot()
    realms = bench.device.settings.realms
    assert realms["r00"].ca_id == realms["r89"].ca_id
    assert realms["r00"].ca_id != "old0"


def test_who_applies_gets_all_or_nothing_when_somebody_configures_meanwhile() -> None:
    bench = many()
    old, wanted = shown(bench), Settings()
    wanted.realms |= {f"n{number}": Realm(f"n{number}") for number in range(MANY)}
    configuration = bench.device.configuration
    work = configuration.replace(wanted, configuration.edits())
    while record_keys.saving_key() not in bench.store:
        next(work)
    bench.device.settings.sysname = "r7"
    bench.device.changed()
    with pytest.raises(AgentError) as caught:
        at_once(work)
    assert caught.value.code == "apply-raced"
    assert shown(bench) == old
    assert "r00" in bench.device.settings.realms
    at_once(configuration.save())
    bench.reboot()
    assert bench.device.settings.sysname == "r7"
    assert len(bench.device.settings.realms) == MANY + 1
    assert bench.store.keys("config/realm/n") == []


def test_a_mark_that_cannot_be_read_makes_no_other_state() -> None:
    bench = many()
    old = shown(bench)
    change(bench)
    work = bench.device.configuration.save()
    while record_keys.saving_key() not in bench.store:
        next(work)
    bench.store.commit({record_keys.saving_key(): {"v": 99}})
    bench.reboot()
    assert (shown(bench), bench.device.configuration.lost()) == (old, "")
