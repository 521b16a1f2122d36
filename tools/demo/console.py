"""`make console`: a terminal at the serial line of a simulated board, as picocom would be."""

import os
import select
import sys
import termios
import tty

import serial

from tools.demo.failure import DemoError, stoppable
from tools.demo.lab import CHALLENGE, lab

LEAVE = b"\x1d"  # Ctrl+]
CHUNK_BYTES = 4096

WELCOME = """\
A simulated board and a lab CA are running. For the realm's view:
  enrollment-url {url}
  fingerprint sha256 {fingerprint}
  password cipher {challenge}
The board's folder is {folder}/board. `?` helps at any place.
Ctrl+] leaves; then all of it is ended and removed.
"""


def run(keep: bool) -> int:
    """Until Ctrl+]. The exit status."""
    if not sys.stdin.isatty():
        sys.stderr.write(
            "demo: --console is for a person's terminal, at the serial line of a simulated board;\n"
            "  standard input is no terminal. For scripts there is `scep-agent console`.\n"
        )
        return 2
    with lab(keep) as bench, stoppable():
        url, fingerprint = bench.url, bench.fingerprint
        values = {"url": url, "fingerprint": fingerprint, "folder": bench.folder}
        sys.stdout.write(WELCOME.format(challenge=CHALLENGE, **values))
        sys.stdout.flush()
        before = termios.tcgetattr(0)
        try:
            with serial.Serial(str(bench.serial), timeout=0, exclusive=True) as port:
                tty.setraw(0)
                port.write(b"\r")
                _connect(port)
        except OSError as error:
            raise DemoError(f"the serial line is gone: {error}") from error
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, before)
            print()
    return 0


def _connect(port: serial.Serial) -> None:
    """Carries bytes both ways until Ctrl+] or until the terminal is gone."""
    while True:
        ready = select.select([0, port.fileno()], [], [])[0]
        if port.fileno() in ready:
            os.write(1, port.read(CHUNK_BYTES))
        if 0 in ready:
            typed, leave, _rest = os.read(0, CHUNK_BYTES).partition(LEAVE)
            port.write(typed)
            if leave or not typed:
                return
