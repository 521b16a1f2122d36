"""The configuration of the device: from the store at its start, and back.

A save takes its lines piece by piece, and begins anew when somebody has configured meanwhile; so
what it writes was the running configuration at one moment. `unsaved` says whether it still is.

Fault model. Power fails during `save`: a start finds the old configuration or the new one. Nothing
was ever saved: the factory's configuration serves. Something was saved and cannot be read, or may
have been (`agent/device/saved.py`): what is left of it serves, and the serial lines let nobody in
unless what is left asks for passwords, until somebody of level 3 saves a configuration. A line that
says whom the serial lines let in does not apply: they let nobody in until it is settled. Other
lines do not apply to the device as it is: they are kept in `Settings.unapplied`, stand in what is
saved next, and are tried again at each start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent.console.commands.table import stored_lines
from agent.console.configuration.loader import BadLine
from agent.device import saved
from agent.device.realms import Realms
from agent.device.saved import Changes
from agent.device.shared import Shared
from agent.errors import AgentError, fail
from agent.pieces import Pieces, at_once, grouped
from agent.settings import ConsoleLine, Settings, fold

SNAPSHOTS = 3  # of a configuration that others change meanwhile; then all of it in one turn
NAMED = 8  # of what has one copy left; a log line has an end
_ABOUT_LINES = ("user-interface", "authentication-mode")  # how what says whom they let in begins


# Runs lines, which it may ask for twice, against the settings; those that do not apply.
Read = Callable[[Callable[[], Iterable[str]]], list[BadLine]]


class Configuring:
    """`agent.appliance.Configuration`; `load` is for the start."""

    def __init__(self, shared: Shared, realms: Realms, read: Read) -> None:
        self._shared, self._realms, self._read = shared, realms, read
        self._store = shared.store
        self._lost = self._worn = ""
        self._closes = self._writing = False

    def load(self, factory: str) -> None:
        """The saved configuration, or the factory's, into the settings; bad lines into the log."""
        stored, log = saved.read(self._store), self._shared.log
        self._take(stored)
        is_saved, again = stored.exists, [stored]

        def lines() -> Iterable[str]:
            """At the second time they are read anew."""
            return (again.pop() if again else saved.read(self._store)).lines()

        bad = self._read(lines if is_saved else factory.splitlines)
        for number, line in bad:
            log.report("CONFIG_ERR", f"line {number} does not apply: {line.text}: {line.why}")
        settings = self._shared.settings
        settings.unapplied = [line for _number, line in bad]
        if self._lost and not is_saved:  # the passwords of a factory are no secret
            settings.console, settings.users = ConsoleLine(), {}
        if reason := self.closed():
            log.report("CONFIG_ERR", f"the serial lines let nobody in: {reason}")
        for told in (self._lost, self._worn):
            if told and told != reason:
                log.report("CONFIG_ERR", told)
        self._shared.unsaved = not is_saved or bool(self._lost or self._worn)

    def _take(self, stored: saved.Saved) -> None:
        self._lost, self._closes, self._worn = stored.lost, stored.closes, _told(stored.worn)

    def running(self) -> Iterator[str]:
        return stored_lines(self._shared.settings)

    def saved(self) -> Pieces[list[str] | None]:
        stored, lines = (yield from grouped(saved.reading(self._store))), []
        for line in stored.lines():
            lines.append(line)
            if not line.startswith(" "):
                yield
        return lines if stored.exists else None

    def lost(self) -> str:
        return self._lost

    def worn(self) -> str:
        return self._worn

    def closed(self) -> str:
        """A line that is open to all is not believed where something was lost."""
        settings = self._shared.settings
        if self._closes and settings.console.mode == "none":
            return self._lost
        for entry in settings.unapplied:
            if any(fold(text).startswith(_ABOUT_LINES) for text in (entry.block, entry.text)):
                return f"a line about serial lines does not apply: {entry.text}"
        return ""

    def unsaved(self) -> bool:
        return self._shared.unsaved

    def edits(self) -> int:
        return self._shared.edits

    def save(self) -> Pieces[None]:
        return self._alone(self._save())

    def reset(self) -> Pieces[None]:
        return self._alone(self._reset())

    def replace(self, settings: Settings, edits: int) -> Pieces[None]:
        return self._alone(self._replace(settings, edits))

    # -- writing -----------------------------------------------------------------------------------

    def _alone(self, work: Pieces[None]) -> Pieces[None]:
        """One at a time: what is written in pieces is one configuration."""
        if self._writing:
            raise fail("configuration-busy")
        self._writing = True
        try:
            yield from work
        finally:
            self._writing = False

    def _save(self) -> Pieces[None]:
        settings = self._shared.settings
        for _try in range(SNAPSHOTS):
            edits = self._shared.edits
            parts = yield from grouped(saved.parted(stored_lines(settings)))
            if edits == self._shared.edits:
                break
        else:
            parts = at_once(saved.parted(stored_lines(settings)))
            edits = self._shared.edits
        changes = yield from grouped(saved.changes(self._store, parts))
        yield from self._write(changes, dict, lambda: None)
        self._take((yield from grouped(saved.reading(self._store))))
        self._shared.unsaved = bool(self._lost) or edits != self._shared.edits

    def _reset(self) -> Pieces[None]:
        def switch() -> None:
            self._shared.unsaved = True

        yield from self._write(saved.forgotten(self._store), dict, switch)

    def _replace(self, settings: Settings, edits: int) -> Pieces[None]:
        """Realms that go are forgotten in the commit that counts."""
        realms, running = self._realms, self._shared.settings
        gone = [name for name in running.realms if name not in settings.realms]

        def forgotten() -> dict[str, object]:
            if edits != self._shared.edits:
                raise fail("apply-raced")
            return realms.forgotten(gone)

        def switch() -> None:
            running.become(settings)
            self._shared.edits += 1
            realms.changed()

        parts = yield from grouped(saved.parted(stored_lines(settings)))
        changes = yield from grouped(saved.changes(self._store, parts))
        yield from self._write(changes, forgotten, switch)
        for name in gone:
            realms.forget_memory(name)
            yield
        self._take((yield from grouped(saved.reading(self._store))))
        self._shared.unsaved = bool(self._lost) or edits + 1 != self._shared.edits

    def _write(
        self,
        changes: Changes,
        more: Callable[[], dict[str, object]],
        switch: Callable[[], None],
    ) -> Pieces[None]:
        """All of it, or AgentError and nothing that counts. The commit that counts brings `more`
        along, and `switch` follows it in the same piece."""
        growth = 0
        for commit in (*changes.first, changes.last):
            growth += self._shared.commits.growth(commit)
            yield
        self._shared.commits.allow(growth)
        for commit in changes.first:
            yield from self._shared.make_way(commit)
            self._shared.commit(commit)
            yield
        yield from self._shared.make_way(changes.last)
        self._shared.commit({**changes.last, **more()})
        switch()
        for commit in changes.second:  # for the day on which the first one rots
            yield from self._shared.make_way(commit)
            try:
                self._shared.commit(commit)
            except AgentError:
                break  # it is in the log, and the next save tries again
            yield


def _told(worn: list[str]) -> str:
    """What is there once only, as a sentence; "" when nothing is."""
    if not worn:
        return ""
    names = ", ".join(worn[:NAMED]) + (f" and {len(worn) - NAMED} more" if worn[NAMED:] else "")
    return f"of the saved configuration there is one copy only of {names}; `save` writes both anew"
