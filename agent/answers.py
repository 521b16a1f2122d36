"""What a job says, as the engine hears it: the answer of a child becomes an event.

The child has read bytes of a peer, so no field of its answer is trusted: what has another type or
size than it should is a failed job.
"""

from collections.abc import Callable

from agent import tasks
from agent.errors import AgentError
from agent.states import CaCertificate, CaFetched, Event, Granted, JobFailed, Waiting
from agent.tasks import Answer


def event(op: str, answer: Answer | AgentError, note: Callable[[str], None]) -> Event:
    """The event of a job's end; an answer of the wrong shape is a failed job."""
    if isinstance(answer, AgentError):
        return JobFailed(answer)
    try:
        for text in tasks.notes(answer):
            note(text)
        if op == "fetch-ca":
            found = tuple(ca_certificate(c) for c in tasks.items(answer, "certificates", dict))
            return CaFetched(found, tuple(tasks.items(answer, "caps", str)))
        if answer.get("status") == "pending":
            return Waiting()
        certificate = tasks.certificate(answer.get("certificate"))
        chain = tuple(tasks.items(answer, "chain", bytes))
        return Granted(certificate, chain, answer.get("ra_proven") is True)
    except AgentError as error:
        return JobFailed(error)


def ca_certificate(value: Answer) -> CaCertificate:
    """A certificate of a CA set as a job tells of it."""
    return CaCertificate(
        tasks.certificate(value),
        tasks.field(value, "is_ca", bool),
        *(tasks.field(value, name, str) for name in ("md5", "sha1", "sha256")),
    )
