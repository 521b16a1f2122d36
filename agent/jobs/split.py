"""A job with keys and bytes of the network, split between the two children that do it. Pure.

The child that talks is told the public half of each key, and no sealed byte: taken over, it has
nothing that it could have opened. The child that keeps keys is told which ones, how many questions
it answers for each, and in which digest; of the CA it knows nothing. So it unseals what this job
names, and never what a stranger would like.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.jobs.contract import Operation

Job = dict[str, object]


def split(row: Operation, job: Mapping[str, object]) -> tuple[Job, Job]:
    """The job for the child that talks, and the request to the one that keeps keys (`{keys, digest,
    password}`, see `agent/scep/keys.py`). A field that is missing is told by the child."""
    asks = row.asks_renewing if row.asks_renewing and job.get("renewal") else row.asks
    keys = []
    for ask in asks.split():
        field, signatures, unwraps = ask.split(":")
        pair = _at(job, field)
        if isinstance(pair, dict):
            counts = {"signatures": int(signatures), "unwraps": int(unwraps)}
            keys.append({**pair, "field": field, **counts})
    password = job.get(row.hands_over) if row.hands_over else None
    talking = dict(job)
    for field in row.opens.split():
        _strip(talking, field)
    kept = {"keys": keys, "digest": job.get("digest"), "password": password}
    return talking, {**kept, "places": row.places or None}


def _at(job: Mapping[str, object], field: str) -> object:
    """The value of `field` or of `map.field`."""
    first, _, rest = field.partition(".")
    value = job.get(first)
    return _at(value, rest) if rest and isinstance(value, dict) else value


def _strip(job: Job, field: str) -> None:
    """Leaves of a key pair its public half, and of a password nothing."""
    first, _, rest = field.partition(".")
    value = job.get(first)
    if isinstance(value, dict) and rest:
        inner = job[first] = dict(value)
        _strip(inner, rest)
    elif isinstance(value, dict):
        job[first] = {"spki": value.get("spki")}
    elif not rest:
        job.pop(first, None)
