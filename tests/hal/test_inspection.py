"""Nobody of the same user looks into a process that has forbidden it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ODD = Path("/proc/sys/fs/suid_dumpable").read_text().strip() != "0"
SETPRIV = "/usr/bin/setpriv"
PROCESS = """
import os, sys
sys.path[:0] = sys.argv[1:]
before = os.getresgid()
from hal.inspection import forbid_inspection
done, loaded = forbid_inspection(), "_ctypes" in sys.modules
import ctypes
PR_GET_DUMPABLE = 3
print(done, loaded, os.getresgid() == before, ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))
"""


def told(*prefix: str) -> list[str]:
    """Whether it was done, with `_ctypes`, in the groups of before; and how dumpable it is now."""
    words = [*prefix, sys.executable, "-I", "-S", "-c", PROCESS, str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


@pytest.mark.skipif(os.geteuid() != 0 or ODD, reason="needs root, and the usual fs.suid_dumpable")
def test_who_may_change_groups_needs_no_ctypes() -> None:
    assert told() == ["True", "False", "True", "0"]


@pytest.mark.skipif(not os.path.exists(SETPRIV), reason="needs setpriv")
def test_others_need_what_lies_below_it() -> None:
    prefix = (SETPRIV, "--bounding-set=-setgid", "--inh-caps=-setgid") if os.geteuid() == 0 else ()
    assert told(*prefix) == ["True", "True", "True", "0"]
