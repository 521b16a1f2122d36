"""The storage folder on a real file system, the device key, and the plain reads."""

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hal.fakes.storage import FakeFiles
from hal.files import FILE_BYTES, FolderFiles, converted, open_device_key, read_text
from hal.ports import FilesError, HalError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_and_files_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "below" / "storage"
    FolderFiles(str(folder)).write("a.cer", b"x")
    assert (mode(folder), mode(folder / "a.cer")) == (0o700, 0o600)


def test_a_leftover_of_a_cut_goes_at_the_start_and_nothing_else(tmp_path: Path) -> None:
    for name in (".new", "a.cer", ".keep"):
        (tmp_path / name).write_bytes(b"x")
    FolderFiles(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == [".keep", "a.cer"]


def test_a_write_leaves_no_temporary_and_replaces_the_inode(tmp_path: Path) -> None:
    files = FolderFiles(str(tmp_path))
    files.write("a.cer", b"old")
    held = os.open(tmp_path / "a.cer", os.O_RDONLY)
    files.write("a.cer", b"new")
    assert os.read(held, 10) == b"old", "who reads the old file reads all of it"
    os.close(held)
    assert os.listdir(tmp_path) == ["a.cer"]


def test_a_write_that_fails_changes_nothing(tmp_path: Path) -> None:
    files = FolderFiles(str(tmp_path))
    (tmp_path / "a.cer").mkdir()  # a rename onto a folder fails after the data were written
    with pytest.raises(FilesError):
        files.write("a.cer", b"x")
    assert os.listdir(tmp_path) == ["a.cer"]


def plant_link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def plant_pipe(path: Path) -> None:
    os.mkfifo(path)


def plant_folder(path: Path) -> None:
    path.mkdir()


def plant_large(path: Path) -> None:
    path.write_bytes(bytes(FILE_BYTES + 1))


@pytest.mark.parametrize("plant", [plant_link, plant_pipe, plant_folder, plant_large])
def test_what_is_no_small_regular_file_is_refused(
    tmp_path: Path, plant: Callable[[Path], None]
) -> None:
    files = FolderFiles(str(tmp_path))
    plant(tmp_path / "a.cer")
    with pytest.raises(FilesError):
        files.read("a.cer")


def test_names_leave_out_what_cannot_be_read(tmp_path: Path) -> None:
    files = FolderFiles(str(tmp_path))
    files.write("good.cer", b"x")
    plant_link(tmp_path / "link.cer")
    plant_folder(tmp_path / "folder")
    (tmp_path / ".hidden").touch()
    (tmp_path / "with space").touch()
    assert files.names() == ["good.cer"]


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"theirs")
    files = FolderFiles(str(tmp_path / "storage"))
    (tmp_path / "storage" / "a.cer").symlink_to(outside)
    (tmp_path / "storage" / ".new").symlink_to(outside)
    files.write("a.cer", b"ours")
    assert outside.read_bytes() == b"theirs"
    assert files.read("a.cer") == b"ours"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FilesError):
        FolderFiles(str(tmp_path / "file" / "storage"))


def test_the_device_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    fd, there = open_device_key(str(path), make=True)
    first = os.read(fd, 100)
    assert there
    assert len(first) == 32
    assert mode(path) == 0o600
    assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    assert fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    os.close(fd)
    again, _there = open_device_key(str(path), make=False)
    assert os.lseek(again, 0, os.SEEK_CUR) == 0, "nothing of it was read"
    assert os.read(again, 100) == first
    os.close(again)
    assert os.listdir(tmp_path) == ["device.key"]


def test_two_devices_have_two_keys(tmp_path: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        fd, _there = open_device_key(str(tmp_path / name), make=True)
        keys.add(os.read(fd, 32))
        os.close(fd)
    assert len(keys) == 2


def test_a_missing_key_that_may_not_be_made_is_an_empty_file(tmp_path: Path) -> None:
    fd, there = open_device_key(str(tmp_path / "device.key"), make=False)
    assert not there
    assert os.pread(fd, 100, 0) == b""
    assert fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    os.close(fd)
    assert os.listdir(tmp_path) == []


def test_a_read_only_key_of_the_service_manager_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "credential"
    path.write_bytes(bytes(32))
    path.chmod(0o400)
    os.close(open_device_key(str(path), make=False)[0])


@pytest.mark.parametrize(
    ("size", "bits", "word"),
    [
        (0, 0o600, "32 bytes"),
        (31, 0o600, "32 bytes"),
        (33, 0o600, "32 bytes"),
        (32, 0o640, "chmod"),
    ],
)
def test_a_wrong_device_key_is_refused_and_left_alone(
    tmp_path: Path, size: int, bits: int, word: str
) -> None:
    path = tmp_path / "device.key"
    path.write_bytes(b"k" * size)
    path.chmod(bits)
    with pytest.raises(FilesError, match=word):
        open_device_key(str(path), make=True)
    assert path.read_bytes() == b"k" * size


@pytest.mark.parametrize("plant", [plant_link, plant_pipe, plant_folder])
def test_a_device_key_is_a_regular_file(tmp_path: Path, plant: Callable[[Path], None]) -> None:
    plant(tmp_path / "device.key")
    with pytest.raises(FilesError):
        open_device_key(str(tmp_path / "device.key"), make=True)


@pytest.mark.needs_root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a file of another user")
def test_a_device_key_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    path.write_bytes(bytes(32))
    path.chmod(0o600)
    os.chown(path, 12345, 12345)
    with pytest.raises(FilesError, match="another user"):
        open_device_key(str(path), make=True)


def test_text_is_read_up_to_its_cap(tmp_path: Path) -> None:
    path = tmp_path / "router.cfg"
    path.write_text("sysname Köln\n", encoding="utf-8")
    assert read_text(str(path), 64) == "sysname Köln\n"
    assert read_text(str(path), 14) == "sysname Köln\n"
    with pytest.raises(FilesError, match="too large"):
        read_text(str(path), 13)


@pytest.mark.parametrize("kind", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_of_windows(tmp_path: Path, kind: str) -> None:
    text = "sysname Köln\r\n"
    mark = "\ufeff" if kind.startswith("utf-16-") else ""
    path = tmp_path / "router.cfg"
    path.write_bytes((mark + text).encode(kind))
    assert read_text(str(path), 64) == text
    path.write_bytes(b"\xff\xfea")
    with pytest.raises(FilesError, match="not UTF-16 text"):
        read_text(str(path), 64)


def test_text_that_is_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "router.cfg"
    path.write_bytes(b"abc\xff")
    with pytest.raises(FilesError, match="byte 3"):
        read_text(str(path), 64)
    with pytest.raises(FilesError, match="No such file"):
        read_text(str(tmp_path / "absent"), 64)
    with pytest.raises(FilesError, match="too large"):
        read_text("/dev/zero", 4096)


def test_errors_of_the_system_are_converted_with_their_text() -> None:
    with (
        pytest.raises(HalError, match="here: No space left") as caught,
        converted(HalError, "here"),
    ):
        raise OSError(errno.ENOSPC, "x")
    assert isinstance(caught.value.__cause__, OSError)


def test_the_fake_fails_at_the_call_that_was_named() -> None:
    files = FakeFiles({"a": b"old"})
    files.faults.at[2] = FilesError("No space left on device", "a")
    files.write("b", b"")
    with pytest.raises(FilesError, match="No space"):
        files.write("a", b"new")
    assert files.read("a") == b"old"
    assert files.faults.calls == 3
