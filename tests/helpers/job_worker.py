"""A worker for the contract test of Jobs: the real worker process with operations of its own."""

import os
import signal
import sys
import time

from agent import limits, worker
from agent.errors import fail
from agent.jobs import contract
from agent.scep import operations
from agent.scep.keys import Hands
from hal.confinement import kernel
from hal.confinement.ladder import Identity

PR_GET_NO_NEW_PRIVS = 39
# Beyond those of any job: `look` forks and asks the kernel, `die` sends itself a signal.
CALLS = ("clone", "kill", "prctl", "getpriority", "getgroups", "getgroups32")


def _echo(job: dict[str, object], hands: Hands, _link: object) -> dict[str, object]:
    return {"said": job["say"], "files": [os.pread(fd, 100, 0) for fd in hands.files]}


def _sleep(_job: dict[str, object], _hands: Hands, _link: object) -> dict[str, object]:
    time.sleep(60)
    return {}


def _die(_job: dict[str, object], _hands: Hands, _link: object) -> dict[str, object]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def _refuse(_job: dict[str, object], _hands: Hands, _link: object) -> dict[str, object]:
    raise fail("ca-no-ca")


def _fault(_job: dict[str, object], _hands: Hands, _link: object) -> dict[str, object]:
    raise KeyError("a secret that must not be told")


def _flood(_job: dict[str, object], _hands: Hands, _link: object) -> dict[str, object]:
    return {"much": b"x" * 2_000_000}


def _nicer(_job: dict[str, object], _hands: Hands, _link: object) -> dict[str, object]:
    """A call that anybody may make, and that no job does."""
    return {"nice": os.nice(1)}


def _hoard(_job: dict[str, object], _hands: Hands, _link: object) -> dict[str, object]:
    return {"size": len(bytearray(1_000_000_000))}


def _look(_job: dict[str, object], _hands: Hands, _link: object) -> dict[str, object]:
    """What a child may still do: who it is, which descriptors it has, whether it can fork."""
    can_fork = True
    try:
        if os.fork() == 0:
            os._exit(0)
    except OSError:
        can_fork = False
    return {
        "uid": os.getuid(),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "groups": os.getgroups(),
        "fds": [fd for fd in range(limits.CHILD_FILES) if _is_open(fd)],
        "fork": can_fork,
        "no_new_privs": kernel.call("prctl", PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
    }


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    own = {"echo": _echo, "sleep": _sleep, "die": _die, "refuse": _refuse, "flood": _flood}
    own.update({"fault": _fault, "hoard": _hoard, "nicer": _nicer, "look": _look})
    operations.OPS.update(own)
    contract.ROWS.update(dict.fromkeys(own, contract.Operation()))
    numbers = [int(number) for number in sys.argv[1:]]
    worker.serve(Identity(*numbers) if numbers else None, calls=CALLS)
