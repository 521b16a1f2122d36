"""https as a job: what is refused before a connection, the pin above it, and what a child opens."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AgentError
from agent.scep import transport
from hal.link import LinuxLink
from hal.ports import Source
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.helpers import tls_server as https
from tests.scep.test_operations import device_key, job_for, run
from tests.scep.test_tls import CAP
from tests.scep.test_tls import ca as ca  # a fixture

ROOT = Path(__file__).resolve().parents[2]
CHILD_KIB = 56 * 1024


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "tls-no-trust"),
        ({"https_ca_file": "web.pem", "https_ca": None}, "job-request"),
        ({"https_ca_file": "web.pem", "https_ca": b"junk"}, "tls-trust-file"),
    ],
)
def test_jobs_without_trust(fields: dict[str, Any], code: str) -> None:
    job = {**job_for("https://127.0.0.1:1/"), "op": "fetch-ca", **fields}
    with pytest.raises(AgentError) as caught:
        run(job, [])
    assert caught.value.code == code


def test_nothing_leaves_in_plain_for_an_https_server() -> None:
    with web.serving(web.ok(b"AES")) as server:
        place = transport.server(f"https://127.0.0.1:{server.port}/")
        with pytest.raises(AgentError) as caught:
            transport.Exchange(place, LinuxLink(), Source()).get("GetCACaps", None, CAP)
    assert caught.value.code == "tls-no-trust"
    assert server.requests == []


def test_the_pin_still_counts(tmp_path: Path, ca: lab.Party) -> None:
    """Who has the right TLS certificate is not believed as a CA."""
    with https.serving(
        web.ok(b"no reply"), https.context(tmp_path, https.server_certificate(ca))
    ) as up:
        job = job_for(up.url(), https_ca_file="web.pem", https_ca=ca.der)
        pinned = {**job["ca"], "pin": "00" * 32}
        for changes, code in (({}, "certrep-malformed"), ({"ca": pinned}, "ca-pin-missing")):
            with pytest.raises(AgentError) as caught:
                run({**job, **changes}, [device_key()])
            assert caught.value.code == code
    assert len(up.requests) == 1


# As a worker does it: a process of its own loads all, a fork does the work and opens nothing more.
CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
from agent.scep import operations, preload
from agent.scep.keys import Hands
from hal.link import LinuxLink
preload.load_all()
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
opened = []
def watch(event, args):
    if event in ("open", "import", "os.listdir", "os.scandir"):
        opened.append(str(args[0]))
trust = bytes.fromhex(sys.argv[3])
sys.addaudithook(watch)
job = {"op": "fetch-ca", "url": sys.argv[2], "ca_id": None, "ra": False, "source": {},
       "https_ca_file": "web.pem", "https_ca": trust, "clock_trusted": True}
found = operations.OPS["fetch-ca"](job, Hands(), LinuxLink())
seen = list(opened)
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(found["certificates"]), len(seen), seen[:5], peak)
"""


def test_a_child_opens_nothing_and_stays_small(tmp_path: Path, ca: lab.Party) -> None:
    def answer(request: bytes) -> bytes:
        return web.ok(b"AES" if b"GetCACaps" in request else lab.root().der)

    with https.serving(answer, https.context(tmp_path, https.server_certificate(ca))) as up:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(ROOT), up.url(), ca.der.hex()],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    certificates, count, names, peak = done.stdout.split(maxsplit=3)
    assert (certificates, count, names) == ("1", "0", "[]")
    assert 10 * 1024 < int(peak) < CHILD_KIB
