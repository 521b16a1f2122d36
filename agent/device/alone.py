"""A realm that is to apply by itself: it asks for its application, and remembers what it lacks."""

from __future__ import annotations

from collections.abc import Callable

from agent.errors import AgentError


class Alone:
    """`ask` begins an application or calls `lacks`; `tell` writes a line of the log."""

    def __init__(self, ask: Callable[[], None], tell: Callable[[str, str], None]) -> None:
        self.ask, self._tell = ask, tell
        self.lacking: AgentError | None = None

    def lacks(self, error: AgentError) -> None:
        """Why it cannot apply; told once, and looked at again in an hour."""
        if self.lacking is None or self.lacking.what != error.what:
            self._tell("GET_LOCAL_CERT_ERR", error.what)
        self.lacking = error

    def goes_on(self) -> None:
        """What it lacked is there, or may be."""
        self.lacking = None
