"""From a blank device to a certificate that renews by itself: by one line, and by one file."""

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.doors import enroll
from agent.enrolment.states import UNDER_WAY, State
from tests.helpers.board import Agent, check_certificate
from tests.helpers.labca import LabCa

PASSWORD = "sekret pass"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCa]:
    with LabCa(tmp_path_factory.mktemp("first-hour"), "--challenge", PASSWORD) as ca:
        yield ca


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path) as agent:
        yield agent


def run(
    agent: Agent, *words: str, given: str = "", command: str = "enroll"
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        agent.command(command, *words, "--socket", str(agent.dir / "console.sock")),
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    return done


def wanted(ca: LabCa, *more: str) -> tuple[str, ...]:
    pin = ":".join(ca.fingerprint.upper()[at : at + 2] for at in range(0, 64, 2))
    return ("--url", ca.url, "--fingerprint", pin, "--common-name", "r1.example", *more)


def current(agent: Agent) -> str:
    return agent.must("display current-configuration")


def test_one_line_and_the_same_line_again(agent: Agent, ca: LabCa, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    words = wanted(ca, "--auto", "80", "--organization", "Lab 1", "--password-file", str(file))
    words += ("--realm", "abc")
    done = run(agent, *words)
    assert (done.returncode, done.stderr) == (0, "")
    typed = [line[2:] for line in done.stdout.splitlines() if line.startswith("> ")]
    assert typed == [
        "system-view",
        "pki rsa local-key-pair create abc modulus 2048",
        "pki entity abc",
        "common-name r1.example",
        'organization "Lab 1"',
        "quit",
        "pki realm abc",
        "entity abc",
        f"enrollment-url {ca.url}",
        f"fingerprint sha256 {ca.fingerprint.upper()}",
        "password cipher ******",
        "rsa local-key-pair abc",
        "auto-enroll 80 updated-effective",
        "quit",
        "return",
        "save",
        "y",
        "system-view",
        "pki enroll-certificate realm abc",
    ]
    check_certificate(agent, ca.dir / "ca.pem")
    assert "applies by itself" in agent.must("display pki enrollment realm abc")
    assert agent.must("compare configuration").startswith("Info:")
    before = current(agent)
    again = run(agent, *words)
    assert again.returncode == 0
    assert again.stdout == "Info: Realm abc has a certificate; nothing was applied for.\n"
    assert current(agent) == before


def test_a_realm_that_is_configured_otherwise_is_refused_with_the_difference(
    agent: Agent, ca: LabCa
) -> None:
    agent.must("system-view", "pki entity b", "common-name other", "quit", "pki realm b",
               "entity b", "enrollment-url http://192.0.2.1/scep")  # fmt: skip
    before = current(agent)
    done = run(agent, *wanted(ca, "--realm", "b"))
    assert done.returncode == 1
    name = ("- common-name other", "+ common-name r1.example")
    url = ("- enrollment-url http://192.0.2.1/scep", f"+ enrollment-url {ca.url}")
    assert {*name, *url} <= set(done.stdout.splitlines())
    assert "Error: Realm b, or its entity, is configured otherwise." in done.stdout
    assert current(agent) == before


def test_pending_is_status_3_and_is_asked_about_again(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--manual") as ca, Agent(tmp_path) as agent:
        for times in range(2):
            done = run(agent, *wanted(ca))
            assert done.returncode == 3
            assert ("enroll-certificate" in done.stdout) is not times
            assert "display pki enrollment realm default" in done.stdout


def test_a_refusal_is_status_1_and_the_configuration_is_kept(agent: Agent, ca: LabCa) -> None:
    done = run(agent, *wanted(ca, "--password-file", "-"), given="wrong\n")
    assert done.returncode == 1
    assert "Error:" in done.stdout
    assert " entity default" in agent.must("display saved-configuration")


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        (("--country", "Germany"), 1, "country Germany"),
        (("--fingerprint", "12:34"), 2, "4 hexadecimal digits; wanted: 32 (md5)"),
        (("--password-file", "/no/such/file"), 2, "--password-file"),
        (("--organization", "a\nsysname b"), 2, "cannot be typed"),
        (("--realm", "a b"), 1, "Error:"),
        (("--key-size", "17"), 1, "Error:"),
        (("--auto", "101"), 1, "auto-enroll 101"),
        (("--nonsense",), 2, "--nonsense"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(
    agent: Agent, ca: LabCa, more: tuple[str, ...], status: int, told: str
) -> None:
    before = current(agent)
    done = run(agent, *wanted(ca, *more))
    assert (done.returncode, told in done.stdout + done.stderr) == (status, True)
    assert current(agent) == before


def test_without_a_terminal_nothing_is_asked(agent: Agent, ca: LabCa) -> None:
    done = run(agent, "--url", ca.url)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--fingerprint is missing" in done.stderr


def test_at_a_terminal_what_was_left_out_is_asked_for(agent: Agent, ca: LabCa) -> None:
    leader, follower = pty.openpty()
    words = ("enroll", "--url", ca.url, "--socket", str(agent.dir / "console.sock"))
    with subprocess.Popen(
        agent.command(*words),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    ) as process:
        os.close(follower)
        said = b""
        for prompt, answer in (
            (b"Fingerprint of the CA certificate: SHA-256, SHA-1 or MD5: ", ca.fingerprint),
            (b"The subject's common name: ", "r1.example"),
            (b"Challenge password (nothing: none): ", PASSWORD),
        ):
            while prompt not in said:
                said += os.read(leader, 4096)
            os.write(leader, answer.encode() + b"\n")
        try:
            while data := os.read(leader, 4096):
                said += data
        except OSError:
            pass  # Linux's end of a terminal
        assert process.wait(60) == 0
    os.close(leader)
    assert PASSWORD.encode() not in said
    assert b"issued: the certificate is in use" in said


def test_without_an_agent(ca: LabCa, tmp_path: Path) -> None:
    done = run(Agent(tmp_path), *wanted(ca))
    assert done.returncode == 2
    assert "no agent answers" in done.stderr


def test_what_is_under_way_are_states_of_the_engine() -> None:
    named = {state.value for state in UNDER_WAY if state is not State.PENDING}
    assert named == set(enroll.UNDER_WAY)


def test_one_file_brings_up_a_blank_device(agent: Agent, ca: LabCa) -> None:
    text = f"""pki entity e1
 common-name r2.example
pki rsa local-key-pair create k1 modulus 3072
pki realm abc
 entity e1
 rsa local-key-pair k1
 enrollment-url {ca.url}
 fingerprint sha256 {ca.fingerprint}
 password cipher "{PASSWORD}"
 auto-enroll 80 updated-effective
"""
    done = run(agent, "-", given=text, command="apply")
    assert done.returncode == 0
    assert "Info: The RSA key pair k1 of 3072 bits was created." in done.stdout
    agent.wait_state("issued")
    check_certificate(agent, ca.dir / "ca.pem")
    assert "create" not in agent.must("display saved-configuration")
    again = run(agent, "-", given=text, command="apply")
    assert again.stdout.splitlines()[1:] == [
        "Info: The RSA key pair k1 is there and stays as it is.",
        "Info: No change.",
    ]
