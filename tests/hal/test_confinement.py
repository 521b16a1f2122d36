"""A child that was taken over on purpose: what it tries, and what it comes to.

Real workers and children, on systems that have all rungs and on systems with few
(`tests/helpers/confined.py`).
"""

import json
import os
import pty
import socket
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.confinement import kernel
from tests.helpers.board import ROOT
from tests.helpers.confined import (
    DEBIAN_PYTHON,
    OTHER_USER,
    OWN_USERS,
    RUNGS,
    SPACES,
    SYSTEMS,
    System,
    copy_for,
    overtake,
)
from tests.helpers.taken_over import START
from tests.whole.test_enrol_places import needs_debian, needs_root

ONE_USER = (61000, 61000, 0)
SIGNALS = [["kill", "sibling"], ["stop", "sibling"], ["limit", "sibling"]]
LOOKS = [
    ["trace", "sibling"],
    ["read memory", "sibling"],
    ["steal descriptors", "sibling"],
    ["steal descriptors", "worker"],
    ["read memory", "agent"],
]
PRIVILEGES = [["mount"], ["new root"], ["be root"], ["another process"], ["user name space"]]
UPWARDS = [["kill", "worker"], ["kill", "agent"], ["stop", "agent"]]

# Without a filter of system calls, as few rungs leave it: what a child without network still does.
REACH: dict[str, set[str]] = {
    "user-alone": {
        *("open", "list", "write", "connect", "send", "connect abstract", "user name space"),
    },
    "no-admin": {"send", "user name space"},
    "not-root": {"limit"},
    "not-root-no-spaces": {"limit", "send"},
    "no-mount": {"user name space"},
    "no-landlock": {"connect abstract"},
}


def files(folder: Path) -> list[list[object]]:
    """What lies about: a file of anybody's, secrets of the system's and of the board's."""
    paths = ["/etc/passwd", "/etc/shadow", "/proc/1/environ", "/proc/self/mem", "/dev/tty"]
    opened: list[list[object]] = [["open", path] for path in (*paths, f"{folder}/flash.bin")]
    made = [["write", f"{folder}/new"], ["write", "/new"], ["make a folder", "/new"]]
    return [*opened, *made, ["list", "/tmp"], ["list", "/proc"], ["list", str(folder)]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user can read and write, with a file as on a board."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o777)
        (place / "flash.bin").write_bytes(b"sealed")
        (place / "flash.bin").chmod(0o644)
        yield place


class Listeners:
    """What listens on this host: a port on loopback, and an abstract socket."""

    def __init__(self) -> None:
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.name = f"scep-{uuid.uuid4().hex}"
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind("\0" + self.name)
        self.unix.listen()

    def attempts(self) -> list[list[object]]:
        port = self.tcp.getsockname()[1]
        send = ["send", "127.0.0.1", port]
        return [["connect", "127.0.0.1", port], send, ["connect abstract", self.name]]

    def close(self) -> None:
        self.tcp.close()
        self.unix.close()


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    made = Listeners()
    yield made
    made.close()


def landlock_version() -> int:
    """0 where there is none; signals are its matter from 6 on (Linux 6.12)."""
    try:
        return kernel.call("syscall", 444, None, 0, 1)
    except OSError:
        return 0


def done(found: dict[str, list[str]]) -> set[str]:
    """Names of the attempts that did something."""
    return {name for name, outcomes in found.items() if "done" in outcomes}


@pytest.mark.slow
@needs_root
@needs_debian
@pytest.mark.parametrize("network", [False, True], ids=["local", "network"])
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_a_child_that_was_taken_over_reaches_nothing(
    folder: Path, listeners: Listeners, system: System, network: bool
) -> None:
    clone, python = ROOT, sys.executable
    if not system.root:
        clone, python = copy_for(folder), DEBIAN_PYTHON
    sockets = listeners.attempts()[2:] if network else listeners.attempts()
    found = overtake(
        [*files(folder), *sockets, *SIGNALS, *LOOKS, *PRIVILEGES, *UPWARDS],
        prefix=system.prefix(python, clone),
        python=python,
        clone=clone,
        network=network,
        uid=None if system.root else OTHER_USER,
    )
    filtered = "seccomp" in found["rungs"]["held"]
    assert done(found["tried"]) <= (set() if filtered else REACH.get(system.name, set()))
    assert (found["sibling"], found["session"]) == ("S", True)
    lacks = {one.split(" (")[0] for one in found["rungs"]["missing"]} - {"seccomp"}
    expected = set(system.missing) - {"seccomp", "network name space" if network else ""}
    assert lacks == expected


@pytest.mark.slow
def test_as_the_user_who_runs_the_tests(folder: Path, listeners: Listeners) -> None:
    """With root or without: whoever runs the tests has children that reach nothing."""
    found = overtake([*files(folder), *listeners.attempts(), *SIGNALS, *LOOKS])
    reached = REACH["not-root-no-spaces"] if os.geteuid() else set()
    assert done(found["tried"]) <= reached
    assert found["sibling"] == "S"


# -- each rung alone -------------------------------------------------------------------------------


def alone(*rungs: str) -> list[str]:
    return [name for name in RUNGS if name not in rungs]


@pytest.mark.slow
@needs_root
def test_a_user_of_its_own_keeps_a_child_from_signalling_another() -> None:
    attempts = [*SIGNALS, *UPWARDS]
    own = overtake(attempts, without=alone("own user"))
    assert {outcome for many in own["tried"].values() for outcome in many} == {"EPERM"}
    assert (own["uid"], own["sibling"]) == (OWN_USERS[0] + 1, "S")
    shared = overtake([["stop", "sibling"]], without=alone("own user"), users=ONE_USER)
    assert (shared["uid"], shared["sibling"]) == (ONE_USER[0], "T")  # the attack works


@needs_root
def test_landlock_alone_opens_no_path_and_signals_nobody(folder: Path) -> None:
    rungs = ("no new privileges", "Landlock", "own user")
    signals = [["kill", "sibling"], ["kill", "worker"]] if landlock_version() >= 6 else []
    attempts = [*files(folder), *signals]
    found = overtake(attempts, without=alone(*rungs), users=ONE_USER)
    assert done(found["tried"]) == set()
    assert set(found["tried"]["open"]) == {"EACCES"}
    assert found["sibling"] == "S"


@needs_root
def test_the_empty_root_alone_has_no_path_and_gives_no_user_name_space(folder: Path) -> None:
    attempts = [*files(folder), ["user name space"], ["mount"], ["new root"]]
    found = overtake(attempts, without=alone("mount name space", "own user"))
    assert done(found["tried"]) == set()
    assert found["tried"]["user name space"] == ["EPERM"]


@pytest.mark.slow
@needs_root
def test_the_empty_network_alone_has_nobody_in_it(listeners: Listeners) -> None:
    attempts = listeners.attempts()
    found = overtake(attempts, without=alone("network name space", "own user"))
    assert done(found["tried"]) == set()
    assert found["tried"]["connect"] == ["ENETUNREACH"]
    assert done(overtake(attempts, without=RUNGS)["tried"]) == set(overtake_names(attempts))


def overtake_names(attempts: list[list[object]]) -> list[object]:
    return [attempt[0] for attempt in attempts]


# -- the terminal ----------------------------------------------------------------------------------


def test_a_child_of_an_agent_in_a_terminal_types_nothing_into_it() -> None:
    """The agent's terminal is a real one and controls its session; no other rung is climbed."""
    plan = {
        "user": (-1, -1, 0),
        "without": RUNGS,
        "network": False,
        "attempts": [["open", "/dev/tty"], ["type"]],
    }
    command = [sys.executable, "-I", "-c", START, str(ROOT), "agent", json.dumps(plan)]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    said = b""
    try:
        while b"}\r\n" not in said:
            said += os.read(terminal, 4096)
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    tried = json.loads(said)["tried"]
    assert tried["open"] == ["ENXIO"]
    assert tried["type"] != ["done"]


def test_each_rung_has_a_word() -> None:
    found = overtake([])["rungs"]
    told = {one.split(" (")[0] for one in [*found["held"], *found["missing"]]}
    assert told | {"own user"} == set(RUNGS)  # which nobody but root has
    assert set(SPACES) < told
