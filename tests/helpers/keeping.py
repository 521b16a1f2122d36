"""A job that talks to a CA, in the process of the test together with whoever keeps its keys."""

import os
from typing import Any

from agent import child
from agent.jobs.contract import ROWS
from agent.jobs.split import split
from agent.scep import operations
from agent.scep.keys import Hands
from hal import cbor
from hal.ports import Link


def parted(job: dict[str, Any], files: list[int]) -> tuple[dict[str, Any], Hands]:
    """The job for the child that acts on it, and its hands. files: the device key, then others, of
    which each child gets those that `agent.child.parts` gives it."""
    row = ROWS.get(str(job.get("op")))
    if row is None or not row.asks:
        return job, Hands(tuple(files))
    talking, kept = split(row, job)
    keeper = child.keeper(cbor.dumps(kept), files[0])
    keeper.place(files[1:][-2:])
    return talking, Hands(tuple(files[1:-1]), keeper)


def run(job: dict[str, Any], files: list[int], link: Link) -> dict[str, Any]:
    """What the operation of the job answers; AgentError."""
    talking, hands = parted(job, files)
    return operations.OPS[job["op"]](talking, hands, link)


def perform(job: dict[str, Any], files: list[int]) -> dict[str, Any]:
    """What a child would answer to the agent."""
    talking, hands = parted(job, files)
    return child.perform(cbor.dumps(talking), hands)


def device_key(content: bytes) -> int:
    """A descriptor of a device key, the caller's."""
    descriptor = os.memfd_create("device-key")
    os.write(descriptor, content)
    return descriptor
