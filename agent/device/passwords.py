"""Passwords as jobs: challenges and file passwords are sealed, logins are hashed and compared.

A password that is typed goes to a child and comes back sealed, as a salted scrypt hash, or as
whether it matches one. The agent holds nothing else of it.
"""

from __future__ import annotations

from agent.appliance import Done, Seat
from agent.device.shared import Shared
from agent.jobs import answers


class Passwords:
    """Sealed under the device key."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def seal(self, plain: str, before: str | None, done: Done[str]) -> int:
        """Result: %^%#...%^%#; it is `before` when that is the same password, sealed."""
        job: dict[str, object] = {"op": "seal", "plain": plain, "before": before}
        return self._shared.task(job, lambda answer: answers.field(answer, "sealed", str), done)

    def check(self, sealed: str, done: Done[None]) -> int:
        """Result: None when this device can open it."""
        job: dict[str, object] = {"op": "check-sealed", "sealed": sealed}
        return self._shared.task(job, lambda _answer: None, done)


class Logins:
    """`agent.appliance.Access`."""

    def __init__(self, shared: Shared) -> None:
        self.seats: list[Seat] = []
        self._shared = shared

    def hash_password(self, plain: str, before: str | None, done: Done[str]) -> int:
        job: dict[str, object] = {"op": "hash-password", "plain": plain, "before": before}
        return self._shared.task(job, lambda answer: answers.field(answer, "hash", str), done)

    def check_password(self, plain: str, stored: str, done: Done[bool]) -> int:
        job: dict[str, object] = {"op": "check-password", "plain": plain, "hash": stored}
        return self._shared.task(job, lambda answer: answers.field(answer, "matches", bool), done)
