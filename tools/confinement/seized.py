"""The worker as it is, with one operation more: a child that somebody has taken over.

    python -I -c "..." tools.confinement.seized   as `agent.worker`

`seize` does what the map names, one attempt after the other, and answers how each ended: "ok" or
the errno's name. An attempt is a list, the verb first:

    ["call", number, argument...]  any system call; bytes stand for a pointer to them
    ["int80", number]              one without arguments by the entry of 32-bit programs (x86-64)
    ["open", path] ["write", path] ["list", path]
    ["signal", pid]                signal 0: whether one may be sent
    ["connect", address, port]     TCP; "ok" where the way to a peer is open, refused or not
    ["fork"] ["abort"]
"""

import ctypes
import errno
import mmap
import os
import socket
from collections.abc import Callable, Sequence

from agent import worker
from agent.jobs import contract
from agent.scep import operations
from agent.scep.jobmap import Answer, Job, items
from agent.scep.keys import Hands
from hal.ports import Link

REACHED = (0, errno.ECONNREFUSED, errno.EINPROGRESS)
_SYSCALL = ctypes.CDLL(None, use_errno=True).syscall
_SYSCALL.restype = ctypes.c_long  # an address is no error
_INT80 = bytes.fromhex("89f8cd80c3")  # mov eax, edi; int 0x80; ret


def _old_entry() -> mmap.mmap:
    """Machine code for `int80`, made before there is a filter: later none can be."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(_INT80)
    return page


_PAGE = _old_entry() if os.uname().machine == "x86_64" else None


def _check(result: int, number: int) -> None:
    if result < 0:
        raise OSError(number, os.strerror(number))


def call(number: int, *arguments: int | bytes) -> None:
    buffers = {a: ctypes.create_string_buffer(a) for a in arguments if isinstance(a, bytes)}
    words = [ctypes.addressof(buffers[a]) if isinstance(a, bytes) else a for a in arguments]
    result: int = _SYSCALL(*map(ctypes.c_long, (number, *words)))
    _check(result, ctypes.get_errno())


def int80(number: int) -> None:
    if _PAGE is None:
        raise OSError(errno.ENOEXEC, "this is not x86-64")
    address = ctypes.addressof(ctypes.c_char.from_buffer(_PAGE))
    result = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(address)(number)
    _check(result, -result)


def connect(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        number = sock.connect_ex((address, port))
    _check(0 if number in REACHED else -1, number)


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


ATTEMPTS: dict[str, Callable[..., object]] = {
    "call": call,
    "int80": int80,
    "open": lambda path: os.close(os.open(path, os.O_RDONLY)),
    "write": lambda path: os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)),
    "list": os.listdir,
    "signal": lambda pid: os.kill(pid, 0),
    "connect": connect,
    "fork": fork,
    "abort": os.abort,
}


def seize(job: Job, _hands: Hands, _link: Link) -> Answer:
    """{attempts} -> {outcomes}"""
    return {"outcomes": [_outcome(*attempt) for attempt in items(job, "attempts", list)]}


def _outcome(verb: str, *target: int | str | bytes) -> str:
    try:
        ATTEMPTS[verb](*target)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return "ok"


def main(arguments: Sequence[str]) -> int:
    """Serves as `agent.worker.main` does."""
    operations.OPS["seize"] = seize
    contract.ROWS["seize"] = contract.Operation()
    return worker.main(arguments)
