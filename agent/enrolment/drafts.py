"""The records that an attempt leaves in flash: the request, how it stands, and the certificate."""

from __future__ import annotations

from agent import limits
from agent.enrolment import schedule
from agent.enrolment.actions import Now, Policy
from agent.enrolment.states import Apply, Granted
from agent.enrolment.verdicts import FAILURES, is_verdict
from agent.errors import AgentError
from hal.records import (
    CertificateRecord,
    LocalRecord,
    OutcomeRecord,
    RenewalRecord,
    RequestRecord,
)

_CUT = " ..."


NOTED_AGAIN_NS = limits.FAILURE_NOTED_S * 1_000_000_000


def request(event: Apply, signer: RenewalRecord | None, now: Now) -> RequestRecord:
    """The record from which each retry and poll makes the same bytes again. `signer`: the
    certificate and key in use that may sign it."""
    return RequestRecord(
        phase="fetching",
        transaction=event.transaction,
        request_time_s=now.wall_s,
        generation=event.generation,
        settings=event.settings,
        password=event.password,
        polls=0,
        renewal=signer,
        attended=event.attended,
    )


def kept(sent: RequestRecord | None, error: AgentError) -> RequestRecord | None:
    """The request after a failed attempt. It is kept without a verdict: its answer may wait."""
    if sent is None or sent.phase == "fetching" or is_verdict(error):
        return None
    return sent._replace(phase="lost")


_FIRST = OutcomeRecord(error=None, at_s=0, attempts=0)


def begun(before: OutcomeRecord | None, now: Now, *, attended: bool) -> OutcomeRecord:
    """The outcome while an attempt is under way. Who waits for it reads of no error before it."""
    counted = before or _FIRST
    counted = counted._replace(attempts=counted.attempts + 1)
    return counted._replace(error=None, at_s=now.wall_s) if attended else counted


def left(before: OutcomeRecord | None) -> OutcomeRecord:
    """A request leaves, for which the CA may issue a certificate."""
    counted = before or _FIRST
    return counted._replace(requests=counted.requests + 1)


def failed(before: OutcomeRecord | None, error: AgentError, now: Now) -> OutcomeRecord:
    """The attempt has failed. A refusal that the CA has signed is no certificate."""
    counted = before or _FIRST
    older = counted.error.get("retry") if counted.error else None
    requests = counted.requests - (error.code in FAILURES)
    return OutcomeRecord(
        error=_capped(error.as_map()),
        at_s=now.wall_s,
        attempts=max(1, counted.attempts),
        since_s=counted.since_s if older == error.retry else now.wall_s,
        requests=max(0, requests),
    )


def succeeded(now: Now) -> OutcomeRecord:
    """A certificate is stored: all counts begin anew."""
    return _FIRST._replace(at_s=now.wall_s)


def tells_more(
    flash: OutcomeRecord | None, found: OutcomeRecord, written_ns: int | None, now: Now
) -> bool:
    """Whether a failure is worth a write: its code is another one than that in flash, and the last
    failure was written (monotonic; None: not since the start) a few hours ago."""
    codes = [o.error.get("error") if o and o.error else None for o in (flash, found)]
    if codes[0] == codes[1]:
        return False
    long_ago = written_ns is None or now.monotonic_ns - written_ns >= NOTED_AGAIN_NS
    return long_ago or codes[0] is None


def _capped(error: dict[str, object]) -> dict[str, object]:
    """The error with texts cut to the length that flash keeps: a peer may have written them."""
    return {name: _cut(value) if isinstance(value, str) else value for name, value in error.items()}


def _cut(text: str) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= limits.OUTCOME_TEXT_BYTES:
        return text
    return data[: limits.OUTCOME_TEXT_BYTES - len(_CUT)].decode("utf-8", "ignore") + _CUT


def local(
    event: Granted, sent: RequestRecord, same_end: bool, now: Now, policy: Policy
) -> LocalRecord:
    """The certificate that was issued, the key that it is for, and when it is to be renewed."""
    return LocalRecord(
        certificate=event.certificate,
        chain=list(event.chain),
        key=str(sent.settings["key_pair"]),
        generation=sent.generation,
        issued_s=now.wall_s,
        ends_as_before=same_end,
        renew_s=renewal_s(event.certificate, policy),
    )


def renewal_s(certificate: CertificateRecord, policy: Policy) -> int | None:
    """From when on a certificate is due for renewal; None: the realm does not renew by itself."""
    if policy.percent is None:
        return None
    life = certificate.not_before_s, certificate.not_after_s
    polls = policy.poll_interval_min, policy.poll_times
    return schedule.renewal_s(*life, policy.percent, *polls)
