"""Files and folders in device memory that are not the agent's: they stay and block no realm."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hal.fakes.work import FakeReactor
from hal.memory import GRACE_NS, FolderMemory
from tests.helpers.board import AGAIN, APPLY, SAVE, Agent, check_certificate, procedure
from tests.helpers.labca import LabCa

NAMES = ("cert.pem", "key.pem")
STRANGER = 65534
THEIRS = b"not the agent's"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a folder of another user")


class Rig:
    """Device memory whose agent may be started again, and what it told of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[str] = []
        self.start()

    def start(self) -> None:
        self.reactor = FakeReactor()
        self.memory = FolderMemory(str(self.path), self.reactor, tell=self.told.append)

    def put(self, text: bytes, realm: str = "main") -> None:
        for fd in self.memory.stage(realm, NAMES).values():
            os.write(fd, text)
        self.memory.switch(realm)
        for name in NAMES:
            assert (self.path / realm / name).read_bytes() == text
            assert self.memory.current(realm, name) == text

    def holders(self, data: bytes) -> list[Path]:
        """The files, not reached through links, with this content."""
        found = []
        for folder, _names, files in os.walk(self.path):
            paths = [Path(folder, name) for name in files]
            found += [p for p in paths if not p.is_symlink() and p.read_bytes() == data]
        return found


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    found = Rig(tmp_path / "memory")
    for text in (b"secret 1", b"secret 2"):
        found.put(text)  # 2 is current; 1 is in its 60 s, which end with the agent
    return found


def folder_with_a_file(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "theirs").write_bytes(THEIRS)


def folder_with_a_folder(path: Path) -> None:
    folder_with_a_file(path / "below")


def file(path: Path) -> None:
    path.write_bytes(THEIRS)


Plant = Callable[[Path], None]
LONGEST = "9" * 255  # as a name may be; the next number would be too long for one
BLOCKING: list[tuple[str, Plant]] = [
    ("main/1/backup", folder_with_a_file),
    ("main/2/backup", folder_with_a_file),
    ("main/3", folder_with_a_folder),
    ("main/7", folder_with_a_folder),
    ("main/3", file),
    ("main/notes", folder_with_a_folder),
    ("main/notes", folder_with_a_file),
    ("main/notes", file),
    (f"main/{LONGEST}", folder_with_a_folder),
    (f"main/{LONGEST}", folder_with_a_file),
    ("main/٣", folder_with_a_folder),
    ("main/.current", folder_with_a_file),
    ("backup", folder_with_a_folder),
    (".hidden", file),
]


@pytest.mark.parametrize(("place", "plant"), BLOCKING)
def test_a_stray_blocks_no_realm_and_stays(rig: Rig, place: str, plant: Plant) -> None:
    plant(rig.path / place)
    for text in (b"secret 3", b"secret 4"):
        rig.put(text)
    rig.start()
    for text in (b"secret 5", b"secret 6"):
        rig.put(text)
        rig.reactor.advance(2 * GRACE_NS)
    assert rig.holders(THEIRS)
    assert [rig.holders(b"secret %d" % n) for n in range(1, 6)] == [[]] * 5
    assert len(set(rig.told)) == len(rig.told)


@pytest.mark.parametrize(("place", "plant"), BLOCKING)
def test_a_realm_is_removed_from_around_a_stray(rig: Rig, place: str, plant: Plant) -> None:
    plant(rig.path / place)
    rig.memory.remove("main")
    assert rig.memory.current("main", "key.pem") is None
    assert rig.holders(b"secret 1") + rig.holders(b"secret 2") == []
    assert rig.holders(THEIRS)
    stays = [text for text in rig.told if f"{rig.path}/main stays" in text]
    assert len(stays) == place.startswith("main/")
    rig.memory.remove("main")
    rig.put(b"secret 3")
    assert len(set(rig.told)) == len(rig.told)


@pytest.mark.parametrize("place", ["main/current", "main/key.pem", "main/.current", "main"])
@pytest.mark.parametrize("plant", [folder_with_a_file, folder_with_a_folder, file])
def test_what_stands_at_a_name_of_the_agent_is_set_aside(
    tmp_path: Path, place: str, plant: Plant
) -> None:
    """A folder is kept under another name, which is told; a file or link of that name is ours."""
    rig = Rig(tmp_path / "memory")
    (rig.path / "main").mkdir(exist_ok=True)
    if place == "main":
        (rig.path / "main").rmdir()
    plant(rig.path / place)
    rig.put(b"secret 1")
    rig.put(b"secret 2")
    aside = (rig.path / place).with_name(".stray-1")
    if plant is file and place != "main":
        assert (rig.holders(THEIRS), rig.told) == ([], [])
    elif plant is file:
        assert aside.read_bytes() == THEIRS
        assert rig.told == [f"{rig.path / place} was in the way and is .stray-1 now"]
    elif place == "main":
        assert (rig.holders(THEIRS) != [], rig.told) == (True, []), "his folder became the realm's"
    else:
        assert rig.holders(THEIRS)[0].is_relative_to(aside)
        assert rig.told == [f"{rig.path / place} was in the way and is .stray-1 now"]


@needs_root
def test_a_folder_of_another_user_in_the_place_of_a_realm(tmp_path: Path) -> None:
    """He could exchange what consumers read; his folder is neither entered nor given away."""
    rig = Rig(tmp_path / "memory")
    folder_with_a_file(rig.path / "main")
    os.chown(rig.path / "main", STRANGER, STRANGER)
    rig.put(b"secret 1")
    aside = rig.path / ".stray-1"
    assert (aside / "theirs").read_bytes() == THEIRS
    assert aside.stat().st_uid == STRANGER
    assert (rig.path / "main").stat().st_uid == 0
    assert len(rig.told) == 1


def test_a_realm_folder_that_others_may_write_is_shut_again(rig: Rig) -> None:
    (rig.path / "main").chmod(0o777)
    rig.put(b"secret 3")
    assert (rig.path / "main").stat().st_mode & 0o777 == 0o700


def test_a_stray_that_cannot_be_removed_at_all(rig: Rig) -> None:
    """An immutable file, as root has them (chattr +i); elsewhere the same as any stray."""
    stuck = rig.path / "main" / "1" / "stuck"
    stuck.write_bytes(THEIRS)
    if subprocess.run(["chattr", "+i", str(stuck)], capture_output=True).returncode:
        pytest.skip("needs root and a file system with immutable files")
    try:
        rig.start()
        rig.put(b"secret 3")
        assert (stuck.read_bytes(), rig.holders(b"secret 1")) == (THEIRS, [])
        assert [text for text in rig.told if "main/1 stays" in text] == rig.told
    finally:
        subprocess.run(["chattr", "-i", str(stuck)], check=True)


# -- the agent itself ------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Agent, LabCa]]:
    """An agent whose realm abc has a certificate in use."""
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        pin = f"fingerprint sha256 {ca.fingerprint}"
        agent.must(*procedure(ca.url, pin), "return", *APPLY, *SAVE)
        agent.wait_state("issued")
        yield agent, ca


def test_strays_do_not_keep_a_renewal_from_consumers(served: tuple[Agent, LabCa]) -> None:
    agent, ca = served
    first = agent.memory("cert.pem").read_bytes()
    for place in ("memory/abc/1/backup", "memory/abc/2/backup/old", "memory/abc/5/a/b"):
        folder_with_a_file(agent.dir / place)
    agent.stop()
    agent.start()
    for _ in range(2):
        agent.must(*AGAIN)
        agent.wait_state("issued")
    assert agent.memory("cert.pem").read_bytes() != first
    check_certificate(agent, ca.dir / "ca.pem")
    assert (agent.dir / "memory/abc/5/a/b/theirs").read_bytes() == THEIRS
    said = [line for line in agent.log().splitlines() if "MEMORY_ERR" in line]
    assert len([line for line in said if "/abc/5 stays: Directory not empty" in line]) == 1
    agent.must("system-view", "undo pki realm abc", "y")
    assert list((agent.dir / "memory").rglob("*.pem")) == []
    assert (agent.dir / "memory/abc/5/a/b/theirs").read_bytes() == THEIRS
