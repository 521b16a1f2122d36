"""The rungs made of name spaces: no network for a job without one, no files for any.

The worker prepares the files once, in a mount name space of its own: a small tmpfs, seen read-only
by children, with two folders in it. A child takes one of them as its root:

    local     empty
    network   etc/ with what name resolution reads, looked up again for each job, because a
              lease or another link replaces resolv.conf while the worker lingers

The mounts are detached before the first child: only the descriptors lead there. A process whose
root is not that of its mount name space gets no user name space (user_namespaces(7)), and so none
of the capabilities that the way out takes.

Without root a user name space gives the right to mount. Then files of the tmpfs belong to the
user of the children too, which the read-only mount makes up for. What can go wrong: unshare or
mount are denied (a container, a unit with RestrictNamespaces=, the kernel); user name spaces come
without capabilities (AppArmor of Ubuntu 24.04). Each is an OSError, and the job goes on without.

Not in the root of a network job: libraries of name services. glibc resolves by `files` and `dns`
itself (from 2.34); it takes `resolve`, `myhostname` or `mdns4` of nsswitch.conf for unavailable
and goes on to the next service.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import NoReturn

from hal.confinement import kernel
from hal.files import write_all

LOCAL, NETWORK = "local", "network"  # kinds of jobs
RESOLVER_FILES = ("nsswitch.conf", "resolv.conf", "hosts", "host.conf", "gai.conf")
# Of one of them: a list of blocked names in /etc/hosts has some megabytes. What is beyond is cut.
RESOLVER_FILE_BYTES = 4 * 1024 * 1024
_COPY_BYTES = 64 * 1024
_TMPFS = b"mode=0755,size=24m,nr_inodes=32"  # all of them, and a new one beside its old

_NEWNS, _NEWIPC, _NEWUSER, _NEWNET = 0x20000, 0x8000000, 0x10000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT = 1, 2, 4, 8, 32
_BIND, _REC, _SLAVE = 0x1000, 0x4000, 0x80000
_DETACH = 2
_NO_MORE = _NOSUID | _NODEV | _NOEXEC
_PLACE = "/proc"  # a folder that every Linux has; ours lies over it for a moment, here alone


def leave_ipc() -> None:
    """No shared memory or queue of System V that another process knows. Raises OSError."""
    kernel.call("unshare", _NEWIPC)


class EmptyNetwork:
    """A network with nobody in it: its loopback is down, and no socket leads out.

    The constructor is the worker's, `enter` a child's; both raise OSError. The kernel takes half a
    millisecond to make one, and more to take it away, so all local children enter the same one. A
    process that ends makes it, because the worker could not go back to its own without root.
    """

    def __init__(self) -> None:
        made, done = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            _make_network(made[1], (done[0], done[1]))
        os.close(made[1])
        try:
            number, _, reason = os.read(made[0], 256).partition(b" ")
            if number != b"0":
                raise OSError(int(number or errno.ECHILD), reason.decode())
            self.fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            for fd in (made[0], *done):
                os.close(fd)
            os.waitpid(pid, 0)

    def enter(self) -> None:
        kernel.call("setns", self.fd, _NEWNET)
        os.close(self.fd)


def _make_network(told: int, waits: tuple[int, int]) -> NoReturn:
    """The process that makes one: tells its errno and reason, 0 for none, and stays until it was
    found."""
    try:
        os.close(waits[1])
        try:
            kernel.call("unshare", _NEWNET)
        except OSError as error:
            os.write(told, f"{error.errno or errno.EIO} {error.strerror}".encode())
        else:
            os.write(told, b"0")
            os.read(waits[0], 1)
    finally:
        os._exit(0)


class Roots:
    """The two folders. The constructor is the worker's, `enter` a child's; both raise OSError."""

    def __init__(self) -> None:
        _own_mounts()
        kernel.call("mount", None, b"/", None, _REC | _SLAVE, None)
        place = os.fsencode(_PLACE)
        kernel.call("mount", b"scep-agent", place, b"tmpfs", _NO_MORE, _TMPFS)
        for folder in (LOCAL, NETWORK, f"{NETWORK}/etc"):
            os.mkdir(f"{_PLACE}/{folder}", 0o755)
        self._etc = _open_folder(f"{_PLACE}/{NETWORK}/etc")
        kernel.call("mount", place, place, None, _BIND, None)
        kernel.call("mount", None, place, None, _REMOUNT | _BIND | _RDONLY | _NO_MORE, None)
        self.root = {kind: _open_folder(f"{_PLACE}/{kind}") for kind in (LOCAL, NETWORK)}
        for _mount in range(2):
            kernel.call("umount2", place, _DETACH)
        self._copied: dict[str, tuple[int, ...]] = {}

    def refresh(self) -> None:
        """The files of name resolution as they are now. One that cannot be read is not there."""
        for name in RESOLVER_FILES:
            try:
                self._copy(name)
            except OSError:
                self._forget(name)

    def enter(self, kind: str) -> None:
        """The folder of this kind is all that there is for this process from now on."""
        os.fchdir(self.root[kind])
        os.close(self.root[kind])
        os.chroot(".")

    def _forget(self, name: str) -> None:
        if self._copied.pop(name, None):
            os.unlink(name, dir_fd=self._etc)

    def _copy(self, name: str) -> None:
        source = os.open(f"/etc/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(source)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(f"{name} is no file")
            sign = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            if self._copied.get(name) != sign:
                self._write(name, source)
                self._copied[name] = sign
        finally:
            os.close(source)

    def _write(self, name: str, source: int) -> None:
        """At once for a child that reads: a new file takes the place of the old."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        target = os.open("new", flags, 0o644, dir_fd=self._etc)
        try:
            left = RESOLVER_FILE_BYTES
            while left and (piece := os.read(source, min(left, _COPY_BYTES))):
                write_all(target, piece)
                left -= len(piece)
            os.fchmod(target, 0o644)
        finally:
            os.close(target)
        os.rename("new", name, src_dir_fd=self._etc, dst_dir_fd=self._etc)


def _own_mounts() -> None:
    """A mount name space of this process; without root inside a user name space of its own, which
    shows user and group under their numbers."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        kernel.call("unshare", _NEWNS)
        return
    kernel.call("unshare", _NEWUSER | _NEWNS)
    for name, text in (
        ("setgroups", "deny"),  # else nobody without root may map a group
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)


def _open_folder(path: str) -> int:
    return os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
