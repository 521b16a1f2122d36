"""A router: a booted Debian 12 with systemd, on an overlay that is thrown away.

The base is made once, from packages alone, and kept below `build/`. It runs in a container of
systemd-nspawn, in a network name space whose other end, outside, is `OUTSIDE`. Needs root,
mmdebstrap and systemd-nspawn.
"""

import os
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path
from types import TracebackType

from tests.helpers import trees

PACKAGES = (
    *("systemd-sysv", "systemd", "dbus", "procps", "iproute2"),
    *("python3", "python3-cryptography", "python3-serial"),
)
MAKE_S, BOOT_S, RUN_S = 240, 60, 120
OUTSIDE, INSIDE = "10.77.0.1", "10.77.0.2"  # of the veth pair; each router has spaces of its own
SHELF = "/srv"  # inside: packages that are to be installed
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"


def missing() -> str:
    """The reason why there is none here; empty when there is."""
    if os.geteuid() != 0:
        return "a container that boots needs root"
    for tool in ("mmdebstrap", "systemd-nspawn"):
        if not shutil.which(tool):
            return f"{tool} is not installed (`make packages`)"
    return ""


def base() -> Path:
    """The tree below the overlays."""
    return trees.tree("debian12", PACKAGES, "--variant=minbase", seconds=MAKE_S)


class Router:
    """Booted when entered, gone when left. `root`: its files, seen from outside; `space`: the name
    of the network name space in which its neighbour (a CA) may run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = folder / "root"
        self.shelf = self.root / SHELF.lstrip("/")
        self._mark = uuid.uuid4().hex[:8]
        self.space, self._own = f"out-{self._mark}", f"in-{self._mark}"
        self._nspawn: subprocess.Popen[bytes] | None = None
        self.leader = 0

    def __enter__(self) -> "Router":
        for name in ("upper", "work", "root"):
            (self._folder / name).mkdir(parents=True)
        layers = f"lowerdir={base()},upperdir={self._folder}/upper,workdir={self._folder}/work"
        _do("mount", "-t", "overlay", "overlay", "-o", layers, str(self.root))
        try:
            self._join()
            self.boot()
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._clear()

    def boot(self) -> None:
        """Waits until its systemd has started all that is to be started."""
        command = [
            *("systemd-nspawn", "-q", "-D", str(self.root), "--register=no", "--keep-unit"),
            *(f"--network-namespace-path=/run/netns/{self._own}", "--machine", self._mark),
            *(f"--system-call-filter={LANDLOCK}", "--boot"),
        ]
        with open(self._folder / "console.log", "ab") as log:
            self._nspawn = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )
        deadline = time.monotonic() + BOOT_S
        while not self._is_up():
            assert self._nspawn.poll() is None, self.console()
            assert time.monotonic() < deadline, self.console()
            time.sleep(0.05)

    def console(self) -> str:
        """What it has said."""
        return (self._folder / "console.log").read_text(errors="replace")[-4000:]

    def halt(self, cleanly: bool = True) -> None:
        """Off; what lies on its disk stays. Else its power is cut."""
        if self._nspawn is None:
            return
        if cleanly and self.leader:
            os.kill(self.leader, signal.SIGRTMIN + 4)
            try:
                self._nspawn.wait(BOOT_S)
            except subprocess.TimeoutExpired:
                pass
        if self._nspawn.poll() is None:
            if self.leader:
                os.kill(self.leader, signal.SIGKILL)
            self._nspawn.kill()
            self._nspawn.wait(BOOT_S)
        self._nspawn, self.leader = None, 0

    def run(self, *command: str, check: bool = True, text: str | None = None) -> str:
        """A command in it, as its root; what it has said on both streams."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.leader), "-a", "--", *command],
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_S,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    def _is_up(self) -> bool:
        assert self._nspawn is not None
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        try:
            found = children.read_text().split()
        except OSError:
            return False
        if not found:
            return False
        self.leader = int(found[0])
        said = self.run("systemctl", "is-system-running", check=False).strip()
        return said in ("running", "degraded")

    def _join(self) -> None:
        """Two name spaces and a veth pair between them."""
        inner, outer = f"i{self._mark}", f"o{self._mark}"
        for space in (self.space, self._own):
            _do("ip", "netns", "add", space)
        _do("ip", "link", "add", outer, "netns", self.space, "type", "veth",
            "peer", "name", inner, "netns", self._own)  # fmt: skip
        for space, link, address in ((self.space, outer, OUTSIDE), (self._own, inner, INSIDE)):
            _do("ip", "-n", space, "address", "add", f"{address}/24", "dev", link)
            _do("ip", "-n", space, "link", "set", link, "up")
            _do("ip", "-n", space, "link", "set", "lo", "up")

    def _clear(self) -> None:
        self.halt(cleanly=False)
        for space in (self.space, self._own):
            subprocess.run(["ip", "netns", "delete", space], check=False, capture_output=True)
        subprocess.run(["umount", str(self.root)], check=False, capture_output=True)


def _do(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RUN_S)
    assert done.returncode == 0, f"{command}: {done.stderr}"
