"""PKCS#12 by the library, and when that is loaded: for jobs that may need it, and for no other."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.jobs.contract import ROWS
from agent.scep import crypto, pkcs12
from tests.helpers import scep_lab as lab

ROOT = Path(__file__).resolve().parents[2]
MODULE = "agent.scep.pkcs12"
SCRIPT = f"""
import sys
sys.path.insert(0, sys.argv[1])
from agent.rehearsal import rehearse
from agent.scep import preload
preload.load_all()
rehearse()
before = "{MODULE}" in sys.modules
preload.load_library()
print(before, "{MODULE}" in sys.modules)
"""


def test_what_was_made_can_be_opened() -> None:
    key = lab.key(lab.root().key)
    ders = [lab.root().der]
    data = pkcs12.made(key, ders, b"password", 1000)
    opened = pkcs12.opened(data, b"password")
    assert opened is not None
    assert isinstance(opened[0], crypto.PrivateKey)
    assert crypto.private_der(opened[0]) == crypto.private_der(key)
    assert opened[1] == ders
    assert pkcs12.opened(data, b"another") is None


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.binary(max_size=100), st.sampled_from([None, b"", b"password"]))
def test_noise_opens_nothing(data: bytes, password: bytes | None) -> None:
    assert pkcs12.opened(data, password) is None


def test_files_of_a_person_need_it() -> None:
    assert [op for op, row in ROWS.items() if row.pkcs12] == ["import", "export"]


def test_it_is_loaded_when_it_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, str(ROOT)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "False True\n"
