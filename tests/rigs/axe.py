"""Upgrades and downgrades of the package whose dpkg is killed at each of its calls.

A router that has a certificate; for each call (rename, link, unlink, fsync, truncate) of dpkg and
of the maintainer scripts an upgrade or a downgrade is ended by SIGKILL at the N-th of it. Then dpkg
goes on. All the while a reader opens what consumers read; behind each repair the package is
installed, the service runs, and its store has the same certificate. `make axe`.

python -m tests.rigs.axe [--every 10] [--planted]

With `--planted` systemd removes what consumers read when the service stops: that must be found.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.helpers import router
from tests.helpers.labca import LabCa
from tests.helpers.router import OUTSIDE, RUN_S, SHELF, Router
from tests.rigs.router import MEMORY, REALM, WAIT_S, Reader
from tools import deb

CALLS = (
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"),
    *("fsync", "fdatasync", "truncate", "ftruncate"),
)
TELL_S = 10
DROP_IN = "/etc/systemd/system/scep-agent.service.d/planted.conf"
VERSIONS = ("0.1.0", "0.1.0+1")


class Axe:
    """`fell` ends a dpkg; `failures` has a line for each cut behind which something was wrong."""

    def __init__(self, rt: Router, packages: list[str]) -> None:
        self._router, self._packages = rt, packages
        self.cuts = self.felled = 0
        self.failures: list[str] = []
        self._certificate = self._served()

    def cut(self, name: str, number: int) -> None:
        """At the N-th call of that name; then all is looked at."""
        target = self.cuts % 2 ^ 1
        self.cuts += 1
        inject = f"inject={name}:signal=KILL:when={number}"
        killed = self._dpkg(target, "-e", f"trace={name}", "-e", inject)
        self.felled += killed != 0
        self._router.run("dpkg", "--configure", "-a", check=False)
        self._router.run("dpkg", "-i", self._packages[target], check=False)
        state = self._router.run(
            "dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}", "scep-agent", check=False
        )
        wrong = [
            text
            for text, holds in (
                (f"dpkg says {state}", state == f"ii  {VERSIONS[target]}"),
                ("the service does not run", self._runs()),
                ("another certificate is served", self._served() == self._certificate),
            )
            if not holds
        ]
        self.failures += [f"{name} {number}: {text}" for text in wrong]

    def counts(self) -> Counter[str]:
        """How often the busiest process of an upgrade makes each call."""
        with tempfile.NamedTemporaryFile("r") as log:
            self._dpkg(1, "-o", log.name, "-e", f"trace={','.join(CALLS)}")
            found: Counter[tuple[str, str]] = Counter()
            for line in log:
                pid, _, call = line.partition(" ")
                found[pid, call.strip().partition("(")[0]] += 1
        most: Counter[str] = Counter()
        for (_pid, name), number in found.items():
            if name in CALLS:
                most[name] = max(most[name], number)
        self._dpkg(0)
        return most

    def _dpkg(self, target: int, *strace: str) -> int:
        words = ("nsenter", "-t", str(self._router.leader), "-a", "--")
        traced = ("strace", "-f", "-qq", *(strace or ("-e", "trace=none")))
        return subprocess.run(
            [*traced, *words, "dpkg", "-i", self._packages[target]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=RUN_S,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
        ).returncode

    def _runs(self) -> bool:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            said = self._router.run("systemctl", "is-active", "scep-agent", check=False)
            if said.strip() == "active":
                return True
            time.sleep(0.1)
        return False

    def _served(self) -> str:
        path = Path(f"/proc/{self._router.leader}/root{MEMORY}/abc/cert.pem")
        return path.read_text() if path.exists() else ""


def cuts(counts: Counter[str], every: int) -> Iterator[tuple[str, int]]:
    """Each of them, or every so many."""
    found = [(name, number + 1) for name in CALLS for number in range(counts[name])]
    yield from found[::every]


def enrol(rt: Router, folder: Path) -> None:
    """A certificate, after which no CA is needed."""
    prefix = ("ip", "netns", "exec", rt.space)
    with LabCa(folder, "--listen", f"{OUTSIDE}:0", prefix=prefix) as ca:
        text = REALM.format(name="abc", url=ca.url, fingerprint=ca.fingerprint)
        rt.run("scep-agent", "apply", "-", text=text)
        path, deadline = Path(f"/proc/{rt.leader}/root{MEMORY}/abc/cert.pem"), WAIT_S * 10
        while not path.exists() and deadline:
            time.sleep(0.1)
            deadline -= 1
        assert path.exists(), rt.run("journalctl", "-n", "40")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--planted", action="store_true")
    options = parser.parse_args(arguments)
    if reason := router.missing():
        print(f"axe: skipped: {reason}")
        return 1
    began = told = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        packages = [deb.build(folder / version, version) for version in VERSIONS]
        with Router(folder / "router") as rt:
            for package in packages:
                shutil.copy(package, rt.shelf)
            rt.run("dpkg", "-i", f"{SHELF}/{packages[0].name}")
            enrol(rt, folder)
            if options.planted:
                rt.run("mkdir", "-p", DROP_IN.rpartition("/")[0])
                rt.run("tee", DROP_IN, text="[Service]\nRuntimeDirectoryPreserve=no\n")
                rt.run("systemctl", "daemon-reload")
            axe = Axe(rt, [f"{SHELF}/{package.name}" for package in packages])
            wanted = list(cuts(axe.counts(), options.every))
            reader = Reader(lambda: Path(f"/proc/{rt.leader}/root{MEMORY}/abc/bundle.pem"))
            reader.start()
            for call in wanted:
                axe.cut(*call)
                if time.monotonic() - told > TELL_S:
                    told = time.monotonic()
                    print(f"axe: {axe.cuts} of {len(wanted)}, at {call[0]} {call[1]}", flush=True)
            reader.end()
    for line in axe.failures:
        print(f"axe: FAILED: {line}")
    print(
        f"axe: cuts={axe.cuts} felled={axe.felled} reads={reader.reads} "
        f"missed={len(reader.missed)} failed={len(axe.failures)} "
        f"seconds={int(time.monotonic() - began)}"
    )
    wrong = bool(axe.failures or reader.missed)
    return int(wrong != options.planted or not axe.felled)


if __name__ == "__main__":
    sys.exit(main())
