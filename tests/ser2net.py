"""Debian's ser2net as a console server: a telnet port onto the serial line of a simulated board."""

import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.board import Agent
from tests.labca import wait_for
from tests.sshd import free_port

START_S = 20

# Whoever connects wakes the line; when he is cut off, his session does not wait for the next one.
CONFIGURATION = """\
connection: &console
  accepter: telnet,tcp,127.0.0.1,{port}
  connector: serialdev,{line},115200n81,local
  options:
    openstr: "\\r"
    closestr: "\\x03\\x1aquit\\r"
    kickolduser: true
"""


def missing() -> str:
    """Why it cannot run here, or nothing."""
    return "" if shutil.which("ser2net") else "ser2net is not installed"


class Ser2net:
    """`with Ser2net(folder, agent) as server:` listens on `server.port` of 127.0.0.1."""

    def __init__(self, folder: Path, agent: Agent) -> None:
        self._folder, self._agent = folder, agent
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        file = self._folder / "ser2net.yaml"
        line = self._agent.dir / "serial"
        file.write_text(CONFIGURATION.format(port=self.port, line=line))
        log = self._folder / "ser2net.log"
        with log.open("wb") as out:
            command = ["ser2net", "-n", "-c", str(file), "-P", str(self._folder / "ser2net.pid")]
            self._process = subprocess.Popen(command, stdout=out, stderr=out)
        wait_for(self._listens, START_S, "ser2net does not listen")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

    def _listens(self) -> bool:
        """By the kernel's table: a connection would wake the line."""
        assert self._process is not None
        assert self._process.poll() is None, "ser2net has ended"
        wanted = f"0100007F:{self.port:04X} 00000000:0000 0A"
        return wanted in Path("/proc/net/tcp").read_text()
