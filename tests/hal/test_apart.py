"""Work of a child: what it gives comes back, and nothing else of it."""

import os
import resource

from hal.apart import apart


def test_a_child_does_it() -> None:
    assert int(apart(lambda: str(os.getpid()).encode())) != os.getpid()


def test_what_it_changes_is_its_own() -> None:
    kept: list[int] = []

    def work() -> bytes:
        kept.append(1)
        return bytes(kept)

    assert apart(work) == b"\1"
    assert kept == []


def test_more_than_a_pipe_holds_comes_whole() -> None:
    assert apart(lambda: bytes(range(256)) * 4096) == bytes(range(256)) * 4096


def test_one_that_fails_gives_nothing() -> None:
    def work() -> bytes:
        raise ValueError

    assert apart(work) == b""


def test_nothing_is_left() -> None:
    before = {*os.listdir("/proc/self/fd")}
    apart(lambda: b"x")
    assert {*os.listdir("/proc/self/fd")} <= before


def test_without_descriptors_it_is_an_error() -> None:
    def work() -> bytes:
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            apart(lambda: b"x")
        except OSError as error:
            return os.strerror(error.errno).encode()
        return b"none"

    assert apart(work) == b"Too many open files"


def test_a_child_that_is_killed_gives_nothing() -> None:
    def work() -> bytes:
        os.kill(os.getpid(), 9)
        return b"x"

    assert apart(work) == b""
