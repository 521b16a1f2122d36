"""certmonger, whole: the daemon with its helper for SCEP, with a D-Bus daemon or without one."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.labca import CALL_S, LabCa, wait_for

FOLDERS = ("CONFIG_DIR", "REQUESTS_DIR", "CAS_DIR", "LOCAL_CA_DIR", "TMPDIR")
# Without the services of the machine: whoever asked too early would have a second one started.
BUS = """<busconfig><type>session</type><listen>unix:path={path}</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
"""
PATIENT = ("-w", "--wait-timeout", str(CALL_S // 2))


class Certmonger:
    """All its folders in one, and `getcert` to talk to it; the folder's name is to be short, since
    a unix socket's has 107 octets at most. bus: over a bus of its own, as a distribution starts it;
    else on a private socket. `processes`: what runs, while it runs."""

    def __init__(self, folder: Path, *, bus: bool = False) -> None:
        self.dir, self._bus = folder, bus
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {f"CERTMONGER_{name}": str(folder / name) for name in FOLDERS}
        if bus:
            self.environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={folder / 'bus'}"
        else:
            self.environment["CERTMONGER_PVT_ADDRESS"] = f"unix:path={folder / 'sock'}"
        self.environment = {**os.environ, **self.environment}
        for name in FOLDERS:
            (folder / name).mkdir()

    @property
    def pid(self) -> int:
        """That of certmonger."""
        return self.processes[-1].pid

    def getcert(self, verb: str, *words: str) -> str:
        done = subprocess.run(
            ["getcert", verb, *(["-s"] if self._bus else []), *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=CALL_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def use(self, ca: LabCa) -> None:
        """That CA is `lab`."""
        self.getcert("add-scep-ca", "-c", "lab", "-u", ca.url, "-N", str(ca.dir / "ca.pem"))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        words = ["-s"] if self._bus else ["-L", "-P", str(self.dir / "sock")]
        commands = [["certmonger", "-n", *words]]
        if self._bus:
            configuration = self.dir / "bus.conf"
            configuration.write_text(BUS.format(path=self.dir / "bus"))
            commands.insert(0, ["dbus-daemon", "--nofork", f"--config-file={configuration}"])
        sockets = [self.dir / "bus", None] if self._bus else [self.dir / "sock"]
        try:
            for command, socket in zip(commands, sockets, strict=True):
                self._start(command)
                if socket:
                    wait_for(socket.exists, CALL_S, f"{command[0]} did not start")
            wait_for(self._answers, CALL_S, "certmonger does not answer")
            yield
        finally:
            for process in reversed(self.processes):
                process.terminate()
                process.wait(CALL_S)
            self.processes.clear()

    def _answers(self) -> bool:
        try:
            self.getcert("list-cas")
        except AssertionError:
            return False
        return True

    def _start(self, command: list[str]) -> None:
        quiet = subprocess.DEVNULL
        self.processes.append(
            subprocess.Popen(command, env=self.environment, stdin=quiet, stdout=quiet, stderr=quiet)
        )
