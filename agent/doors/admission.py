"""Who is let in at the console socket: its places, shared out so that nobody has all of them.

Fault model. A user of the socket opens connections without end, says nothing on them, or keeps
sessions that are forgotten. Promised: one user below level 3 holds at most half of the places that
are open to all; the last ones stay free for level 3, so that who can mend it gets in; who is
refused is told why. A connection holds its place from its first moment on, before it has said a
word, and the time for that word is bounded (`agent/doors/socket.py`).

Not defended: level 3 may take every place. It may stop the agent as well.
"""

from __future__ import annotations

from agent import limits
from agent.errors import AgentError, fail
from hal.named import NamedTuple

TOP_LEVEL = limits.LEVELS[1]


class _Guest(NamedTuple):
    uid: int
    level: int


class Admission:
    """The places of a console socket, numbered from 0."""

    def __init__(self) -> None:
        self._taken: dict[int, _Guest] = {}

    def take(self, uid: int, level: int) -> int:
        """The lowest free place for a user whom the kernel vouches for; level 0 is nobody.

        Raises AgentError: session-stranger, session-user, session-kept, session-full.
        """
        problem = self._problem(uid, level)
        if problem is not None:
            raise problem
        number = min(set(range(limits.SESSIONS)) - self._taken.keys())
        self._taken[number] = _Guest(uid, level)
        return number

    def leave(self, number: int) -> None:
        """The place is free again; one that is free already stays so."""
        self._taken.pop(number, None)

    def _problem(self, uid: int, level: int) -> AgentError | None:
        free = limits.SESSIONS - len(self._taken)
        if not level:
            return fail("session-stranger")
        if not free:
            return fail("session-full", most=limits.SESSIONS)
        if level >= TOP_LEVEL:
            return None
        own = sum(guest.uid == uid and guest.level < TOP_LEVEL for guest in self._taken.values())
        if own >= limits.SESSIONS_OF_USER:
            return fail("session-user", most=limits.SESSIONS_OF_USER)
        if free <= limits.SESSIONS_KEPT:
            return fail("session-kept", kept=limits.SESSIONS_KEPT)
        return None
