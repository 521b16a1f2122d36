"""What every `hal.ports.DeviceMemory` does: the folders and the fake."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hal.fakes.storage import FakeMemory
from hal.fakes.work import FakeReactor
from hal.memory import FolderMemory
from hal.ports import DeviceMemory, DeviceMemoryError

NAMES = ("cert.pem", "key.pem")
BAD_REALMS = ["", ".", "..", ".hidden", "a/b", "a\\b", 'a"b', "a\0b", "a\nb", "x" * 65]


@pytest.fixture(params=["folder", "fake"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> DeviceMemory:
    reactor = FakeReactor()
    if request.param == "fake":
        return FakeMemory(reactor)
    return FolderMemory(str(tmp_path / "memory"), reactor)


def fill(memory: DeviceMemory, realm: str, text: bytes) -> None:
    for name, fd in memory.stage(realm, NAMES).items():
        os.write(fd, name.encode() + b" " + text)


def test_nothing_is_current_before_the_first_switch(memory: DeviceMemory) -> None:
    assert memory.current("main", "cert.pem") is None
    fill(memory, "main", b"1")
    assert memory.current("main", "cert.pem") is None


def test_a_switch_makes_all_files_current(memory: DeviceMemory) -> None:
    for text in (b"1", b"2"):
        fill(memory, "main", text)
        memory.switch("main")
        assert [memory.current("main", name) for name in NAMES] == [
            b"cert.pem " + text,
            b"key.pem " + text,
        ]
    assert memory.current("main", "chain.pem") is None


def test_the_realms_are_listed_by_their_folded_names(memory: DeviceMemory) -> None:
    assert memory.realms() == []
    fill(memory, "Main", b"1")
    memory.switch("Main")
    fill(memory, "größe", b"1")
    assert memory.realms() == ["grösse", "main"]
    for realm in memory.realms():
        memory.remove(realm)
    assert memory.realms() == []


def test_realms_are_apart_and_their_names_fold(memory: DeviceMemory) -> None:
    fill(memory, "Main", b"1")
    memory.switch("MAIN")
    assert memory.current("main", "cert.pem") == b"cert.pem 1"
    assert memory.current("other", "cert.pem") is None


def test_a_name_with_spaces_and_letters_of_any_script_is_a_realm(memory: DeviceMemory) -> None:
    for realm in ("branch west #1", "größe", "x" * 64):
        fill(memory, realm, b"1")
        memory.switch(realm)
        assert memory.current(realm, "key.pem") == b"key.pem 1"


def test_what_is_discarded_never_becomes_current(memory: DeviceMemory) -> None:
    fill(memory, "main", b"1")
    memory.discard("main")
    memory.discard("main")
    with pytest.raises(DeviceMemoryError, match="staged"):
        memory.switch("main")
    assert memory.current("main", "cert.pem") is None


def test_staging_again_forgets_what_was_staged(memory: DeviceMemory) -> None:
    fill(memory, "main", b"1")
    fill(memory, "main", b"2")
    memory.switch("main")
    assert memory.current("main", "cert.pem") == b"cert.pem 2"


@pytest.mark.parametrize("end", ["switch", "discard"])
def test_the_descriptors_are_closed_at_the_end(memory: DeviceMemory, end: str) -> None:
    fds = memory.stage("main", NAMES)
    getattr(memory, end)("main")
    for fd in fds.values():
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


def test_a_removed_realm_is_gone_and_may_come_again(memory: DeviceMemory) -> None:
    memory.remove("main")
    fill(memory, "main", b"1")
    memory.switch("main")
    fill(memory, "main", b"2")
    memory.remove("MAIN")
    memory.remove("main")
    assert memory.current("main", "cert.pem") is None
    fill(memory, "main", b"3")
    memory.switch("main")
    assert memory.current("main", "cert.pem") == b"cert.pem 3"


@pytest.mark.parametrize("realm", BAD_REALMS)
def test_a_realm_is_one_plain_component(memory: DeviceMemory, realm: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: memory.stage(realm, NAMES),
        lambda: memory.switch(realm),
        lambda: memory.discard(realm),
        lambda: memory.current(realm, "cert.pem"),
        lambda: memory.remove(realm),
    ]
    for call in calls:
        with pytest.raises(DeviceMemoryError):
            call()


@pytest.mark.parametrize("name", ["", "../cert.pem", ".hidden", "a b"])
def test_a_file_is_one_plain_component(memory: DeviceMemory, name: str) -> None:
    with pytest.raises(DeviceMemoryError):
        memory.stage("main", (name,))
    with pytest.raises(DeviceMemoryError):
        memory.current("main", name)
