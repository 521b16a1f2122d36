"""Attacks by way of folders: somebody else owns one, may write one, or exchanges one while we work.

In each the victim is a folder of root (or of whoever runs the tests) that the attacker may not
touch; it must be the same afterwards, byte for byte, in mode, owner and time.
"""

import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from hal.clock import LinuxClock, ScaledClock
from hal.fakes.work import FakeReactor
from hal.files import FolderFiles, open_device_key
from hal.flash import FileFlash
from hal.memory import GRACE_NS, FolderMemory, Readers
from hal.ports import DeviceKeyError, DeviceMemoryError, FilesError, FlashError, HalError, LinkError
from hal.pump import SerialPump
from hal.sockets import listen_unix, remove_socket
from tests.helpers.reactor import LiveReactor

STRANGER = 65534
START_S = 60
ROUNDS = 60
NAMES = ("cert.pem", "key.pem")
SECRET = b"a key"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: folders of another user")


class Entry(NamedTuple):
    """All of a file or folder that an attack could change."""

    mode: int
    owner: int
    group: int
    links: int
    changed_ns: int  # by anything: content, mode, owner, names
    content: bytes | str


def entry(path: Path) -> Entry:
    found = path.lstat()
    content: bytes | str = ""
    if path.is_symlink():
        content = os.readlink(path)
    elif stat.S_ISREG(found.st_mode):
        content = path.read_bytes()
    numbers = (found.st_mode, found.st_uid, found.st_gid, found.st_nlink, found.st_ctime_ns)
    return Entry(*numbers, content)


def snapshot(folder: Path) -> dict[str, Entry]:
    """The folder and all below it."""
    paths = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): entry(path) for path in paths}


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder that holds a file under each name that the agent makes, moves or deletes."""
    folder = tmp_path / "victim"
    for name in ("1", "2", "3", "abc", "current"):
        (folder / name).mkdir(parents=True)
        for below in (*NAMES, ".new"):
            (folder / name / below).write_bytes(b"the victim's")
    for name in (".new", ".current", "abc_local.cer", "flash.bin", "device.key", *NAMES):
        (folder / name).write_bytes(bytes(32))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return folder


def exchange(path: Path, victim: Path) -> None:
    """Takes a folder away and lets its name lead to the victim."""
    path.rename(path.with_name(f"{path.name}.taken"))
    path.symlink_to(victim)


# -- a folder exchanged between two operations -----------------------------------------------------

FILE_CALLS: dict[str, Callable[[FolderFiles], object]] = {
    "read": lambda files: files.read("abc_local.cer"),
    "write": lambda files: files.write("abc_local.cer", b"ours"),
    "remove": lambda files: files.remove("abc_local.cer"),
    "names": lambda files: files.names(),
    "stat": lambda files: files.stat("abc_local.cer"),
}


@pytest.mark.parametrize("call", FILE_CALLS)
def test_device_storage_exchanged_for_a_link(tmp_path: Path, victim: Path, call: str) -> None:
    files = FolderFiles(str(tmp_path / "storage"))
    files.write("abc_local.cer", b"before")
    exchange(tmp_path / "storage", victim)
    before = snapshot(victim)
    with pytest.raises(FilesError, match="is a link"):
        FILE_CALLS[call](files)
    assert snapshot(victim) == before


@needs_root
@pytest.mark.parametrize("call", FILE_CALLS)
def test_device_storage_exchanged_for_a_folder_of_another_user(tmp_path: Path, call: str) -> None:
    files = FolderFiles(str(tmp_path / "storage"))
    shutil.rmtree(tmp_path / "storage")
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "abc_local.cer").write_bytes(b"his")
    os.chown(tmp_path / "storage", STRANGER, STRANGER)
    before = snapshot(tmp_path / "storage")
    with pytest.raises(FilesError, match="belongs to user"):
        FILE_CALLS[call](files)
    assert snapshot(tmp_path / "storage") == before


def test_device_storage_that_was_removed_is_made_again_only_in_a_safe_place(tmp_path: Path) -> None:
    files = FolderFiles(str(tmp_path / "state" / "storage"))
    (tmp_path / "state" / "storage").rmdir()
    files.write("abc_local.cer", b"ours")
    shutil.rmtree(tmp_path / "state" / "storage")
    (tmp_path / "state").chmod(0o777)
    with pytest.raises(FilesError, match="writable for others"):
        files.write("abc_local.cer", b"ours")
    assert os.listdir(tmp_path / "state") == []


def fill(memory: FolderMemory, realm: str = "abc") -> None:
    for fd in memory.stage(realm, NAMES).values():
        os.write(fd, SECRET)


MEMORY_CALLS: dict[str, Callable[[FolderMemory], object]] = {
    "stage": lambda memory: memory.stage("abc", NAMES),
    "switch": lambda memory: memory.switch("abc"),
    "discard": lambda memory: memory.discard("abc"),
    "current": lambda memory: memory.current("abc", "cert.pem"),
    "remove": lambda memory: memory.remove("abc"),
}


@pytest.mark.parametrize("call", MEMORY_CALLS)
def test_device_memory_exchanged_for_a_link(tmp_path: Path, victim: Path, call: str) -> None:
    memory = FolderMemory(str(tmp_path / "memory"), FakeReactor(), Readers(mode=0o644))
    fill(memory)
    exchange(tmp_path / "memory", victim)
    before = snapshot(victim)
    with pytest.raises(DeviceMemoryError, match="is a link"):
        MEMORY_CALLS[call](memory)
    assert snapshot(victim) == before
    assert memory._stages.get("abc") is None or call == "current", "descriptors were left open"


@pytest.mark.parametrize("call", MEMORY_CALLS)
@pytest.mark.parametrize("place", ["abc", "abc/2", "abc/current", "abc/1"])
def test_a_folder_in_device_memory_exchanged_for_a_link(
    tmp_path: Path, victim: Path, place: str, call: str
) -> None:
    """Whatever the call does, nothing of it is done in the folder that the link leads to."""
    reactor = FakeReactor()
    memory = FolderMemory(str(tmp_path / "memory"), reactor, Readers(mode=0o644))
    for _ in range(2):
        fill(memory)
        memory.switch("abc")
    fill(memory)  # in 3; 2 is current, 1 is in its 60 s
    exchange(tmp_path / "memory" / place, victim)
    before = snapshot(victim)
    try:
        MEMORY_CALLS[call](memory)
    except DeviceMemoryError:
        assert call in ("switch", "current"), "only what was staged or current may be missed"
    reactor.advance(GRACE_NS)
    fill(memory)
    memory.switch("abc")
    assert memory.current("abc", "cert.pem") == SECRET, "the realm is served all the same"
    memory.remove("abc")
    assert snapshot(victim) == before


def test_what_was_staged_is_exchanged_before_the_switch(tmp_path: Path, victim: Path) -> None:
    memory = FolderMemory(str(tmp_path / "memory"), FakeReactor(), Readers(mode=0o644))
    fill(memory)
    exchange(tmp_path / "memory" / "abc" / "1", victim)
    before = snapshot(victim)
    with pytest.raises(DeviceMemoryError):
        memory.switch("abc")
    assert memory.current("abc", "cert.pem") is None, "his files are not what consumers get"
    assert snapshot(victim) == before


@contextmanager
def exchanging(path: Path, victim: Path) -> Iterator[None]:
    """Another thread exchanges the folder for a link and puts it back, again and again."""
    taken, ended = path.with_name(f"{path.name}.taken"), threading.Event()
    steps: list[Callable[[], object]] = [
        lambda: path.rename(taken),
        lambda: path.symlink_to(victim),
        lambda: path.unlink(),
        lambda: taken.rename(path),  # unless it was made again meanwhile
        lambda: shutil.rmtree(taken),
    ]

    def run() -> None:
        while not ended.is_set():
            for step in steps:
                with suppress(OSError):
                    step()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(START_S)
    assert not thread.is_alive()


def test_a_folder_exchanged_in_the_middle_of_each_operation(tmp_path: Path, victim: Path) -> None:
    files = FolderFiles(str(tmp_path / "storage"))
    memory = FolderMemory(str(tmp_path / "memory"), FakeReactor(), Readers(mode=0o644))
    memory.stage("abc", NAMES)
    memory.switch("abc")
    before, done, failed = snapshot(victim), 0, 0
    calls: list[Callable[[], object]] = [partial(call, files) for call in FILE_CALLS.values()]
    calls += [partial(call, memory) for call in MEMORY_CALLS.values()]
    with exchanging(tmp_path / "storage", victim), exchanging(tmp_path / "memory", victim):
        for call in calls * ROUNDS:
            try:
                call()
                done += 1
            except HalError:
                failed += 1
    memory.discard("abc")
    assert done > 0
    assert failed > 0
    assert snapshot(victim) == before


# -- files that are opened by themselves -----------------------------------------------------------


def flash_file(folder: Path) -> None:
    FileFlash(str(folder / "flash.bin"), 256, 4).close()


def device_key(folder: Path) -> None:
    os.close(open_device_key(str(folder / "device.key"), make=True)[0])


def console_socket(folder: Path) -> None:
    listen_unix(str(folder / "console.sock")).close()


def serial_link(folder: Path) -> None:
    reactor = LiveReactor()
    try:
        SerialPump(str(folder / "serial"), reactor).close()
    finally:
        reactor.close()


def clock_file(folder: Path) -> None:
    ScaledClock(LinuxClock(), str(folder / "clock")).set_wall(1_900_000_000)


OPENERS = [flash_file, device_key, console_socket, serial_link, clock_file]


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("bits", [0o777, 0o1777, 0o720], ids=oct)
def test_a_file_in_a_folder_that_others_may_write(
    tmp_path: Path, opener: Callable[[Path], None], bits: int
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(bits)
    with pytest.raises(HalError, match="writable for others"):
        opener(state)
    assert os.listdir(state) == []


@needs_root
@pytest.mark.parametrize("opener", OPENERS)
def test_a_file_in_a_folder_of_another_user(tmp_path: Path, opener: Callable[[Path], None]) -> None:
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", STRANGER, STRANGER)
    with pytest.raises(HalError, match=f"belongs to user {STRANGER}"):
        opener(tmp_path / "state")
    assert os.listdir(tmp_path / "state") == []


def test_a_new_flash_file_is_not_written_into_a_hard_link(tmp_path: Path, victim: Path) -> None:
    os.link(victim / "flash.bin", tmp_path / "flash.bin.new")
    before = snapshot(victim)
    with pytest.raises(FlashError, match="another name"):
        flash_file(tmp_path)
    assert snapshot(victim) == before


def test_a_hard_link_in_device_storage_is_replaced(tmp_path: Path, victim: Path) -> None:
    files = FolderFiles(str(tmp_path / "storage"))
    os.link(victim / "abc_local.cer", tmp_path / "storage" / "abc_local.cer")
    os.link(victim / "device.key", tmp_path / "storage" / ".new")
    files.write("abc_local.cer", b"ours")
    assert files.read("abc_local.cer") == b"ours"
    assert {(victim / name).read_bytes() for name in ("abc_local.cer", "device.key")} == {bytes(32)}


@needs_root
def test_a_flash_file_of_another_user_is_refused(tmp_path: Path) -> None:
    """Who owns it may write it, whatever its mode says."""
    flash_file(tmp_path)
    os.chown(tmp_path / "flash.bin", STRANGER, STRANGER)
    before = snapshot(tmp_path)
    with pytest.raises(FlashError, match=f"belongs to user {STRANGER}"):
        flash_file(tmp_path)
    assert snapshot(tmp_path) == before


@needs_root
def test_a_socket_of_another_user_is_not_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "console.sock"
    listen_unix(str(path)).close()
    os.chown(path, STRANGER, STRANGER)
    with pytest.raises(LinkError, match=f"belongs to user {STRANGER}"):
        listen_unix(str(path))
    remove_socket(str(path))
    assert path.is_socket()


@pytest.mark.parametrize("name", ["flash.bin", "flash.bin.new", "device.key", "console.sock"])
def test_a_link_in_the_place_of_a_file(tmp_path: Path, victim: Path, name: str) -> None:
    (tmp_path / name).symlink_to(victim / "device.key")
    before = snapshot(victim)
    opener = {"flash.bin.new": flash_file, "flash.bin": flash_file, "device.key": device_key}
    with pytest.raises((FlashError, DeviceKeyError, LinkError)):
        opener.get(name, console_socket)(tmp_path)
    assert snapshot(victim) == before
