"""Debian's ser2net as a console server: a telnet port onto the serial line of a simulated board."""

import shutil
from pathlib import Path

from tests.helpers.board import Agent
from tests.helpers.daemon import Daemon

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


class Ser2net(Daemon):
    """`with Ser2net(folder, agent) as server:` listens on `server.port` of 127.0.0.1."""

    def __init__(self, folder: Path, agent: Agent) -> None:
        super().__init__(folder / "ser2net")
        self._line = agent.dir / "serial"

    def command(self) -> list[str]:
        file = self.dir / "ser2net.yaml"
        file.write_text(CONFIGURATION.format(port=self.port, line=self._line))
        return ["ser2net", "-n", "-c", str(file), "-P", str(self.dir / "ser2net.pid")]

    def listens(self) -> bool:
        """By the kernel's table: a connection would wake the line."""
        wanted = f"0100007F:{self.port:04X} 00000000:0000 0A"
        return wanted in Path("/proc/net/tcp").read_text()
