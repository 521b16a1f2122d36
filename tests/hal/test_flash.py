"""Flash on a file: how it is made, how one agent keeps it, what errors of the system become."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hal.flash import FileFlash, check_range, is_blank
from hal.folder import opened
from hal.ports import FlashError


def test_the_file_is_private_and_filled(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    flash = FileFlash(str(path), 65536, 3)
    assert path.read_bytes() == b"\xff" * 3 * 65536
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["flash.bin"]
    assert not os.get_inheritable(flash._fd)
    flash.close()


def test_content_stays(tmp_path: Path) -> None:
    path = str(tmp_path / "flash.bin")
    first = FileFlash(path, 256, 4)
    first.program(5, b"kept")
    first.sync()
    first.close()
    second = FileFlash(path, 256, 4)
    assert second.read(4, 6) == b"\xffkept\xff"
    second.close()


def test_an_interrupted_first_start_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "flash.bin.new").write_bytes(b"\xff\xff half of it, and longer than the part" * 99)
    flash = FileFlash(str(tmp_path / "flash.bin"), 256, 4)
    assert flash.read(0, 1024) == b"\xff" * 1024
    assert os.listdir(tmp_path) == ["flash.bin"]
    flash.close()


@pytest.mark.parametrize("size", [0, 255, 511])
def test_a_file_of_less_than_two_blocks_is_refused_and_kept(tmp_path: Path, size: int) -> None:
    path = tmp_path / "flash.bin"
    path.write_bytes(b"x" * size)
    with pytest.raises(FlashError, match=f"has {size} bytes, 1024 are configured"):
        FileFlash(str(path), 256, 4)
    assert path.read_bytes() == b"x" * size


@pytest.mark.parametrize("size", [512, 1023, 1025, 4096])
def test_a_file_keeps_its_size(tmp_path: Path, size: int) -> None:
    """What the board file says of it is for a new one: nothing is cut off, nothing added."""
    path = tmp_path / "flash.bin"
    path.write_bytes(b"x" * size)
    flash = FileFlash(str(path), 256, 4)
    assert flash.block_count == size // 256
    assert flash.read(0, 256) == b"x" * 256
    flash.close()
    assert path.read_bytes() == b"x" * size


def test_a_second_agent_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "flash.bin")
    first = FileFlash(path, 256, 4)
    with pytest.raises(FlashError, match="in use by another agent"):
        FileFlash(path, 256, 4)
    code = (
        "import sys; from hal.flash import FileFlash\n"
        "try: FileFlash(sys.argv[1], 256, 4)\n"
        "except Exception as error: print(error)"
    )
    root = Path(__file__).parents[2]
    other = subprocess.run(
        [sys.executable, "-c", code, path], cwd=root, capture_output=True, text=True, timeout=120
    )
    assert "in use by another agent" in other.stdout
    first.close()
    FileFlash(path, 256, 4).close()


def test_of_two_first_starts_one_wins(tmp_path: Path) -> None:
    path = str(tmp_path / "flash.bin")
    with open(path + ".new", "wb") as other:
        import fcntl

        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FlashError, match="in use by another agent"):
            FileFlash(path, 256, 4)
    assert not os.path.exists(path)
    flash = FileFlash(path, 256, 4)
    flash.close()
    with (
        opened(str(tmp_path)) as folder,
        pytest.raises(FlashError, match="in use by another agent"),
    ):
        flash._create("flash.bin", folder, 1024)  # as one that found no file a moment ago
    flash.close()
    assert os.listdir(tmp_path) == ["flash.bin"]


def test_errors_of_the_system_become_flash_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "no" / "folder", tmp_path):
        with pytest.raises(FlashError):
            FileFlash(str(path), 256, 4)


def test_a_file_that_was_cut_short_is_noticed(tmp_path: Path) -> None:
    path = str(tmp_path / "flash.bin")
    flash = FileFlash(path, 256, 4)
    os.truncate(path, 300)
    assert len(flash.read(0, 300)) == 300
    with pytest.raises(FlashError, match="shorter"):
        flash.read(0, 301)
    flash.close()


def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"")
    before = len(os.listdir("/proc/self/fd"))
    flash = FileFlash(str(tmp_path / "flash.bin"), 256, 4)
    for name in ("flash.bin", "short", "no/such"):
        with pytest.raises(FlashError):
            FileFlash(str(tmp_path / name), 256, 4)
    flash.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_helpers(tmp_path: Path) -> None:
    assert is_blank(b"")
    assert is_blank(b"\xff" * 9)
    assert not is_blank(b"\xff\xfe\xff")
    flash = FileFlash(str(tmp_path / "flash.bin"), 256, 4)
    check_range(flash, 0, 1024)
    with pytest.raises(FlashError):
        check_range(flash, 8, 8, 16)
    flash.close()
