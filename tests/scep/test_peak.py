"""The peak of a child: the operations that a hostile file or a login could make large."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import scep_files as files

ROOT = Path(__file__).resolve().parents[2]
CAP_KIB = 48 * 1024
# As a worker does it: a process of its own loads all, a fork does the work; VmHWM is the fork's.
SCRIPT = """
import os, sys
sys.path.insert(0, sys.argv[1])
from agent.scep import container, login, preload
preload.load_all()
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
if sys.argv[2] == "login":
    assert login.matches("x", login.hashed("x", None))
else:
    assert container.read(open(sys.argv[2], "rb").read(), sys.argv[3], True).keys
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def peak_kib(what: str) -> int:
    run = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, str(ROOT), what, files.PASSWORD],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return int(run.stdout)


@pytest.mark.slow
def test_a_login() -> None:
    assert 16 * 1024 < peak_kib("login") < CAP_KIB


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("-legacy",), ("-iter", "100000")])
def test_a_pkcs12(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "in.p12"
    path.write_bytes(files.pkcs12(tmp_path, *words))
    assert peak_kib(str(path)) < CAP_KIB


@pytest.mark.slow
def test_a_key_under_scrypt(tmp_path: Path) -> None:
    path = tmp_path / "in.pem"
    words = ("pkcs8", "-topk8", "-scrypt", "-passout", f"pass:{files.PASSWORD}")
    path.write_bytes(files.openssl(*words, data=files.key_pem("dev")))
    assert peak_kib(str(path)) < CAP_KIB
