"""What every `hal.ports.Files` does: the folder and its fake."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hal.fakes.storage import FakeFiles
from hal.files import FILE_BYTES, FolderFiles
from hal.ports import Files, FilesError

BAD_NAMES = ["", ".", "..", ".new", "a/b", "/etc/passwd", "a b", "a\0b", "a\nb", "x" * 256]


@pytest.fixture(params=["folder", "fake"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return FolderFiles(str(tmp_path / "storage")) if request.param == "folder" else FakeFiles()


def test_what_was_written_is_read(files: Files) -> None:
    files.write("main_local.cer", b"one")
    files.write("main_local.cer", b"two")
    assert files.read("main_local.cer") == b"two"


def test_names_are_sorted_and_complete(files: Files) -> None:
    for name in ("b.cer", "a.cer", "A.cer"):
        files.write(name, b"")
    assert files.names() == ["A.cer", "a.cer", "b.cer"]


def test_a_missing_file_is_an_error_that_names_it(files: Files) -> None:
    with pytest.raises(FilesError) as caught:
        files.read("absent.cer")
    assert caught.value.where == "absent.cer"


def test_remove_takes_away_and_may_be_repeated(files: Files) -> None:
    files.write("a.cer", b"x")
    files.remove("a.cer")
    files.remove("a.cer")
    assert files.names() == []


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_is_one_plain_component(files: Files, name: str) -> None:
    for call in (files.read, files.remove, lambda bad: files.write(bad, b"")):
        with pytest.raises(FilesError):
            call(name)
    assert files.names() == []


def test_the_cap_holds_for_writing(files: Files) -> None:
    files.write("full", bytes(FILE_BYTES))
    assert len(files.read("full")) == FILE_BYTES
    with pytest.raises(FilesError):
        files.write("full", bytes(FILE_BYTES + 1))
    assert len(files.read("full")) == FILE_BYTES


@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(
    content=st.dictionaries(
        st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", fullmatch=True), st.binary(), max_size=4
    )
)
def test_any_content_comes_back(files: Files, content: dict[str, bytes]) -> None:
    for name in files.names():
        files.remove(name)
    for name, data in content.items():
        files.write(name, data)
    assert {name: files.read(name) for name in files.names()} == content
