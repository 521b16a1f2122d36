"""Fields of a job, with the types that they must have.

A job comes from our own agent, so a wrong field is a fault of this software, not an attack: it is
told apart (`job-request`) and that is all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from agent.errors import fail

Job = Mapping[str, object]
Answer = dict[str, object]
T = TypeVar("T")


def field(job: Job, name: str, kind: type[T]) -> T:
    """The field, which must be there and of this type."""
    value = job.get(name)
    if not isinstance(value, kind):
        raise fail("job-request", field=name)
    return value


def items(job: Job, name: str, kind: type[T]) -> list[T]:
    """A list of values of one type."""
    values = field(job, name, list)
    if not all(isinstance(value, kind) for value in values):
        raise fail("job-request", field=name)
    return values


def text_or_none(job: Job, name: str) -> str | None:
    return None if job.get(name) is None else field(job, name, str)


def one_of(job: Job, name: str, allowed: Mapping[str, object]) -> str:
    """A text that must be a key of this table."""
    value = field(job, name, str)
    if value not in allowed:
        raise fail("job-request", field=name)
    return value


def submap(job: Job, name: str) -> Job:
    value: Job = field(job, name, dict)
    return value
