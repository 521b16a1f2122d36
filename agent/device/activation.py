"""Putting a certificate into use: device storage, then device memory (VRP's two places).

Storage holds certificate files as projections of the store, rewritten when missing or stale:
`<realm>_local.cer` and `<realm>_ca.cer` (the CAs to trust, the issuing one first; no RA). Memory is
what consumers read: a folder for each realm whose files a child writes through descriptors that we
opened, because the private key is unsealed in the child only. Then the folder is switched. That
child works out from the pin which CAs are to be trusted; the agent takes its list for storage too.

What can go wrong: the folder is full or read-only, the child fails, the power goes. In each case
the folder that was current stays, the store has the certificate, and it is tried again, in a minute
and at boot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from agent import limits, pem
from agent.appliance import Done
from agent.errors import AgentError, fail
from agent.jobs.answers import Answer, items, notes, read
from agent.jobs.maps import key_map
from agent.jobs.runner import JobRunner
from agent.log import Log
from agent.loop import Deadline, Loop
from hal.named import NamedTuple
from hal.ports import DeviceMemory, DeviceMemoryError, Files, FilesError, Reactor
from hal.records import KeyRecord, LocalRecord

MEMORY_FILES = ("cert.pem", "chain.pem", "ca.pem", "bundle.pem", "key.pem")  # order of the job


class InUse(NamedTuple):
    """The certificate that one realm puts into use. `judged`: the fields of a job that say which CA
    it trusts (`agent.scep.served`); `file_format`: pem or der, of the files in storage; `again`:
    also where consumers read just this already; `waits`: a certificate for storage alone."""

    realm: str
    local: LocalRecord
    key: KeyRecord | None
    judged: dict[str, object]
    file_format: str = "pem"
    again: bool = True
    waits: LocalRecord | None = None


class Queue:
    """Lets a few run at once: each is a child, and a boot may want fifty."""

    def __init__(self, reactor: Reactor, at_once: int = limits.ACTIVATIONS_AT_ONCE) -> None:
        self._reactor, self._at_once = reactor, at_once
        self._running = 0
        self._idle: list[Callable[[], None]] = []
        self._waiting: deque[tuple[Callable[[Done[None]], None], Done[None]]] = deque()

    def put(self, begin: Callable[[Done[None]], None], done: Done[None]) -> None:
        """`begin(ended)` when its turn comes; `done` is called when it calls `ended`."""
        self._waiting.append((begin, done))
        self._next()

    def when_idle(self, call: Callable[[], None]) -> None:
        """Once, when all that was put has ended; from the loop."""
        self._idle.append(call)
        self._look()

    def _look(self) -> None:
        if not self._running and not self._waiting:
            calls, self._idle = self._idle, []
            for call in calls:
                self._reactor.after(0, call)

    def _next(self) -> None:
        if not self._waiting or self._running == self._at_once:
            return
        begin, done = self._waiting.popleft()

        def ended(error: AgentError | None) -> None:
            self._running -= 1
            done(error)
            if self._waiting:  # not from within: a thousand may fail at once
                self._reactor.after(0, self._next)
            self._look()

        self._running += 1
        begin(ended)


class Activation:
    """Writes storage and memory of realms, a few at a time: at boot all of them want to."""

    def __init__(
        self, reactor: Reactor, files: Files, memory: DeviceMemory, jobs: JobRunner, log: Log
    ) -> None:
        self._files, self._memory, self._jobs, self._log = files, memory, jobs, log
        self._queue = Queue(reactor)
        self.when_idle = self._queue.when_idle

    def put(self, collect: Callable[[], InUse | None], done: Done[None]) -> None:
        """Asks `collect` when its turn comes, for nothing may be left to put into use by then."""

        def begin(ended: Done[None]) -> None:
            what = collect()
            if what is None:
                ended(None)
            else:
                self.activate(what, ended)

        self._queue.put(begin, done)

    def project(self, realm: str, wanted: Mapping[str, list[bytes]], file_format: str) -> None:
        """Certificate files in device storage, by the end of their names; already right ones are
        left alone."""
        for end, ders in wanted.items():
            name = f"{realm}_{end}.cer"
            # DER cannot hold several certificates one after the other; the issuing CA stands first.
            text, der = pem.encode("CERTIFICATE", ders), b"".join(ders[:1])
            # `pki file-format` does not convert what was written (VRP), so both forms count.
            if self._content(name) in (text, der):
                continue
            try:
                self._files.write(name, der if file_format == "der" else text)
            except FilesError as error:
                self._log.report("STORAGE_ERR", f"realm {realm}: {name}: {error.what}")

    def _forget(self, name: str) -> None:
        """The certificate that waited does so no more."""
        if self._content(name) is None:
            return
        try:
            self._files.remove(name)
        except FilesError as error:
            self._log.report("STORAGE_ERR", f"{name}: {error.what}")

    def _content(self, name: str) -> bytes | None:
        """Of a file in device storage; None where there is none that can be read. The folder is not
        listed: a thousand realms have some thousand files in it."""
        try:
            return self._files.read(name)
        except FilesError:
            return None

    def activate(self, what: InUse, done: Done[None]) -> None:
        """Into storage and memory; `done` with None when consumers can read it, or an error."""
        waiting = {"next": [what.waits.certificate.der]} if what.waits else {}
        public = {"local": [what.local.certificate.der], **waiting}
        self.project(what.realm, public, what.file_format)
        if not what.waits:
            self._forget(f"{what.realm}_next.cer")
        key = what.key
        if key is None:
            done(fail("key-unknown", name=what.local.key))
            return
        try:
            staged = self._memory.stage(what.realm, MEMORY_FILES)
        except DeviceMemoryError as error:
            done(fail("storage-failed", reason=error.what))
            return
        fds = [staged[name] for name in MEMORY_FILES]

        def written(answer: Answer | AgentError) -> None:
            done(self._written(what, answer))

        job: dict[str, object] = {
            **what.judged,
            "op": "activate",
            "key": key_map(key),
            "certificate": what.local.certificate.der,
        }
        self._jobs.run(job, written, fds)  # the descriptors belong to the stage

    def _written(self, what: InUse, answer: Answer | AgentError) -> AgentError | None:
        try:
            answer = read(answer)
            ca, chain = items(answer, "ca", bytes), items(answer, "chain", bytes)
            for note in notes(answer):
                self._log.report("CA_FILE_ERR", f"realm {what.realm}: {note}")
        except AgentError as error:
            self._discard(what.realm)
            return error
        public = {"cert.pem": [what.local.certificate.der], "chain.pem": chain, "ca.pem": ca}
        failed = self._switch(what, {n: pem.encode("CERTIFICATE", d) for n, d in public.items()})
        if not failed:
            self.project(what.realm, {"ca": ca}, what.file_format)
        return failed

    def _switch(self, what: InUse, public: Mapping[str, bytes]) -> AgentError | None:
        """To what was staged, unless consumers read it already. `public`: all but the key."""
        content = {name: self._current(what.realm, name) for name in public}
        try:
            if content == public and not what.again:
                self._memory.discard(what.realm)
                return None
            self._memory.switch(what.realm)
        except DeviceMemoryError as error:
            return fail("storage-failed", reason=error.what)
        self._log.report("LOCAL_IMPORT_OK", f"realm {what.realm}: certificate in device memory")
        if content["ca.pem"] not in (None, public["ca.pem"]):
            text = f"realm {what.realm}: the CAs that consumers trust (ca.pem) have changed"
            self._log.report("CA_FILE_CHANGED", text)
        return None

    def _current(self, realm: str, name: str) -> bytes | None:
        try:
            return self._memory.current(realm, name)
        except DeviceMemoryError:  # unreadable, or grown by somebody else: it is written anew
            return None

    def _discard(self, realm: str) -> None:
        try:
            self._memory.discard(realm)
        except DeviceMemoryError as error:
            self._log.report("STORAGE_ERR", f"realm {realm}: {error.what}")


class Use:
    """A realm's certificate on its way to its consumers: again and again until they can read it.

    One activation after the other: the end of an earlier one must not switch to the files of a
    later one. Its turn may come long after it was asked for, so what is put into use is collected
    then: `collect(again)` gives it, or None when there is nothing any more. `ended` is called when
    an activation has ended, with its error or None.
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
