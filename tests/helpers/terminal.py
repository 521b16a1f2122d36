"""Sessions at the fake appliance: at a terminal, and as a script."""

from typing import Any

from agent import limits
from agent.console.session.session import Session
from agent.settings import Realm
from tests.helpers.appliance import FakeDevice


class Terminal:
    """A session at a terminal, and what its screen was sent."""

    def __init__(self, device: FakeDevice, *, level: int = 3, width: int = 80) -> None:
        self.device, self.reactor = device, device.reactor
        self.sent = bytearray()
        self.room = limits.SESSION_OUTPUT_BYTES  # `take` makes room again
        self.logged_out = False
        self.session = Session(
            device,
            self.sent.extend,
            self.reactor,
            level=level,
            terminal=True,
            width=width,
            has_room=lambda: len(self.sent) < self.room,
            discard=self.sent.clear,
            ended=self._ended,
        )
        self.session.begin()

    def _ended(self) -> None:
        self.logged_out = True

    def type(self, *lines: str) -> str:
        """Types lines with Enter; gives what was sent since."""
        self.take()
        for line in lines:
            self.session.feed(line.encode() + b"\r")
        return self.take()

    def keys(self, data: bytes) -> str:
        self.take()
        self.session.feed(data)
        return self.take()

    def take(self) -> str:
        text = self.sent.decode(errors="replace").replace("\r\n", "\n").replace("\r", "")
        self.sent.clear()
        return text


class Script:
    """A script session; `run` gives (output, exit status). reactor: of a device that is no fake."""

    def __init__(self, device: Any, *, level: int = 3, reactor: Any = None) -> None:
        self.device, self.reactor = device, reactor or device.reactor
        self.sent = bytearray()
        self.status: int | None = None
        self.session = Session(device, self.sent.extend, self.reactor, level=level, terminal=False)

    def run(self, *lines: str) -> tuple[str, int | None]:
        """Runs lines up to the first that fails; the status is None while the last one goes on."""
        for line in lines:
            self.status = None
            self.session.run_line(line, self._finished)
            if self.status:
                break
        return self.take(), self.status

    def end(self) -> tuple[str, int | None]:
        self.status = None
        self.session.end_script(self._finished)
        return self.take(), self.status

    def _finished(self, status: int) -> None:
        self.status = status

    def take(self) -> str:
        text = self.sent.decode()
        self.sent.clear()
        return text


def furnished() -> FakeDevice:
    """A device with a realm, and with the file of a certificate for it."""
    found = FakeDevice(eager=True)
    found.settings.realms["abc"] = Realm("abc")
    found.storage.content["abc_local.cer"] = b"certificate"
    return found


def system(found: FakeDevice, *lines: str, level: int = 3) -> tuple[str, int | None]:
    """Runs lines in the system view."""
    return Script(found, level=level).run("system-view", *lines)


def realm_script() -> tuple[FakeDevice, Script, Realm]:
    """A script in the view of a new realm."""
    device = FakeDevice(eager=True)
    script = Script(device)
    script.run("system-view", "pki realm abc")
    return device, script, device.settings.realms["abc"]


def enrolling(device: FakeDevice) -> Terminal:
    device.settings.realms["abc"] = Realm("abc")
    device.settings.realms["abc"].url = "http://ca"
    terminal = Terminal(device)
    terminal.type("system-view", "pki enroll-certificate realm abc")
    assert device.tasks
    return terminal


def long_display() -> Terminal:
    device = FakeDevice()
    for number in range(30):
        device.settings.realms[f"r{number}"] = Realm(f"r{number}")
    return Terminal(device)
