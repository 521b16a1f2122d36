"""Alarms of a whole device: once a change, remembered through restarts, never by a bad clock."""

from functools import partial
from typing import Any

import pytest

from agent.console.session.session import Session
from agent.device.alarms import Alarms
from agent.enrolment.states import Listed
from hal.fakes.flash import PowerCut
from hal.fakes.work import FakeClock
from tests.helpers.counted import calls
from tests.helpers.device_bench import CONFIGURATION, START_S, Bench, Waiter, certificate, ready

DAY_S = 86400
SECOND_NS = 1_000_000_000
YEAR_S = 365 * DAY_S
WARNED_S = YEAR_S - 90 * DAY_S


def enrolled() -> Bench:
    """A certificate of a year, of a CA of thirty."""
    bench = ready()
    (ca,) = bench.worker.answers["fetch-ca"]["certificates"]
    ca["not_after_s"] = START_S + 30 * YEAR_S
    bench.enrol()
    settle(bench)
    return bench


def settle(bench: Bench) -> None:
    """Lets pass what passes until a device looks at what stands."""
    bench.advance(1)
    bench.turn()


def go_to(bench: Bench, after_s: int) -> None:
    """Some seconds after the start of the certificate."""
    bench.advance(START_S + after_s - bench.clock.wall_s())
    settle(bench)


def told(bench: Bench, *ends: str) -> list[str]:
    """Mnemonics of alarms in the log, in their order."""
    found = [line.text.split("/")[2].split(":")[0] for line in bench.device.shared.log.lines]
    ends = ends or ("_EXPIRED", "_VALID", "ALARM_ENDS")
    return [name for name in found if name.endswith(ends)]


def line(bench: Bench, mnemonic: str) -> str:
    (found,) = [one.text for one in bench.device.shared.log.lines if f"/{mnemonic}:" in one.text]
    return found


def standing(bench: Bench) -> Any:
    stored = bench.store.get("realm/abc/alarms")
    return stored["standing"] if isinstance(stored, dict) else None


def test_a_certificate_is_warned_of_expires_and_is_valid_again() -> None:
    bench = enrolled()
    go_to(bench, WARNED_S - 10)
    assert told(bench) == []
    go_to(bench, WARNED_S)
    assert told(bench) == ["LOCAL_WILL_EXPIRED"]
    assert line(bench, "LOCAL_WILL_EXPIRED").startswith(
        "PKI/4/LOCAL_WILL_EXPIRED: realm abc: the local certificate "
    )
    assert line(bench, "LOCAL_WILL_EXPIRED").endswith("expires 2028-01-15 08:00:00 UTC (in 90 d)")
    go_to(bench, YEAR_S)
    assert told(bench) == ["LOCAL_WILL_EXPIRED", "LOCAL_EXPIRED"]
    assert standing(bench) == ["LOCAL_EXPIRED"]
    bench.worker.answers["enrol"] = longer
    bench.enrol()
    settle(bench)
    assert told(bench) == ["LOCAL_WILL_EXPIRED", "LOCAL_EXPIRED", "LOCAL_VALID"]
    assert standing(bench) is None
    for _ in range(5):
        go_to(bench, bench.clock.wall_s() - START_S + DAY_S)
    assert len(told(bench)) == 3


def longer(job: Any) -> Any:
    leaf = certificate("CN=r1.example", job["transaction"][:8])
    life = {"not_before_s": job["now_s"], "not_after_s": job["now_s"] + YEAR_S}
    return {"status": "issued", "certificate": {**leaf, **life}, "chain": [], "notes": []}


def test_a_change_is_one_record_and_a_quiet_device_wakes_up_for_changes_alone() -> None:
    bench = enrolled()
    for after_s, changes in ((WARNED_S, 1), (WARNED_S + DAY_S, 0), (YEAR_S, 1)):
        go_to(bench, after_s - 60)  # each day brings a record of the time
        written = bench.store.health.sequence
        looks = calls(partial(go_to, bench, after_s), Alarms.look)
        assert (looks, bench.store.health.sequence) == (changes, written + changes)


def test_what_stands_at_a_start_is_told_once_more_and_not_counted() -> None:
    """Field case 15."""
    bench = enrolled()
    go_to(bench, YEAR_S)
    for _ in range(5):
        bench.reboot()
        settle(bench)
        assert told(bench) == ["LOCAL_EXPIRED"]
        assert "; standing since 2028-01-15 08:00:00 UTC" in line(bench, "LOCAL_EXPIRED")
        assert "LOCAL_EXPIRED" not in bench.device.shared.log.counts


def test_what_has_changed_while_the_device_was_off_is_a_change() -> None:
    bench = enrolled()
    go_to(bench, WARNED_S)
    bench.clock.advance(90 * DAY_S * 10**9)  # nothing turns meanwhile
    bench.reboot()
    settle(bench)
    assert told(bench) == ["LOCAL_EXPIRED"]
    assert "since" not in line(bench, "LOCAL_EXPIRED")
    assert bench.device.shared.log.counts["LOCAL_EXPIRED"] == 1


def test_a_cut_between_telling_and_writing_tells_it_again() -> None:
    bench = enrolled()
    go_to(bench, WARNED_S - 60)
    bench.flash.cut_after(0, 0, 0)
    with pytest.raises(PowerCut):
        go_to(bench, WARNED_S)
    bench.reboot()
    settle(bench)
    assert told(bench) == ["LOCAL_WILL_EXPIRED"]
    assert "since" not in line(bench, "LOCAL_WILL_EXPIRED")


def test_a_clock_that_is_not_trusted_has_nothing_expire() -> None:
    bench = enrolled()
    clock = FakeClock(START_S + 2 * YEAR_S + 10 * YEAR_S)
    bench.clock, bench.keeps_folders = clock, False
    bench.reboot()
    settle(bench)
    assert not bench.device.clock_trusted()
    assert told(bench) == []
    bench.device.system.set_clock(START_S + YEAR_S)
    settle(bench)
    assert told(bench) == ["LOCAL_EXPIRED"]


def test_the_ca_and_its_list_have_alarms_of_their_own() -> None:
    bench = ready()
    (ca,) = bench.worker.answers["fetch-ca"]["certificates"]
    ca["not_after_s"] = START_S + 300 * DAY_S
    bench.enrol()
    waiter = Waiter()
    bench.device.revocation.fetch("abc", waiter, waiter.done)
    settle(bench)
    go_to(bench, 16 * 3600)
    go_to(bench, DAY_S)
    go_to(bench, 200 * DAY_S)
    assert told(bench) == ["CRL_WILL_EXPIRED", "CRL_EXPIRED", "CA_WILL_EXPIRED"]
    assert "the revocation list of CN=CA expires" in line(bench, "CRL_WILL_EXPIRED")
    assert "the CA certificate of CN=CA expires" in line(bench, "CA_WILL_EXPIRED")
    go_to(bench, 300 * DAY_S)
    # Field case 18: no peer accepts a certificate behind the end of its CA.
    assert told(bench)[3:] == ["LOCAL_EXPIRED", "CA_EXPIRED"]
    bench.device.settings.realms["abc"].certificate_check = ("none",)
    bench.device.changed()
    settle(bench)
    assert told(bench)[5:] == ["ALARM_ENDS"]
    assert line(bench, "ALARM_ENDS").endswith("realm abc: CRL_EXPIRED, what it was about is gone")


def test_of_a_realm_that_goes_the_alarms_go_with_one_line() -> None:
    """Field case 7."""
    bench = enrolled()
    go_to(bench, YEAR_S)
    del bench.device.settings.realms["abc"]
    bench.device.forget_realm("abc")
    settle(bench)
    assert told(bench)[1:] == ["ALARM_ENDS"]
    assert line(bench, "ALARM_ENDS").endswith("realm abc: gone, and with it LOCAL_EXPIRED")
    bench.reboot()
    assert told(bench) == []


def test_a_wiped_device_has_none() -> None:
    bench = enrolled()
    go_to(bench, YEAR_S)
    bench.device.system.wipe()
    settle(bench)
    assert (told(bench), standing(bench)) == (["LOCAL_EXPIRED"], None)


def test_other_days_of_warning_count_at_once() -> None:
    bench = enrolled()
    go_to(bench, WARNED_S + DAY_S)
    assert told(bench) == ["LOCAL_WILL_EXPIRED"]
    for days, last in ((30, "LOCAL_VALID"), (180, "LOCAL_WILL_EXPIRED")):
        bench.device.settings.prewarning_days = days
        bench.device.changed()
        settle(bench)
        assert told(bench)[-1] == last


@pytest.mark.parametrize("value", ["text", {"v": 99}, {"v": 1, "standing": ["LOCAL", "", "x_y"]}])
def test_a_record_that_is_none_has_the_alarm_told_anew(value: object) -> None:
    bench = enrolled()
    go_to(bench, YEAR_S)
    bench.store.commit({"realm/abc/alarms": value})
    bench.reboot()
    settle(bench)
    assert told(bench) == ["LOCAL_EXPIRED"]
    noted = "realm abc: AlarmsRecord: " in bench.logged()
    assert noted == (not isinstance(value, dict) or "standing" not in value)
    assert standing(bench) == ["LOCAL_EXPIRED"]


def test_flash_that_takes_nothing_has_each_alarm_told_once_a_start() -> None:
    bench = enrolled()
    for block in range(bench.flash.block_count):
        bench.flash.spoil(block, "program error")
    go_to(bench, YEAR_S)
    bench.enrol()
    settle(bench)
    assert told(bench) == ["LOCAL_EXPIRED"]
    assert "STORE_ERR" in bench.logged()


def test_many_realms_at_once() -> None:
    names = [f"r{number}" for number in range(130)]
    realm = CONFIGURATION.split("#\n")[2]
    blocks = [realm.replace("abc", name).replace("k1", name) for name in names]
    bench = Bench()
    for name in names:
        bench.key(name)
    bench.factory = "#\n" + CONFIGURATION.split("#\n")[1] + "#\n" + "#\n".join(blocks)
    bench.reboot()
    for name in names:
        waiter = Waiter()
        bench.device.applications.enrol(name, None, waiter, waiter.done)
        bench.turn()
        assert waiter.code is None
    bench.advance(2)
    bench.turn(len(names))  # all of them were looked at
    bench.clock.advance((START_S + YEAR_S - 80 * DAY_S - bench.clock.wall_s()) * SECOND_NS)
    most = before = 0
    for _turn in range(len(names)):
        bench.turn(1)
        after = len(told(bench, "LOCAL_WILL_EXPIRED"))
        most, before = max(most, after - before), after
        bench.clock.advance(SECOND_NS // 8)
    assert before == len(names)
    assert most <= 2  # each is a commit, and a key is echoed between two turns
    bench.reboot()
    settle(bench)
    bench.turn(len(names))
    assert len(told(bench, "LOCAL_WILL_EXPIRED")) == len(names)


def test_a_terminal_that_listens_reads_them() -> None:
    bench, shown = enrolled(), bytearray()
    go_to(bench, YEAR_S - 60)
    session = Session(bench.device, shown.extend, bench.loop, level=3, terminal=True)
    session.begin()
    session.feed(b"terminal monitor\r")
    go_to(bench, YEAR_S)
    assert b"LOCAL_EXPIRED: realm abc: the local certificate" in shown
    session.close()


def test_revocation_that_stands_is_told_again_after_a_start_and_not_counted() -> None:
    bench = ready()
    bench.enrol()
    runner = bench.device.realms.runner("abc")
    serial = runner.engine.stored.local.certificate.serial  # type: ignore[union-attr]
    runner.hear(Listed(((serial, "keyCompromise"),)))
    said = f"certificate {serial} is on the revocation list: keyCompromise"
    assert [text for text in lines(bench) if "LOCAL_REVOKED" in text and said in text]
    for _start in range(2):
        bench.reboot()
        assert len([text for text in lines(bench) if "LOCAL_REVOKED" in text and said in text]) == 1
        assert "LOCAL_REVOKED" not in bench.device.shared.log.counts
    bench.device.realms.runner("abc").hear(Listed())
    bench.reboot()
    assert not [text for text in lines(bench) if "LOCAL_REVOKED" in text]


def lines(bench: Bench) -> list[str]:
    return [one.text for one in bench.device.log_lines()]
