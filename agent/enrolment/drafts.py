"""The records that an attempt leaves in flash: the request, how it stands, and the certificate."""

from __future__ import annotations

from agent import limits
from agent.enrolment.actions import Now
from agent.enrolment.states import Apply, Granted
from agent.enrolment.verdicts import is_verdict
from agent.errors import AgentError
from hal.records import LocalRecord, OutcomeRecord, RenewalRecord, RequestRecord

_CUT = " ..."


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
    )


def kept(sent: RequestRecord | None, error: AgentError) -> RequestRecord | None:
    """The request after a failed attempt. It is kept without a verdict: its answer may wait."""
    if sent is None or sent.phase == "fetching" or is_verdict(error):
        return None
    return sent._replace(phase="lost")


def outcome(now: Now, attempts: int, error: AgentError | None = None) -> OutcomeRecord:
    """The outcome of the last attempt; `attempts`: their number since the last good one."""
    error_map = None if error is None else _capped(error.as_map())
    return OutcomeRecord(error=error_map, at_s=now.wall_s, attempts=attempts)


def _capped(error: dict[str, object]) -> dict[str, object]:
    """The error with texts cut to the length that flash keeps: a peer may have written them."""
    return {name: _cut(value) if isinstance(value, str) else value for name, value in error.items()}


def _cut(text: str) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= limits.OUTCOME_TEXT_BYTES:
        return text
    return data[: limits.OUTCOME_TEXT_BYTES - len(_CUT)].decode("utf-8", "ignore") + _CUT


def local(event: Granted, sent: RequestRecord, same_end: bool, now: Now) -> LocalRecord:
    """The certificate that was issued, and the key that it is for."""
    return LocalRecord(
        certificate=event.certificate,
        chain=list(event.chain),
        key=str(sent.settings["key_pair"]),
        generation=sent.generation,
        issued_s=now.wall_s,
        ends_as_before=same_end,
    )
