"""Who is called in a child behind a fork, in a Python of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import gc, os, sys
sys.path.insert(0, sys.argv[1])
from hal.forking import spare_children
spare_children()
import random, threading
ours = []
os.register_at_fork(after_in_child=lambda: ours.append("called"))
random.seed(7)
before = random.getstate()
pid = os.fork()
if pid == 0:
    good = ours == ["called"] and random.getstate() == before
    good = good and threading.current_thread() is threading.main_thread()
    os._exit(0 if good else 9)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), ours, gc.isenabled())
"""


def test_the_two_that_nobody_needs_are_spared_and_others_are_called() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, str(ROOT)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout == "0 [] False\n", done.stderr
