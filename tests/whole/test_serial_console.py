"""The procedure typed on the serial line with pyserial, as at a real board."""

import time
from pathlib import Path

import serial

from tests.helpers.board import Agent, check_certificate
from tests.helpers.labca import LabCa

LINE_S = 60


class Typist:
    """Somebody at the serial line: types a line, waits for the next prompt."""

    def __init__(self, agent: Agent) -> None:
        self._port = serial.Serial(str(agent.dir / "serial"), 9600, timeout=0.05)
        self.text = ""

    def wait(self, *ends: str) -> str:
        """Reads until the screen ends with one of `ends`; what came."""
        said, deadline = "", time.monotonic() + LINE_S
        while not any(said.endswith(end) for end in ends):
            assert time.monotonic() < deadline, f"waiting for {ends}: {said!r}"
            said += self._port.read(4096).decode()
        self.text += said
        return said

    def type(self, line: str, *ends: str) -> str:
        self._port.write(line.encode() + b"\r")
        return self.wait(*(ends or (">", "]")))

    def keys(self, keys: bytes) -> None:
        self._port.write(keys)

    def close(self) -> None:
        self._port.close()


def test_the_whole_procedure_on_the_serial_line(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca, Agent(tmp_path) as agent:
        typist = Typist(agent)
        typist.type("", ">")
        for line in (
            "system-view",
            "pki entity r1",
            "common-name r1.example",
            "quit",
            "pki rsa local-key-pair create k1 modulus 2048",
            "pki realm abc",
            "entity r1",
            "rsa local-key-pair k1",
            f"enrollment-url {ca.url}",
        ):
            assert "Error" not in typist.type(line)
        # Asked twice, without echo; and the fingerprint is shown and confirmed.
        typist.type("password cipher", ":", ": ")
        typist.type("sekret", ":", ": ")
        assert "Error" not in typist.type("sekret")
        typist.type("quit")
        question = typist.type("pki enroll-certificate realm abc", "[Y/N]: ", "[Y/N]:")
        assert ca.fingerprint in question.lower().replace(":", "").replace(" ", "")
        assert "Error" not in typist.type("y")
        typist.type("return")
        typist.type("save", "[Y/N]: ", "[Y/N]:")
        typist.type("y")
        typist.close()
        assert "sekret" not in typist.text
        check_certificate(agent, ca.dir / "ca.pem")


def test_the_line_outlives_its_sessions_and_noise(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        first = Typist(agent)
        first.type("", ">")
        first.keys(bytes(range(128, 256)) * 4 + b"\x1b[999\x00\x7f" + b"x" * 600)
        first.keys(b"\x03")
        first.type("", ">")
        assert "Error" in first.type("no-such-command")
        first.close()
        second = Typist(agent)
        assert second.type("display version").count("scep-agent")
        second.close()
        assert agent.must("display version")
