"""The engine: which CA is trusted, who is asked about it, and when it is not any more."""

from typing import Any

import pytest

from agent.enrolment.actions import Confirm, Policy, Stored
from agent.enrolment.states import CaAnswered, CaFetched, Due, Granted, Waiting
from tests.helpers.engine_bench import (
    FETCHED,
    ISSUED,
    PINNED,
    T0,
    Bench,
    application,
    authority,
    finished,
    kinds,
)


def test_a_wrong_fingerprint_stores_nothing_but_the_outcome() -> None:
    bench = Bench(Policy(("sha256", "00"), 1, 3))
    bench(application())
    assert finished(bench(FETCHED)).code == "ca-pin-mismatch"
    assert bench.flash._replace(outcome=None) == Stored()


def test_an_ra_certificate_is_never_the_pin() -> None:
    bench = Bench(Policy(("sha256", "sha256 CN=RA"), 1, 3))
    bench(application())
    fetched = CaFetched((authority("CN=RA", "CN=CA", is_ca=False), authority()), ())
    assert finished(bench(fetched)).code == "ca-pin-mismatch"
    bench(application())
    assert finished(bench(CaFetched((authority(is_ca=False),), ()))).code == "ca-no-ca"


def test_without_fingerprint_the_operator_is_asked_about_the_issuing_ca() -> None:
    bench = Bench(Policy(None, 1, 3))
    bench(application())
    chain = CaFetched((authority("CN=Root"), authority("CN=Sub", "CN=Root")), ())
    (question,) = bench(chain)
    assert isinstance(question, Confirm)
    assert question.candidate.certificate.subject == "CN=Sub"
    assert kinds(bench(CaAnswered(True))) == ["Commit", "enrol"]
    assert bench.flash.ca is not None
    assert bench.flash.ca.trusted_by == "operator"
    bench(Granted(ISSUED, ()))
    # Told once, it is trusted the next time; another CA is asked about again.
    bench(application("t2"))
    assert kinds(bench(chain)) == ["Commit", "enrol"]


@pytest.mark.parametrize("answer", [CaAnswered(False), Due()])
def test_no_or_no_answer_sends_nothing(answer: Any) -> None:
    bench = Bench(Policy(None, 1, 3))
    bench(application())
    bench(FETCHED)
    assert finished(bench(answer)).code == "ca-unconfirmed"
    assert bench.flash.ca is None
    assert bench.flash.request is None


def test_after_a_restart_nobody_can_be_asked() -> None:
    bench = Bench(Policy(None, 1, 3))
    bench(application())
    bench.cut()
    assert finished(bench(FETCHED)).code == "ca-unconfirmed"


def test_a_new_fingerprint_stops_what_was_sent_to_the_old_ca() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(Waiting())
    bench.engine.policy = PINNED._replace(fingerprint=("sha1", "other"))
    assert finished(bench.due()).code == "ca-pin-changed"


def test_an_expired_ca_is_refused_only_by_a_clock_that_is_trusted() -> None:
    late = T0._replace(wall_s=T0.wall_s + 99_999)
    for trusted, code in ((True, "ca-expired"), (False, None)):
        bench = Bench()
        bench.now = late._replace(trusted=trusted)
        bench(application())
        actions = bench(FETCHED)
        assert (finished(actions).code if code else kinds(actions)) == (code or ["Commit", "enrol"])
