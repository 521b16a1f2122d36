"""A worker for the contract test of Jobs: the real worker process with operations of its own."""

import os
import signal
import socket
import sys
import time
from collections.abc import Sequence

from agent import worker
from agent.errors import fail
from agent.scep import client
from hal.jobs import CONTROL_FD


def _echo(job: dict[str, object], files: Sequence[int], _link: object) -> dict[str, object]:
    return {"said": job["say"], "files": [os.pread(fd, 100, 0) for fd in files]}


def _sleep(_job: dict[str, object], _files: Sequence[int], _link: object) -> dict[str, object]:
    time.sleep(60)
    return {}


def _die(_job: dict[str, object], _files: Sequence[int], _link: object) -> dict[str, object]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def _refuse(_job: dict[str, object], _files: Sequence[int], _link: object) -> dict[str, object]:
    raise fail("ca-no-ca")


def _fault(_job: dict[str, object], _files: Sequence[int], _link: object) -> dict[str, object]:
    raise KeyError("a secret that must not be told")


def _flood(_job: dict[str, object], _files: Sequence[int], _link: object) -> dict[str, object]:
    return {"much": b"x" * 2_000_000}


def _hoard(_job: dict[str, object], _files: Sequence[int], _link: object) -> dict[str, object]:
    return {"size": len(bytearray(1_000_000_000))}


def _look(_job: dict[str, object], _files: Sequence[int], _link: object) -> dict[str, object]:
    """What a child may still do: who it is, which descriptors it has, whether it can fork."""
    can_fork = True
    try:
        if os.fork() == 0:
            os._exit(0)
    except OSError:
        can_fork = False
    with open("/proc/self/status") as status:
        lines = dict(line.rstrip("\n").split(":", 1) for line in status)
    return {
        "uid": os.getuid(),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "groups": os.getgroups(),
        "fds": sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1],
        "fork": can_fork,
        "no_new_privs": lines["NoNewPrivs"].strip(),
    }


if __name__ == "__main__":
    operations = {"echo": _echo, "sleep": _sleep, "die": _die, "refuse": _refuse, "flood": _flood}
    client.OPS.update({**operations, "fault": _fault, "hoard": _hoard, "look": _look})
    user = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) == 3 else None
    worker.Worker(socket.socket(fileno=CONTROL_FD), worker.Confinement(user)).serve()
