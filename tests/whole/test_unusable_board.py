"""Boards whose flash cannot be used: real agents, on parts that somebody has damaged or exchanged.

Each comes up, serves what it can, says what to type, and is a new device when that is typed.
"""

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from hal.flash import FileFlash
from hal.ports import HalError
from hal.store import Store
from platforms.board import Flash
from tests.helpers.board import APPLY, SAVE, Agent, procedure
from tests.helpers.labca import LabCa, wait_for
from tests.helpers.loss import of_the_next_version
from tests.whole.test_bad_board import mounted, needs_root
from tests.whole.test_bad_peer import in_use
from tests.whole.test_serial_console import Typist

WAIT_S = 60
SIZE = Flash().size
NEW = "starts again as on a new device"


def _random(path: Path) -> None:
    path.write_bytes(random.Random(6).randbytes(SIZE))


def _zeroes(path: Path) -> None:
    """Not quite all of it."""
    path.write_bytes(bytes(SIZE - 1) + b"x")


def _newer(path: Path) -> None:
    image = bytearray(path.read_bytes())
    assert of_the_next_version(image)
    path.write_bytes(image)


def _other_geometry(path: Path) -> None:
    """Segments that no whole blocks fill."""
    path.unlink()
    flash = FileFlash(str(path), Flash().erase_size // 8, 2002)
    Store.mount(flash).commit({"config": "text"})
    flash.close()


def _cut(path: Path) -> None:
    os.truncate(path, Flash().erase_size)


def _half(path: Path) -> None:
    os.truncate(path, SIZE // 2)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


# How it was damaged -> what is said of it, and whether erasing mends it.
DAMAGE = {
    "random": (_random, "neither our format nor erased", True),
    "zeroes": (_zeroes, "neither our format nor erased", True),
    "version 2": (_newer, "format version", True),
    "geometry": (_other_geometry, "2 segments of 512512 bytes", True),
    "cut": (_cut, "4096 bytes, 1048576 are configured", True),
    "half": (_half, "524288 bytes, and the part has 524288", True),
    "folder": (_folder, "Is a directory", False),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a board with a certificate in use, its agent ended; for copies."""
    folder = tmp_path_factory.mktemp("unusable-board")
    with LabCa(folder) as ca, Agent(folder) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), APPLY[1], *SAVE)
    return agent.dir


def damaged(served: Path, tmp_path: Path, damage: str) -> Agent:
    """An agent on a copy of that board, not started yet."""
    shutil.copytree(served, tmp_path / "board", symlinks=True)
    agent = Agent(tmp_path)
    DAMAGE[damage][0](agent.dir / "flash.bin")
    return agent


def _flash(agent: Agent) -> bytes:
    path = agent.dir / "flash.bin"
    return path.read_bytes() if path.is_file() else b""


def _is_new(agent: Agent) -> bool:
    """Once it has started anew."""
    try:
        said = agent.script("display pki realm")
    except (HalError, OSError, AssertionError):  # it is on its way down, or up
        return False
    return "cannot be used" not in said.text


@pytest.mark.parametrize("damage", DAMAGE)
def test_it_serves_says_what_to_type_and_that_makes_a_new_device(
    served: Path, tmp_path: Path, damage: str
) -> None:
    _, what, mends = DAMAGE[damage]
    agent = damaged(served, tmp_path, damage)
    before, consumers = _flash(agent), in_use(agent)
    key = (agent.dir / "device.key").read_bytes()
    with agent:
        said = agent.must("display pki enrollment")
        assert what in said
        assert "Type `reset pki storage` in the user view" in said
        assert "r1.example" in agent.must("display pki certificate local")
        for lines in (("save",), APPLY):
            refused = agent.script(*lines)
            assert refused.status == 1
            assert what in refused.text
            assert "type `reset pki storage`" in refused.text
        assert (_flash(agent), in_use(agent)) == (before, consumers)
        said = agent.script("reset pki storage", "y").text
        assert (NEW in said) == mends
        if mends:
            wait_for(lambda: _is_new(agent), WAIT_S, "it is not new")
            assert "cannot be used" not in agent.script("display pki realm").text
            agent.must("save", "y")
        assert in_use(agent) == consumers
    assert (agent.dir / "device.key").read_bytes() == key
    if mends:
        with agent:
            agent.start()
            assert "cannot be used" not in agent.must("display pki realm")


def test_a_kill_in_the_middle_of_the_erasure(served: Path, tmp_path: Path) -> None:
    """The next start is in the same condition, and erases the rest."""
    agent = damaged(served, tmp_path, "random")
    path = agent.dir / "flash.bin"
    path.write_bytes(b"\xff" * (SIZE // 4) + path.read_bytes()[SIZE // 4 :])
    with agent:
        assert "neither our format" in agent.must("display pki realm")
        assert NEW in agent.script("reset pki storage", "y").text
        wait_for(lambda: _is_new(agent), WAIT_S, "it is not new")


def test_the_serial_line_shows_three_displays_and_offers_to_erase(
    served: Path, tmp_path: Path
) -> None:
    agent = damaged(served, tmp_path, "random")
    with agent:
        typist = Typist(agent)
        said = typist.type("", "Word: ")
        assert "Nobody can log in on this line" in said
        assert "neither our format" in " ".join(said.split())
        for line, shown in (
            ("display version", "scep-agent software, Version"),
            ("display clock", "Time source"),
            ("display interface brief", "lo"),
        ):
            assert shown in typist.type(line, "Word: ")
        assert "Continue? [Y/N]" in typist.type("ERASE", "[Y/N]: ")
        typist.type("n", "Nothing was changed.\r\n")
        typist.close()


def test_a_flash_that_comes_late_is_used_without_a_person(served: Path, tmp_path: Path) -> None:
    """As a disk that is mounted behind the start."""
    agent = damaged(served, tmp_path, "cut")
    good = served / "flash.bin"
    with agent:
        assert "4096 bytes" in agent.must("display pki realm")
        shutil.copy(good, agent.dir / "late")
        os.rename(agent.dir / "late", agent.dir / "flash.bin")
        wait_for(lambda: _is_new(agent), WAIT_S, "it was not looked at again")
        assert agent.state() == "issued"
        assert agent.stop(signal.SIGTERM) == 0


def test_a_file_may_not_grow(tmp_path: Path) -> None:
    """A limit of the supervisor: nothing half made is left, and the console says why."""
    with Agent(tmp_path, prefix=["sh", "-c", 'ulimit -f 100; exec "$@"', "sh"]) as agent:
        assert "flash.bin: File too large" in agent.must("display pki realm")
        assert not list(agent.dir.glob("flash*"))


@needs_root
def test_a_state_folder_without_room_for_the_flash(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    command = agent.command("run", "--board", "sim", "--state", str(agent.dir))
    with open(tmp_path / "agent.log", "ab") as log:
        process = subprocess.Popen([*mounted(agent.dir, "size=512k"), *command], stderr=log)
    agent.dir = Path(f"/proc/{process.pid}/root{agent.dir}")
    try:
        agent.adopt(process)
        assert "flash.bin: No space left" in agent.must("display pki realm")
    finally:
        agent.stop()
