"""Login passwords as jobs, and the register of sessions: `agent.appliance.Access`.

The agent holds hashes only. A password that is typed goes to a child and comes back as a salted
scrypt hash, or as whether it matches one.
"""

from collections.abc import Callable
from typing import Any

from agent.appliance import Done, Seat
from agent.jobs import answers
from agent.jobs.answers import Answer

Task = Callable[[dict[str, object], Callable[[Answer], Any], Done[Any]], int]


class Access:
    """`task` runs a job: its map, what makes the result of its answer, and who gets that."""

    def __init__(self, task: Task) -> None:
        self.seats: list[Seat] = []
        self._task = task

    def hash_password(self, plain: str, before: str | None, done: Done[str]) -> int:
        job: dict[str, object] = {"op": "hash-password", "plain": plain, "before": before}
        return self._task(job, lambda answer: answers.field(answer, "hash", str), done)

    def check_password(self, plain: str, stored: str, done: Done[bool]) -> int:
        job: dict[str, object] = {"op": "check-password", "plain": plain, "hash": stored}
        return self._task(job, lambda answer: answers.field(answer, "matches", bool), done)
