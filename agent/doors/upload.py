"""A client that sends a configuration: it is read to its end, then applied, or compared only.

On the wire: the text, NUL; back come text, NUL and the exit status, as for a script.

Fault model: the client stops in the middle, sends for ever, or sends something else altogether.
Promised: what did not arrive whole is not looked at, and what is kept of it is bounded.
"""

from __future__ import annotations

from agent import limits
from agent.console.commands.operator import Operator
from agent.console.configuration.apply import How, apply
from agent.console.session.session import Session
from agent.device.device import Device
from agent.doors.register import Who, seated
from agent.doors.streams import Peer
from agent.doors.wire import END
from agent.errors import fail
from agent.loop import Loop


class Upload:
    """One text, and what came of it."""

    def __init__(self, loop: Loop, device: Device, peer: Peer, who: Who, how: How) -> None:
        self._peer, self._how = peer, how
        self._text = bytearray()
        self._whole = False
        self._session = Session(
            device, peer.send, loop, level=who.level, terminal=False, has_room=peer.has_room
        )
        self._leave = seated(device, self._session, who)
        peer.on_room = self._session.resume

    def data(self, data: bytes) -> None:
        """What the client sent. Nothing of ours holds a NUL, so the first one is the end."""
        if self._whole:
            return
        self._text += data
        text, end, rest = self._text.partition(END)
        if end or len(text) > limits.APPLY_BYTES:
            self._whole = True
            self._text.clear()
            fits = len(text) <= limits.APPLY_BYTES and not rest
            self._session.perform(
                lambda operator: self._apply(operator, text if fits else None), self._finish
            )

    def gone(self) -> None:
        self._session.close()
        self._leave()

    def _apply(self, operator: Operator, text: bytes | bytearray | None) -> None:
        if text is None:
            raise fail("apply-size", cap=limits.APPLY_BYTES)
        apply(operator, text.decode("utf-8", "replace"), self._how)

    def _finish(self, status: int) -> None:
        self._session.close()
        self._peer.send(END + str(status).encode() + b"\n")
        self._peer.end()
