"""Debian's sshd as a process of its own, whose users land at the console of an agent. Needs root.

It runs in a mount name space where /run is empty and /etc/passwd and /etc/shadow are the test's:
so it has a user whom this machine does not know, and leaves nothing behind.
"""

import os
from pathlib import Path
from shlex import join
from typing import NamedTuple

from tests.helpers.board import Agent, run
from tests.helpers.daemon import Daemon

SSHD = "/usr/sbin/sshd"
ASKED = '${SSH_ORIGINAL_COMMAND:+-c "$SSH_ORIGINAL_COMMAND"}'
CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PermitRootLogin yes
PidFile none
UsePAM no
PrintMotd no
PrintLastLog no
X11Forwarding no
{more}"""
INSIDE = """\
mount -t tmpfs none /run && mkdir -m 755 /run/sshd &&
mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/shadow" /etc/shadow &&
exec {sshd} -D -e -f "$1/sshd_config"
"""


class User(NamedTuple):
    """Who may log in."""

    name: str
    password: str


USER = User("netops", "let-me-in")


class Sshd(Daemon):
    """`with Sshd(tmp_path, agent) as sshd:` listens at `sshd.port` of 127.0.0.1.

    USER may log in by password or with the key in the file `sshd.key`, and is for this machine who
    runs the tests. What he gets is the console of the agent, in one of the ways of docs/ssh.md:
    by a forced command, or as his login shell.
    """

    def __init__(self, folder: Path, agent: Agent, *, login_shell: bool = False) -> None:
        super().__init__(folder / "sshd")
        self.key = self.dir / "user_key"
        console = join(agent.command("console", "--socket", str(agent.dir / "console.sock")))
        self._more = "" if login_shell else f"ForceCommand {console} {ASKED}\n"
        for name in ("host_key", self.key.name):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.dir / name))
        self._file("authorized_keys", self.key.with_suffix(".pub").read_text(), 0o644)
        self._file("shell", f'#!/bin/sh\nexec {console} "$@"\n', 0o755)
        self._account(str(self.dir / "shell") if login_shell else "/bin/sh")

    def command(self) -> list[str]:
        self._file("sshd_config", CONFIG.format(port=self.port, folder=self.dir, more=self._more))
        inside = INSIDE.format(sshd=SSHD)
        return ["unshare", "--mount", "sh", "-c", inside, "sh", str(self.dir)]

    def listens(self) -> bool:
        return "Server listening" in self.log()

    def _account(self, shell: str) -> None:
        """What is in the machine's files, and USER in front of it."""
        uid, hashed = os.getuid(), run("openssl", "passwd", "-6", USER.password).strip()
        passwd = f"{USER.name}:x:{uid}:{os.getgid()}::/:{shell}\n"
        shadow = f"{USER.name}:{hashed}:20000::::::\n"
        self._file("passwd", passwd + Path("/etc/passwd").read_text(), 0o644)
        self._file("shadow", shadow + Path("/etc/shadow").read_text())

    def _file(self, name: str, text: str, mode: int = 0o600) -> None:
        path = self.dir / name
        path.write_text(text)
        path.chmod(mode)


def missing() -> str:
    """Why it cannot run here; empty when it can."""
    if not os.access(SSHD, os.X_OK):
        return "openssh-server is not installed"
    return "" if os.geteuid() == 0 else "needs root for a mount name space"
