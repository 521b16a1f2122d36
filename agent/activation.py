"""Putting a certificate into use: device storage, then device memory (VRP's two places).

Storage holds certificate files as projections of the store, rewritten when missing or stale:
`<realm>_local.cer` and `<realm>_ca.cer` (issuing CA first, RA certificates last). Memory is what
consumers read: a folder for each realm whose files a child writes through descriptors that we
opened, because the private key is unsealed in the child only. Then the folder is switched.

What can go wrong: the folder is full or read-only, the child fails, the power goes. In each case
the folder that was current stays, the store has the certificate, and it is tried again at boot.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from agent import limits, pem
from agent.application import key_map
from agent.errors import AgentError, fail
from agent.log import Log
from agent.tasks import Answer, Tasks
from hal.ports import DeviceMemory, DeviceMemoryError, Files, FilesError, Reactor
from hal.records import CaRecord, KeyRecord, LocalRecord

MEMORY_FILES = ("cert.pem", "chain.pem", "ca.pem", "key.pem", "bundle.pem")  # order of the job

Done = Callable[[AgentError | None], None]


class InUse(NamedTuple):
    """What one realm puts into use."""

    realm: str
    local: LocalRecord
    ca: CaRecord | None
    key: KeyRecord | None


class Queue:
    """Lets a few activations run at once: each is a child, and a boot may want fifty."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._running = 0
        self._waiting: deque[tuple[Callable[[Done], None], Done]] = deque()

    def put(self, begin: Callable[[Done], None], done: Done) -> None:
        """`begin(ended)` when its turn comes; `done` is called when it calls `ended`."""
        self._waiting.append((begin, done))
        self._next()

    def _next(self) -> None:
        if not self._waiting or self._running == limits.ACTIVATIONS_AT_ONCE:
            return
        begin, done = self._waiting.popleft()

        def ended(error: AgentError | None) -> None:
            self._running -= 1
            done(error)
            self._reactor.after(0, self._next)  # not from within: a thousand may fail at once

        self._running += 1
        begin(ended)


class Activation:
    """Writes storage and memory of realms."""

    def __init__(self, files: Files, memory: DeviceMemory, tasks: Tasks, log: Log) -> None:
        self._files, self._memory, self._tasks, self._log = files, memory, tasks, log

    def project(self, what: InUse, file_format: str) -> None:
        """Certificate files in device storage; already right ones are left alone."""
        wanted = {
            f"{what.realm}_local.cer": [what.local.certificate.der],
            f"{what.realm}_ca.cer": _ordered(what.ca, what.local.chain),
        }
        for name, ders in wanted.items():
            # DER cannot hold several certificates one after the other; the issuing CA stands first.
            text, der = pem.encode("CERTIFICATE", ders), b"".join(ders[:1])
            try:
                # `pki file-format` does not convert what was written (VRP), so both forms count.
                if name in self._files.names() and self._files.read(name) in (text, der):
                    continue
                self._files.write(name, der if file_format == "der" else text)
            except FilesError as error:
                self._log.report("STORAGE_ERR", f"realm {what.realm}: {name}: {error.what}")

    def in_memory(self, what: InUse) -> bool:
        """Device memory already serves this certificate."""
        try:
            there = self._memory.current(what.realm, "cert.pem")
        except DeviceMemoryError:  # unreadable, or grown by somebody else: it is written anew
            return False
        return there == pem.encode("CERTIFICATE", [what.local.certificate.der])

    def activate(self, what: InUse, done: Done) -> None:
        """Into device memory; `done` with None when consumers can read it, or with the error."""
        key = what.key
        if key is None or key.generation != what.local.generation:
            done(fail("key-unknown", name=what.local.key))
            return
        try:
            staged = self._memory.stage(what.realm, MEMORY_FILES)
        except DeviceMemoryError as error:
            done(fail("storage-failed", reason=error.what))
            return
        fds = [staged[name] for name in MEMORY_FILES]

        def written(answer: Answer | AgentError) -> None:
            done(self._switch(what.realm, answer))

        job: dict[str, object] = {
            "op": "activate",
            "key": key_map(key),
            "certificate": what.local.certificate.der,
            "chain": what.local.chain,
            "ca": _ordered(what.ca, what.local.chain),
        }
        self._tasks.run(job, written, fds)  # the descriptors belong to the stage

    def _switch(self, realm: str, answer: Answer | AgentError) -> AgentError | None:
        try:
            if isinstance(answer, AgentError):
                self._memory.discard(realm)
                return answer
            self._memory.switch(realm)
        except DeviceMemoryError as error:
            return fail("storage-failed", reason=error.what)
        self._log.report("LOCAL_IMPORT_OK", f"realm {realm}: certificate in device memory")
        return None


def _ordered(ca: CaRecord | None, chain: list[bytes]) -> list[bytes]:
    """Issuing CA first, then the rest of its chain, then what else the CA set holds (the RA)."""
    rest = [c.der for c in ca.certificates] if ca else []
    return [*chain, *(der for der in rest if der not in chain)]
