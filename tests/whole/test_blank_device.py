"""A blank device by one line, and by one file: what is shown up to a certificate that has renewed
by itself, kept as transcripts in `tests/whole/blank`.

Board and CA live by one clock, which the test moves on: nobody types any more.
"""

import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.helpers.alone import WITHIN_S, in_use
from tests.helpers.board import Agent, check_certificate
from tests.helpers.labca import LabCa, wait_for
from tests.whole.test_newcomer import page
from tools.lab_ca import clock

pytestmark = [pytest.mark.lab, pytest.mark.slow]

KEPT = Path(__file__).parent / "blank"
DAY_S = 86400
CHALLENGE = "sekret"
COMMAND_S = 120
SPAN = re.compile(r"\b[0-9]+ (d|h|min|s)( [0-9]+ (h|min|s))?(?= )")  # how long it takes until then

FILE = f"""#
pki entity r1
 common-name r1.example
#
pki rsa local-key-pair create k1 modulus 2048
#
pki realm abc
 entity r1
 rsa local-key-pair k1
 enrollment-url {{url}}
 fingerprint sha256 {{fingerprint}}
 password cipher {CHALLENGE}
 auto-enroll 50 updated-effective
#
return
"""
# The command line, and what it reads from standard input.
WAYS = {
    "enroll": (
        "scep-agent enroll --realm abc --url {url} --fingerprint {fingerprint}"
        " --common-name r1.example --auto 50 --password-file -",
        f"{CHALLENGE}\n",
    ),
    "apply": ("scep-agent apply -", FILE),
}


def play(way: str, folder: Path) -> str:
    """What somebody reads who types the command line and then looks twice: now, and later."""
    agent = Agent(folder)
    path = agent.dir / "clock"
    flags = ("--challenge", CHALLENGE, "--validity", str(DAY_S))
    with LabCa(folder, "--clock", str(path), *flags) as ca, agent:
        agent.clock(synchronised=True)
        line, given = (
            text.replace("{url}", ca.url).replace("{fingerprint}", ca.fingerprint)
            for text in WAYS[way]
        )
        said = f"$ {line}\n{_command(agent, line, given)}"
        agent.wait_state("issued", timeout_s=WITHIN_S)
        first = in_use(agent)
        said += _looks(agent)
        agent.clock(DAY_S * 5 // 9, synchronised=True)
        wait_for(lambda: in_use(agent).serial_number != first.serial_number, WITHIN_S, agent.log())
        agent.wait_state("issued", timeout_s=WITHIN_S)
        assert len(ca.issued()) == 2
        check_certificate(agent, ca.dir / "ca.pem", at_s=clock.of_board(path)())
        return f"{said}\n== Half a day later\n{_looks(agent)}"


def _command(agent: Agent, line: str, given: str) -> str:
    words = (*line.split()[1:], "--socket", str(agent.dir / "console.sock"))
    done = subprocess.run(
        agent.command(*words), input=given, capture_output=True, text=True, timeout=COMMAND_S
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + agent.log()
    return done.stdout


def _looks(agent: Agent) -> str:
    lines = ("display pki enrollment brief", "display logbuffer | include GET_LOCAL_CERT_OK")
    return "".join(f"$ scep-agent console -c '{line}'\n{agent.must(line)}" for line in lines)


def kept(said: str) -> str:
    """A transcript as it is kept; where spans stand in columns, their widths differ too."""
    return re.sub(r"(?<=\S) {2,}", "  ", SPAN.sub("SPAN", page(said)))


@pytest.mark.parametrize("way", WAYS)
def test_from_a_blank_device_to_a_renewal_that_nobody_typed(way: str, tmp_path: Path) -> None:
    said = kept(play(way, tmp_path))
    assert CHALLENGE not in said
    assert said == (KEPT / f"{way}.txt").read_text(), (
        "python -m tests.whole.test_blank_device writes them anew"
    )


def test_no_transcript_is_left_over() -> None:
    assert sorted(path.stem for path in KEPT.iterdir()) == sorted(WAYS)


if __name__ == "__main__":
    KEPT.mkdir(exist_ok=True)
    for name in WAYS:
        with tempfile.TemporaryDirectory() as place:
            (KEPT / f"{name}.txt").write_text(kept(play(name, Path(place))))
