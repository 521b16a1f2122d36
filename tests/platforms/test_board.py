"""The board file, the users that it names, and the Linux board that it describes."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.fakes.work import FakeReactor
from hal.machine import host_name
from hal.ports import DeviceMemoryError, FilesError, FlashError, SerialError
from platforms import linux
from platforms.board import Board, BoardError, SerialLine, load_board, parse_board, place
from platforms.users import group_number, resolve_user, user_number, worker_user

ROOT = Path(__file__).resolve().parents[2]
WHOLE = """
[flash]
kind = "file"
path = "/data/flash.bin"
size = 65536
erase_size = 8192
program_size = 16
[storage]
path = "/data/certificates"
[memory]
path = "/run/certificates"
owner = "root"
group = "4711"
mode = "0640"
[memory.realm.Radius]
owner = "freerad"
[memory.realm."site 1"]
group = "12"
mode = "0600"
[console]
socket = "/run/console"
operators = "root"
recovery = "none"
[[console.serial]]
path = "/dev/ttyS0"
baud = 115200
flow = "rtscts"
[[console.serial]]
path = "/dev/ttyUSB0"
[clock]
rtc = "/dev/rtc0"
synchronised = "/run/ntp-is-good"
[watchdog]
device = "/dev/watchdog"
timeout_s = 30
[seal]
path = "/data/key"
[worker]
user = "nobody"
memory_bytes = 100000000
cpu_s = 20
connect_s = 5
receive_s = 90
exchange_s = 600
[herd]
first_s = 20
[interfaces]
"GigabitEthernet0/0/0" = "eth0"
[hooks]
path = "/data/hooks"
[metrics]
path = "/run/metrics"
[reboot]
program = "/sbin/reboot"

[identity]
serial = "21023A"
"""


def test_an_empty_file_is_the_built_in_board() -> None:
    assert parse_board("") == Board()
    assert Board().flash.size // Board().flash.erase_size == 256


def test_every_key_is_taken() -> None:
    board = parse_board(WHOLE)
    assert board.flash == ("file", "/data/flash.bin", 65536, 8192, 16)
    assert board.memory[:4] == ("/run/certificates", "root", "4711", 0o640)
    assert board.memory.realm == {"radius": ("freerad", "", 0), "site 1": ("", "12", 0o600)}
    assert board.console.serial == (
        SerialLine("/dev/ttyS0", 115200, "rtscts"),
        SerialLine("/dev/ttyUSB0", 9600, "none"),
    )
    assert board.interfaces == {"GigabitEthernet0/0/0": "eth0"}
    assert board.worker == ("nobody", 100_000_000, 20, 5, 90, 600)
    for section in Board._fields:
        assert getattr(board, section) != getattr(Board(), section), f"[{section}] was not read"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flash = 1", ["flash", "a table"]),
        ("[flsh]", ["unknown section", "flsh", "flash"]),
        ("[flash]\nsise = 1", ["flash", "unknown key", "sise", "size"]),
        ("[flash]\nsize = '1'", ["[flash] size", "an integer"]),
        ("[flash]\nsize = true", ["[flash] size", "an integer"]),
        ("[flash]\nsize = 1.5", ["[flash] size", "an integer"]),
        ("[flash]\nsize = 0", ["[flash] size", "0"]),
        ("[flash]\nsize = -4096", ["[flash] size", "negative"]),
        ("[flash]\nsize = 5000", ["[flash]", "multiple"]),
        ("[flash]\nkind = 'ubi'", ["[flash] kind", "file, mtd"]),
        ("[flash]\npath = ''", ["[flash] path", "empty"]),
        ("[storage]\npath = 7", ["[storage] path", "a text"]),
        ('[storage]\npath = "a\\u0000b"', ["[storage] path", "control"]),
        ("[memory]\nmode = '0999'", ["[memory] mode", "octal"]),
        ("[memory]\nmode = true", ["[memory] mode", "octal"]),
        ("[memory]\nmode = '0666'", ["[memory] mode", "writable"]),
        ("[memory]\nmode = 0o4600", ["[memory] mode"]),
        ("[memory]\nrealm = 1", ["[memory] realm", "a table"]),
        ("[memory.realm]\nabc = 1", ["[memory] realm", "a table"]),
        ("[memory.realm.abc]\nuser = 'x'", ["memory.realm.abc", "unknown key", "owner"]),
        ("[memory.realm.abc]\nmode = '0660'", ["[memory.realm.abc] mode", "writable"]),
        ("[memory.realm.abc]\n[memory.realm.ABC]", ["[memory] realm", "case"]),
        ("[console]\nserial = '/dev/ttyS0'", ["[console] serial", "a list"]),
        ("[console]\nserial = ['/dev/ttyS0']", ["[console] serial", "a table"]),
        ("[[console.serial]]\nbaud = 9600", ["console.serial", "`path` is missing"]),
        ("[console]\nrecovery = 'ask'", ["[console] recovery", "erase, none"]),
        ("[[console.serial]]\npath = 'x'\nflow = 'dtr'", ["console.serial", "none, xonxoff"]),
        ("[interfaces]\nGE = 1", ["[interfaces] GE", "a text"]),
        ("[worker", ["not TOML"]),
        ("x = " + "[" * 50_000, ["not TOML"]),
    ],
)
def test_an_error_names_section_key_and_what_was_expected(text: str, words: list[str]) -> None:
    with pytest.raises(BoardError) as caught:
        parse_board(text)
    for word in words:
        assert word in str(caught.value)


def test_what_a_realm_leaves_out_is_that_of_all(tmp_path: Path) -> None:
    text = """
    [memory]
    group = "4711"
    [memory.realm.Radius]
    owner = "4712"
    [memory.realm.vpn]
    group = "4713"
    mode = "0640"
    """
    board = place(parse_board(text), str(tmp_path))
    everybody, own = linux._readers(board.memory)
    assert everybody == (None, 4711, 0o600)
    assert own == {"radius": (4712, 4711, 0o600), "vpn": (None, 4713, 0o640)}


@settings(deadline=None, max_examples=200)
@given(
    section=st.sampled_from(Board._fields),
    key=st.sampled_from(["path", "size", "mode", "serial", "owner", "baud", "kind", "user"]),
    value=st.sampled_from(["0", "-1", "''", "'x'", "[]", "{}", "[{}]", "1.5", "true", "0o640"]),
)
def test_nothing_but_a_board_error_comes_out(section: str, key: str, value: str) -> None:
    for text in (f"[{section}]\n{key} = {value}", f"[[{section}]]\n{key} = {value}"):
        try:
            found = parse_board(text)
        except BoardError:
            continue
        assert isinstance(found, Board)


def test_a_file_is_read_up_to_its_cap(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(WHOLE)
    assert load_board(str(path)) == parse_board(WHOLE)
    path.write_text("#" * 70_000)
    with pytest.raises(FilesError, match="too large"):
        load_board(str(path))


def test_paths_are_placed_by_their_kind() -> None:
    board = place(Board())
    assert board.flash.path == "/var/lib/scep-agent/flash.bin"
    assert board.storage.path == "/var/lib/scep-agent/storage"
    assert board.seal.path == "/var/lib/scep-agent/device.key"
    assert board.console.socket == "/run/scep-agent/console.sock"
    assert board.memory.path == "/run/scep-agent/memory"
    assert board.metrics.path == "/run/scep-agent/metrics.prom"
    assert board.hooks.path == "/etc/scep-agent/hooks.d"


def test_a_state_folder_moves_all_defaults_and_no_whole_path() -> None:
    board = place(Board(), "/tmp/try")
    assert board.console.socket == "/tmp/try/console.sock"
    assert board.hooks.path == "/tmp/try/hooks.d"
    assert place(parse_board(WHOLE), "/tmp/try") == parse_board(WHOLE)


# -- users -----------------------------------------------------------------------------------------


def test_users_and_groups_by_name_and_number() -> None:
    assert resolve_user("root") == (0, 0)
    assert (user_number("root"), user_number("12345"), user_number("")) == (0, 12345, None)
    assert (group_number("root"), group_number("12345"), group_number("")) == (0, 12345, None)


@pytest.mark.parametrize("name", ["no-such-user", "4294967294999", "4294967295"])
def test_an_unknown_user_is_a_board_error(name: str) -> None:
    with pytest.raises(BoardError, match=name):
        user_number(name)


def test_an_unknown_group_is_a_board_error() -> None:
    with pytest.raises(BoardError, match="no-such-group"):
        group_number("no-such-group")


def test_job_children_have_a_user_of_their_own_under_root_and_else_that_of_the_agent() -> None:
    if os.geteuid() != 0:
        assert worker_user("") is worker_user("root") is None
        return
    assert worker_user("nobody") == (*resolve_user("nobody"), 0)
    assert worker_user("61000") == (61000, 61000, 0)  # nobody has it here
    for wrong in ("root", "0", "00", "no-such-user", "4294967295"):
        with pytest.raises(BoardError):
            worker_user(wrong)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts another /etc/passwd")
@pytest.mark.parametrize(
    ("line", "found"),
    [("", (61168, 61168, 1)), ("scep-agent-job:x:123:456::/:/bin/false\n", (123, 456, 0))],
)
def test_the_user_scep_agent_job_is_taken_where_it_exists(
    tmp_path: Path, line: str, found: tuple[int, int, int]
) -> None:
    users = tmp_path / "passwd"
    users.write_text("root:x:0:0::/:/bin/sh\n" + line)
    ask = "import sys; sys.path.insert(0, sys.argv[1]); from platforms.users import worker_user; "
    command = [sys.executable, "-I", "-c", ask + 'print(worker_user(""))', str(ROOT)]
    inside = 'mount --bind "$0" /etc/passwd && exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", inside, str(users), *command],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout.strip(), done.stderr) == (str(found), "")


# -- the Linux board -------------------------------------------------------------------------------


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[linux.Platform]:
    board = parse_board("[[console.serial]]\npath = '/dev/no-such-tty'")
    found = linux.open_board(board, str(tmp_path / "state"), FakeReactor())
    yield found
    found.close()


def test_a_linux_board_opens_all_ports(opened: linux.Platform, tmp_path: Path) -> None:
    opened.flash.program(0, b"record")
    assert opened.flash.read(0, 6) == b"record"
    opened.files.write("main_local.cer", b"x")
    assert (tmp_path / "state" / "storage" / "main_local.cer").exists()
    fd, fault = opened.device_key(make=True)
    assert (fault, len(os.pread(fd, 64, 0))) == ("", 32)
    assert stat.S_IMODE((tmp_path / "state" / "flash.bin").stat().st_mode) == 0o600
    assert any(interface.name == "lo" for interface in opened.link.interfaces())
    assert opened.clock.wall_s() > 1_700_000_000


def test_a_serial_line_that_is_missing_does_not_stop_the_start(opened: linux.Platform) -> None:
    (line,) = opened.serials
    with pytest.raises(SerialError, match="/dev/no-such-tty"):
        line.open()


def test_closing_gives_everything_back(opened: linux.Platform, tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="another agent"):
        linux.open_board(Board(), str(tmp_path / "state"), FakeReactor())
    fd, fault = opened.device_key(make=False)
    assert fault.endswith("device.key: it is missing")
    opened.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    linux.open_board(Board(), str(tmp_path / "state"), FakeReactor()).close()


def test_a_start_that_fails_leaves_nothing_locked(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "storage").mkdir(mode=0o777)
    (state / "storage").chmod(0o777)
    with pytest.raises(FilesError, match="writable for others"):
        linux.open_board(Board(), str(state), FakeReactor())
    (state / "storage").chmod(0o700)
    linux.open_board(Board(), str(state), FakeReactor()).close()


def test_a_flash_without_a_driver_is_a_board_error(tmp_path: Path) -> None:
    board = parse_board("[flash]\nkind = 'mtd'\npath = '/dev/mtd3'")
    with pytest.raises(BoardError, match="mtd"):
        linux.open_board(board, str(tmp_path), FakeReactor())


def test_a_flash_that_cannot_be_opened_is_told_and_the_rest_opens(tmp_path: Path) -> None:
    (tmp_path / "flash.bin").mkdir()
    found = linux.open_board(Board(), str(tmp_path), FakeReactor())
    assert "Is a directory" in found.unopened
    assert found.flash.read(0, 4) == b"\xff" * 4
    with pytest.raises(FlashError, match="not to be touched"):
        found.flash.program(0, b"x")
    with pytest.raises(FlashError, match="Is a directory"):
        found.open_flash(True)
    (tmp_path / "flash.bin").rmdir()
    flash = found.open_flash(False)
    flash.program(0, b"x")
    flash.close()
    found.close()


def test_a_flash_of_another_size_is_fitted_where_it_is_to_be_erased(tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(b"x" * 4096)
    (tmp_path / "flash.bin").chmod(0o600)
    found = linux.open_board(Board(), str(tmp_path), FakeReactor())
    assert "4096 bytes, 1048576 are configured" in found.unopened
    with pytest.raises(FlashError, match="4096 bytes"):
        found.open_flash(False)
    flash = found.open_flash(True)
    assert flash.read(0, 4097) == b"x" * 4096 + b"\0"
    flash.close()
    found.close()


def test_folders_and_a_key_that_cannot_be_used_are_told_and_the_rest_opens(tmp_path: Path) -> None:
    for name in ("storage", "memory", "device.key"):
        (tmp_path / name).write_text("somebody else's")
    told: list[str] = []
    found = linux.open_board(Board(), str(tmp_path), FakeReactor(), told.append)
    assert [text.rpartition("/")[2] for text in told] == [
        "storage: Not a directory",
        "memory: Not a directory",
    ]
    with pytest.raises(FilesError, match="Not a directory"):
        found.files.names()
    with pytest.raises(DeviceMemoryError, match="Not a directory"):
        found.memory.stage("abc", ["cert.pem"])
    fd, fault = found.device_key(make=True)
    assert "not a device key" in fault
    assert os.pread(fd, 64, 0) == b""
    found.close()


def test_a_linux_board_is_called_as_its_host(tmp_path: Path) -> None:
    found = linux.open_board(Board(), str(tmp_path), FakeReactor())
    assert found.host_name == host_name(os.uname().nodename)
    found.close()
