"""The largest child of the worker: every operation once, with the largest key.

The bench sends the jobs that the agent would send, to a worker that is hooked outside the product.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile

from cryptography.x509 import load_der_x509_certificate

from agent import limits
from agent.jobs import maps
from agent.jobs.answers import Answer, certificate, field
from agent.scep import operations
from agent.settings import Realm
from tests.helpers.labca import LabCa
from tools.bench.figures import MIB, Figure
from tools.bench.hooked import PEAK
from tools.bench.rig import Probe, Rig, Samples
from tools.bench.workshop import HOOKED_START, Applicant, Workshop, worker_argv
from tools.lab_ca.authority import Authority

SECRET = "a password"
STAGED = 5  # the files of `activate`

CHILD = (
    Figure("child_peak", MIB, "peak resident memory of the largest job child", 48 * 1024),
    Figure("child_peak_key", MIB, "peak of the child that generates an RSA-4096 key", 48 * 1024),
    Figure("child_peak_enrol", MIB, "peak of the child that enrols with an RSA-4096 key"),
)


class Peaks(Workshop):
    """Notes the peak of the child of each operation."""

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
        every_operation(shop, ca)
    forgotten = operations.OPS.keys() - shop.kib.keys()
    assert not forgotten, f"no job for {forgotten}"
    return {
        "child_peak": [max(shop.kib.values())],
        "child_peak_key": [shop.kib["generate-key"]],
        "child_peak_enrol": [shop.kib["enrol"]],
    }


def every_operation(shop: Workshop, ca: LabCa) -> None:
    """Each at least once, in jobs that the agent would send; AgentError of the first that fails."""
    applicant = Applicant(shop, ca.url, limits.KEY_BITS[1])
    sealed = shop.do({"op": "seal", "plain": SECRET})["sealed"]
    shop.do({"op": "check-sealed", "sealed": sealed})
    issued = certificate(shop.do(applicant.job("enrol", 1)).get("certificate")).der
    shop.do(applicant.job("poll", 1))
    _again(shop, applicant, issued)
    ders = [one.der for one in applicant.ca.certificates]
    shop.do({"op": "inspect", "kind": "certificate", "ders": [issued, *ders]})
    shop.do({**applicant.job("enrol", 1), "op": "diagnose"})
    _lists(shop, applicant, issued)
    Authority(ca.dir).prepare()
    shop.do({**applicant.job("enrol", 1), "op": "next-ca"})
    _passwords(shop)
    _files(shop, applicant, issued)
    activate = {"certificate": issued, **_trusted(applicant)}
    with ExitStack() as stack:
        staged = [stack.enter_context(TemporaryFile()).fileno() for _file in range(STAGED)]
        key = maps.key_map(applicant.key)
        shop.do({"op": "activate", "key": key, **activate}, staged)


def _lists(shop: Workshop, applicant: Applicant, issued: bytes) -> None:
    """The revocation list of the lab CA, by each of its ways; and as any file."""
    base = applicant.job("enrol", 1)
    place = str(base["url"]).replace("/scep", "/ca.crl")
    where = {"cdp_url": place, "from_ca": False, "certificate": issued, "before_s": None}
    data = shop.do({**base, **where, "op": "fetch-crl"})["crl"]
    shop.do({**base, **where, "op": "import-crl", "name": "abc.crl", "data": data})
    shop.do({**base, "op": "fetch-file", "url": place})
    signer = {"certificate": issued, "key": base["key"]}
    shop.do({**base, **where, "op": "get-crl", "signer": signer})


def _again(shop: Workshop, applicant: Applicant, issued: bytes) -> None:
    """The same certificate by its number."""
    serial = load_der_x509_certificate(issued).serial_number
    rules = {"revocation": None, "serial": f"{serial:x}"}
    shop.do({**applicant.job("get-cert", 2), **rules})


def _passwords(shop: Workshop) -> None:
    word = shop.do({"op": "hash-password", "plain": SECRET, "before": None})["hash"]
    shop.do({"op": "check-password", "plain": SECRET, "hash": word})


def _files(shop: Workshop, applicant: Applicant, issued: bytes) -> None:
    """A certificate with its key leaves as PKCS#12 and comes in again; the offline request."""
    shop.do({**applicant.job("enrol", 1), "op": "request"})
    trusted = _trusted(applicant)
    shop.do({"op": "validate", "kind": "local", "certificate": issued, **trusted})
    key = maps.key_map(applicant.key)
    file: Answer = {"kind": "local", "format": "pkcs12", "password": SECRET}
    out = {"op": "export", "certificate": issued, "key": key, **trusted}
    data = shop.do({**file, **out})["data"]
    shop.do({**file, "op": "import", "data": data, "key": None, "name": "k2", "generation": 1})


def _trusted(applicant: Applicant) -> Answer:
    """The fields of a job that works out what a realm trusts."""
    ders = [one.der for one in applicant.ca.certificates]
    clock = {"now_s": 0, "clock_trusted": False, "revocation": None}
    return {**maps.served_job(Realm("abc"), applicant.ca, ders), **clock}


PROBES = (Probe("child", child, CHILD),)
