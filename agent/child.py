"""The life of a job child: confine, read, work, answer. Three roles, one for each process.

A child gives up what it does not need (limits, user, and what else `hal/confinement` has), and only
then reads its job. It answers once in CBOR and exits, so what parsed one CA's bytes never serves
another realm.

    alone     a job without keys, or without bytes of a CA; the device key where its row says so
    talking   a job with both: the network or what has come from there, no key, no device key; it
              asks the one that
    keeping   has the keys of this job, the device key, no network and no byte of the CA but one
              block of the modulus' length (`agent/keydoor.py`)

Both of a pair begin as copies of the worker, which holds no byte of any job. Each closes the
descriptors of the other before it reads its own, so that whoever takes the talking child over, at
its first instruction, finds no key in its memory and no way to one but the counted questions.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from agent import keydoor, limits
from agent.errors import AgentError, fail
from agent.jobs import contract
from agent.scep import operations, vault
from agent.scep.keys import Hands, Keeper
from hal import cbor
from hal.confinement.ladder import Ladder, Rungs
from hal.confinement.namespaces import LOCAL
from hal.link import LinuxLink
from hal.named import NamedTuple

RUNGS = "rungs"  # the one operation that is not of SCEP: what confines a child here


class Part(NamedTuple):
    """What one child of a job does, where, and its descriptors (the worker's, until the fork).

    kind: LOCAL or NETWORK, by which it is confined. answers: it has the channel to the agent.
    """

    run: Callable[[Sequence[int], Rungs], None]
    kind: str
    fds: Sequence[int]
    answers: bool = True


def parts(kind: str, fds: Sequence[int], count: int) -> tuple[Part, ...]:
    """The children of a job, one or two of them; whoever keeps keys comes first.

    fds: as `hal/jobs.py` brings them, with two children the ends of the door behind them.
    """
    if count == 1:
        return (Part(alone, kind, fds),)
    channel, request, device_key, *files, inside, outside = fds
    return (  # of the files as `places` of the contract says
        Part(keeping, LOCAL, (inside, request, device_key, *files[-2:]), answers=False),
        Part(talking, kind, (channel, outside, *files[:-1])),
    )


def run(part: Part, ladder: Ladder, place: int, alarm_s: int) -> int:
    """The exit status, 0 when all went well.

    Until the job has been read, nothing here depends on a byte of a stranger; from then on nothing
    but the answer leaves. Anything raised on the way is an exit with 1, which the agent knows as
    `job-died`.
    """
    signal.set_wakeup_fd(-1)  # the pipe is that of the worker, whose handler does nothing else
    signal.alarm(alarm_s)  # for a worker that hangs; else it kills up to a second earlier
    _close_others([*part.fds, *ladder.descriptors(part.kind)])
    rungs = ladder.climb(part.kind, place)
    part.run(part.fds, rungs)
    return 0


# -- roles -----------------------------------------------------------------------------------------


def alone(fds: Sequence[int], rungs: Rungs) -> None:
    """fds: the channel, then those of the operation."""
    channel = socket.socket(fileno=fds[0])
    request = _read_all(channel)
    channel.sendall(cbor.dumps(perform(request, Hands(tuple(fds[1:])), rungs)))


def talking(fds: Sequence[int], _rungs: Rungs) -> None:
    """fds: the channel, the door, then those of the operation."""
    channel, asked = socket.socket(fileno=fds[0]), keydoor.Asked(socket.socket(fileno=fds[1]))
    request = _read_all(channel)
    channel.sendall(cbor.dumps(perform(request, Hands(tuple(fds[2:]), asked))))


def keeping(fds: Sequence[int], _rungs: Rungs) -> None:
    """fds: the door, the request, the device key, then the files that a key belongs into."""
    outside, request = socket.socket(fileno=fds[0]), _read_all(socket.socket(fileno=fds[1]))
    found: list[Keeper] = []

    def unseal() -> dict[str, object]:
        found.append(keeper(request, fds[2]))
        found[0].place(fds[3:])
        return {"password": found[0].password()}

    told = cbor.dumps(_told(unseal))
    os.close(fds[2])
    with suppress(ConnectionError):  # whoever talks may have ended without a question
        outside.sendall(told)
        if found:
            keydoor.serve(outside, found[0])


def keeper(request: bytes, device_key_fd: int) -> Keeper:
    """The keys of a request, unsealed (`agent/jobs/split.py`)."""
    wanted = cbor.loads(request, max_bytes=limits.JOB_BYTES)
    if not isinstance(wanted, dict):
        raise fail("job-fault", place="a request for keys is a map")
    return Keeper(wanted, vault.device_key(device_key_fd))


# -- a job -----------------------------------------------------------------------------------------


def perform(request: bytes, hands: Hands, rungs: Rungs | None = None) -> dict[str, object]:
    """The answer of a job: `{ok: map}`, or the map of an error. Never raises for a bad job.

    Rungs are asked for by the first job of each start and answered here, because no operation of
    SCEP knows what confines it.
    """

    def work() -> dict[str, object]:
        job = cbor.loads(request, max_bytes=limits.JOB_BYTES)
        if not isinstance(job, dict):
            raise fail("job-fault", place="a job is a map")
        if rungs and job == {"op": RUNGS}:
            return {"held": rungs.held, "missing": rungs.missing}
        return _operation(job)(job, hands, LinuxLink())

    return _told(work)


def _told(work: Callable[[], dict[str, object]]) -> dict[str, object]:
    """What comes of it, as the agent reads it."""
    try:
        return {"ok": work()}
    except AgentError as error:
        return dict(error.as_map())
    except MemoryError:  # the limit of address space: a peer, or a file, wanted more than any needs
        return dict(fail("job-died").as_map())
    except Exception as error:
        # A fault of ours, met by bytes from outside: say where, never what (it may be secret).
        frame = error.__traceback__
        while frame and frame.tb_next:
            frame = frame.tb_next
        name = os.path.basename(frame.tb_frame.f_code.co_filename) if frame else "?"
        place = f"{type(error).__name__} at {name}:{frame.tb_lineno if frame else 0}"
        return dict(fail(_fault(error), place=place).as_map())


def _fault(error: Exception) -> str:
    """A fault of this software, or a call that the filter of a child refused.

    The filter answers EPERM to a dangerous call and ENOSYS to one that it does not know. Neither
    is expected of our code: it means a newer C library, or a stranger at work in the child.
    """
    refused = isinstance(error, OSError) and error.errno in (errno.EPERM, errno.ENOSYS)
    return "job-refused" if refused else "job-fault"


def _operation(job: dict[str, object]) -> Callable[..., dict[str, object]]:
    """The function of a job whose fields are as the contract says.

    The agent has made the job, but from settings and records; a field of another type is told here
    by its name, before a parser stumbles over it.
    """
    op = job.get("op")
    if not isinstance(op, str) or op not in operations.OPS or op not in contract.ROWS:
        raise fail("job-fault", place=f"unknown operation {op!r}")
    field = contract.fault(contract.ROWS[op].takes, job)
    if field is not None:
        raise fail("job-request", field=field)
    return operations.OPS[op]


def _close_others(fds: Sequence[int]) -> None:
    """Leaves a child the descriptors of its job, and /dev/null in the place of the standard ones.

    The worker holds the control socket, by which a child could report the ends of others, and the
    channels and device keys of all jobs that wait. Nothing of it may outlive the fork.
    """
    for fd in (1, 2):  # what the agent's log and terminal are to others is not for a child
        os.dup2(0, fd)
    survivors = sorted({0, 1, 2, *fds})
    for low, high in zip(survivors, [*survivors[1:], 65536], strict=True):
        os.closerange(low + 1, high)


def _read_all(channel: socket.socket) -> bytes:
    """The job: all that comes before the agent shuts its end for writing."""
    data = bytearray()
    while piece := channel.recv(65536):
        data += piece
        if len(data) > limits.JOB_BYTES:
            raise ValueError("job too long")
    return bytes(data)
