"""Device memory on a real file system: links, modes, the 60 s, what a killed agent left."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from hal.fakes.storage import FakeMemory
from hal.fakes.work import FakeReactor
from hal.memory import GRACE_NS, FolderMemory, Readers, realm_folder
from hal.ports import DeviceMemoryError

NAMES = ("cert.pem", "key.pem")


class Rig:
    """Device memory in a folder, with time to let pass."""

    def __init__(self, path: Path, mode: int = 0o600, group: int | None = None) -> None:
        self.path = path
        self.reactor = FakeReactor()
        self.memory = FolderMemory(str(path), self.reactor, Readers(group=group, mode=mode))

    def put(self, text: bytes, realm: str = "main") -> None:
        for fd in self.memory.stage(realm, NAMES).values():
            os.write(fd, text)
        self.memory.switch(realm)

    def listing(self, realm: str = "main") -> list[str]:
        return sorted(os.listdir(self.path / realm))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "memory")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_consumers_find_files_through_the_links(rig: Rig) -> None:
    rig.put(b"1")
    realm = rig.path / "main"
    assert rig.listing() == ["1", "cert.pem", "current", "key.pem"]
    assert os.readlink(realm / "current") == "1"
    assert os.readlink(realm / "cert.pem") == "current/cert.pem"
    assert (realm / "cert.pem").read_bytes() == b"1"
    rig.put(b"2")
    assert (realm / "cert.pem").read_bytes() == b"2"


def test_who_resolved_the_link_reads_one_set_for_60_s(rig: Rig) -> None:
    rig.put(b"1")
    resolved = Path(os.path.realpath(rig.path / "main" / "current"))
    rig.put(b"2")
    rig.reactor.advance(GRACE_NS - 1)
    assert {(resolved / name).read_bytes() for name in NAMES} == {b"1"}
    rig.reactor.advance(1)
    assert not resolved.exists()
    assert rig.listing() == ["2", "cert.pem", "current", "key.pem"]


def test_switches_in_a_row_keep_all_sets_for_their_time(rig: Rig) -> None:
    for text in (b"1", b"2", b"3"):
        rig.put(text)
        rig.reactor.advance(GRACE_NS // 2)
    assert [name for name in rig.listing() if name.isdecimal()] == ["2", "3"]
    rig.reactor.advance(GRACE_NS)
    assert [name for name in rig.listing() if name.isdecimal()] == ["3"]


def test_a_realm_that_came_again_is_not_hit_by_an_old_deadline(rig: Rig) -> None:
    rig.put(b"1")
    rig.put(b"2")
    rig.memory.remove("main")
    rig.put(b"3")  # in a folder `1` again
    rig.memory.stage("main", NAMES)
    rig.reactor.advance(2 * GRACE_NS)
    assert (rig.path / "main" / "cert.pem").read_bytes() == b"3"
    rig.memory.switch("main")
    rig.memory.remove("main")
    assert os.listdir(rig.path) == []


def test_nothing_is_readable_for_others_while_it_is_staged(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "memory", mode=0o644)
    rig.memory.stage("main", NAMES)
    assert mode(rig.path / "main" / "1") == 0o700
    assert mode(rig.path / "main" / "1" / "key.pem") == 0o600


@pytest.mark.parametrize(
    ("bits", "group", "folder"),
    [
        (0o600, None, 0o700),
        (0o640, None, 0o750),
        (0o600, os.getgid(), 0o750),
        (0o640, os.getgid(), 0o750),
        (0o644, None, 0o755),
    ],
)
def test_who_may_read_a_file_may_reach_it(
    tmp_path: Path, bits: int, group: int | None, folder: int
) -> None:
    before = os.umask(0o077)  # as some services have it
    try:
        rig = Rig(tmp_path / "memory", bits, group)
        rig.put(b"1")
    finally:
        os.umask(before)
    realm = rig.path / "main"
    assert mode(rig.path) == 0o755
    assert (mode(realm), mode(realm / "1"), mode(realm / "key.pem")) == (folder, folder, bits)


@pytest.mark.needs_root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files for another user")
def test_owner_and_group_get_the_files_not_the_folders(tmp_path: Path) -> None:
    memory = FolderMemory(str(tmp_path / "memory"), FakeReactor(), Readers(12345, 23456, 0o640))
    memory.stage("main", NAMES)
    memory.switch("main")
    realm = tmp_path / "memory" / "main"
    found = (realm / "key.pem").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 23456, 0o640)
    for folder in (realm, realm / "1"):
        found = folder.stat()
        assert (found.st_uid, found.st_gid) == (0, 23456)
        assert stat.S_IMODE(found.st_mode) == 0o751


@pytest.mark.needs_root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files for another user")
def test_a_realm_has_readers_of_its_own(tmp_path: Path) -> None:
    own = {"vpn": Readers(12345, mode=0o600), "radius": Readers(group=23456, mode=0o640)}
    memory = FolderMemory(str(tmp_path / "memory"), FakeReactor(), Readers(mode=0o600), own)
    for realm in ("main", "VPN", "radius"):
        memory.stage(realm, NAMES)
        memory.switch(realm)
    found = {realm: (tmp_path / "memory" / realm / "key.pem").stat() for realm in ("main", *own)}
    assert {
        realm: (one.st_uid, one.st_gid, stat.S_IMODE(one.st_mode)) for realm, one in found.items()
    } == {
        "main": (os.geteuid(), os.getegid(), 0o600),
        "vpn": (12345, os.getegid(), 0o600),
        "radius": (os.geteuid(), 23456, 0o640),
    }
    assert mode(tmp_path / "memory" / "vpn") == 0o711, "its user may enter"
    assert mode(tmp_path / "memory" / "main") == 0o700


@pytest.mark.parametrize("changed", [0o640, 0o400])
def test_what_somebody_else_may_read_now_is_not_what_was_made(rig: Rig, changed: int) -> None:
    rig.put(b"1")
    (rig.path / "main" / "1" / "cert.pem").chmod(changed)
    assert rig.memory.current("main", "cert.pem") is None
    rig.put(b"2")
    assert mode(rig.path / "main" / "cert.pem") == 0o600
    assert rig.memory.current("main", "cert.pem") == b"2"


def test_other_readers_since_the_last_start_count_at_once(tmp_path: Path) -> None:
    Rig(tmp_path / "memory").put(b"1")
    again = Rig(tmp_path / "memory", 0o640)
    assert again.memory.current("main", "cert.pem") is None, "it is to be made anew"


def test_what_a_killed_agent_left_goes_at_the_first_use(rig: Rig) -> None:
    rig.put(b"1")
    rig.put(b"2")  # its deadline for `1` dies with it
    rig.memory.stage("main", NAMES)
    os.symlink("3", rig.path / "main" / ".current")
    again = Rig(rig.path)
    assert again.memory.current("main", "cert.pem") == b"2"
    assert "1" in again.listing()
    again.put(b"3")
    assert [name for name in again.listing() if name.isdecimal()] == ["2", "3"]
    assert (rig.path / "main" / "cert.pem").read_bytes() == b"3"


def test_a_switch_that_fails_changes_nothing(rig: Rig) -> None:
    rig.put(b"1")
    rig.memory.stage("main", NAMES)
    shutil.rmtree(rig.path / "main" / "2")  # as a person may, who takes it for rubbish
    with pytest.raises(DeviceMemoryError):
        rig.memory.switch("main")
    assert rig.memory.current("main", "cert.pem") == b"1"
    assert rig.listing() == ["1", "cert.pem", "current", "key.pem"]
    rig.put(b"3")
    assert rig.memory.current("main", "cert.pem") == b"3"


def test_a_set_is_never_larger_than_what_may_be_read(rig: Rig) -> None:
    rig.put(b"x" * (1024 * 1024 + 1))
    with pytest.raises(DeviceMemoryError, match="too large"):
        rig.memory.current("main", "cert.pem")


def test_the_folder_of_a_realm_is_its_folded_name() -> None:
    assert realm_folder("Branch West") == realm_folder("BRANCH WEST") == "branch west"


def test_the_fake_keeps_the_set_before_and_fails_on_request() -> None:
    reactor = FakeReactor()
    memory = FakeMemory(reactor)
    for text in (b"1", b"2"):
        os.write(memory.stage("main", ("cert.pem",))["cert.pem"], text)
        memory.switch("main")
    assert memory.before == [("main", {"cert.pem": b"1"})]
    reactor.advance(GRACE_NS)
    assert memory.before == []
    memory.faults.at[memory.faults.calls + 2] = DeviceMemoryError("No space left on device", "main")
    memory.stage("main", ("cert.pem",))
    with pytest.raises(DeviceMemoryError, match="No space"):
        memory.switch("main")
    assert memory.current("main", "cert.pem") == b"2"
