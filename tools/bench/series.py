"""What an enrolment costs beside a client that is started anew for each, on the same server.

One worker does all of ours, and the bench sends it the jobs that the agent would send. CPU is that
of the worker and its children, from /proc/PID/stat: full ticks over some hundred enrolments.
Neither the CA's nor the start of the worker is in it.
"""

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from tests.helpers.labca import LabCa
from tests.helpers.micromdm import MicroMdm
from tests.helpers.netns import NetNs
from tools.bench import peers, proc
from tools.bench.figures import MS, TIMES, Figure
from tools.bench.peers import CHALLENGE
from tools.bench.rig import Probe, Rig, Samples
from tools.bench.workshop import Applicant, Workshop, worker_argv

OURS = "CPU of one of 1,000 enrolments through one worker"


def _figures(figure: str, peer: str, where: str) -> tuple[Figure, ...]:
    return (
        Figure(f"loop_{peer}_cpu", MS, f"CPU of one of 200 runs of `{peer}` {where}"),
        Figure(f"series_{peer}_ratio", TIMES, f"`{figure}_cpu` in times that of `{peer}`"),
    )


ON_LAB_CA = (
    Figure("series_cpu", MS, f"{OURS}, on the lab CA: worker and children, not the CA", 10_000),
    Figure("series_cpu_agent", MS, "CPU of the process that sends the jobs, for each of them"),
    Figure("series_child_cpu", MS, "the same for a job that does nothing: fork, confinement, end"),
    *_figures("series", "strongswan", "on the lab CA"),
)
ON_MICROMDM = (
    Figure("series_micromdm_cpu", MS, f"{OURS}, on micromdm"),
    *_figures("series_micromdm", "scepclient", "on micromdm"),
)


def on_lab_ca(rig: Rig) -> Samples:
    """The samples are means over equal parts of the enrolments; one worker does all."""
    with (
        LabCa(rig.folder, "--challenge", CHALLENGE) as ca,
        Workshop(worker_argv(rig.python)) as shop,
    ):
        folder = peers.with_key(rig.folder)
        theirs = _loop(rig, peers.strongswan(ca, folder), folder)
        ours = _series(rig, shop, Applicant(shop, ca.url, challenge=CHALLENGE))
        idle = [_idle(rig, shop) for _part in range(rig.parts)]
        # strongSwan's transactionID is that of its key: it gets the same certificate each time.
        granted = rig.parts * _ours(rig) + 1
        assert len(ca.issued()) == granted, "not every enrolment was granted"
    return {
        "series_cpu": [both[0] for both in ours],
        "series_cpu_agent": [both[1] for both in ours],
        "series_child_cpu": idle,
        **_beside("strongswan", ours, theirs),
    }


def on_micromdm(rig: Rig) -> Samples:
    """The same on Debian's CA with `weak-algorithm des`, beside its own client."""
    peers.need_micromdm()
    with NetNs() as net, MicroMdm(rig.folder, net, CHALLENGE) as ca:
        folder = peers.with_key(rig.folder)
        theirs = _loop(rig, peers.scepclient(ca, net), folder)
        with Workshop([*peers.inside(net), *worker_argv(rig.python)]) as shop:
            applicant = Applicant(shop, ca.url, challenge=CHALLENGE, weak="des")
            ours = _series(rig, shop, applicant)
        granted = rig.parts * (_ours(rig) + _theirs(rig))
        assert len(ca.issued()) == granted, "not every enrolment was granted"
    return {
        "series_micromdm_cpu": [both[0] for both in ours],
        **_beside("scepclient", ours, theirs),
    }


def _series(rig: Rig, shop: Workshop, applicant: Applicant) -> list[tuple[int, int]]:
    """For each part, CPU of one enrolment: of worker and children, and of this process."""
    each, numbers, found = _ours(rig), count(1), []
    for _part in range(rig.parts):
        before = _spent(shop)
        for _enrolment in range(each):
            shop.do(applicant.job("enrol", next(numbers)))
        after = _spent(shop)
        found.append(((after[0] - before[0]) // each, (after[1] - before[1]) // each))
    return found


def _idle(rig: Rig, shop: Workshop) -> int:
    """CPU of one job that does nothing."""
    each, before = _ours(rig), _spent(shop)
    for _job in range(each):
        shop.do({"op": "inspect", "kind": "certificate", "ders": []})
    return (_spent(shop)[0] - before[0]) // each


def _spent(shop: Workshop) -> tuple[int, int]:
    """CPU so far, in microseconds: worker with ended children, and this process."""
    worker = shop.worker()
    assert worker, "no worker has worked"
    return proc.cpu_with_children_us(worker), proc.cpu_us(os.getpid())


def _loop(rig: Rig, words: Sequence[str], folder: Path) -> list[int]:
    """For each part, CPU of one run of another client."""
    each, found = _theirs(rig), []
    for _part in range(rig.parts):
        total_us = 0
        for _run in range(each):
            total_us += proc.spend(words, folder).cpu_us
            (folder / "cert.pem").unlink(missing_ok=True)  # or the next one would be a renewal
        found.append(total_us // each)
    return found


def _beside(peer: str, ours: list[tuple[int, int]], theirs: list[int]) -> Samples:
    """The loop and the ratio, part by part."""
    pairs = zip(ours, theirs, strict=True)
    return {
        f"loop_{peer}_cpu": theirs,
        f"series_{peer}_ratio": [both[0] * TIMES.size // their for both, their in pairs],
    }


def _ours(rig: Rig) -> int:
    return max(rig.scale.enrolments // rig.parts, 1)


def _theirs(rig: Rig) -> int:
    return max(rig.scale.peer_enrolments // rig.parts, 1)


PROBES = (
    Probe("series", on_lab_ca, ON_LAB_CA, once=True),
    Probe("series_micromdm", on_micromdm, ON_MICROMDM, once=True),
)
