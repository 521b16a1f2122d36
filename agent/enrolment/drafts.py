"""The records that an attempt leaves in flash: the request, how it stands, and the certificate."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Iterable, Mapping

from agent import limits
from agent.enrolment import schedule
from agent.enrolment.actions import Now, Policy
from agent.enrolment.states import Apply, Granted
from agent.enrolment.verdicts import FAILURES, is_verdict
from agent.errors import AgentError
from hal.records import (
    CaRecord,
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
        by_rule=event.by_rule,
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


def failed(
    before: OutcomeRecord | None,
    error: AgentError,
    now: Now,
    *,
    anew: bool = False,
    has_left: bool = True,
) -> OutcomeRecord:
    """The attempt has failed. A refusal that the CA has signed is no certificate, if there was a
    request to refuse (has_left). anew: it refused the signature of the certificate in use; that
    counts until it has decided without it."""
    counted = before or _FIRST
    older = counted.error.get("retry") if counted.error else None
    requests = counted.requests - (has_left and error.code in FAILURES)
    return OutcomeRecord(
        error=_capped(error.as_map()),
        at_s=now.wall_s,
        attempts=max(1, counted.attempts),
        since_s=counted.since_s if older == error.retry else now.wall_s,
        requests=max(0, requests),
        anew=anew or (counted.anew and not is_verdict(error)),
    )


def succeeded(now: Now) -> OutcomeRecord:
    """A certificate is stored: all counts begin anew."""
    return _FIRST._replace(at_s=now.wall_s)


def given_up(before: OutcomeRecord | None, now: Now) -> OutcomeRecord | None:
    """A person has ended the attempt; what may come of its request is counted."""
    return before and before._replace(at_s=now.wall_s, anew=False)


def taught(before: OutcomeRecord | None, now: Now) -> OutcomeRecord:
    """A certificate was issued and is of no use: no failure, but one that the CA has issued."""
    return (before or _FIRST)._replace(error=None, at_s=now.wall_s, attempts=0, anew=False)


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
    event: Granted, sent: RequestRecord, ca: CaRecord | None, now: Now, policy: Policy
) -> LocalRecord:
    """The certificate that was issued, the key that it is for, and when it is to be renewed."""
    record = LocalRecord(
        certificate=event.certificate,
        chain=list(event.chain),
        key=str(sent.settings["key_pair"]),
        generation=sent.generation,
        issued_s=now.wall_s,
        names=names(sent.settings),
    )
    return held(record, ca, policy)


def held(record: LocalRecord, ca: CaRecord | None, policy: Policy) -> LocalRecord:
    """A certificate of this CA, with what the set says about its end, and its renewal point."""
    pin = ca.pin if ca else ""
    return due(
        record._replace(ends_s=_ends_s(record, ca.certificates if ca else ()), pin=pin), policy
    )


def _ends_s(record: LocalRecord, certificates: Iterable[CertificateRecord]) -> int:
    chain = (c.not_after_s for c in certificates if c.der in record.chain)
    return min((record.certificate.not_after_s, *chain))


def due(record: LocalRecord, policy: Policy) -> LocalRecord:
    """The same with its renewal point by the settings of now."""
    return record._replace(renew_s=renewal_s(record, policy))


def renewal_s(record: LocalRecord, policy: Policy) -> int | None:
    """From when on a certificate is due for renewal; None: the realm does not renew by itself."""
    if policy.percent is None:
        return None
    return point_s(record, policy, policy.percent)


def point_s(record: LocalRecord, policy: Policy, percent: int) -> int:
    """When so much of its life has passed, or its lead begins."""
    life = record.certificate.not_before_s, record.end_s
    polls = policy.poll_interval_min, policy.poll_times
    return schedule.renewal_s(*life, percent, polls, record.granted_s)


def names(settings: Mapping[str, object]) -> int:
    """A CRC-32 of the names that a request asks for; 0 where it says none."""
    entity = settings.get("entity")
    if not isinstance(entity, dict):
        return 0
    return crc32(repr(sorted(entity.items())).encode("utf-8", "replace")) or 1


def is_renamed(settings: Mapping[str, object], local: LocalRecord) -> bool:
    """Whether other names are configured than those that the certificate was asked for with."""
    return local.names not in (0, names(settings))
