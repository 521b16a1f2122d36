"""Unix sockets: short and long paths, stale ones, modes, who is at the other end."""

import os
import socket
import stat
from pathlib import Path

import pytest

from hal.ports import LinkError
from hal.sockets import connect_unix, listen_unix, peer_credentials


@pytest.fixture(params=["short", "long"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    folder = tmp_path / ("x" * 200 if request.param == "long" else "x")
    folder.mkdir()
    return str(folder / "console.sock")


def talk(listening: socket.socket, path: str) -> None:
    with connect_unix(path) as ours:
        assert ours.gettimeout() is None
        theirs, _ = listening.accept()
        with theirs:
            theirs.sendall(b"<Huawei>")
            assert ours.recv(100) == b"<Huawei>"


def test_a_path_of_any_length_connects(path: str) -> None:
    with listen_unix(path) as listening:
        talk(listening, path)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_mode_and_group_are_set(path: str) -> None:
    listen_unix(path).close()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    with listen_unix(path, 0o600, os.getgid()):
        found = os.stat(path)
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o600, os.getgid())


def test_the_umask_is_as_before(path: str) -> None:
    before = os.umask(0o027)
    try:
        listen_unix(path).close()
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_a_stale_socket_is_replaced(path: str) -> None:
    listen_unix(path).close()  # the file stays, as after a kill
    assert os.path.exists(path)
    with listen_unix(path) as listening:
        talk(listening, path)


def test_a_living_one_is_not_touched(path: str) -> None:
    with listen_unix(path) as listening:
        with pytest.raises(LinkError, match="another agent"):
            listen_unix(path)
        listening.accept()[0].close()
        talk(listening, path)


def test_another_file_is_not_touched(path: str) -> None:
    Path(path).write_text("mine")
    with pytest.raises(LinkError, match="not a socket"):
        listen_unix(path)
    assert Path(path).read_text() == "mine"


def test_nobody_there_is_refused(path: str) -> None:
    for prepare in (lambda: None, lambda: listen_unix(path).close()):
        prepare()
        with pytest.raises(LinkError, match="nobody listens") as caught:
            connect_unix(path)
        assert caught.value.kind == "refused"


def test_what_cannot_be_bound_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="No such file"):
        listen_unix(str(tmp_path / "absent" / "console.sock"))
    with pytest.raises(LinkError, match="too long"):
        listen_unix(str(tmp_path / ("s" * 120)))


def test_the_kernel_vouches_for_the_peer(path: str) -> None:
    with listen_unix(path) as listening, connect_unix(path):
        theirs, _ = listening.accept()
        with theirs:
            found = peer_credentials(theirs)
    assert found == (os.getpid(), os.getuid(), (os.getgid(), *os.getgroups()))
