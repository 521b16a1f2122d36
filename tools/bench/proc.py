"""What the kernel says about processes: memory, CPU time, children. Linux only.

CPU time of a living process comes from its CPU clock (clock_getcpuclockid(3)), which counts in
nanoseconds where /proc/PID/stat counts in ticks of 10 ms; that of an ended one, with all the
children that it has waited for, from wait4(2). To be the one who waits for a worker whose agent was
killed, the bench asks the kernel for orphans (PR_SET_CHILD_SUBREAPER).
"""

import ctypes
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PR_SET_CHILD_SUBREAPER = 36
END_S = 20
LOOK_S = 0.005
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """Of one process, from smaps_rollup, in KiB."""

    resident_kib: int
    dirty_kib: int  # private and written: what the process costs whatever else runs


class Spent(NamedTuple):
    """What a program took from start to end; `cpu_us` with its children."""

    wall_us: int
    cpu_us: int


def memory(pid: int | str) -> Memory:
    """The memory of a process now."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines()[1:])
    return Memory(*(int(fields[name].split()[0]) for name in ("Rss", "Private_Dirty")))


def children(pid: int) -> list[int]:
    """The processes whose parent this one is."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and (fields := _stat(int(entry))) and int(fields[1]) == pid:
            found.append(int(entry))
    return found


def cpu_us(pid: int) -> int:
    """CPU time of a living process, without its children."""
    return time.clock_gettime_ns((~pid << 3) | 2) // 1000


def cpu_with_children_us(pid: int) -> int:
    """CPU time of a living process and of the children that it has waited for; full ticks."""
    return sum(int(field) for field in _stat(pid)[11:15]) * TICK_US


def adopt_orphans() -> None:
    """From now on this process waits for whoever loses its parent below it."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def reap_us(pid: int) -> int:
    """Waits for the end of a child or an orphan; its CPU time with all its children."""
    deadline = time.monotonic() + END_S
    while time.monotonic() < deadline:
        done, _status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return int((usage.ru_utime + usage.ru_stime) * 1_000_000)
        time.sleep(LOOK_S)
    raise TimeoutError(f"process {pid} does not end")


def spend(command: Sequence[str], folder: Path) -> Spent:
    """Runs a program in a folder; AssertionError, with what it said, when it fails."""
    with open(folder / "said", "wb+") as said:
        begin_ns = time.monotonic_ns()
        with subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        ) as process:
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall_us = (time.monotonic_ns() - begin_ns) // 1000
        said.seek(0)
        assert process.returncode == 0, f"{command[0]}: {said.read()!r}"
    return Spent(wall_us, int((usage.ru_utime + usage.ru_stime) * 1_000_000))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; empty when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()
