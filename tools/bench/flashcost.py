"""What one enrolment costs the flash: the real store on a real file, the real worker, the lab CA.

The device runs in the process of the bench, so that the store's own counters can be read and its
commits counted. A flush is an `fdatasync` of the flash file. The certificate files of device
storage are no part of the flash file; they are counted beside it.
"""

import os
import sys
from collections.abc import Mapping
from functools import partial

from agent import limits
from agent.console.configuration.loader import load_configuration
from agent.device.device import Device
from agent.device.hardware import Hardware
from agent.errors import AgentError
from agent.jobs.runner import JobRunner
from agent.log import Log
from agent.loop import Loop
from agent.pieces import at_once
from hal.clock import LinuxClock
from hal.jobs import WorkerJobs
from hal.log_write import Counters
from hal.ports import Files
from hal.store import Store
from platforms import sim
from platforms.board import Board
from platforms.linux import Platform
from tests.helpers.device_bench import Waiter
from tests.helpers.labca import LabCa
from tools.bench import proc
from tools.bench.figures import BYTES, COUNT, TIMES, Figure
from tools.bench.rig import Probe, Rig, Samples
from tools.bench.workshop import TURN_NS, end_workers, worker_argv

HOW = "one enrolment with an existing key"
FIGURES = (
    Figure("flash_commits", COUNT, f"commits of {HOW}"),
    Figure("flash_bytes", BYTES, "bytes programmed for them"),
    Figure("flash_programs", COUNT, "programs for them"),
    Figure("flash_erases", COUNT, "erases for them; a compaction comes every hundred or so"),
    Figure("flash_flushes", COUNT, "flushes of the flash file for them"),
    Figure("flash_flushes_per_commit", TIMES, "flushes for each commit", TIMES.size),
    Figure("storage_writes", COUNT, f"certificate files that {HOW} writes into device storage"),
)


class CountingStore(Store):
    """The store, and how often it was committed to."""

    commits = 0

    def commit(self, changes: Mapping[str, object]) -> None:
        self.commits += 1
        super().commit(changes)


class CountingFiles:
    """`hal.ports.Files`, and how often a file was written."""

    def __init__(self, files: Files) -> None:
        self._files, self.writes = files, 0
        self.read, self.remove = files.read, files.remove
        self.names, self.stat = files.names, files.stat

    def write(self, name: str, data: bytes) -> None:
        self.writes += 1
        self._files.write(name, data)


class Bench:
    """A device on a simulated board in this process."""

    def __init__(self, platform: Platform, loop: Loop) -> None:
        self._loop, self._before = loop, proc.children(os.getpid())
        loop.use_clock(platform.clock, platform.longest_sleep_ns)
        argv = worker_argv(sys.executable)
        self._jobs = WorkerJobs(loop, argv, answer_bytes=limits.JOB_BYTES, linger_s=60)
        self.store = CountingStore(platform.flash)
        self.files = CountingFiles(platform.files)
        hardware = Hardware(
            clock=platform.clock,
            chance=platform.chance,
            files=self.files,
            link=platform.link,
            memory=platform.memory,
            interfaces={},
            serial="",
        )
        key_fd, _there = platform.device_key(make=True)
        later = partial(loop.after, 0)
        jobs = JobRunner(self._jobs, platform.chance, platform.clock, later, key_fd)
        self.device = Device(loop, self.store, hardware, jobs, Log(platform.clock.wall_s, None))
        self.device.boot()

    def wait(self, waiter: Waiter) -> None:
        """Turns the loop until the waiter has its result, which must be no error."""
        while not waiter.results:
            self._loop.turn(TURN_NS)
        assert not isinstance(waiter.results[0], AgentError), waiter.results

    def close(self) -> None:
        self.device.close()
        end_workers(self._loop, self._jobs, self._before)


def one_enrolment(rig: Rig) -> Samples:
    """The counters of an enrolment at a device whose configuration is saved and key generated."""
    loop = Loop(LinuxClock())
    with LabCa(rig.folder) as ca:
        platform = sim.open_board(Board(), str(rig.folder / "board"), loop)
        bench = Bench(platform, loop)
        try:
            made = Waiter()
            bench.device.create_key_pair("k1", limits.KEY_BITS_DEFAULT, False, made.done)
            bench.wait(made)
            assert not load_configuration(bench.device, configuration(ca))
            bench.device.changed()
            at_once(bench.device.configuration.save())
            before = _counted(bench)
            issued = Waiter()
            bench.device.applications.enrol("abc", None, issued, issued.done)
            bench.wait(issued)
            assert len(ca.issued()) == 1, "the CA has issued nothing"
            after = _counted(bench)
        finally:
            bench.close()
            platform.close()
            loop.close()
    cost = {name: after[name] - before[name] for name in after}
    per_commit = cost["flash_flushes"] * TIMES.size // cost["flash_commits"]
    return {name: [value] for name, value in cost.items()} | {
        "flash_flushes_per_commit": [per_commit]
    }


def configuration(ca: LabCa) -> str:
    """A complete realm `abc` for this CA."""
    return "\n".join(
        (
            "pki entity r1",
            " common-name r1.example",
            "#",
            "pki realm abc",
            " entity r1",
            " rsa local-key-pair k1",
            f" enrollment-url {ca.url}",
            f" fingerprint sha256 {ca.fingerprint}",
            "",
        )
    )


def _counted(bench: Bench) -> dict[str, int]:
    counters: Counters = bench.store.counters
    return {
        "flash_commits": bench.store.commits,
        "flash_bytes": counters.programmed_bytes,
        "flash_programs": counters.programs,
        "flash_erases": counters.erases,
        "flash_flushes": counters.syncs,
        "storage_writes": bench.files.writes,
    }


PROBES = (Probe("flash", one_enrolment, FIGURES, own=True),)
