"""What a job says, as the engine hears it: the answer of a child becomes an event.

The child has read bytes of a peer, so no field of its answer is trusted: what has another type or
size than it should is a failed job.
"""

from collections.abc import Callable

from agent import tasks
from agent.enrolment.states import CaCertificate, CaFetched, Event, Granted, JobFailed, Waiting
from agent.errors import AgentError, fail
from agent.tasks import Answer


def event(op: str, answer: Answer | AgentError, note: Callable[[str], None]) -> Event:
    """The event of a job's end; an answer of the wrong shape is a failed job."""
    if isinstance(answer, AgentError):
        return JobFailed(answer)
    try:
        for text in tasks.notes(answer):
            note(text)
        if op == "fetch-ca":
            return CaFetched(ca_set(answer), tuple(tasks.items(answer, "caps", str)))
        if answer.get("status") == "pending":
            return Waiting()
        certificate = tasks.certificate(answer.get("certificate"))
        chain = tuple(tasks.items(answer, "chain", bytes))
        return Granted(certificate, chain, answer.get("ra_proven") is True)
    except AgentError as error:
        return JobFailed(error)


def ca_set(answer: Answer) -> tuple[CaCertificate, ...]:
    """The certificates of a CA set as a job tells of them; AgentError `job-answer`."""
    values = tasks.items(answer, "certificates", dict)
    return tuple(_ca_certificate(value, len(values)) for value in values)


def _ca_certificate(value: Answer, count: int) -> CaCertificate:
    return CaCertificate(
        tasks.certificate(value),
        tasks.field(value, "is_ca", bool),
        md5=tasks.field(value, "md5", str),
        sha1=tasks.field(value, "sha1", str),
        sha256=tasks.field(value, "sha256", str),
        below=_places(value, "below", count),
        generations=_places(value, "generations", count),
        above=_places(value, "above", count),
        self_signed=tasks.field(value, "self_signed", bool),
        sent=tasks.field(value, "sent", bool),
    )


def _places(value: Answer, name: str, count: int) -> tuple[int, ...]:
    """Indexes into the answer that a certificate came in."""
    found = tasks.items(value, name, int)
    if not all(0 <= place < count for place in found):
        raise fail("job-answer")
    return tuple(found)
