"""The demo as a person starts it: good, on a real board, interrupted at any time, refused."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import serial

from tests.helpers.board import Agent
from tests.helpers.labca import LabCa, wait_for

pytestmark = pytest.mark.lab  # the demonstration starts both, whatever a test calls

ROOT = Path(__file__).resolve().parents[2]
RUN_S = 300  # it watches two renewals
STOP_S = 60


class Demo:
    """`python -m tools.demo` with a folder for temporary files of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._environment = {**os.environ, "TMPDIR": str(self.temporary), **environment}

    def start(self, *words: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tools.demo", *words],
            cwd=ROOT,
            env=self._environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, stdin: int = subprocess.DEVNULL) -> tuple[int, str, str]:
        """Status, standard output, standard error."""
        process = self.start(*words, stdin=stdin)
        try:
            said, complaint = process.communicate(timeout=RUN_S)
        finally:
            process.kill()
            process.wait()
        return process.returncode, said, complaint

    def nothing_runs(self) -> bool:
        """No process knows the temporary folder any more."""
        mark = str(self.temporary).encode()
        return not any(mark in _command(path) for path in Path("/proc").glob("[0-9]*/cmdline"))

    def nothing_left(self) -> bool:
        return self.nothing_runs() and not list(self.temporary.iterdir())


def _command(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has ended meanwhile


# -- from the outside ------------------------------------------------------------------------------


def test_the_demo_ends_well_and_leaves_nothing(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    status, said, complaint = demo.run("--fast")
    assert (status, complaint) == (0, "")
    assert "\nError" not in said
    for line in (
        "board/storage/demo_local.cer: OK",
        "board/memory/demo/cert.pem: OK",
        "board/memory/demo/key.pem is the key of cert.pem: OK",
        "subject=CN=router1.example,O=Lab,C=DE",
        "Info: The configuration was saved successfully.",
    ):
        assert f"\n{line}\n" in said
    assert "  board/device.key                       32  0600\n" in said
    assert said.count("sekret") == 2  # where a CA is started, never on the line
    assert said.count("\nrenewed:\n") == 2
    assert said.index("== The CA goes away") < said.rindex("\nrenewed:\n")
    assert demo.nothing_left()


def test_keep_leaves_the_folder_and_says_where(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    status, said, _complaint = demo.run("--fast", "--keep")
    assert status == 0
    (kept,) = demo.temporary.iterdir()
    assert f"kept: {kept}\n" in said
    assert (kept / "board" / "storage" / "demo_local.cer").exists()
    assert demo.nothing_runs()


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGHUP, "started"),
        (signal.SIGINT, "system-view"),
        (signal.SIGTERM, "enrollment-url"),
    ],
)
def test_a_signal_ends_all_of_it(tmp_path: Path, number: int, moment: str) -> None:
    demo = Demo(tmp_path)
    process = demo.start(*(["--fast"] if moment == "enrollment-url" else []))
    with process:
        if moment == "started":
            wait_for(lambda: list(demo.temporary.iterdir()), RUN_S, "it did not start")
        else:
            _read_until(process, moment)
        process.send_signal(number)
        process.send_signal(number)  # an impatient person does not stop the cleaning up
        _said, complaint = process.communicate(timeout=RUN_S)
    assert process.returncode == 128 + number
    assert complaint == ""
    wait_for(demo.nothing_left, STOP_S, "something was left")


@pytest.mark.parametrize("after_ms", [0, 1, 3, 10, 30, 100, 300])
def test_a_signal_while_it_starts_is_never_too_early(tmp_path: Path, after_ms: int) -> None:
    """A folder or a process whose entry in the way out is not there yet would stay."""
    demo = Demo(tmp_path)
    with demo.start("--fast") as process:
        while not list(demo.temporary.iterdir()):
            assert process.poll() is None
        time.sleep(after_ms / 1000)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=RUN_S)[1] == ""
    assert process.returncode == 128 + signal.SIGTERM
    wait_for(demo.nothing_left, STOP_S, "something was left")


def test_killed_outright_it_still_leaves_no_process(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with demo.start() as process:
        _read_until(process, "system-view")
        process.kill()
    wait_for(demo.nothing_runs, STOP_S, "a process was left")


def test_when_nobody_reads_any_more_it_ends(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with demo.start("--fast") as process:
        _read_until(process, "A lab CA")
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(RUN_S) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""
    wait_for(demo.nothing_left, STOP_S, "something was left")


def _read_until(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stdout is not None
    said = b""
    while text.encode() not in said:
        assert select.select([process.stdout], [], [], RUN_S)[0], said
        data = os.read(process.stdout.fileno(), 4096)
        assert data, said
        said += data


def test_without_openssl_it_says_what_to_do(tmp_path: Path) -> None:
    status, said, complaint = Demo(tmp_path, PATH=str(tmp_path)).run("--fast")
    assert (status, said) == (1, "")
    assert "apt install openssl" in complaint


@pytest.mark.parametrize("words", [["--nonsense"], ["--board", "x", "--console"], ["extra"]])
def test_what_is_not_understood_is_status_2(tmp_path: Path, words: Sequence[str]) -> None:
    assert Demo(tmp_path).run(*words)[0] == 2


# -- a real board ----------------------------------------------------------------------------------


def _board_file(folder: Path, port: Path, url: str, *more: str) -> str:
    path = folder / "board.toml"
    path.write_text("\n".join((f'[serial]\nport = "{port}"', f'[ca]\nurl = "{url}"', *more)))
    return str(path)


def test_a_real_board_twice_in_a_row_from_wherever_it_was_left(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca, Agent(tmp_path) as agent:
        secret = (f'fingerprint = "{ca.fingerprint.upper()}"', 'challenge = "sekret"')
        path = _board_file(
            tmp_path, agent.dir / "serial", ca.url, *secret, '[source]\naddress = "127.0.0.1"'
        )
        demo = Demo(tmp_path)
        for again in (False, True):
            status, said, complaint = demo.run("--fast", "--board", path)
            assert (status, complaint) == (0, "")
            assert "the key in it is the board's key pair: OK\n" in said
            assert ("Removing what an earlier demo has left" in said) is again
            assert "sekret" not in said
            # Somebody went away in the middle of a line, deep in a view.
            with serial.Serial(str(agent.dir / "serial")) as left:
                left.write(b"system-view\rpki realm demo\rundo ent")
                left.flush()
                said = ""
                while not said.endswith("[Huawei-pki-realm-demo]undo ent"):
                    said += left.read().decode()
        assert len(ca.issued()) == 2


def test_without_a_fingerprint_only_a_person_says_yes(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        path = _board_file(tmp_path, agent.dir / "serial", ca.url)
        status, said, complaint = Demo(tmp_path).run("--fast", "--board", path)
        assert status == 1
        assert ca.fingerprint in said
        assert "refused `pki enroll-certificate realm demo`" in complaint
        assert ca.issued() == []


@pytest.mark.parametrize(("answer", "expected"), [("y\n", 0), ("\n", 1)])
def test_a_person_is_asked_about_the_fingerprint(
    tmp_path: Path, answer: str, expected: int
) -> None:
    terminal, slave = os.openpty()
    os.write(terminal, answer.encode())
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        path = _board_file(tmp_path, agent.dir / "serial", ca.url)
        status, said, _complaint = Demo(tmp_path).run("--fast", "--board", path, stdin=slave)
        assert status == expected
        assert ca.fingerprint in said.partition("== Your answer")[0]
        assert len(ca.issued()) == 1 - expected
    os.close(terminal)
    os.close(slave)


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    path = _board_file(tmp_path, tmp_path / "no-such-port", "http://ca.example/scep")
    status, _said, complaint = Demo(tmp_path).run("--fast", "--board", path)
    assert status == 1
    assert "no-such-port" in complaint
    assert "Next step" in complaint


# -- make console ----------------------------------------------------------------------------------


def test_the_console_is_for_a_terminal(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    status, said, complaint = demo.run("--console")
    assert (status, said) == (2, "")
    assert "terminal" in complaint
    assert "scep-agent console" in complaint
    assert demo.nothing_left()


@pytest.mark.parametrize("hang_up", [False, True], ids=["ctrl-]", "hang-up"])
def test_the_console_is_a_prompt_on_the_line(tmp_path: Path, hang_up: bool) -> None:
    demo = Demo(tmp_path)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        words = [sys.executable, "-m", "tools.demo", "--console"]
        os.execve(sys.executable, words, {**os.environ, "TMPDIR": str(demo.temporary)})
    try:
        said = _terminal_until(terminal, b"<Huawei>")
        assert b"fingerprint sha256" in said
        os.write(terminal, b"display version\r")
        _terminal_until(terminal, b"scep-agent software, Version")
        os.write(terminal, b"\x03")  # Ctrl+C is a key like any other
        _terminal_until(terminal, b"<Huawei>")
        if not hang_up:
            os.write(terminal, b"\x1d")
            assert _status(pid) == 0
    finally:
        os.close(terminal)
        if hang_up:
            assert _status(pid) != 0
    wait_for(demo.nothing_left, STOP_S, "something was left")


def _terminal_until(terminal: int, text: bytes) -> bytes:
    said = b""
    while text not in said:
        assert select.select([terminal], [], [], RUN_S)[0], said
        said += os.read(terminal, 4096)
    return said


def _status(pid: int) -> int:
    """The exit status of a process; it is killed when it does not end."""
    deadline = time.monotonic() + RUN_S
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("it did not end")
