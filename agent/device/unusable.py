"""A device whose storage cannot be used: what is left of it, and the way to a new one.

Nobody knows what is on the part: perhaps all that this device had, for a release or a board that
can read it. So nothing of it is touched, and nothing is made up in its place: no realm, no key
pair, no configuration of the factory. Consumers read on from device memory, certificates lie in the
files of storage. Each change is refused with the reason, at the console as at a commit.

Fault model. Whom the serial lines let in is lost with the part, so they let nobody in, whatever is
configured meanwhile. The part is erased when a person says so, a block a turn of the loop; power
fails, or a block does not become erased: then the next start finds the same condition
(`hal/withheld.py`). Only when all is done does the agent start anew, in the way that it always
starts: no part of this device must be turned into that of another.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.appliance import Done
from agent.console.commands.table import render_configuration
from agent.device.erasing import clear_folders
from agent.device.hardware import Part
from agent.device.shared import Shared
from agent.errors import fail
from agent.pieces import Pieces
from agent.settings import Settings
from hal.annotations import NoReturn
from hal.ports import HalError
from hal.withheld import erased


class Withheld:
    """`agent.appliance.Unusable`."""

    def __init__(self, shared: Shared, part: Part) -> None:
        self._shared, self._part = shared, part
        self.reason = part.reason

    def renew(self, everything: bool, done: Done[None]) -> int:
        log = self._shared.log

        def go_on(work: Iterator[int]) -> None:
            try:
                ended = next(work, None) is None
            except HalError as error:
                log.report("STORE_ERR", f"the part cannot be erased: {error}")
                done(fail("storage-unusable", reason=f"it cannot be erased: {error}"))
                return
            if not ended:
                self._shared.loop.aside(lambda: go_on(work))
                return
            if everything:
                clear_folders(self._shared.hardware, log)
            log.report("ERASED", "the part of the storage; the agent starts anew")
            done(None)
            self._part.restart()

        try:
            work = erased(self._part.open())
        except HalError as error:
            raise fail("storage-unusable", reason=f"it cannot be opened: {error}") from error
        self._shared.loop.aside(lambda: go_on(work))
        return self._shared.number()


class NoConfiguration:
    """`agent.appliance.Configuration`: none that anybody knows, and none that can be saved."""

    def __init__(self, settings: Settings, reason: str) -> None:
        self._settings, self._reason = settings, reason

    def running(self) -> Iterator[str]:
        return iter(render_configuration(self._settings))

    def saved(self) -> Pieces[list[str] | None]:
        yield from ()
        return None

    def lost(self) -> str:
        return f"the storage of this device cannot be used ({self._reason})"

    def worn(self) -> str:
        return ""

    def closed(self) -> str:
        return self.lost()

    def unsaved(self) -> bool:
        return False

    def edits(self) -> int:
        return 0

    def save(self) -> NoReturn:
        raise fail("storage-unusable", reason=self._reason)

    def reset(self) -> NoReturn:
        self.save()

    def replace(self, _settings: Settings, _edits: int) -> NoReturn:
        self.save()
