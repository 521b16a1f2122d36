"""The state and the services that the parts of a device share.

Each part gets this and the parts that it asks, never the device that wires them. Nothing in here
knows a realm's engine; the book of realms is `agent/device/realms.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.appliance import Done, Progress, T
from agent.console.language.interfaces import InterfaceNames
from agent.device.casets import CaSets
from agent.device.commits import Commits
from agent.device.hardware import Hardware
from agent.device.reserve import Purpose
from agent.device.timekeeper import Timekeeper
from agent.errors import AgentError, fail
from agent.jobs import answers
from agent.jobs.answers import Answer
from agent.jobs.runner import JobRunner
from agent.log import Log
from agent.loop import Loop
from agent.pieces import Pieces
from agent.settings import Settings
from hal.ports import HalError, Interface
from hal.store import Store


class Shared:
    """Settings, store, hardware, jobs, log and loop of one device.

    `apply` and an erase exchange what is in `settings`, never the object.
    """

    def __init__(
        self, loop: Loop, store: Store, hardware: Hardware, jobs: JobRunner, log: Log
    ) -> None:
        self.settings = Settings(hardware.host_name)
        self.loop, self.store, self.hardware, self.jobs, self.log = loop, store, hardware, jobs, log
        self.interface_names = InterfaceNames(hardware.interfaces)
        self.ca_sets = CaSets()
        self.commits = Commits(store, self.ca_sets, lambda: self.settings.realms)
        self.time = Timekeeper(loop, hardware, store, self.commits, log)
        self.unsaved = False  # whoever changes or saves the configuration keeps it
        self.edits = 0  # of the configuration since the start
        self._last_task = 0

    # -- board and flash ---------------------------------------------------------------------------

    def interfaces(self) -> list[Interface]:
        """Raises AgentError `interfaces-unknown`."""
        try:
            return self.hardware.link.interfaces()
        except HalError as error:
            raise fail("interfaces-unknown", reason=error.what) from error

    def commit(self, changes: dict[str, object], purpose: Purpose = Purpose.CONFIGURING) -> None:
        """One transaction, by default for an operator; a refusal is logged and raised."""
        try:
            self.commits.commit(changes, purpose)
        except AgentError as error:
            self.log.report("STORE_ERR", error.what)
            raise

    def make_way(self, changes: dict[str, object]) -> Pieces[None]:
        """What a commit of these would have to wait for, in pieces."""
        while self.store.make_way(changes):
            yield

    # -- tasks -------------------------------------------------------------------------------------

    def in_pieces(self, work: Pieces[T], done: Done[T]) -> int:
        """Work as a task: a piece a turn, and `done` gets the result, or the AgentError."""

        def pieces() -> Iterator[None]:
            try:
                result: T | AgentError = yield from work
            except AgentError as error:
                result = error
            done(result)

        self.loop.pieces(pieces())
        return self.number()

    def number(self) -> int:
        """The handle of the next task of the console."""
        self._last_task += 1
        return self._last_task

    def task(self, job: dict[str, object], use: Callable[[Answer], T], done: Done[T]) -> int:
        """Runs a job; `use` makes the result of its answer, and may raise AgentError."""
        return self.job(job, answers.reader(use, done))

    def job(
        self,
        job: dict[str, object],
        end: Done[Answer],
        attended: bool = True,
        behind: bool = False,
    ) -> int:
        """Runs a job; `end` gets its answer. The number is one of the tasks of the console."""
        self.jobs.run(job, end, attended=attended, behind=behind)
        return self.number()

    def tell(self, realm: str, answer: Answer, progress: Progress) -> None:
        """The notes of a job: to whoever waits, and to the log."""
        for text in answers.notes(answer):
            self.log.report("NOTE", f"realm {realm}: {text}")
            progress.note(text)

    def later(self, call: Callable[[], None]) -> None:
        """From the loop, when whoever asks has returned."""
        self.loop.after(0, call)
