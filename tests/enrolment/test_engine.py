"""The engine: whole conversations with a small flash and a scripted CA, and every power cut."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import errors
from agent.enrolment.actions import (
    Action,
    Activate,
    CancelJob,
    Commit,
    Confirm,
    Finish,
    Now,
    Policy,
    Report,
    StartJob,
    Stored,
)
from agent.enrolment.engine import Engine, Refused
from agent.enrolment.states import (
    Abort,
    Apply,
    CaAnswered,
    CaCertificate,
    CaFetched,
    Due,
    Granted,
    Installed,
    JobFailed,
    Restart,
    State,
    Waiting,
)
from hal import records
from hal.records import CertificateRecord

T0 = Now(1_800_000_000, 5_000_000_000, True)
MINUTE = 60_000_000_000
ISSUED = CertificateRecord(b"leaf", "CN=r1", "CN=CA", "2a", T0.wall_s, T0.wall_s + 1000)
SETTINGS = {"key_pair": "k1", "url": "http://ca/scep", "entity": {"common_name": "r1"}}


def authority(name: str = "CN=CA", issuer: str | None = None, *, is_ca: bool = True) -> Any:
    record = CertificateRecord(name.encode(), name, issuer or name, "01", 0, T0.wall_s + 9999)
    return CaCertificate(record, is_ca, f"md5 {name}", f"sha1 {name}", f"sha256 {name}")


PINNED = Policy(("sha256", "sha256 CN=CA"), 1, 3)
FETCHED = CaFetched((authority(),), ("AES", "SHA-256"))


def application(transaction: str = "t1", *, attended: bool = True, key: int = 1) -> Apply:
    return Apply(transaction, SETTINGS, key, "sealed", attended)


HELD = records.LocalRecord(
    ISSUED._replace(der=b"old", serial="01", not_after_s=T0.wall_s + 500), [], "k1", 1, 0
)
RENEWABLE = CaFetched((authority(),), ("AES", "Renewal"))


def again(transaction: str = "t1", **changes: Any) -> Apply:
    """An application of a device that has a certificate and its key."""
    return application(transaction)._replace(renewable=True, **changes)


def network() -> JobFailed:
    return JobFailed(errors.fail("job-deadline", seconds=1))


def verdict(code: str = "ca-badRequest") -> JobFailed:
    return JobFailed(errors.PeerError(code, "no", "because", "do", errors.OPERATOR))


class Bench:
    """An engine, the flash behind it and the jobs that it started; `cut` is a power cut."""

    def __init__(self, policy: Policy = PINNED, flash: Stored | None = None) -> None:
        self.policy, self.flash = policy, flash or Stored()
        self.now = T0
        self.engine = Engine(self.flash, policy)
        self.trace: list[str] = []

    def __call__(self, event: Any) -> list[Action]:
        actions = self.engine.handle(event, self.now)
        for action in actions:
            self._perform(action)
        self.trace.append(self.engine.state.name)
        return actions

    def _perform(self, action: Action) -> None:
        if isinstance(action, Commit):
            # What goes through flash comes back as its schema allows.
            self.flash = Stored(*(_through_flash(part) for part in action.stored))
            assert self.flash == self.engine.stored
        if isinstance(action, StartJob) and action.op != "fetch-ca":
            assert self.flash.request is not None
            assert self.flash.request.phase in ("sent", "pending")

    def cut(self) -> None:
        self.engine = Engine(self.flash, self.policy)
        self(Restart())

    def due(self) -> list[Action]:
        deadline = self.engine.next_deadline()
        assert deadline is not None
        self.now = self.now._replace(monotonic_ns=deadline)
        return self(Due())


def _through_flash(part: Any) -> Any:
    return None if part is None else records.decode(type(part), records.encode(part))


def kinds(actions: list[Action]) -> list[str]:
    return [
        f"{a.op}" if isinstance(a, StartJob) else type(a).__name__
        for a in actions
        if not isinstance(a, Report)
    ]


def finished(actions: list[Action]) -> Any:
    (end,) = [a for a in actions if isinstance(a, Finish)]
    return end.error


def test_manual_application_from_nothing_to_issued() -> None:
    bench = Bench()
    assert kinds(bench(application())) == ["Commit", "fetch-ca"]
    assert kinds(bench(FETCHED)) == ["Commit", "enrol"]
    assert kinds(bench(Granted(ISSUED, (b"CN=CA",)))) == ["Commit", "Activate", "Finish"]
    assert bench.trace == ["FETCHING", "SENT", "ISSUED"]
    local = bench.flash.local
    assert local is not None
    assert (local.certificate, local.key, local.generation) == (ISSUED, "k1", 1)
    assert bench.flash.request is None
    assert bench.flash.ca is not None
    assert (bench.flash.ca.pin, bench.flash.ca.trusted_by) == ("sha256 CN=CA", "fingerprint")


def test_an_ra_with_its_purpose_is_remembered_with_the_certificate_that_came_through_it() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    assert bench.flash.ca is not None
    assert not bench.flash.ca.ra_proven
    assert kinds(bench(Granted(ISSUED, (), ra_proven=True))) == ["Commit", "Activate", "Finish"]
    assert bench.flash.ca.ra_proven
    bench(application())
    bench(FETCHED)  # another set of the same CA
    assert bench.flash.ca.ra_proven


def test_pending_polls_by_interval_and_ends_after_times() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    assert finished(bench(Waiting())) is None
    for poll in range(1, 4):
        assert bench.engine.next_deadline() == bench.now.monotonic_ns + MINUTE
        assert kinds(bench.due()) == ["Commit", "poll"]
        assert bench.flash.request is not None
        assert bench.flash.request.polls == poll
        last = bench(Waiting())
        said = [a.text for a in last if isinstance(a, Report)]
        ended = "the CA has not decided after 3 polls"
        assert said == [ended if poll == 3 else f"PENDING: poll {poll} of 3"]
    assert bench.engine.state is State.FAILED
    assert finished(last).code == "poll-exhausted"
    assert bench.flash.request is not None
    assert bench.flash.request.phase == "lost"


def test_applying_again_asks_for_the_lost_answer_first() -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    assert finished(bench(network())).code == "job-deadline"
    assert kinds(bench(application("t2"))) == ["Commit", "poll"]
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request is not None
    assert bench.flash.request.transaction == "t1"
    # The old request is refused for good: now the new one is begun, without a further command.
    assert kinds(bench(verdict())) == ["Commit", "fetch-ca"]
    assert bench.flash.request.transaction == "t2"
    bench(FETCHED)
    bench(Granted(ISSUED, ()))
    assert bench.engine.state is State.ISSUED


def test_a_corrected_password_is_used_once_the_ca_has_nothing_for_the_old_request() -> None:
    """A server that says HTTP 500 to a wrong challenge must not lock the old one in."""
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(verdict("http-failed"))
    right = application("t2")._replace(password="sealed and right")
    assert kinds(bench(right)) == ["Commit", "poll"]
    assert kinds(bench(verdict("http-failed"))) == ["Commit", "fetch-ca"]
    assert bench.flash.request is not None
    assert (bench.flash.request.transaction, bench.flash.request.password) == (
        "t2",
        "sealed and right",
    )


def test_a_request_without_an_answer_can_be_given_up() -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(network())
    bench(Abort())
    assert bench.flash.request is None


def test_so_it_can_after_the_operator_has_brought_the_certificates_of_the_ca() -> None:
    """They end the failure, and the request that got no answer is still there."""
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(network())
    bench(Installed(ca=bench.flash.ca))
    assert (bench.engine.state, bench.flash.request is None) == (State.TRUSTED, False)
    bench(Abort())
    assert (bench.engine.state, bench.flash.request) == (State.TRUSTED, None)


def test_a_fingerprint_that_changed_while_the_job_ran_refuses_its_certificate() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench.engine.policy = PINNED._replace(fingerprint=("sha256", "other"))
    assert finished(bench(Granted(ISSUED, ()))).code == "ca-pin-changed"
    assert bench.flash.local is None


def test_the_first_poll_after_a_start_does_not_wait_for_a_long_interval() -> None:
    bench = Bench(PINNED._replace(poll_interval_min=1440))
    bench(application())
    bench(FETCHED)
    bench(Waiting())
    assert bench.engine.next_deadline() == bench.now.monotonic_ns + 1440 * MINUTE
    bench.cut()
    assert bench.engine.next_deadline() == bench.now.monotonic_ns + MINUTE


@pytest.mark.parametrize("change", [{"generation": 2}, {"settings": {"key_pair": "k2"}}])
def test_a_changed_request_does_not_take_up_the_old_one(change: dict[str, Any]) -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(network())
    assert kinds(bench(application("t2")._replace(**change))) == ["Commit", "fetch-ca"]


def test_a_verdict_ends_the_transaction_and_keeps_what_is_in_use() -> None:
    bench = Bench(flash=Stored(local=records.LocalRecord(ISSUED, [], "k1", 1, 0)))
    bench(application())
    bench(FETCHED)
    assert finished(bench(verdict())).code == "ca-badRequest"
    assert bench.flash.request is None
    assert bench.flash.local is not None
    assert bench.engine.error is not None
    assert bench.engine.error.code in ("ca-badRequest", "job-answer")


@pytest.mark.parametrize("code", ["certrep-signer", "http-refused", "connection-refused"])
def test_what_the_ca_did_not_sign_never_ends_the_transaction(code: str) -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(verdict(code))
    assert bench.flash.request is not None
    assert (bench.flash.request.transaction, bench.flash.request.phase) == ("t1", "lost")


def test_a_certificate_that_was_refused_ends_it_even_while_recovering() -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench.cut()
    assert finished(bench(verdict("issued-key"))).code == "issued-key"
    assert bench.flash.request is None


def test_the_certificate_in_use_is_no_answer_to_a_new_application() -> None:
    held = records.LocalRecord(ISSUED, [], "k1", 1, 0)
    bench = Bench(flash=Stored(local=held))
    bench(application())
    bench(FETCHED)
    assert finished(bench(Granted(ISSUED, ()))).code == "issued-old"
    assert bench.flash.local == held


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


def test_the_same_end_is_accepted_once_with_an_alarm() -> None:
    bench = Bench(flash=Stored(local=HELD))
    end = HELD.certificate.not_after_s
    for transaction, serial, code in (("t1", "02", None), ("t2", "03", "issued-older")):
        bench(again(transaction)._replace(attended=False))
        bench(RENEWABLE)
        found = ISSUED._replace(der=serial.encode(), serial=serial, not_after_s=end)
        actions = bench(Granted(found, ()))
        alarms = [a for a in actions if isinstance(a, Report) and a.mnemonic == "CA_WILL_EXPIRED"]
        error = finished(actions)
        assert (error.code if error else None) == code
        assert len(alarms) == (code is None)
    assert bench.flash.local is not None
    assert bench.flash.local.certificate.serial == "02"


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


def test_restart_in_sent_asks_and_then_sends_the_same_again() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    record = bench.flash.request
    bench.cut()
    assert bench.engine.state is State.RECOVERING
    for _silence in range(3):
        bench(network())
        assert kinds(bench.due()) == ["poll"]
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request == record
    bench(Granted(ISSUED, ()))
    assert bench.trace[-1] == "ISSUED"


def test_restart_in_pending_goes_on_polling() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(Waiting())
    bench.due()
    bench.cut()
    assert bench.engine.state is State.PENDING
    assert bench.flash.request is not None
    assert bench.flash.request.polls == 1
    bench.due()
    bench(Granted(ISSUED, ()))
    assert bench.engine.state is State.ISSUED


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


# -- a server that is busy, forgetful, or has a new RA ---------------------------------------------


def busy(after_s: int = 0, code: str = "http-busy") -> JobFailed:
    error = errors.fail(code, status=503, reason="Busy", page="-")
    error.after_s = after_s
    return JobFailed(error)


@pytest.mark.parametrize("code", ["http-busy", "http-empty"])
def test_a_busy_server_is_asked_again_in_the_same_attempt(code: str) -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    record = bench.flash.request
    assert kinds(bench(busy(code=code))) == []
    assert bench.engine.next_deadline() == bench.now.monotonic_ns + 2_000_000_000
    assert kinds(bench.due()) == ["poll"]  # it may have issued all the same
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request == record
    bench(Granted(ISSUED, ()))
    assert bench.engine.state is State.ISSUED


@pytest.mark.parametrize(("times", "tries"), [(1, 1), (3, 2)])
def test_never_more_often_than_the_realm_allows(times: int, tries: int) -> None:
    bench = Bench(PINNED._replace(poll_times=times))
    bench(application())
    bench(FETCHED)
    for _try in range(tries):
        bench(busy())
        assert kinds(bench.due()) == ["poll"]
    assert finished(bench(busy())).code == "http-busy"
    assert bench.flash.request is not None
    assert bench.flash.request.phase == "lost"


@pytest.mark.parametrize(("asked_s", "pause_s"), [(7, 7), (30, 30), (31, None)])
def test_retry_after_is_honoured_up_to_its_cap(asked_s: int, pause_s: int | None) -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    actions = bench(busy(asked_s))
    if pause_s is None:
        assert finished(actions).code == "http-busy"
    else:
        assert bench.engine.next_deadline() == bench.now.monotonic_ns + pause_s * 1_000_000_000


@pytest.mark.parametrize(("asked_s", "pause_s"), [(7, 60), (600, 600), (10**9, 3600)])
def test_a_server_that_asks_to_be_left_alone_uses_up_no_polls(asked_s: int, pause_s: int) -> None:
    bench = pending()
    bench(busy(asked_s))
    assert bench.engine.next_deadline() == bench.now.monotonic_ns + pause_s * 1_000_000_000
    bench = Bench()
    bench(application())
    bench.cut()  # from here on nobody waits
    bench(busy(asked_s))
    assert bench.engine.state is State.FETCHING
    assert bench.engine.next_deadline() == bench.now.monotonic_ns + pause_s * 1_000_000_000


def test_busy_while_the_ca_certificates_are_fetched() -> None:
    bench = Bench()
    bench(application())
    bench(busy())
    assert kinds(bench.due()) == ["fetch-ca"]
    assert kinds(bench(FETCHED)) == ["Commit", "enrol"]


def test_a_power_cut_while_it_waits_for_a_busy_server_changes_nothing() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    record = bench.flash.request
    bench(busy())
    bench.cut()
    assert bench.engine.state is State.RECOVERING
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request == record


def pending() -> Bench:
    """A request that waits, at its first poll."""
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(Waiting())
    bench.due()
    return bench


RENEWED_RA = CaFetched(
    (authority("CN=RA", "CN=CA", is_ca=False), authority()._replace(below=(0,))), ("AES",)
)


@pytest.mark.parametrize(
    "code",
    [
        *("ca-badMessageCheck", "certrep-signer", "http-failed", "http-ndes"),
        *("ca-cannot-encrypt", "ca-pin-missing", "ra-missing", "ra-not-asked", "ra-unusable"),
    ],
)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_poll_that_a_new_ra_cannot_read_is_sent_again_for_it(code: str, restarted: bool) -> None:
    bench = pending()
    if restarted:
        bench = Bench(flash=bench.flash._replace(request=_sent(bench.flash)))
        bench(Restart())
    assert kinds(bench(verdict(code))) == ["fetch-ca"]
    assert kinds(bench(RENEWED_RA)) == ["Commit", "poll"]
    assert bench.flash.ca is not None
    assert len(bench.flash.ca.certificates) == 2
    assert bench.flash.ca.pin_index == 1
    bench(Granted(ISSUED, ()))
    assert bench.engine.state is State.ISSUED


@pytest.mark.parametrize("code", ["ca-cannot-encrypt", "ra-unusable"])
def test_certificates_of_no_use_hold_no_lost_request_for_ever(code: str) -> None:
    """They were refused, and the CA has better ones by now."""
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(verdict(code))
    assert kinds(bench(application("t2"))) == ["Commit", "poll"]
    assert kinds(bench(verdict(code))) == ["fetch-ca"]
    assert kinds(bench(RENEWED_RA)) == ["Commit", "poll"]
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]


def test_a_ca_that_has_ended_holds_no_lost_request_for_ever() -> None:
    """The one after it may be there by now."""
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(network())
    bench(application("t2"))
    assert kinds(bench(verdict("ca-expired"))) == ["Commit", "fetch-ca"]
    assert bench.flash.request is not None
    assert bench.flash.request.transaction == "t2"


def _sent(flash: Stored) -> records.RequestRecord:
    assert flash.request is not None
    return flash.request._replace(phase="sent")


@pytest.mark.parametrize(
    "fetched", [FETCHED, CaFetched((authority("CN=Other"),), ())], ids=["same", "another CA"]
)
def test_without_new_certificates_a_verdict_is_a_verdict(fetched: CaFetched) -> None:
    bench = pending()
    known = bench.flash.ca
    bench(verdict("ca-badMessageCheck"))
    assert finished(bench(fetched)).code == "ca-badMessageCheck"
    assert (bench.flash.ca, bench.flash.request) == (known, None)


def test_new_certificates_are_looked_for_once_a_poll() -> None:
    bench = pending()
    bench(verdict("certrep-signer"))
    bench(RENEWED_RA)
    bench(verdict("certrep-signer"))
    assert bench.engine.state is State.PENDING
    bench.due()
    assert kinds(bench(verdict("certrep-signer"))) == ["fetch-ca"]
    bench(network())  # no answer to that: the next poll tells
    assert bench.engine.state is State.PENDING


def test_a_ca_that_has_forgotten_what_was_pending_gets_the_same_bytes_again() -> None:
    bench = pending()
    record = bench.flash.request
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request == record
    assert not [a for a in bench(Waiting()) if isinstance(a, Finish)]
    bench.due()
    bench(verdict("ca-badCertId"))
    bench(network())  # silence uses up a poll here, too
    assert bench.engine.state is State.PENDING
    bench.due()
    bench(verdict("ca-badCertId"))
    assert finished(bench(Waiting())).code == "poll-exhausted"


@pytest.mark.parametrize("steps", range(4))
def test_abort_ends_it_everywhere(steps: int) -> None:
    bench = Bench()
    for event in (application(), FETCHED, Waiting(), Due())[: steps + 1]:
        bench(event)
    actions = bench(Abort())
    assert isinstance(actions[0], CancelJob)
    assert bench.flash.request is None
    assert bench.engine.next_deadline() is None
    with pytest.raises(Refused):
        bench(Abort())


EVENTS = st.sampled_from(
    [
        application("a"),
        application("b", attended=False),
        application("c", key=2),
        FETCHED,
        CaFetched((authority("CN=Other"),), ()),
        CaAnswered(True),
        CaAnswered(False),
        again("d"),
        RENEWABLE,
        Granted(ISSUED, ()),
        Granted(ISSUED._replace(der=b"later", serial="2b", not_after_s=T0.wall_s + 2000), ()),
        Waiting(),
        network(),
        verdict(),
        verdict("ca-badCertId"),
        verdict("ca-badMessageCheck"),
        busy(),
        RENEWED_RA,
        Due(),
        Abort(),
        "cut",
    ]
)


@given(st.lists(EVENTS, max_size=14), st.sampled_from([PINNED, Policy(None, 1, 2)]))
@settings(max_examples=400, deadline=None)
def test_any_sequence_keeps_the_promises(events: list[Any], policy: Policy) -> None:
    """A certificate is never lost, engine and flash agree, nobody waits in vain."""
    bench = Bench(policy)
    held = None
    for event in events:
        if event == "cut":
            bench.cut()
        else:
            try:
                actions = bench(event)
            except Refused:
                continue
            if isinstance(event, Granted) and bench.engine.state is State.ISSUED:
                held = event.certificate
                assert any(isinstance(a, Activate) for a in actions)
        assert bench.engine.stored == bench.flash
        local = bench.flash.local
        assert (local.certificate if local else None) == held
        if bench.engine.state in (State.PENDING, State.CONFIRMING):
            assert bench.engine.next_deadline() is not None
