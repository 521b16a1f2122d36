"""The ladder: what a child gives up before it reads its job, each rung tried by itself.

Order matters. No-new-privileges is what Landlock and seccomp ask for. The name spaces and the root
need the rights that go with the user. Landlock finds the files of name resolution where the root
has them. The limits could not be set after the change of user, and the kernel forgets the death
signal there. The filter comes last: it denies what the rungs before it use.

A rung that this system does not have is told by its name and reason and never stops a job. What is
no rung must succeed: the limits. A child that cannot have them raises OSError and is no more.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Container, Sequence

from hal.confinement import kernel, landlock, namespaces, seccomp
from hal.confinement.namespaces import LOCAL, NETWORK, RESOLVER_FILES
from hal.named import NamedTuple
from hal.priority import behind, stand_back

PLACES = 16  # children at once; each has a user of its own where the board names none


class Identity(NamedTuple):
    """Whom children run as: user and group, both plus `step` for each place."""

    uid: int
    gid: int
    step: int = 0


class Bounds(NamedTuple):
    """Resource limits of a child: address space, CPU time, descriptors, length of a file."""

    memory_bytes: int
    cpu_s: int
    files: int
    file_bytes: int


class Ladder:
    """Made in the worker when all is loaded; `climb` is called in a child, `refresh` before it.

    `identity`: None to stay who we are. `calls`: what the filter allows beside its own list, for
    tests that do more than jobs do. `without`: names of rungs that are left out, for tests of the
    others.
    """

    def __init__(
        self,
        identity: Identity | None,
        bounds: Bounds,
        calls: Sequence[str] = (),
        without: Sequence[str] = (),
    ) -> None:
        self._identity, self._without = identity, frozenset(without)
        self._limits = _limits(bounds)
        self._filters = {kind: seccomp.build(kind, calls) for kind in (LOCAL, NETWORK)}
        self._roots: namespaces.Roots | None = None
        self._nowhere: namespaces.EmptyNetwork | None = None
        self._no_roots = self._no_network = OSError()
        try:
            self._roots = namespaces.Roots()
        except OSError as error:
            self._no_roots = error
        try:  # behind the roots: without root their user name space gives the right to it
            self._nowhere = namespaces.EmptyNetwork()
        except OSError as error:
            self._no_network = error
        try:  # without root a child is the same user, and jobs bring the device key by here
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        except OSError:
            return  # each child says so

    def descriptors(self, kind: str) -> list[int]:
        """What a child of this kind needs of the worker's to climb, and has no more then."""
        roots = [self._roots.root[kind]] if self._roots else []
        return [*roots, self._nowhere.fd] if kind == LOCAL and self._nowhere else roots

    def refresh(self, kind: str) -> None:
        """Looks up what a child of this kind will find in its root."""
        if kind == NETWORK and self._roots:
            self._roots.refresh()

    def climb(self, kind: str, place: int) -> Rungs:
        """Confines this process for good."""
        parent, rungs = os.getppid(), Rungs(self._without)
        os.setsid()  # neither a terminal nor a group of processes of others
        stand_back(os.getpid(), behind())
        rungs.climb("no new privileges", kernel.prctl, kernel.PR_SET_NO_NEW_PRIVS, 1)
        if kind == LOCAL:
            rungs.climb("network name space", self._leave_network)
        rungs.climb("IPC name space", namespaces.leave_ipc)
        rungs.climb("mount name space", self._enter_root, kind)
        rungs.climb("Landlock", landlock.restrict, _readable(kind), kind == NETWORK)
        for what, most in self._limits:
            resource.setrlimit(what, (most, most))
        if self._identity:
            rungs.climb("own user", _become, self._identity, place)
        rungs.climb("no privileges", _give_up)
        if os.getppid() != parent:  # the worker died before the kernel knew
            os._exit(1)
        rungs.climb("seccomp", _load, self._filters[kind])
        return rungs

    def _leave_network(self) -> None:
        if self._nowhere is None:
            raise self._no_network
        self._nowhere.enter()

    def _enter_root(self, kind: str) -> None:
        if self._roots is None:
            raise self._no_roots
        self._roots.enter(kind)


class Rungs:
    """Names of the rungs that hold, and of the missing ones with their reasons."""

    def __init__(self, without: Container[str] = ()) -> None:
        self.held: list[str] = []
        self.missing: list[str] = []
        self._without = without

    def climb(self, name: str, step: Callable[..., None], *arguments: object) -> None:
        """Takes one step; its OSError is the reason why this rung is missing."""
        if name in self._without:
            return
        try:
            step(*arguments)
        except OSError as error:
            self.missing.append(f"{name} ({kernel.reason(error)})")
        else:
            self.held.append(name)


def _readable(kind: str) -> list[str]:
    """What a child may open: the files of name resolution, where it resolves names."""
    return [f"/etc/{name}" for name in RESOLVER_FILES] if kind == NETWORK else []


def _limits(bounds: Bounds) -> list[tuple[int, int]]:
    """Of each resource the most that a child may have, as far as this process may have it."""
    wanted = (
        (resource.RLIMIT_AS, bounds.memory_bytes),
        (resource.RLIMIT_CPU, bounds.cpu_s),
        (resource.RLIMIT_NOFILE, bounds.files),
        (resource.RLIMIT_FSIZE, bounds.file_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    )
    hard = {what: resource.getrlimit(what)[1] for what, _most in wanted}
    return [
        (what, most if hard[what] == resource.RLIM_INFINITY else min(most, hard[what]))
        for what, most in wanted
    ]


def _become(identity: Identity, place: int) -> None:
    """Changes user and groups as far as this system lets us: a container may map few numbers."""
    uid, gid = (number + identity.step * place for number in identity[:2])
    refused = None
    for change, numbers in (
        (os.setgroups, ([],)),
        (os.setresgid, (gid, gid, gid)),
        (os.setresuid, (uid, uid, uid)),
    ):
        try:
            change(*numbers)
        except OSError as error:
            refused = refused or error
    if refused:
        raise refused


def _give_up() -> None:
    """No capability, nothing to see for a debugger, and the end when the worker ends."""
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)


def _load(program: seccomp.Filter) -> None:
    unfiltered = seccomp.load(program)
    if unfiltered:
        raise OSError(unfiltered)
