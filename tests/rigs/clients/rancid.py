"""RANCID, the package of Debian, which is no package of Python: `rancid -t vrp` of one router."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.helpers.sshd import USER

RANCID = Path("/usr/lib/rancid/bin/rancid")
DEADLINE_S = 300


def drive(folder: Path, port: int) -> list[str]:
    """Its version, and whether the text that it keeps ends as a configuration does."""
    if not RANCID.exists():
        return ["version rancid -", "skipped rancid: the package is not installed"]
    home = folder / "rancid"
    home.mkdir()
    login = home / ".cloginrc"
    login.write_text(
        f"add user * {USER.name}\nadd password * {USER.password} {USER.password}\n"
        f"add method * {{ssh:{port}}}\nadd autoenable * 1\n"
    )
    login.chmod(0o600)
    config = home / "rancid.conf"
    config.write_text(f"TERM=network; export TERM\nBASEDIR={home}; export BASEDIR\n")
    environment = {
        "HOME": str(home), "PATH": f"{RANCID.parent}:{os.environ['PATH']}", "TERM": "network",
        "BASEDIR": str(home), "CLOGINRC": str(login),
    }  # fmt: skip
    shown = shutil.which("dpkg-query") and subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "rancid"], capture_output=True, text=True,
        check=False,
    ).stdout  # fmt: skip
    done = subprocess.run(
        [str(RANCID), "-t", "vrp", "localhost"], cwd=home, env=environment,
        capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    kept = home / "localhost.new"
    text = kept.read_text() if kept.exists() else done.stdout + done.stderr
    kept_lines = [line for line in text.splitlines() if not line.startswith("#")]
    good = "pki realm default" in kept_lines and not any("Error" in line for line in kept_lines)
    if not good:
        sys.stderr.write(text)
    told = "passed" if good else "failed"
    return [f"version rancid {shown or '-'}", f"{told} rancid: it keeps the configuration"]
