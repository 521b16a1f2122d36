"""Files are opened by a child that has dropped its rights: strace sees it open nothing by path."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import scep_files as files
from tools.bench.workshop import Workshop, worker_argv

STRACE = "/usr/bin/strace"
DEBIAN_PYTHON = "/usr/bin/python3"
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: changes the user"),
    pytest.mark.skipif(not os.path.exists(STRACE), reason="needs strace"),
]
NEW_KEY = {"key": None, "name": "k1", "generation": 1}


def pythons() -> list[str]:
    """This one and Debian's, where the runtime packages are there."""
    words = [DEBIAN_PYTHON, "-I", "-c", "import cryptography, serial"]
    has = (
        os.path.exists(DEBIAN_PYTHON) and not subprocess.run(words, capture_output=True).returncode
    )
    return [sys.executable, DEBIAN_PYTHON] if has else [sys.executable]


def work(shop: Workshop, folder: Path) -> int:
    """Files of every kind in and out; how many jobs that were."""
    jobs = [
        {"op": "import", "kind": "key", "data": files.pkcs12(folder, *words), "format": None}
        for words in ((), ("-legacy",), ("-nomac",))
    ]
    for job in jobs:
        found = shop.do({**job, **NEW_KEY, "password": files.PASSWORD})
    pair = {**NEW_KEY, "sealed": found["sealed"], "spki": found["spki"]}
    out = {"op": "export", "kind": "key", "password": "x"}
    for form in ("pem", "pkcs12"):
        shop.do({**out, "format": form, "key": pair})
    shop.do({"op": "hash-password", "plain": "x", "before": None})
    return len(jobs) + 3


@pytest.mark.slow
@pytest.mark.parametrize("python", pythons())
def test_nothing_is_opened_after_the_change_of_user(python: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    words = ("-f", "-qq", "-e", "trace=openat,open,setresuid", "-o", str(trace))
    with Workshop([STRACE, *words, *worker_argv(python)]) as shop:
        jobs = work(shop, tmp_path)
    dropped: set[str] = set()
    opened: list[str] = []
    for line in trace.read_text(errors="replace").splitlines():
        pid, call = line.split(None, 1)
        if call.startswith("setresuid("):
            dropped.add(pid)
        elif pid in dropped and call.startswith("open"):
            opened.append(call)
    assert len(dropped) == jobs
    assert opened == []
