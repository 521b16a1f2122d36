"""The life of the package on a router, from nothing to purge: `make router`.

A booted Debian 12 in a container, a lab CA outside it, and a reader that opens what consumers read
ten times a second. Each step prints a line; exit status 1 where one of them did not hold.
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers import router
from tests.helpers.labca import LabCa
from tests.helpers.router import OUTSIDE, SHELF, Router
from tools import deb

WAIT_S = 120
READ_S = 0.1
SCORE = 3.2  # systemd-analyze security, at most
WATCHDOG_S = 3
MEMORY = "/run/scep-agent/memory"
REALM = """\
pki rsa local-key-pair create {name} modulus 2048
pki entity {name}
 common-name {name}.example.com
pki realm {name}
 entity {name}
 rsa local-key-pair {name}
 enrollment-url {url}
 fingerprint sha256 {fingerprint}
 auto-enroll 50
"""
# A stand-in for a consumer that is started behind the agent: it says what it has found.
CONSUMER = f"""\
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'test -s {MEMORY}/abc/bundle.pem && echo filled || echo empty'
[Install]
WantedBy=multi-user.target
"""


class Reader(threading.Thread):
    """Opens bundle.pem of a realm ten times a second; `missed` holds what it could not read."""

    def __init__(self, path: Callable[[], Path]) -> None:
        super().__init__(daemon=True)
        self._path, self._over = path, threading.Event()
        self.reads, self.missed = 0, list[str]()

    def run(self) -> None:
        while not self._over.wait(READ_S):
            try:
                text = self._path().read_text()
            except OSError as error:
                self.missed.append(str(error))
                continue
            self.reads += 1
            if "PRIVATE KEY" not in text or "END CERTIFICATE" not in text:
                self.missed.append(text[:80])

    def end(self) -> None:
        self._over.set()
        self.join()


class Story:
    """The steps, in their order; `passed` and `failed` are counts of what was looked at."""

    def __init__(self, folder: Path, rt: Router, ca: LabCa, slow: LabCa) -> None:
        self._folder, self._router, self._ca, self._slow = folder, rt, ca, slow
        self.passed = self.failed = 0

    def tell(self) -> None:
        packages = [deb.build(self._folder / v, v) for v in ("0.1.0", "0.1.0+1")]
        for package in packages:
            shutil.copy(package, self._router.shelf)
        self._old, self._new = (f"{SHELF}/{package.name}" for package in packages)
        self._install()
        self._enrol()
        reader = Reader(lambda: self._inside(f"{MEMORY}/abc/bundle.pem"))
        reader.start()
        try:
            self._restarts()
            self._upgrade_of_what_waits()
            self._watchdog()
        finally:
            reader.end()
        self._check(
            "a reader misses nothing in restarts, kills, an upgrade and the watchdog",
            reader.reads > 20 and not reader.missed,
            f"reads={reader.reads} missed={reader.missed[:3]}",
        )
        self._reboot()
        self._remove_and_purge()

    # -- steps -------------------------------------------------------------------------------------

    def _install(self) -> None:
        run = self._router.run
        run("dpkg", "-i", self._old)
        self._check("the service runs from the installation on", self._active(), self._status())
        caches = run("find", "/usr/lib/scep-agent", "-name", "*.pyc").splitlines()
        sources = run("find", "/usr/lib/scep-agent", "-name", "*.py").splitlines()
        self._check("all is compiled", len(caches) == len(sources) > 200, str(len(caches)))
        user = run("ps", "-o", "user=", "-p", self._pid()).strip()
        self._check("it runs as its own user", user.startswith("scep-age"), user)
        text = run("systemd-analyze", "security", "scep-agent", "--no-pager")
        score = float(text.rpartition(": ")[2].split()[0])
        self._check(f"systemd-analyze security: {score}", score <= SCORE, text[-200:])
        said = run("systemd-analyze", "verify", "--man=no", "scep-agent.service")
        self._check("systemd-analyze verify finds nothing", not said.strip(), said)

    def _enrol(self) -> None:
        said = self._apply("abc", self._ca)
        self._until("a certificate comes from nothing", lambda: self._certificate("abc"), said)
        self._until("no rung of confinement is missing", lambda: "Missing: -" in self._version())
        self._until("the status line says what comes next", lambda: "next: abc" in self._status())

    def _restarts(self) -> None:
        run, before = self._router.run, self._pid()
        run("systemctl", "restart", "scep-agent")
        self._check("restart", self._pid() not in ("0", before), self._status())
        killed = self._pid()
        run("kill", "-KILL", killed)
        self._until("kill -9 is followed by a start", lambda: self._pid() not in ("0", killed))
        self._until("and by a service that is ready", self._active)
        said = run("systemctl", "reload", "scep-agent")
        self._check("reload", self._active() and not said, said)

    def _upgrade_of_what_waits(self) -> None:
        """A request is pending while the package is upgraded."""
        said = self._apply("def", self._slow)
        self._until("a request waits", lambda: self._polled("def"), said)
        before = self._transaction("def")
        self._router.run("dpkg", "-i", self._new)
        version = self._router.run("dpkg-query", "-W", "-f", "${Version}", "scep-agent")
        self._check("upgraded", version == "0.1.0+1" and self._active(), version)
        self._check("the same request goes on", self._transaction("def") == before != "", before)
        self._slow.approve()
        self._until("and gets its certificate", lambda: self._certificate("def"))

    def _watchdog(self) -> None:
        drop = "/run/systemd/system/scep-agent.service.d"
        text = f"[Service]\nWatchdogSec={WATCHDOG_S}\n"
        run = self._router.run
        run("mkdir", "-p", drop)
        run("tee", f"{drop}/watchdog.conf", text=text)
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", "scep-agent")
        stopped = self._pid()
        run("kill", "-STOP", stopped)
        self._until("the watchdog ends who hangs", lambda: self._pid() not in ("0", stopped))
        self._until("and starts it again", self._active)
        run("rm", "-r", drop)
        run("systemctl", "daemon-reload")

    def _reboot(self) -> None:
        self._router.run("tee", "/etc/systemd/system/nginx.service", text=CONSUMER)
        self._router.run("systemctl", "enable", "nginx.service")
        serial = self._certificate("abc")
        self._router.halt()
        self._router.boot()
        self._check("the same certificate after a reboot", self._certificate("abc") == serial != "")
        said = self._router.run("journalctl", "-b", "-u", "nginx.service", "-o", "cat")
        self._check("memory was filled before its consumer started", "filled" in said, said)

    def _remove_and_purge(self) -> None:
        run, serial = self._router.run, self._certificate("abc")
        run("dpkg", "-r", "scep-agent")
        self._check(
            "what consumers read stays when it is removed", self._certificate("abc") == serial
        )
        run("rm", "-r", MEMORY)
        run("dpkg", "-i", self._new)
        again = self._until("installed again, it serves", lambda: self._certificate("abc"))
        self._check("the same certificate", again == serial, again)
        run("dpkg", "-r", "scep-agent")
        said = run("dpkg", "-P", "scep-agent")
        self._check("purge says what it deletes", "abc" in said and "/var/lib" in said, said)
        left = run("find", "/etc", "/usr", "/var/lib", "/run", "-xdev", "-name", "*scep*agent*")
        known = ("/var/lib/dpkg/", "/var/lib/systemd/", "/run/systemd/")
        left = "\n".join(path for path in left.splitlines() if not path.startswith(known))
        self._check("nothing is left behind", not left, left)

    # -- what is there -----------------------------------------------------------------------------

    def _inside(self, path: str) -> Path:
        return Path(f"/proc/{self._router.leader}/root{path}")

    def _apply(self, name: str, ca: LabCa) -> str:
        text = REALM.format(name=name, url=ca.url, fingerprint=ca.fingerprint)
        return self._router.run("scep-agent", "apply", "--merge", "-", text=text)

    def _certificate(self, realm: str) -> str:
        """The certificate that consumers read; empty without one."""
        try:
            return self._inside(f"{MEMORY}/{realm}/cert.pem").read_text()
        except OSError:
            return ""

    def _version(self) -> str:
        return self._router.run("scep-agent", "console", "-c", "display version")

    def _enrollment(self, realm: str) -> str:
        line = f"display pki enrollment realm {realm}"
        return self._router.run("scep-agent", "console", "-c", line)

    def _polled(self, realm: str) -> bool:
        """Whether the CA has said that it has not decided."""
        log = self._router.run("journalctl", "-u", "scep-agent", "-o", "cat")
        return f"realm {realm}: PENDING" in log

    def _transaction(self, realm: str) -> str:
        found = [x for x in self._enrollment(realm).splitlines() if "Transaction ID" in x]
        return found[0].rpartition(":")[2].strip() if found else ""

    def _property(self, name: str) -> str:
        return self._router.run("systemctl", "show", "scep-agent", "-P", name).strip()

    def _pid(self) -> str:
        return self._property("MainPID")

    def _active(self) -> bool:
        return self._property("ActiveState") == "active"

    def _status(self) -> str:
        return self._property("StatusText")

    # -- what is told ------------------------------------------------------------------------------

    def _until(self, what: str, holds: Callable[[], object], more: str = "") -> str:
        deadline = time.monotonic() + WAIT_S
        while not (found := holds()) and time.monotonic() < deadline:
            time.sleep(0.2)
        self._check(what, bool(found), more)
        return str(found)

    def _check(self, what: str, holds: bool, more: str = "") -> None:
        self.passed, self.failed = self.passed + holds, self.failed + (not holds)
        print(f"router: {'ok' if holds else 'FAILED'}: {what}", flush=True)
        if not holds:
            print(f"  {more}\n  {self._router.run('journalctl', '-n', '30', check=False)}")


def main(arguments: list[str] | None = None) -> int:
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    if reason := router.missing():
        print(f"router: skipped: {reason}")
        return 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Router(folder / "router") as rt:
            prefix = ("ip", "netns", "exec", rt.space)
            listen = ("--listen", f"{OUTSIDE}:0")
            with (
                LabCa(folder, *listen, prefix=prefix) as ca,
                LabCa(folder / "slow", *listen, "--manual", prefix=prefix) as slow,
            ):
                story = Story(folder, rt, ca, slow)
                story.tell()
    seconds = int(time.monotonic() - began)
    print(f"router: checks={story.passed + story.failed} passed={story.passed} "
          f"failed={story.failed} seconds={seconds}")  # fmt: skip
    return int(story.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
