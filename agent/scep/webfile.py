"""A file at a URL: a revocation list of a distribution point, or whatever a person wants.

What answers there is no SCEP server, so what goes wrong leads to other settings than
`enrollment-url`: a failure of the way is told by a code of the caller.
"""

from __future__ import annotations

from agent import limits
from agent.errors import AgentError, LocalError, fail
from agent.scep import ca_query, text
from agent.scep.jobmap import Job, field
from hal.ports import Link


def fetched(job: Job, link: Link, cap: int, code: str) -> bytes:
    """The bytes at {url}, by {source, limits, https_ca_file, https_ca}; at most `cap` of them.

    `code`: that of the AgentError for whatever the other end or the network does; its row takes
    url, what and cause. Our own errors keep their codes.
    """
    try:
        return ca_query.exchange_of(job, link).fetch(cap)
    except AgentError as error:
        raise unreachable(error, field(job, "url", str), code) from None


def unreachable(error: AgentError, url: str, code: str) -> AgentError:
    """An error of the way, as one of the file at its end."""
    if isinstance(error, LocalError) and error.code != "url-invalid":
        return error
    place = text.clean(url, limits.PEER_TEXT_CHARACTERS)
    return fail(code, url=place, what=error.what, cause=error.cause)
