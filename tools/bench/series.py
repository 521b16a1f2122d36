"""What the worker costs when it works: enrolments one after the other, and its largest child.

The bench sends the jobs that the agent would send. CPU is that of the worker and its children, from
/proc/PID/stat: full ticks over some hundred enrolments. Neither the CA's nor the start of the
worker is in it. `scepclient` is started anew for each enrolment, as it has to be.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count
from tempfile import TemporaryFile

from agent import application, limits
from agent.scep import client
from agent.tasks import Answer, certificate, field
from tests.labca import LabCa
from tools.bench import proc
from tools.bench.figures import MIB, MS, Figure
from tools.bench.hooked import PEAK
from tools.bench.rig import Probe, Rig, Samples
from tools.bench.single import SCEPCLIENT, need, with_key
from tools.bench.workshop import HOOKED_START, Applicant, Workshop, worker_argv
from tools.lab_ca.authority import Authority

SECRET = "a password"
STAGED = 5  # the files of `activate`

SERIES = (
    Figure(
        "series_cpu",
        MS,
        "CPU of one of 1,000 enrolments through one worker: worker and children, not the CA",
        10_000,
    ),
    Figure("series_cpu_agent", MS, "CPU of the process that sends the jobs, for each of them"),
    Figure("series_child_cpu", MS, "the same for a job that does nothing: fork, confinement, end"),
)
LOOP = (Figure("loop_cpu", MS, "CPU of one of 200 runs of `scepclient` on the lab CA"),)
CHILD = (
    Figure("child_peak", MIB, "peak resident memory of the largest job child", 48 * 1024),
    Figure("child_peak_key", MIB, "peak of the child that generates an RSA-4096 key", 48 * 1024),
    Figure("child_peak_enrol", MIB, "peak of the child that enrols with an RSA-4096 key"),
)


def series(rig: Rig) -> Samples:
    """The samples are means over equal parts of the enrolments; one worker does all."""
    each = max(rig.scale.enrolments // rig.parts, 1)
    found: Samples = {figure.name: [] for figure in SERIES}
    with LabCa(rig.folder) as ca, Workshop(worker_argv(rig.python)) as shop:
        applicant = Applicant(shop, ca.url)
        numbers = count(1)
        for _part in range(rig.parts):
            before = _spent(shop)
            for _enrolment in range(each):
                shop.do(applicant.job("enrol", next(numbers)))
            after = _spent(shop)
            for _job in range(each):
                shop.do({"op": "inspect", "kind": "certificate", "ders": []})
            idle_us = _spent(shop)[0] - after[0]
            found["series_cpu"].append((after[0] - before[0]) // each)
            found["series_cpu_agent"].append((after[1] - before[1]) // each)
            found["series_child_cpu"].append(idle_us // each)
        assert len(ca.issued()) == each * rig.parts, "not every enrolment was granted"
    return found


def _spent(shop: Workshop) -> tuple[int, int]:
    """CPU so far, in microseconds: worker with ended children, and this process."""
    worker = shop.worker()
    assert worker, "no worker has worked"
    return proc.cpu_with_children_us(worker), proc.cpu_us(os.getpid())


def loop(rig: Rig) -> Samples:
    """The same with scepclient; each sample is the mean of a part."""
    need("scepclient", "scep")
    each = max(rig.scale.peer_enrolments // rig.parts, 1)
    samples = []
    with LabCa(rig.folder) as ca:
        folder = with_key(rig.folder)
        words = [*SCEPCLIENT.split(), "-server-url", ca.url]
        for _part in range(rig.parts):
            total_us = 0
            for _run in range(each):
                total_us += proc.spend(words, folder).cpu_us
                (folder / "cert.pem").unlink()  # or the next one would be a renewal
            samples.append(total_us // each)
    return {"loop_cpu": samples}


class Peaks(Workshop):
    """Notes the peak of the child of each job."""

    def __init__(self, python: str) -> None:
        super().__init__(worker_argv(python, HOOKED_START))
        self.kib: dict[str, int] = {}

    def do(self, job: Answer, fds: Sequence[int] = ()) -> Answer:
        answer = super().do(job, fds)
        self.kib[str(job["op"])] = field(answer, PEAK, int)
        return answer


def child(rig: Rig) -> Samples:
    """Every operation once with the largest key, so that the largest child is among them."""
    with LabCa(rig.folder) as ca, Peaks(rig.python) as shop:
        applicant = Applicant(shop, ca.url, limits.KEY_BITS[1])
        sealed = shop.do({"op": "seal", "plain": SECRET})["sealed"]
        shop.do({"op": "check-sealed", "sealed": sealed})
        issued = certificate(shop.do(applicant.job("enrol", 1)).get("certificate")).der
        shop.do(applicant.job("poll", 1))
        ders = [one.der for one in applicant.ca.certificates]
        shop.do({"op": "inspect", "kind": "certificate", "ders": [issued, *ders]})
        _lists(shop, applicant, issued)
        Authority(ca.dir).prepare()
        shop.do({**applicant.job("enrol", 1), "op": "next-ca"})
        _passwords(shop)
        _files(shop, applicant, issued)
        activate = {"certificate": issued, "chain": ders, "ca": ders}
        with ExitStack() as stack:
            staged = [stack.enter_context(TemporaryFile()).fileno() for _file in range(STAGED)]
            key = application.key_map(applicant.key)
            shop.do({"op": "activate", "key": key, **activate}, staged)
    forgotten = client.OPS.keys() - shop.kib.keys()
    assert not forgotten, f"no job for {forgotten}"
    return {
        "child_peak": [max(shop.kib.values())],
        "child_peak_key": [shop.kib["generate-key"]],
        "child_peak_enrol": [shop.kib["enrol"]],
    }


def _lists(shop: Peaks, applicant: Applicant, issued: bytes) -> None:
    """The revocation list of the lab CA, by both ways."""
    base = applicant.job("enrol", 1)
    place = str(base["url"]).replace("/scep", "/ca.crl")
    where = {"cdp_url": place, "from_ca": False, "certificate": issued, "before_s": None}
    shop.do({**base, **where, "op": "fetch-crl"})
    signer = {"certificate": issued, "key": base["key"]}
    shop.do({**base, **where, "op": "get-crl", "signer": signer})


def _passwords(shop: Peaks) -> None:
    word = shop.do({"op": "hash-password", "plain": SECRET, "before": None})["hash"]
    shop.do({"op": "check-password", "plain": SECRET, "hash": word})


def _files(shop: Peaks, applicant: Applicant, issued: bytes) -> None:
    """A certificate with its key leaves as PKCS#12 and comes in again; the offline request."""
    shop.do({**applicant.job("enrol", 1), "op": "request"})
    ders = [one.der for one in applicant.ca.certificates]
    trusted = {"certificates": ders, "pin": applicant.ca.pin, "weak": []}
    job = {"op": "validate", "kind": "local", "certificate": issued, "chain": ders, **trusted}
    shop.do({**job, "now_s": 0, "clock_trusted": False})
    key = application.key_map(applicant.key)
    file: Answer = {"kind": "local", "format": "pkcs12", "password": SECRET}
    out = {"op": "export", "certificates": [issued, *ders], "key": key}
    data = shop.do({**file, **out})["data"]
    shop.do({**file, "op": "import", "data": data, "key": None, "name": "k2", "generation": 1})


PROBES = (
    Probe("series", series, SERIES, once=True),
    Probe("loop", loop, LOOP, once=True, own=True),
    Probe("child", child, CHILD),
)
