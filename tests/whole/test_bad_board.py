"""When the device itself fails: its key, flash, disk, folders, processes. Nothing in use is lost.

Real agents on folders that were damaged behind their back, and processes that are killed.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.fakes.flash import PROGRAM_ERROR
from hal.sockets import connect_unix, peer_credentials
from tests.device.test_device import fill
from tests.helpers.board import AGAIN, APPLY, IN_USE, SAVE, Agent, check_certificate, procedure
from tests.helpers.device_bench import ready
from tests.helpers.hostile import Process, descendants
from tests.helpers.labca import InBackground, LabCa, wait_for
from tests.whole.test_bad_peer import error_of, in_use

WAIT_S = 60
KIB = 1024

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts a tmpfs")


def enrolled(agent: Agent, ca: LabCa) -> dict[str, bytes]:
    """The first certificate, saved; what a consumer reads of it."""
    agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), APPLY[1], *SAVE)
    return in_use(agent)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, LabCa]]:
    """The folder of a board with a certificate in use, its agent ended; for copies."""
    folder = tmp_path_factory.mktemp("bad-board")
    with LabCa(folder) as ca:
        with Agent(folder) as agent:
            enrolled(agent, ca)
        yield agent.dir, ca


def copy(served: tuple[Path, LabCa], tmp_path: Path) -> Agent:
    """An agent on a copy of that board, not started yet."""
    shutil.copytree(served[0], tmp_path / "board", symlinks=True)
    return Agent(tmp_path)


def start_fails(agent: Agent, *prefix: str) -> str:
    """What an agent says that does not start: one line for a supervisor's log."""
    words = agent.command("run", "--board", "sim", "--state", str(agent.dir))
    done = subprocess.run([*prefix, *words], capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 1
    *_log, line = done.stderr.splitlines()
    assert line.startswith("scep-agent: ")
    assert ". Cause: " in line
    assert ". Next step: " in line
    return line


# -- the device key --------------------------------------------------------------------------------


def test_the_device_key_of_another_device(served: tuple[Path, LabCa], tmp_path: Path) -> None:
    """Served on from memory; each use of a key says what is wrong; the right key mends it all."""
    agent = copy(served, tmp_path)
    right, before = (agent.dir / "device.key").read_bytes(), in_use(agent)
    flash = (agent.dir / "flash.bin").read_bytes()
    (agent.dir / "device.key").write_bytes(bytes(32))
    with agent:
        assert agent.state() == "issued"
        error = error_of(agent.script(*AGAIN))
        assert "The sealed key pair k1 cannot be opened" in error
        assert "restore the device key" in error
        assert agent.state() == "failed"
        assert in_use(agent) == before
        assert "r1.example" in agent.must("display pki certificate local realm abc")
    assert (agent.dir / "flash.bin").read_bytes()[: 4 * KIB] == flash[: 4 * KIB]
    (agent.dir / "device.key").write_bytes(right)
    with agent:
        agent.start()
        assert agent.script(*AGAIN).status == 0
        check_certificate(agent, served[1].dir / "ca.pem")


def test_the_device_key_of_another_device_and_an_empty_memory(
    served: tuple[Path, LabCa], tmp_path: Path
) -> None:
    """After a reboot nothing can be unsealed: the console says so, and what mends it."""
    agent = copy(served, tmp_path)
    right = (agent.dir / "device.key").read_bytes()
    (agent.dir / "device.key").write_bytes(bytes(32))
    shutil.rmtree(agent.dir / "memory")
    with agent:
        wait_for(lambda: "cannot be opened" in agent.shown("Why"), WAIT_S, "it did not say why")
        assert "restore the device key" in agent.must("display pki enrollment realm abc")
        assert agent.state() == "issued"
    (agent.dir / "device.key").write_bytes(right)
    with agent:
        agent.start()
        agent.wait_state("issued")
        check_certificate(agent, served[1].dir / "ca.pem")


def _shorten(path: Path) -> None:
    path.write_bytes(b"short")


def _open_to_all(path: Path) -> None:
    path.chmod(0o644)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _text(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.write_text("somebody else's file\n")


# What was damaged, how -> what the log says of it. None of it ends the agent.
DAMAGE = {
    "short key": ("device.key", _shorten, "not a device key"),
    "open key": ("device.key", _open_to_all, "others may read the device key: chmod 0600"),
    "key folder": ("device.key", _folder, "not a device key"),
    "storage file": ("storage", _text, "storage: Not a directory"),
    "memory file": ("memory", _text, "memory: Not a directory"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_board_of_which_a_part_cannot_be_used_is_served_and_told(
    served: tuple[Path, LabCa], tmp_path: Path, damage: str
) -> None:
    """What was damaged is left as it is; what was not is served."""
    name, damages, what = DAMAGE[damage]
    agent = copy(served, tmp_path)
    damages(agent.dir / name)
    before = _files(agent.dir / name)
    with agent:
        assert what in agent.log()
        assert agent.state() == "issued"
        assert "r1.example" in agent.must("display pki certificate local realm abc")
        assert (agent.dir / "memory" / "abc" / "cert.pem").exists() == (name != "memory")
        if name == "device.key":
            assert "DEVICE_KEY_ERR: the device key is missing or is none" in agent.log()
            assert "The device key cannot be read" in error_of(agent.script(*AGAIN))
        agent.must(*SAVE[1:])
        assert agent.stop() == 0
    assert _files(agent.dir / name) == before


def test_a_console_without_a_place_for_its_socket_ends_the_start(
    served: tuple[Path, LabCa], tmp_path: Path
) -> None:
    agent = copy(served, tmp_path)
    _text(agent.dir / "console.sock")
    before = _files(agent.dir)
    said = start_fails(agent)
    assert "not a socket" in said
    assert "--state" in said
    assert _files(agent.dir) == before


def _files(folder: Path) -> dict[str, bytes]:
    """All files, but not the lock and what is made new at each start; or that one."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in (folder, *folder.rglob("*"))
        if path.is_file() and path.name != "serial"
    }


def test_rotten_flash_is_reported_and_the_rest_is_served(
    served: tuple[Path, LabCa], tmp_path: Path
) -> None:
    """One bit of the key pair's record has turned: what does not need it goes on."""
    agent = copy(served, tmp_path)
    path, before = agent.dir / "flash.bin", in_use(agent)
    data = bytearray(path.read_bytes())
    data[data.index(b"key/k1/1") + 200] ^= 1
    path.write_bytes(data)
    with agent:
        wait_for(lambda: "PKI/4/STORE_ERR" in agent.log(), 60, "the rot is not reported")
        assert "damaged" in agent.log()
        assert in_use(agent) == before
        error = error_of(agent.script(*AGAIN))
        assert "There is no RSA key pair k1." in error
        assert "realm abc: there is no RSA key pair k1" in agent.log()
        assert in_use(agent) == before


# -- folders and disks -----------------------------------------------------------------------------


def test_a_second_agent_on_the_same_folder(served: tuple[Path, LabCa], tmp_path: Path) -> None:
    with copy(served, tmp_path) as agent:
        before = in_use(agent)
        said = start_fails(agent)
        assert "flash.bin: in use by another agent" in said
        assert "`scep-agent console`" in said
        assert agent.state() == "issued"
        assert in_use(agent) == before


def test_folders_that_vanish_are_made_again(served: tuple[Path, LabCa], tmp_path: Path) -> None:
    with copy(served, tmp_path) as agent:
        wait_for(lambda: agent.shown("Why") == IN_USE, WAIT_S, "it is not in use")
        for folder in ("storage", "memory"):
            shutil.rmtree(agent.dir / folder)
        agent.must(*AGAIN)
        check_certificate(agent, served[1].dir / "ca.pem")
        assert len(in_use(agent)) == 7


def mounted(folder: Path, options: str) -> list[str]:
    """In front of a command: a tmpfs on the folder, in a mount name space of its own.

    Without a mode it would be one for everybody (tmpfs(5): 1777), where no agent starts.
    """
    script = f'mount -t tmpfs -o mode=0755,{options} none "{folder}" && exec "$@"'
    return ["unshare", "-m", "sh", "-c", script, "sh"]


@needs_root
def test_a_state_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A console without its socket could tell nobody, so this ends the start."""
    agent = Agent(tmp_path)
    said = start_fails(agent, *mounted(agent.dir, "ro"))
    assert "Read-only file system" in said


@needs_root
def test_a_disk_that_is_full_keeps_the_certificate_and_says_so(tmp_path: Path) -> None:
    """The flash was preallocated, so the certificate is safe; files that others read are not."""
    agent = Agent(tmp_path)
    prefix = mounted(agent.dir, f"size={1024 + 64}k")
    command = agent.command("run", "--board", "sim", "--state", str(agent.dir))
    with LabCa(tmp_path) as ca, open(tmp_path / "agent.log", "ab") as log:
        process = subprocess.Popen([*prefix, *command], stderr=log)
        agent.dir = Path(f"/proc/{process.pid}/root{agent.dir}")
        try:
            agent.adopt(process)
            agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"))
            ballast = agent.dir / "ballast"
            _fill(ballast)
            error = error_of(agent.script(*APPLY))
            assert "Device storage or memory could not be written: No space left" in error
            assert "free space" in error
            assert agent.state() == "issued"
            assert "No space left" in agent.shown("Why")
            assert "PKI/4/STORAGE_ERR" in agent.log()
            assert len(ca.issued()) == 1
            ballast.unlink()
            agent.must(*SAVE[1:], *AGAIN)
            check_certificate(agent, ca.dir / "ca.pem")
        finally:
            agent.stop()


def _fill(path: Path) -> None:
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4 * KIB))
        except OSError:
            pass


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_flash_that_fills_up_in_the_middle_of_an_application(by_hand: bool) -> None:
    """The CA is asked again a minute later, and then twice as long later each time; the operator
    may go on before that, and the device does when there is room again."""
    bench = ready()
    honest = bench.worker.answers["fetch-ca"]

    def and_meanwhile(_job: object) -> object:
        fill(bench)
        return honest

    bench.worker.answers["fetch-ca"] = and_meanwhile
    assert bench.enrol().code == "store-failed"
    assert bench.device.status("abc").state == "failed"
    asked = []
    for _minute in range(10):
        bench.advance(60)
        asked.append(len(bench.worker.ops()))
    assert asked == [2, 2, 3, 3, 3, 3, 4, 4, 4, 4]  # at 1, 3 and 7 minutes
    status = bench.device.status("abc")
    assert status.last_error is not None
    assert status.last_error.code == "store-failed"
    assert status.next_s is not None
    assert 0 < status.next_s - bench.device.wall_s() <= 300
    bench.store.commit(dict.fromkeys(bench.store.keys("fill/")))
    bench.worker.answers["fetch-ca"] = honest
    if by_hand:
        assert bench.enrol().code is None
    else:
        bench.advance(300)
    assert bench.device.status("abc").state == "issued"


def test_a_flash_that_fails_while_the_ca_decides() -> None:
    """The request stays pending; polls that cannot be counted are not sent."""
    bench = ready()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    assert bench.enrol().code is None
    for block in range(bench.flash.block_count):
        bench.flash.spoil(block, PROGRAM_ERROR)
    for _minute in range(3):
        bench.advance(61)
    assert bench.worker.ops() == ["fetch-ca", "enrol"]
    assert bench.device.status("abc").state == "pending"
    assert bench.device.status("abc").next_s is not None


# -- processes -------------------------------------------------------------------------------------


def processes(agent: Agent, depth: int) -> list[Process]:
    """depth 1: the worker; 2: the job children."""
    with connect_unix(str(agent.dir / "console.sock")) as console:
        pid = peer_credentials(console).pid
    return [one for one in descendants(pid) if one.depth == depth]


CHILDREN = 2  # of an enrolment: one talks, one has the keys


@pytest.mark.parametrize(
    ("depth", "count", "which"),
    [(2, CHILDREN, 0), (2, CHILDREN, 1), (1, 1, 0)],
    ids=["child", "other-child", "worker"],
)
def test_a_killed_process_is_an_error_and_the_next_attempt_works(
    tmp_path: Path, depth: int, count: int, which: int
) -> None:
    """Whichever of the two children it is, both are gone."""
    with LabCa(tmp_path, "--hold", "pkcsreq") as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"))
        waiting = InBackground(lambda: agent.script(*APPLY))
        ca.held(WAIT_S)
        wait_for(lambda: len(processes(agent, depth)) == count, WAIT_S, "not all processes")
        process = sorted(processes(agent, depth))[which]
        os.kill(process.pid, signal.SIGKILL)
        said = waiting.result()
        error = error_of(said)  # type: ignore[arg-type]
        assert "The worker ended without an answer" in error
        assert agent.state() == "failed"
        wait_for(lambda: not processes(agent, 2), WAIT_S, "a child was left")
        ca.let_go()
        agent.must(*APPLY)
        check_certificate(agent, ca.dir / "ca.pem")


def test_sigterm_in_the_middle_of_an_enrolment(tmp_path: Path) -> None:
    """Exit 0 at once, no process left; the next start asks for the answer and has it."""
    with LabCa(tmp_path, "--hold", "issued") as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        waiting = InBackground(lambda: _hung_up(agent))
        ca.held(WAIT_S)
        transaction = agent.shown("Transaction ID")
        wait_for(lambda: len(processes(agent, 2)) == CHILDREN, WAIT_S, "not both children")
        below = [one.pid for depth in (1, 2) for one in processes(agent, depth)]
        assert len(below) == 1 + CHILDREN
        assert agent.stop(signal.SIGTERM) == 0
        assert waiting.result()
        wait_for(lambda: not any(_runs(pid) for pid in below), WAIT_S, "a process was left")
        assert not (agent.dir / "console.sock").exists()
        ca.let_go()
        agent.start()
        agent.wait_state("issued")
        assert {entry["transactionID"] for entry in ca.pki_operations()} == {transaction}
        assert len(ca.issued()) == 1
        check_certificate(agent, ca.dir / "ca.pem")


def _hung_up(agent: Agent) -> bool:
    """Whether who waited was let go when the agent ended, and it was no success."""
    command = agent.command("console", "--socket", str(agent.dir / "console.sock"))
    lines = "\n".join(APPLY).encode()
    done = subprocess.run(command, input=lines, capture_output=True, timeout=WAIT_S)
    return done.returncode != 0 and b"Traceback" not in done.stderr


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
