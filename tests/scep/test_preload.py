"""After `load_all` a job imports and opens nothing more by path."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A whole application with test keys is prepared first (the responder may open what it likes), then
# the hook is armed around everything that the product does.
SCRIPT = """
import os, sys
sys.path.insert(0, sys.argv[1])
from agent.scep import preload
preload.load_all()
loaded = set(sys.modules)
from tests.helpers import scep_http, scep_lab as lab
from tests.scep import test_operations as scenario
scenario.warm_up()
foreign = set(sys.modules) - loaded
seen, armed = [], [False]
def watch(event, args):
    if armed[0] and event in ("open", "import", "os.listdir", "os.scandir"):
        seen.append((event, str(args[0])))
sys.addaudithook(watch)
scenario.whole_application(lambda on: armed.__setitem__(0, on))
print(len(seen), seen[:5])
"""


def test_nothing_is_opened_or_imported_after_load_all() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout == "0 []\n"


def test_every_module_of_the_room_is_loaded() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from agent.scep import preload;"
        "preload.load_all(); print(*(n for n in sys.modules if n.startswith('agent.scep.')))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", script, str(ROOT)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    files = {f"agent.scep.{path.stem}" for path in (ROOT / "agent/scep").glob("*.py")}
    later = {"agent.scep.pkcs12"}  # by the worker, for jobs that may need it (`Jobs`)
    assert set(run.stdout.split()) == files - {"agent.scep.__init__"} - later
