"""Answers of jobs: their fields, checked, and the event that an answer is to the engine.

The child has read bytes of a peer, so the agent trusts no field of its answer. The runner has
checked the answer against its row in `agent/jobs/contract.py`; here the insides of its maps follow.
A field of another type or size than it should have is a failed job (`job-answer`).
"""

from __future__ import annotations

from collections.abc import Callable

from agent.appliance import Done, T
from agent.enrolment.states import CaCertificate, CaFetched, Event, Granted, JobFailed, Waiting
from agent.errors import AgentError, fail, from_map
from hal.annotations import TypeVar
from hal.record_codec import RecordError, decode
from hal.records import CertificateRecord

Answer = dict[str, object]
NOTE_CHARACTERS = 1024

Value = TypeVar("Value")


def read(outcome: Answer | AgentError) -> Answer:
    """The fields of the answer, or the error that came in its place as an exception."""
    if isinstance(outcome, AgentError):
        raise outcome
    return outcome


def reader(use: Callable[[Answer], T], done: Done[T]) -> Done[Answer]:
    """A `done` of a job that hands on what `use` makes of the answer.

    It hands on the error where that came in place of an answer, and the one that `use` raises.
    """

    def ended(outcome: Answer | AgentError) -> None:
        result: T | AgentError
        try:
            result = use(read(outcome))
        except AgentError as error:
            result = error
        done(result)

    return ended


def event(op: str, answer: Answer | AgentError, note: Callable[[str], None]) -> Event:
    """The event of a job's end; an answer of the wrong shape is a failed job."""
    try:
        answer = read(answer)
        for text in notes(answer):
            note(text)
        if op == "fetch-ca":
            return CaFetched(ca_set(answer), tuple(items(answer, "caps", str)))
        if answer.get("status") == "pending":
            return Waiting()
        issued = certificate(answer.get("certificate"))
        chain = tuple(items(answer, "chain", bytes))
        doubt = answer.get("doubt")
        error = from_map(doubt) if isinstance(doubt, dict) else None
        return Granted(issued, chain, answer.get("ra_proven") is True, error)
    except AgentError as error:
        return JobFailed(error)


def ca_set(answer: Answer) -> tuple[CaCertificate, ...]:
    """The certificates of a CA set as a job tells of them; AgentError `job-answer`."""
    values = items(answer, "certificates", dict)
    return tuple(_ca_certificate(value, len(values)) for value in values)


def _ca_certificate(value: Answer, count: int) -> CaCertificate:
    return CaCertificate(
        certificate(value),
        field(value, "is_ca", bool),
        md5=field(value, "md5", str),
        sha1=field(value, "sha1", str),
        sha256=field(value, "sha256", str),
        below=_places(value, "below", count),
        generations=_places(value, "generations", count),
        above=_places(value, "above", count),
        self_signed=field(value, "self_signed", bool),
        sent=field(value, "sent", bool),
    )


def _places(value: Answer, name: str, count: int) -> tuple[int, ...]:
    """Indexes into the answer that a certificate came in."""
    places = items(value, name, int)
    if not all(0 <= place < count for place in places):
        raise fail("job-answer")
    return tuple(places)


def field(answer: Answer, name: str, kind: type[Value]) -> Value:
    """A field of an answer, its type checked; AgentError `job-answer` for another type."""
    value = answer.get(name)
    if not isinstance(value, kind):
        raise fail("job-answer")
    return value


def items(answer: Answer, name: str, kind: type[Value]) -> list[Value]:
    """A list of an answer, its items' type checked."""
    values = field(answer, name, list)
    if not all(isinstance(value, kind) for value in values):
        raise fail("job-answer")
    return values


def certificate(value: object) -> CertificateRecord:
    """The certificate map of an answer as a record; further fields are left out."""
    if not isinstance(value, dict):
        raise fail("job-answer")
    fields = {name: value.get(name) for name in CertificateRecord._fields}
    try:
        return decode(CertificateRecord, {"v": 1, **fields})
    except RecordError as error:
        raise fail("job-answer") from error


def notes(answer: Answer) -> list[str]:
    """The remarks of a job beside its result, such as a weakness that it let pass."""
    return [text[:NOTE_CHARACTERS] for text in items(answer, "notes", str)]
