"""Freezing a conversation at a named point (`--hold`), until `release` or until the client goes.

The handler that is held writes DIR/held and waits for DIR/release; both files go when it goes on.
Only that handler waits: the server answers other clients meanwhile.
"""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tools.lab_ca import folder

STATES = ("getcacaps", "getcacert", "pkcsreq", "issued", "pending", "certpoll")
LOOK_S = 0.02


class ClientGoneError(Exception):
    """The client closed its connection while it was held."""


class Gate:
    """Which states are held; each only the first time it is reached, unless `always`."""

    def __init__(self, home: Path, states: frozenset[str], *, always: bool) -> None:
        self._held, self._release = home / "held", home / "release"
        self._states, self._always = set(states), always
        self._lock, self._waiting = threading.Lock(), 0
        self._held.unlink(missing_ok=True)  # of a server that was killed

    def claims(self, state: str) -> bool:
        """Whether this conversation must wait here; asking uses up the first time."""
        with self._lock:
            claimed = state in self._states
            if claimed and not self._always:
                self._states.discard(state)
            return claimed

    def wait(self, state: str, transaction: object, gone: Callable[[], bool]) -> None:
        """Returns when released; `ClientGoneError` when the client has gone."""
        self._enter(json.dumps({"state": state, "transaction": transaction}) + "\n")
        try:
            while not self._release.exists():
                if gone():
                    raise ClientGoneError(state)
                time.sleep(LOOK_S)
        finally:
            self._leave()

    def _enter(self, text: str) -> None:
        with self._lock:
            if not self._waiting:
                self._release.unlink(missing_ok=True)  # a wish that came too early counts no more
            self._waiting += 1
            folder.write(self._held, text)

    def _leave(self) -> None:
        with self._lock:
            self._waiting -= 1
            if not self._waiting:
                self._held.unlink(missing_ok=True)
                self._release.unlink(missing_ok=True)


def release(home: Path) -> bool:
    """Lets go whoever is held; False when nobody is."""
    if not (home / "held").exists():
        return False
    folder.write(home / "release", "")
    return True
