"""A realm's certificate on its way to its consumers: again and again until they can read it.

One activation after the other: the end of an earlier one must not switch to the files of a later
one. Its turn may come long after it was asked for, so what is put into use is collected then.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.device.activation import Activation, InUse
from agent.errors import AgentError
from agent.loop import Deadline, Loop


class Use:
    """`collect(again)` gives what the realm puts into use, or None when there is nothing any more.

    `ended` is called when an activation has ended, with its error or None.
    """

    __slots__ = (
        "_activation",
        "_collect",
        "_ended",
        "_loop",
        "_retry",
        "_stale",
        "_stopped",
        "error",
        "under_way",
    )

    def __init__(
        self,
        loop: Loop,
        activation: Activation,
        collect: Callable[[bool], InUse | None],
        ended: Callable[[AgentError | None], None],
    ) -> None:
        self._loop, self._activation, self._collect, self._ended = loop, activation, collect, ended
        self.under_way = False
        self.error: AgentError | None = None  # of the last activation
        self._stale = False  # what is being put into use was replaced meanwhile
        self._retry: Deadline | None = None
        self._stopped = False

    def put(self, again: bool = True) -> None:
        """Writes storage and memory. Not `again`: what consumers read already is left as it is."""
        if self.under_way:
            self._stale = True
            return
        if self._retry:
            self._retry.cancel()
        self.under_way, self.error = True, None
        self._activation.put(lambda: None if self._stopped else self._collect(again), self._put)

    def stop(self) -> None:
        """Nothing is tried any more, and nobody is told."""
        self._stopped = True
        if self._retry:
            self._retry.cancel()

    def _put(self, error: AgentError | None) -> None:
        if self._stopped:
            return
        self.under_way, self.error = False, error
        if self._stale:
            self._stale = False
            self.put()
            return
        if error:
            self._retry = self._loop.after(limits.USE_AGAIN_NS, self.put)
        self._ended(error)
