"""What is played before there are children, and what it spares them."""

import subprocess
import sys
from pathlib import Path

from agent import rehearsal
from agent.scep import crypto

ROOT = Path(__file__).resolve().parents[2]
# A job of a child, behind no rehearsal and behind one: the pages that it wrote to first.
SCRIPT = """
import gc, os, resource, sys
sys.path.insert(0, sys.argv[1])
from agent import rehearsal
from agent.scep import preload
preload.load_all()
gc.disable()
def pages():
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        rehearsal._play()
        os.write(theirs, b"%d" % (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before))
        os._exit(0)
    os.waitpid(pid, 0)
    return int(os.read(ours, 16))
first = pages()
rehearsal.rehearse()
print(first, pages())
"""


def test_the_key_of_nobody_is_a_key() -> None:
    key = crypto.load_own(rehearsal._pkcs8(*rehearsal._PRIMES))
    value = crypto.digest("sha-256", b"data")
    signature = crypto.sign(key, "sha-256", value)
    assert crypto.verify(crypto.public_der(key), "rsa", "sha-256", signature, b"data")


def test_a_job_behind_it_copies_fewer_pages() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, str(ROOT)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    first, behind = map(int, done.stdout.split())
    assert behind < first * 9 // 10, done.stdout
