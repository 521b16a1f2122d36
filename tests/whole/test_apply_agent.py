"""`scep-agent apply` and pasted configurations at a real agent: files, pipes, exit statuses."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import limits
from agent.doors.wire import APPLY, hello
from hal.sockets import connect_unix
from tests.helpers.board import SAVE, Agent, procedure
from tests.helpers.labca import LabCa, wait_for
from tests.whole.test_serial_console import Typist


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """An agent with an entity, a key pair and a realm, all of it saved."""
    with Agent(tmp_path) as agent:
        agent.must(*procedure("http://127.0.0.1:9/scep"), *SAVE)
        yield agent


def apply(
    agent: Agent, *words: str, given: str | bytes | None = None
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        agent.command("apply", *words, "--socket", str(agent.dir / "console.sock")),
        input=given.encode() if isinstance(given, str) else given,
        capture_output=True,
        timeout=120,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def current(agent: Agent) -> str:
    return agent.must("display current-configuration")


def test_a_file_becomes_the_running_and_the_saved_configuration(
    agent: Agent, tmp_path: Path
) -> None:
    wanted = current(agent).replace("country DE", "country AT").replace("sysname Huawei", "")
    file = tmp_path / "wanted.cfg"
    file.write_text("!Software Version 1\n" + wanted + "sysname r7\n")
    dry = apply(agent, str(file), "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    said = apply(agent, str(file))
    difference = [
        "-sysname Huawei",
        "+sysname r7",
        " pki entity r1",
        "- country DE",
        "+ country AT",
    ]
    assert dry.stdout.splitlines()[:-1] == difference
    assert said.returncode == 0
    assert said.stdout.splitlines()[:-1] == difference
    again = apply(agent, "-", given=file.read_text())
    assert (again.returncode, again.stdout) == (0, "Info: No change.\n")
    agent.kill()
    agent.start()
    assert "sysname r7" in current(agent)
    assert " country AT" in current(agent)
    assert agent.must("compare configuration").startswith("Info:")


def test_passwords_in_a_file_are_sealed_and_wrong_ones_refused(agent: Agent) -> None:
    text = current(agent).replace("\n entity r1", "\n entity r1\n password cipher topsecret")
    said = apply(agent, "-", given=text)
    assert said.returncode == 0
    assert "+ password cipher ******" in said.stdout
    sealed = [line for line in current(agent).splitlines() if "password cipher" in line]
    assert sealed[0].startswith(" password cipher %^%#")
    assert apply(agent, "-", given=current(agent)).stdout == "Info: No change.\n"
    foreign = text.replace("topsecret", "%^%#AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJ%^%#")
    refused = apply(agent, "-", given=foreign)
    assert refused.returncode == 1
    assert "Error:" in refused.stdout
    assert sealed[0] in current(agent)
    everywhere = said.stdout + said.stderr + agent.log() + agent.must("display saved-configuration")
    assert "topsecret" not in everywhere
    assert b"topsecret" not in (agent.dir / "flash.bin").read_bytes()


def test_the_longest_challenge_is_sealed_saved_applied_and_pasted_back(agent: Agent) -> None:
    """255 octets of UTF-8 (RFC 2985 5.4.1)."""
    longest = "\u20ac" * 85
    agent.must("system-view", "pki realm abc", f"password cipher {longest}", "return", "save", "y")
    sealed = [line for line in current(agent).splitlines() if "password cipher" in line]
    assert len(sealed) == 1
    assert sealed[0].strip() in agent.must("display saved-configuration")
    agent.must("system-view", "pki realm abc", "undo password", sealed[0].strip())
    assert sealed[0] in current(agent)
    assert apply(agent, "-", given=current(agent)).stdout == "Info: No change, and saved.\n"
    agent.kill()
    agent.start()
    assert sealed[0] in current(agent)


def test_one_bad_line_changes_nothing(agent: Agent) -> None:
    before = current(agent)
    said = apply(agent, "-", given="sysname r7\nnonsense\npki realm abc\n entity r9\n")
    assert said.returncode == 1
    assert said.stdout.splitlines()[:2] == [
        " line 2: nonsense: Unrecognized command",
        " line 4: entity r9: there is no entity r9",
    ]
    assert current(agent) == before
    assert agent.must("compare configuration").startswith("Info:")


@pytest.mark.parametrize(
    ("words", "given", "status"),
    [
        (("no-such-file",), None, 2),
        (("-",), b"sysname a\0sysname b\n", 2),
        (("-",), b"! " + b"x" * limits.APPLY_BYTES, 1),
        (("/dev/zero",), None, 2),
        ((), None, 2),
        (("-", "extra"), None, 2),
    ],
)
def test_what_is_no_file(
    agent: Agent, words: tuple[str, ...], given: bytes | None, status: int
) -> None:
    before = current(agent)
    said = apply(agent, *words, given=given)
    assert said.returncode == status
    assert "Traceback" not in said.stderr
    assert said.stderr or "Error:" in said.stdout
    assert current(agent) == before


def test_a_client_that_hangs_up_in_the_middle_changes_nothing(agent: Agent) -> None:
    before = current(agent)
    with connect_unix(str(agent.dir / "console.sock")) as sock:
        sock.sendall(hello(APPLY) + b"sysname r7\n#\n")
    assert current(agent) == before


def test_no_agent_is_status_2(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    said = apply(agent, "-", given="sysname r1\n")
    assert said.returncode == 2
    assert "Next step:" in said.stderr


def test_a_request_under_way_goes_on_undisturbed(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--manual") as ca, Agent(tmp_path) as agent:
        rests = f"enrollment-url {ca.url} interval 1440"  # no poll is due meanwhile
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}", rests),
            "pki enroll-certificate realm abc",
            *SAVE,
        )
        transaction = agent.shown("Transaction ID")
        said = apply(agent, "-", given=current(agent) + "sysname r7\n")
        assert said.returncode == 0
        agent.wait_state("pending")  # it may be asking at this moment
        assert agent.shown("Transaction ID") == transaction
        gone = apply(agent, "--dry-run", "-", given="sysname r7\n")
        assert "Warning: Realm abc has a request under way" in gone.stdout
        assert apply(agent, "-", given="sysname r7\n").returncode == 0
        assert agent.script("display pki realm abc").status == 1


# -- a configuration as a script -------------------------------------------------------------------


def _twin(agent: Agent, folder: Path) -> Agent:
    """A device with the same key pairs and nothing else."""
    twin = Agent(folder)
    for name in ("device.key", "flash.bin"):
        (twin.dir / name).write_bytes((agent.dir / name).read_bytes())
        (twin.dir / name).chmod(0o600)
    twin.start()
    twin.must("system-view", "undo pki realm abc", "undo pki entity r1", "undo sysname", *SAVE)
    return twin


def test_a_configuration_that_is_pasted_or_piped_is_the_same(agent: Agent, tmp_path: Path) -> None:
    agent.must(
        *("system-view", "sysname r7", "pki file-format der", "pki entity r1"),
        *("organization-unit Lab,Test", "ip-address eth0", "serial-number", "quit"),
        *("pki realm abc", "password cipher topsecret", "key-usage ike ssl-client"),
        *(r"enrollment-url esc http://ca/scep\x3fa=b interval 5 times 9 ra", *SAVE),
    )
    text = current(agent)
    agent.kill()
    with _twin(agent, tmp_path / "piped") as piped:
        piped.must("! from the old device", *text.splitlines())
        assert current(piped) == text
    with _twin(agent, tmp_path / "pasted") as pasted:
        typist = Typist(pasted)
        typist.type("screen-length 0 temporary", ">")
        typist.keys(text.replace("\n", "\r").encode())
        wait_for(lambda: current(pasted) == text, 60, "the pasted configuration did not arrive")
        typist.close()


def test_what_does_not_apply_after_a_start_is_told_at_the_line(
    agent: Agent, tmp_path: Path
) -> None:
    text = current(agent).replace(" common-name", " country DE\n ! common-name")
    factory = tmp_path / "factory.cfg"
    factory.write_text(text)
    agent.stop()
    agent.dir.joinpath("flash.bin").unlink()
    more = ("run", "--board", "sim", "--state", str(agent.dir), "--config", str(factory))
    with open(tmp_path / "agent.log", "ab") as log:
        agent.adopt(subprocess.Popen(agent.command(*more), stderr=log, stdout=log))
    assert current(agent)  # it has started: the socket is there before
    assert "CONFIG_ERR: line" in agent.log()
    typist = Typist(agent)
    greeting = typist.type("", ">")
    typist.close()
    assert "Warning: Of the saved configuration 1 line does not apply." in greeting.replace(
        "\r\n", " "
    )
    assert " ! entity r1 (entity r1 has no common name)" in current(agent)
    agent.must("system-view", "pki entity r1", "common-name r1.example", *SAVE)
    agent.kill()
    agent.start()
    assert " entity r1\n" in current(agent)
    assert "!" not in current(agent)
