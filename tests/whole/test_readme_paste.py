"""The lines of README, pasted at once into the serial line of a new board."""

import re
from pathlib import Path

from tests.helpers.board import Agent, check_certificate
from tests.helpers.labca import LabCa
from tests.whole.test_serial_console import Typist

README = Path(__file__).resolve().parents[2] / "README.md"


def block() -> str:
    """The lines between "or paste them" and the next text."""
    (found,) = re.findall(r"paste them with what was told:\n\n((?:    .+\n)+)", README.read_text())
    return "".join(f"{line[4:]}\n" for line in str(found).splitlines())


def test_a_paste_of_the_readme_brings_a_certificate_and_saves(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca, Agent(tmp_path) as agent:
        text = block().replace("<URL>", ca.url).replace("<FINGERPRINT>", ca.fingerprint)
        text = text.replace("<PASSWORD>", "sekret")
        assert "<" not in text
        typist = Typist(agent)
        typist.type("", ">")
        typist.keys(text.encode().replace(b"\n", b"\r"))
        while "---- More ----" not in typist.text:
            typist.wait("---- More ----", ">", "]")
        typist.keys(b"q")
        typist.wait(">")
        typist.close()
        assert "Error:" not in typist.text
        check_certificate(agent, ca.dir / "ca.pem")
        assert agent.must("compare configuration").startswith("Info:")
