"""`python -m tests.rigs.clients --python FILE`: each client at an agent of its own.

FILE is the interpreter of the environment that `make clients` makes of requirements/clients.txt.
The last line has the figures; the status is 0 when nothing failed. A case that a script does not
come to, because it ended before, is one that failed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.helpers.board import Agent
from tests.helpers.sshd import Sshd, missing
from tests.rigs.clients import rancid

DRIVERS = Path(__file__).parent / "drivers"
SCRIPTS = sorted(DRIVERS.glob("with_*.py"))
DEADLINE_S = 600


def drive(python: str, script: Path, port: int) -> list[str]:
    """The lines of one script: `version ...`, `passed ...`, `failed ...`."""
    done = subprocess.run(
        [python, "-I", "-c", f"import sys; sys.path.insert(0, {str(DRIVERS)!r}); "
         f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"],
        env={**os.environ, "PORT": str(port)}, stdout=subprocess.PIPE, text=True,
        timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    ended = [] if done.returncode == 0 else [f"failed {script.stem}: it ended by itself"]
    return [line for line in lines if line.startswith(("version ", "passed ", "failed "))] + ended


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rigs.clients", description=__doc__)
    parser.add_argument("--python", required=True)
    parser.add_argument("only", nargs="*", help="with_netmiko, rancid, ...; without it all")
    options = parser.parse_args(arguments)
    why = missing()
    if why:
        print(f"clients: cases=0 passed=0 failed=1 ({why})")
        return 1
    begin, lines = time.monotonic(), list[str]()
    wanted = options.only or [*(script.stem for script in SCRIPTS), "rancid"]
    for name in wanted:
        with (
            tempfile.TemporaryDirectory() as folder,
            Agent(Path(folder)) as agent,
            Sshd(Path(folder), agent) as sshd,
        ):
            if name == "rancid":
                said = rancid.drive(Path(folder), sshd.port)
            else:
                said = drive(options.python, DRIVERS / f"{name}.py", sshd.port)
        print("\n".join(said), flush=True)
        lines += said
    count = {word: sum(line.startswith(word) for line in lines) for word in ("passed", "failed")}
    versions = [line.split()[1:] for line in lines if line.startswith("version ")]
    print("versions:", ", ".join(f"{name} {number}" for name, number in versions))
    seconds = int(time.monotonic() - begin)
    print(
        f"clients: cases={sum(count.values())} passed={count['passed']} failed={count['failed']}"
        f" seconds={seconds}"
    )
    return int(count["failed"] > 0 or not count["passed"])


if __name__ == "__main__":
    sys.exit(main())
