"""A realm that is to apply by itself: it asks for its application, and remembers what it lacks."""

from __future__ import annotations

from collections.abc import Callable

from agent.enrolment.actions import Deadline
from agent.errors import AgentError


class Alone:
    """begin: an application of a realm of that name, or calls `lacks`. due: its next step. tell: a
    line of the log."""

    __slots__ = ("_begin", "_due", "_name", "_tell", "lacking")

    def __init__(
        self,
        name: str,
        begin: Callable[[str, None], None],
        due: Callable[[], Deadline],
        tell: Callable[[str, str], None],
    ) -> None:
        self._name, self._begin, self._due, self._tell = name, begin, due, tell
        self.lacking: AgentError | None = None

    def ask(self) -> None:
        """Its turn may come late: somebody may have applied or said otherwise meanwhile. What was
        due hangs on the monotonic clock until then."""
        if self._due().monotonic_ns is not None:
            self._begin(self._name, None)

    def lacks(self, error: AgentError) -> None:
        """Why it cannot apply; told once, and looked at again in an hour. That a revocation list
        is missing says less than why it does not come."""
        known = self.lacking.code if self.lacking else ""
        if error.code == "crl-missing" and known.startswith("crl-"):
            return
        if self.lacking is None or self.lacking.what != error.what:
            self._tell("GET_LOCAL_CERT_ERR", error.what)
        self.lacking = error

    def goes_on(self) -> None:
        """What it lacked is there, or may be."""
        self.lacking = None
