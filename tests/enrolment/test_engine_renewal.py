"""The engine: applications of a device whose certificate may sign them."""

import pytest

from agent.enrolment import alarms
from agent.enrolment.actions import Stored
from agent.enrolment.states import Apply, CaFetched, Granted
from hal import records
from tests.helpers.engine_bench import (
    FETCHED,
    HELD,
    ISSUED,
    PINNED,
    RENEWABLE,
    T0,
    Bench,
    again,
    application,
    finished,
    kinds,
    verdict,
)


def test_the_certificate_in_use_signs_a_renewal_and_the_record_says_so() -> None:
    bench = Bench(flash=Stored(local=HELD))
    bench(again())
    bench(RENEWABLE)
    assert bench.flash.request is not None
    way = bench.flash.request.renewal
    assert way == records.RenewalRecord(17, HELD.certificate, "k1", 1, False)
    record = bench.flash.request
    bench.cut()
    bench(verdict("ca-badCertId"))
    assert bench.flash.request == record  # the same signer, the same way, after the power came back
    bench(Granted(ISSUED, ()))
    assert bench.flash.local is not None
    assert bench.flash.local.certificate == ISSUED


@pytest.mark.parametrize(
    ("event", "fetched", "after_s"),
    [
        (again(), FETCHED, 0),  # Renewal is not listed
        (application(), RENEWABLE, 0),  # the old key is not there any more
        (again(), RENEWABLE, 900),  # expired
    ],
)
def test_otherwise_it_is_an_application_from_the_beginning(
    event: Apply, fetched: CaFetched, after_s: int
) -> None:
    bench = Bench(flash=Stored(local=HELD))
    bench.now = T0._replace(wall_s=T0.wall_s + after_s)
    bench(event)
    bench(fetched)
    assert bench.flash.request is not None
    assert (bench.flash.request.phase, bench.flash.request.renewal) == ("sent", None)


def test_a_renewal_without_an_answer_gives_way_to_the_way_that_was_configured_since() -> None:
    """A server that says HTTP 500 to RenewalReq must not lock the realm in."""
    bench = Bench(flash=Stored(local=HELD))
    bench(again("t1"))
    bench(RENEWABLE)
    bench(verdict("http-failed"))
    bench.engine.policy = PINNED._replace(compatibility=("renew-by-pkcsreq",))
    assert kinds(bench(again("t2"))) == ["Commit", "poll"]
    assert kinds(bench(verdict("http-failed"))) == ["Commit", "fetch-ca"]
    bench(RENEWABLE)
    assert bench.flash.request is not None
    assert (bench.flash.request.transaction, bench.flash.request.renewal) == ("t2", None)


def ends_too_early(bench: Bench) -> bool:
    """Whether the alarm of the CA stands; its dates are those of a CA that lasts."""
    ca = bench.flash.ca
    if ca is None:
        return False
    last_s = bench.now.wall_s + 3650 * 86400
    lasting = ca.certificates[ca.pin_index]._replace(
        not_before_s=bench.now.wall_s, not_after_s=last_s
    )
    flash = bench.flash._replace(ca=ca._replace(certificates=[lasting], pin_index=0))
    life = alarms.lives(flash, None, bench.engine.policy, 0)[alarms.CA]
    assert ("issues for no longer" in life.what) is (life.level(bench.now.wall_s) != alarms.VALID)
    return life.level(bench.now.wall_s) == alarms.WILL_EXPIRE


def test_the_same_end_is_accepted_once_with_an_alarm() -> None:
    bench = Bench(PINNED._replace(at_once=True), Stored(local=HELD))
    end = HELD.certificate.not_after_s
    for transaction, serial, code in (("t1", "02", None), ("t2", "03", "issued-older")):
        bench(again(transaction)._replace(attended=False))
        bench(RENEWABLE)
        found = ISSUED._replace(der=serial.encode(), serial=serial, not_after_s=end)
        assert not ends_too_early(bench) or serial == "03"
        error = finished(bench(Granted(found, ())))
        assert (error.code if error else None) == code
        assert ends_too_early(bench)
    assert bench.flash.local is not None
    assert bench.flash.local.certificate.serial == "02"
