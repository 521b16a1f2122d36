"""The walk to a folder: which ones are taken, which are refused, and what a refusal leaves."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hal.folder import ForeignError, below, beside, opened

STRANGER = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: folders of another user")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def same(fd: int, path: Path) -> bool:
    return os.path.samestat(os.fstat(fd), path.stat())


def as_stranger(call: Callable[[], object]) -> str:
    """What the call of another user came to: `taken`, or its error."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = "no answer"
        try:
            os.setgroups([])
            os.setresgid(STRANGER, STRANGER, STRANGER)
            os.setresuid(STRANGER, STRANGER, STRANGER)
            call()
            said = "taken"
        except OSError as error:
            said = str(error)
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return text


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that other users can reach; pytest's own are shut for them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield folder


def take(path: Path, mode: int | None = 0o700) -> None:
    with opened(str(path), mode) as fd:
        assert same(fd, path)


def refuse(path: Path, match: str) -> None:
    for bits in (None, 0o700):
        with pytest.raises(ForeignError, match=match), opened(str(path), bits):
            pass


def test_a_missing_folder_is_made_with_exactly_its_mode(tmp_path: Path) -> None:
    path, before = tmp_path / "a" / "b" / "memory", os.umask(0o077)
    try:
        with opened(str(path), 0o751):
            pass
    finally:
        os.umask(before)
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o751, 0o755, 0o755)


def test_without_a_mode_nothing_is_made(tmp_path: Path) -> None:
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(FileNotFoundError), opened(str(path)):
            pass
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    take(tmp_path, 0o700)
    assert mode(tmp_path) == 0o750


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Path]:
    """The test's folder, as the working directory."""
    before = os.getcwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


@pytest.mark.parametrize(
    "spelling", ["{}/state/", "{}//state/.", "{}/state/x/..", "state", "./state"]
)
def test_every_spelling_of_a_path_is_the_same_folder(inside: Path, spelling: str) -> None:
    (inside / "state" / "x").mkdir(parents=True)
    with opened(spelling.format(inside)) as fd:
        assert same(fd, inside / "state")


def test_the_root_of_the_file_system_is_a_folder() -> None:
    with opened("/") as fd:
        assert same(fd, Path("/"))


def test_beside_a_file_is_its_folder(tmp_path: Path) -> None:
    with beside(str(tmp_path / "flash.bin")) as (fd, name):
        assert (same(fd, tmp_path), name) == (True, "flash.bin")


@pytest.mark.parametrize("bits", [0o720, 0o702, 0o777, 0o1777, 0o2775], ids=oct)
def test_a_folder_that_others_may_write_is_refused_and_left_alone(
    tmp_path: Path, bits: int
) -> None:
    """Sticky or not: in a folder of ours others could still make what we would come upon."""
    path = tmp_path / "state"
    path.mkdir()
    path.chmod(bits)
    refuse(path, f"state is writable for others .mode {bits:04o}")
    assert (mode(path), os.listdir(path)) == (bits, [])


@pytest.mark.parametrize(
    "bits",
    [0o702, 0o777, *(pytest.param(b, marks=needs_root) for b in (0o720, 0o2775))],
    ids=oct,
)
def test_a_folder_above_in_which_others_may_rename_is_refused(tmp_path: Path, bits: int) -> None:
    shared = tmp_path / "shared"
    (shared / "state").mkdir(parents=True)
    shared.chmod(bits)
    refuse(shared / "state", "shared is writable for others")
    refuse(shared / "absent" / "state", "shared is writable for others")
    assert os.listdir(shared) == ["state"]


def test_a_sticky_folder_above_is_none_of_others(tmp_path: Path) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    take(shared / "state")
    take(shared / "state")


def test_a_link_at_the_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "state").symlink_to("victim")
    refuse(tmp_path / "state", "state is a link")
    refuse(tmp_path / "state/", "state is a link")


@pytest.mark.parametrize("target", ["run", "{0}/run", "../{1}/run", "second"])
def test_a_link_of_ours_on_the_way_is_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "run" / "state").mkdir(parents=True)
    (tmp_path / "second").symlink_to("run")
    (tmp_path / "var").symlink_to(target.format(tmp_path, tmp_path.name))
    with opened(str(tmp_path / "var" / "state"), 0o700) as fd:
        assert same(fd, tmp_path / "run" / "state")


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"), opened(str(tmp_path / "a" / "state")):
        pass


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "state"):
        with pytest.raises(NotADirectoryError), opened(str(path), 0o700):
            pass


@needs_root
def test_a_folder_of_another_user_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    os.chown(path, STRANGER, STRANGER)
    refuse(path, f"state belongs to user {STRANGER}")
    refuse(path / "storage", f"state belongs to user {STRANGER}")
    with opened(str(tmp_path)) as fd, pytest.raises(ForeignError), below(fd, "state"):
        pass
    assert (mode(path), os.listdir(path)) == (0o700, [])


@needs_root
def test_a_link_of_another_user_on_the_way_is_refused(tmp_path: Path) -> None:
    """Also in a sticky folder, where he may have made it before us (protected_symlinks or not)."""
    (tmp_path / "victim" / "state").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    (tmp_path / "tmp" / "link").symlink_to(tmp_path / "victim")
    os.chown(tmp_path / "tmp" / "link", STRANGER, STRANGER, follow_symlinks=False)
    refuse(tmp_path / "tmp" / "link" / "state", f"link belongs to user {STRANGER}")


@needs_root
def test_an_ordinary_user_has_his_own_folders_and_those_of_root(shared: Path) -> None:
    for name, owner in (("own", STRANGER), ("root", 0), ("other", 12345)):
        (shared / name / "state").mkdir(parents=True)
        os.chown(shared / name / "state", owner, owner)
        os.chown(shared / name, owner, owner)
    assert as_stranger(lambda: take(shared / "own" / "state")) == "taken"
    assert as_stranger(lambda: take(shared / "root" / "state")) == "taken"
    assert "belongs to user 12345" in as_stranger(lambda: take(shared / "other" / "state"))


@needs_root
def test_the_private_group_of_a_user_is_the_user(shared: Path) -> None:
    """With umask 002, as distributions with private groups have it, a clone is 0775."""
    (shared / "clone").mkdir()
    for group, said in ((STRANGER, "taken"), (100, "clone is writable for others")):
        os.chown(shared / "clone", STRANGER, group)
        (shared / "clone").chmod(0o775)
        assert said in as_stranger(lambda: take(shared / "clone" / "board"))


def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    before = len(os.listdir("/proc/self/fd"))
    take(tmp_path / "a" / "b")
    for name in ("file", "file/x", "link", "link/x", "absent"):
        with pytest.raises(OSError), opened(str(tmp_path / name)):  # noqa: PT011 - each another
            pass
    assert len(os.listdir("/proc/self/fd")) == before
