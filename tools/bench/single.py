"""One enrolment with an existing key, beside the other clients, each against the same CA.

Ours is a whole device: the console command at an agent that idles (no worker yet), until the
certificate lies in storage and in memory. CPU is that of the agent during the command, and of the
worker with its children from start to end; so it holds the start of an interpreter and its imports.
The agent is killed then, and the bench waits for the orphaned worker.

The others are one program each, from start to end. `scepclient` also asks for the capabilities and
the CA certificate; `pki --scep` is given the CA certificate in files.
"""

import os
import time

from tests.helpers.board import SAVE, procedure
from tests.helpers.labca import LabCa
from tests.helpers.micromdm import MicroMdm
from tests.helpers.netns import NetNs
from tools.bench import peers, proc
from tools.bench.figures import MS, TIMES, Figure
from tools.bench.peers import CHALLENGE
from tools.bench.proc import Spent
from tools.bench.rig import Board, Probe, Rig, Samples

ENROL = ("system-view", "pki enroll-certificate realm abc")
OURS = "ours, one enrolment with an existing key, no worker yet,"


def _figures(ca: str, peer: str) -> tuple[Figure, ...]:
    return (
        Figure(f"{ca}_wall", MS, f"{OURS} on {ca}: command to certificate in use"),
        Figure(f"{ca}_cpu", MS, "CPU of the same: agent, worker and its children"),
        Figure(f"{ca}_cpu_agent", MS, "the share of the agent in it"),
        Figure(f"{peer}_wall", MS, f"`{peer}` on {ca}, one enrolment with an existing key"),
        Figure(f"{peer}_cpu", MS, "CPU of the same"),
        Figure(f"{peer}_wall_ratio", TIMES, f"our wall time in times that of `{peer}`"),
        Figure(f"{peer}_cpu_ratio", TIMES, f"our CPU time in times that of `{peer}`"),
    )


def on_lab_ca(rig: Rig) -> Samples:
    """Ours and strongSwan's client on the lab CA."""
    with LabCa(rig.folder, "--challenge", CHALLENGE) as ca:
        folder = peers.with_key(rig.folder)
        words = peers.strongswan(ca, folder)
        pin = f"fingerprint sha256 {ca.fingerprint}"
        board = Board(rig.folder, python=rig.python)
        ours, agent_us = _ours(board, ca.url, pin)
        theirs = proc.spend(words, folder)
        assert len(ca.issued()) == 2, "both should have a certificate"
    return _samples("lab_ca", "strongswan", ours, agent_us, theirs)


def on_micromdm(rig: Rig) -> Samples:
    """Ours, with `weak-algorithm des`, and scepclient on Debian's CA, in a name space."""
    peers.need_micromdm()
    with NetNs() as net, MicroMdm(rig.folder, net, CHALLENGE) as ca:
        words = peers.scepclient(ca, net)
        pin = f"fingerprint sha256 {ca.fingerprint()}"
        board = Board(rig.folder, python=rig.python, prefix=net.prefix)
        ours, agent_us = _ours(board, ca.url, pin, "weak-algorithm des")
        theirs = proc.spend(words, peers.with_key(rig.folder))
        assert len(ca.issued()) == 2, "both should have a certificate"
    return _samples("micromdm", "scepclient", ours, agent_us, theirs)


def _ours(board: Board, url: str, *realm: str) -> tuple[Spent, int]:
    """Wall and CPU of the whole, CPU of the agent alone; in microseconds."""
    with board:
        board.must(*procedure(url, *realm, f"password cipher {CHALLENGE}"), *SAVE)
    proc.adopt_orphans()
    board.start()  # another life: no worker, everything from flash
    with board:
        os.sync()  # what others have left to write is not ours
        before_us, begin_ns = proc.cpu_us(board.pid), time.monotonic_ns()
        board.must(*ENROL)
        wall_us = (time.monotonic_ns() - begin_ns) // 1000
        agent_us = proc.cpu_us(board.pid) - before_us
        worker = board.worker()
        assert worker, "no worker has worked"
        board.kill()
        cpu_us = agent_us + proc.reap_us(worker)
    return Spent(wall_us, cpu_us), agent_us


def _samples(ca: str, peer: str, ours: Spent, agent_us: int, theirs: Spent) -> Samples:
    return {
        f"{ca}_wall": [ours.wall_us],
        f"{ca}_cpu": [ours.cpu_us],
        f"{ca}_cpu_agent": [agent_us],
        f"{peer}_wall": [theirs.wall_us],
        f"{peer}_cpu": [theirs.cpu_us],
        f"{peer}_wall_ratio": [ours.wall_us * TIMES.size // theirs.wall_us],
        f"{peer}_cpu_ratio": [ours.cpu_us * TIMES.size // theirs.cpu_us],
    }


PROBES = (
    Probe("lab_ca", on_lab_ca, _figures("lab_ca", "strongswan")),
    Probe("micromdm", on_micromdm, _figures("micromdm", "scepclient")),
)
