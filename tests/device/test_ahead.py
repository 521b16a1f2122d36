"""A device that fetches ahead of time what its CA publishes: the next CA, and revocation lists."""

from typing import Any

import pytest

from tests.device.test_automatic import (
    AWAY,
    DAY_S,
    HOLDS,
    HOUR_S,
    alone,
    blank,
    in_use,
    issue,
    pair,
    pass_time,
    stored,
)
from tests.helpers.device_bench import (
    CONFIGURATION,
    RELATIONS,
    START_S,
    Answer,
    Bench,
    Waiter,
    certificate,
    refuse,
)

AUTO = "auto-enroll 50 updated-effective"
PLACE = "cdp-url http://ca/crl"


def named(_job: Answer) -> Answer:
    """The CA names its next one."""
    prints = {"md5": "6b" * 16, "sha1": "6b" * 20, "sha256": "6b" * 32, **RELATIONS}
    ca = {**certificate("CN=CA 2", "02"), "is_ca": True, "key_usage": [], **prints}
    return {"certificates": [ca], "message": b"signed", "via": [], "notes": []}


def lists(life_s: int) -> Any:
    """A CA that publishes a list when nine tenths and a half of the one before have passed."""

    def answer(job: Answer) -> Answer:
        step_s = life_s * 19 // 20
        begin_s = START_S + (job["now_s"] - START_S) // step_s * step_s
        return {
            "crl": b"list %d" % begin_s, "issuer": "CN=CA", "this_update_s": begin_s, "count": 3,
            "next_update_s": begin_s + life_s, "source": "http://ca/crl", "notes": [],
            "revoked": ["", ""],
        }  # fmt: skip

    return answer


def checked(*lines: str) -> Bench:
    """A blank device whose factory configuration has these lines of a realm, too."""
    text = "".join(f" {line}\n" for line in (AUTO, *lines))
    return blank(CONFIGURATION.replace(HOLDS, f"{text}{HOLDS}"))


def setting(bench: Bench, **values: Any) -> None:
    for name, value in values.items():
        setattr(bench.device.settings.realms["abc"], name, value)
    bench.device.changed()
    bench.turn(20)


def count(bench: Bench, op: str) -> int:
    return bench.worker.ops().count(op)


# -- the next CA -----------------------------------------------------------------------------------


def test_the_next_ca_is_asked_for_at_each_renewal_point_behind_the_application() -> None:
    bench = alone()
    pass_time(bench, 5 * DAY_S - HOUR_S)
    assert count(bench, "next-ca") == 0
    bench.worker.jobs.clear()
    pass_time(bench, 3 * HOUR_S)
    assert sorted(bench.worker.ops()) == ["activate", "enrol", "fetch-ca", "next-ca"]
    assert bench.worker.ops()[0] == "fetch-ca", "the application comes first"
    pass_time(bench, 4 * DAY_S)
    assert count(bench, "next-ca") == 1
    pass_time(bench, 2 * DAY_S)
    assert count(bench, "next-ca") == 2
    assert "ERR" not in bench.logged(), "a CA that has no next one is no error"


def test_a_ca_that_is_named_is_kept_and_the_counts_of_a_renewal_go_on() -> None:
    bench = alone()
    bench.worker.answers["next-ca"] = named
    bench.worker.answers["fetch-ca"] = AWAY
    pass_time(bench, 5 * DAY_S + 2 * HOUR_S)
    ca, outcome = stored(bench).ca, stored(bench).outcome
    assert ca is not None
    assert ca.next is not None
    assert ca.next.certificate.subject == "CN=CA 2"
    assert outcome is not None
    assert outcome.attempts > 1
    bench.keeps_folders = True
    bench.reboot()
    pass_time(bench, 2 * DAY_S)
    kept = stored(bench).ca
    assert kept is not None
    assert kept.next == ca.next
    assert count(bench, "next-ca") == 1


def test_a_ca_near_its_end_is_asked_daily_also_behind_a_restart() -> None:
    bench = alone()
    honest: Any = bench.worker.answers["fetch-ca"]
    short = {**honest["certificates"][0], "not_after_s": START_S + 20 * DAY_S}
    bench.worker.answers["fetch-ca"] = {**honest, "certificates": [short]}
    bench = blank(bench.factory)
    bench.worker.answers["fetch-ca"] = {**honest, "certificates": [short]}
    bench.reboot()
    pass_time(bench, 4 * DAY_S)
    assert 3 <= count(bench, "next-ca") <= 6
    bench.keeps_folders = True
    bench.reboot()
    pass_time(bench, 4 * DAY_S)
    assert 6 <= count(bench, "next-ca") <= 12


def test_a_failure_is_told_once_and_tried_again_by_the_table() -> None:
    bench = alone()
    bench.worker.answers["next-ca"] = AWAY
    pass_time(bench, 6 * DAY_S, 1800)
    asked = count(bench, "next-ca")
    assert 6 <= asked <= 30
    assert bench.logged().count("GET_CA_CERT_ERR") == 1
    bench.worker.answers["next-ca"] = refuse("next-ca-signature", reason="x")
    pass_time(bench, DAY_S)
    assert bench.logged().count("GET_CA_CERT_ERR") == 2
    bench.worker.answers["next-ca"] = named
    pass_time(bench, DAY_S)
    ca = stored(bench).ca
    assert ca is not None
    assert ca.next is not None


def test_it_is_asked_for_when_an_application_that_waits_for_the_ca_is_over() -> None:
    bench = alone()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    pass_time(bench, 5 * DAY_S + HOUR_S, 60)
    begun = count(bench, "next-ca")
    bench.worker.answers["poll"] = issue
    pass_time(bench, HOUR_S, 60)
    assert in_use(bench).certificate.not_before_s > START_S
    assert begun <= 1
    assert count(bench, "next-ca") >= 1


def test_a_realm_by_hand_and_one_that_has_gone_ask_for_nothing() -> None:
    bench = alone(f"{AUTO}\n {PLACE}")
    setting(bench, auto_enroll=None)
    bench.worker.jobs.clear()
    pass_time(bench, 8 * DAY_S)
    assert bench.worker.ops() == []
    bench = alone(f"{AUTO}\n {PLACE}")
    del bench.device.settings.realms["abc"]
    bench.device.forget_realm("abc")
    bench.worker.jobs.clear()
    pass_time(bench, 8 * DAY_S)
    assert bench.worker.ops() == []


# -- revocation lists ------------------------------------------------------------------------------


def test_lists_are_fetched_in_time_one_after_the_other_and_written_when_they_are_new() -> None:
    bench = checked(PLACE)
    bench.worker.answers["fetch-crl"] = lists(DAY_S)
    bench.reboot()
    bench.turn(30)
    assert bench.device.revocation.current("abc") is not None
    for _hour in range(3 * 24):
        asked = count(bench, "fetch-crl")
        pass_time(bench, HOUR_S, 600)
        assert count(bench, "fetch-crl") - asked <= 2, "what idles wakes twice an hour at most"
        crl = bench.device.revocation.current("abc")
        assert crl is not None
        assert int(crl.split()[1]) + DAY_S > bench.device.wall_s(), "never without one in date"
    assert 3 <= bench.logged().count("GET_CRL_OK") <= 5
    assert count(bench, "fetch-crl") <= 4 * 5, "no more than four looks a window"
    bench.keeps_folders = True
    bench.reboot()
    before = count(bench, "fetch-crl")
    pass_time(bench, 12 * HOUR_S)
    assert count(bench, "fetch-crl") == before, "its time follows from what flash holds"


@pytest.mark.parametrize("line", ["certificate-check none", ""])
def test_a_realm_that_wants_no_lists_fetches_none(line: str) -> None:
    bench = checked(*([line, PLACE] if line else []))
    bench.reboot()
    pass_time(bench, 2 * DAY_S)
    assert count(bench, "fetch-crl") == 0
    assert in_use(bench).key == "k1"


def test_a_blank_device_that_sends_nothing_without_a_list_gets_ca_and_list_first() -> None:
    bench = checked("certificate-check crl", PLACE)
    bench.reboot()
    bench.turn(60)
    ops = [op for op in bench.worker.ops() if op != "generate-key"]
    assert ops == ["fetch-ca", "fetch-crl", "fetch-ca", "enrol", "activate"]
    assert in_use(bench).key == "k1"


def test_a_list_that_cannot_be_had_holds_the_renewal_up_until_it_is_there() -> None:
    bench = checked("certificate-check crl", PLACE)
    bench.worker.answers["fetch-crl"] = lists(2 * DAY_S)
    bench.reboot()
    bench.turn(60)
    bench.worker.answers["fetch-crl"] = away = refuse(
        "crl-unreachable", url="x", what="x", cause="x"
    )
    pass_time(bench, 6 * DAY_S)
    assert in_use(bench).certificate.not_before_s == START_S
    assert "GET_LOCAL_CERT_ERR" in bench.logged()
    assert "the revocation list does not come" in bench.device.status("abc").why
    bench.worker.answers["fetch-crl"] = lists(2 * DAY_S)
    assert away is not bench.worker.answers["fetch-crl"]
    pass_time(bench, 2 * HOUR_S, 600)
    assert in_use(bench).certificate.not_before_s > START_S + 5 * DAY_S
    assert bench.device.status("abc").state == "issued"


def test_where_a_list_is_not_needed_one_out_of_date_stops_no_renewal() -> None:
    bench = checked("certificate-check crl none", PLACE)
    bench.worker.answers["fetch-crl"] = lists(2 * DAY_S)
    bench.reboot()
    bench.turn(60)
    bench.worker.answers["fetch-crl"] = AWAY
    pass_time(bench, 6 * DAY_S)
    assert in_use(bench).certificate.not_before_s >= START_S + 5 * DAY_S
    assert bench.logged().count("GET_CRL_ERR") == 1


def test_a_missing_place_is_named_and_the_setting_that_gives_it_ends_the_pause() -> None:
    bench = checked("certificate-check crl")
    bench.worker.answers["fetch-crl"] = refuse("crl-no-place", others="")
    bench.reboot()
    bench.turn(60)
    status = bench.device.status("abc")
    assert "nothing says where the revocation list is" in status.why
    assert "cdp-url" in status.next_step
    bench.worker.answers["fetch-crl"] = lists(2 * DAY_S)
    setting(bench, cdp_url="http://ca/crl")
    pass_time(bench, 60, 1)
    assert in_use(bench).key == "k1"


def test_a_ca_that_nobody_has_vouched_for_is_not_trusted_for_the_sake_of_a_list() -> None:
    text = CONFIGURATION.replace(HOLDS, f" {AUTO}\n certificate-check crl\n {PLACE}\n{HOLDS}")
    bench = Bench("\n".join(line for line in text.splitlines() if HOLDS not in line))
    bench.worker.answers |= {"enrol": issue, "generate-key": pair}
    bench.turn(60)
    pass_time(bench, DAY_S)
    assert stored(bench).ca is None
    assert "fingerprint" in bench.device.status("abc").next_step
    assert count(bench, "fetch-crl") == 0


def told_of(job: Answer, reason: str) -> Answer:
    """A list of this moment on which the certificate in use stands."""
    found: Answer = lists(DAY_S)(job)
    return {**found, "crl": found["crl"] + reason.encode(), "revoked": [reason, ""]}


def test_a_certificate_on_the_list_is_replaced_within_one_fetch_by_another_key() -> None:
    bench = checked(PLACE)
    bench.worker.answers["fetch-crl"] = lists(DAY_S)
    bench.reboot()
    pass_time(bench, 2 * HOUR_S)
    first = in_use(bench)
    bench.worker.answers["fetch-crl"] = lambda job: told_of(job, "keyCompromise")
    bench.worker.jobs.clear()
    pass_time(bench, DAY_S, 600)
    assert "keyCompromise" in bench.logged()
    second = in_use(bench)
    assert (first.generation, second.generation) == (1, 2)
    assert second.certificate.serial != first.certificate.serial
    assert count(bench, "enrol") == 1
    assert next(job for job in bench.worker.jobs if job["op"] == "enrol")["renewal"] is None


def test_a_hold_is_told_and_ends_and_has_nothing_issued() -> None:
    bench = checked(PLACE)
    bench.worker.answers["fetch-crl"] = lambda job: told_of(job, "certificateHold")
    bench.reboot()
    pass_time(bench, 2 * HOUR_S)
    first = in_use(bench)
    assert first.revoked == "certificateHold"
    bench.worker.answers["fetch-crl"] = lists(DAY_S)
    pass_time(bench, DAY_S)
    assert in_use(bench)._replace(revoked="") == first._replace(revoked="")
    assert in_use(bench).revoked == ""


def test_a_realm_that_checks_nothing_hears_of_no_revocation() -> None:
    bench = checked(PLACE, "certificate-check none")
    bench.worker.answers["fetch-crl"] = lambda job: told_of(job, "keyCompromise")
    bench.reboot()
    bench.turn(60)
    waiter = Waiter()
    bench.device.revocation.fetch("abc", waiter, waiter.done)
    pass_time(bench, HOUR_S)
    assert waiter.code is None
    assert in_use(bench).revoked == ""
