"""The command line: what a person types in a shell, and what comes back."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent import limits
from tests.helpers.board import START, Agent

ROOT = Path(__file__).resolve().parents[2]


def scep_agent(*words: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-c", START, str(ROOT), *words],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "words",
    [(), ("nonsense",), ("run", "--nonsense"), ("run", "extra"), ("worker",), ("console", "-x")],
)
def test_what_is_not_understood_is_usage_and_status_2(words: tuple[str, ...]) -> None:
    done = scep_agent(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "scep-agent" in done.stderr
    assert "--help" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("enrol",), "there is no command `enrol` (did you mean enroll?). Commands: run, console"),
        (("console", "--soket", "x"), "--soket not recognized (did you mean --socket?)"),
        (("apply",), "FILE is missing"),
        (("apply", "a", "b"), "`b` is not understood"),
        (("zzz",), "there is no command `zzz`. Commands:"),
    ],
)
def test_what_was_meant_is_told(words: tuple[str, ...], told: str) -> None:
    done = scep_agent(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "worker" not in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--help",), "enroll   From nothing to a certificate"),
        (("-h",), "usage: scep-agent COMMAND"),
        (("help",), "usage: scep-agent COMMAND"),
        (("--version",), f"scep-agent {limits.VERSION}"),
        (("apply", "--help"), "--merge"),
        (("enroll", "--url", "x", "-h"), "--fingerprint HEX"),
        (("run", "--help"), "--board FILE|sim"),
    ],
)
def test_help_is_status_0(words: tuple[str, ...], told: str) -> None:
    done = scep_agent(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert told in done.stdout


def test_console_without_an_agent_says_so(tmp_path: Path) -> None:
    done = scep_agent("console", "--socket", str(tmp_path / "no.sock"), "-c", "display version")
    assert done.returncode == 2
    assert "Next step:" in done.stderr
    assert "Traceback" not in done.stderr


def test_console_with_lines_and_with_a_script(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        socket = ("--socket", str(agent.dir / "console.sock"))
        done = scep_agent("console", *socket, "-c", "system-view", "-c", "display this")
        assert (done.returncode, done.stderr) == (0, "")
        done = scep_agent("console", *socket, given="system-view\nsysname r9\nreturn\nsave\ny\n")
        assert done.returncode == 0
        done = scep_agent("console", *socket, given="display current-configuration\n")
        assert "sysname r9" in done.stdout
        done = scep_agent("console", *socket, "-c", "nonsense", "-c", "display version")
        assert done.returncode == 1
        assert "Error: Unrecognized command" in done.stdout
        assert "scep-agent" not in done.stdout


@pytest.mark.parametrize("kind", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_texts_from_windows(tmp_path: Path, kind: str) -> None:
    """A script and a configuration, as files and on standard input."""

    def written(text: str) -> bytes:
        mark = "\ufeff" if kind == "utf-16-be" else ""
        return (mark + text.replace("\n", "\r\n")).encode(kind)

    with Agent(tmp_path) as agent:
        socket = ("--socket", str(agent.dir / "console.sock"))

        def given(text: str, *words: str) -> str:
            done = subprocess.run(
                agent.command(*words), input=written(text), capture_output=True, timeout=120
            )
            assert done.returncode == 0, done.stdout
            return done.stdout.decode()

        assert given("system-view\nsysname r8\n", "console", *socket).startswith("Info: Ctrl+Z")
        assert "sysname r8" in given("display current-configuration\n", "console", *socket)
        assert "+sysname r9" in given("sysname r9\n", "apply", *socket, "-")
        path = tmp_path / "router.cfg"
        path.write_bytes(written("sysname r10\n"))
        assert "+sysname r10" in given("", "apply", *socket, str(path))


def test_a_script_ends_at_its_error_while_standard_input_stays_open(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        words = ("console", "--socket", str(agent.dir / "console.sock"))
        with subprocess.Popen(
            agent.command(*words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as console:
            assert console.stdin is not None
            assert console.stdout is not None
            console.stdin.write(b"nonsense\n")
            console.stdin.flush()
            assert console.wait(60) == 1
            assert console.stdout.read().startswith(b"nonsense\n^\nError: Unrecognized command")


def test_a_password_on_the_command_line_works_and_says_so(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        socket = ("--socket", str(agent.dir / "console.sock"))
        lines = ("-c", "system-view", "-c", "pki realm abc", "-c", "password cipher sekret")
        done = scep_agent("console", *socket, *lines)
        assert done.returncode == 0
        assert "standard input" in done.stderr
        assert "sekret" not in done.stdout + done.stderr


def test_a_second_agent_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        done = scep_agent("run", "--board", "sim", "--state", str(agent.dir))
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "another" in done.stderr or "in use" in done.stderr
        assert agent.must("display version")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("run", "--board", "no-such-file.toml"), "no-such-file.toml"),
        (("run", "--board", "sim", "--state", "/proc/no/such"), "/proc/no"),
        (("run", "--board", "sim", "--config", "no-such-file"), "no-such-file"),
    ],
)
def test_what_keeps_the_agent_from_starting_is_one_line(
    tmp_path: Path, words: tuple[str, ...], what: str
) -> None:
    more = () if "--state" in words or words[2] != "sim" else ("--state", str(tmp_path / "b"))
    done = scep_agent(*words, *more)
    assert done.returncode == 1
    assert what in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_factory_configuration_serves_until_one_is_saved(tmp_path: Path) -> None:
    factory = tmp_path / "factory.cfg"
    factory.write_text("sysname fresh\n")
    for expected in ("fresh", "mine"):
        process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-c", START, str(ROOT), "run", "--board", "sim"),
                *("--state", str(tmp_path / "board"), "--config", str(factory)),
            ],
            stderr=subprocess.DEVNULL,
        )
        agent = Agent(tmp_path)
        agent.adopt(process)
        with agent:
            assert f"sysname {expected}" in agent.must("display current-configuration")
            agent.must("system-view", "sysname mine", "return", "save", "y")
