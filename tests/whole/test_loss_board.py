"""What opens when something is lost: nothing. Real agents on flash that rots, at a real tty."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import limits
from tests.helpers import loss
from tests.helpers.board import (
    AGAIN,
    APPLY,
    SAVE,
    Agent,
    check_certificate,
    copy_program,
    procedure,
)
from tests.helpers.labca import LabCa, wait_for
from tests.whole.test_bad_peer import error_of, in_use
from tests.whole.test_login_board import LINE, PLAIN, USERS
from tests.whole.test_serial_console import Typist

WAIT_S = 60
CLOSED = "Nobody can log in on this line"
WORD = "Word: "
COPIES = ("config/console/0", "config/console/1")
NAMED = ("system-view", "sysname named", *SAVE)


def knock(agent: Agent, *ends: str) -> tuple[Typist, str]:
    """Somebody who presses Enter at the line; what it says, up to a prompt or an offer."""
    typist = Typist(agent)
    return typist, typist.type("", *(ends or (">", "]", "word:", "name:", WORD)))


def is_closed(agent: Agent) -> bool:
    """Whether the line lets nobody in, and offers one thing."""
    typist, said = knock(agent)
    try:
        assert CLOSED in said or said.endswith(">"), said
        return said.endswith(WORD) and CLOSED in said
    finally:
        typist.keys(b"\x03")
        typist.close()


def lost(agent: Agent, damage: Callable[[Agent], object], *lines: str) -> None:
    """A device that was configured and saved, and then loses something while it is off."""
    agent.must(*lines)
    agent.stop()
    damage(agent)
    agent.start()


def replaced(key: str, value: object) -> Callable[[Agent], None]:
    return lambda agent: loss.write(agent, {key: value})


def rotten(*keys: str) -> Callable[[Agent], None]:
    def damage(agent: Agent) -> None:
        assert loss.rot(agent, *keys) >= len(keys)

    return damage


DAMAGE: dict[str, Callable[[Agent], None]] = {
    "wrong type": replaced("config", {"v": 1, "text": 5}),
    "future": replaced("config", {"v": 99, "text": "sysname x\n"}),
    "no map": replaced("config", "sysname x\n"),
    "one bit": rotten("config"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_configuration_never_opens_the_serial_line(tmp_path: Path, damage: str) -> None:
    """The factory's line is open, with all rights, to whoever stands at the device."""
    with Agent(tmp_path) as agent:
        lost(agent, DAMAGE[damage], *NAMED)
        assert is_closed(agent)
        assert "PKI/4/CONFIG_ERR: the serial lines let nobody in: " in agent.log()
        assert "<Huawei>" not in agent.log()


def test_the_passwords_of_the_line_outlive_a_damaged_configuration(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        damage = DAMAGE["wrong type"]
        lost(
            agent,
            damage,
            "system-view",
            "sysname r1",
            "return",
            *USERS,
            "authentication-mode aaa",
            *SAVE,
        )
        typist, _said = knock(agent, "Username:")
        typist.type("ann", "Password:")
        assert "Authentication failed" in typist.type(LINE, "Username:")
        typist.type("ann", "Password:")
        said = typist.type(PLAIN)
        assert said.endswith("<Huawei>"), "the rest is gone"
        assert "Warning: The saved configuration cannot be read (ConfigRecord.text" in said
        question = typist.type("save", "[Y/N]: ")
        asked = " ".join(question.split())  # over two rows
        assert "replaces for good what is left: the saved configuration cannot be read" in asked
        typist.type("n")
        typist.close()
        assert isinstance(loss_of(agent)["config"], dict), "nothing was written over it"


def loss_of(agent: Agent) -> dict[str, object]:
    agent.stop()
    found = loss.stored(agent)
    agent.start()
    return found


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("value", [{"v": 99}, None], ids=["unreadable", "gone"])
def test_one_copy_of_the_users_is_enough(tmp_path: Path, copy: str, value: object) -> None:
    with Agent(tmp_path) as agent:
        lost(agent, replaced(copy, value), *USERS, "authentication-mode aaa", *SAVE)
        typist, _said = knock(agent, "Username:")
        typist.type("ann", "Password:")
        assert typist.type(PLAIN).endswith("<Huawei>")
        typist.close()
        agent.must(*SAVE[1:])
        agent.stop()
        found = loss.stored(agent)
        assert found[COPIES[0]] == found[COPIES[1]], "a save mends the other copy"
        agent.start()


@pytest.mark.parametrize("value", [{"v": 99}, None], ids=["unreadable", "gone"])
def test_without_both_copies_nobody_gets_in(tmp_path: Path, value: object) -> None:
    with Agent(tmp_path) as agent:
        both = dict.fromkeys(COPIES, value)
        lines = ("system-view", "sysname r1", "return", *USERS, "authentication-mode aaa", *SAVE)
        lost(agent, lambda board: loss.write(board, both), *lines)
        assert is_closed(agent)
        assert "sysname r1" in agent.must("display current-configuration"), "the rest is there"


def test_rot_never_brings_back_the_open_line_of_before(tmp_path: Path) -> None:
    """First saved without passwords, then with: what holds the passwords rots, all of it."""
    with Agent(tmp_path) as agent:
        agent.must(*NAMED)
        path = agent.dir / "flash.bin"
        end = len(path.read_bytes().rstrip(b"\xff"))
        agent.must(*USERS, "authentication-mode aaa", *SAVE)
        agent.stop()
        data = path.read_bytes()
        newer = bytearray(data[end:])
        assert sum(loss.rot_image(newer, key) for key in ("config", *COPIES)) == 3
        path.write_bytes(data[:end] + newer)
        agent.start()
        assert "sysname named" in agent.must("display current-configuration")
        assert is_closed(agent)


def test_the_loss_is_remembered_when_the_flash_has_forgotten_it(tmp_path: Path) -> None:
    """The first commit after rot moves what is left, and the gap is gone."""
    with Agent(tmp_path) as agent:
        lost(agent, rotten("config", *COPIES), *NAMED)
        assert is_closed(agent)
        for name in ("k1", "k2"):
            agent.must("system-view", f"pki rsa local-key-pair create {name} modulus 2048")
            agent.must("reset pki storage unused", "y")
            agent.stop()
            agent.start()
            assert is_closed(agent)
        agent.must("save", "y")
        agent.stop()
        agent.start()
        assert not is_closed(agent), "root has saved an open line"


def test_a_line_that_says_whom_to_let_in_and_is_not_understood_closes(tmp_path: Path) -> None:
    """Written by a release that knows more modes than this one."""
    with Agent(tmp_path) as agent:
        block = "user-interface console 0\n authentication-mode radius\n"
        damage = replaced("config", {"v": 1, "text": f"sysname r1\n{block}"})
        lost(agent, damage, "display version")
        assert is_closed(agent)
        agent.must("system-view", "user-interface console 0", "authentication-mode none")
        assert not is_closed(agent)


# -- erasing ---------------------------------------------------------------------------------------


def closed(agent: Agent) -> Typist:
    """Somebody at the line of a device that has lost its configuration."""
    lost(agent, DAMAGE["no map"], *NAMED)
    return knock(agent, WORD)[0]


@pytest.mark.parametrize("word", ["erase", "ERASE ALL", "", "y", "quit", "\x1b[A"])
def test_another_word_erases_nothing(tmp_path: Path, word: str) -> None:
    with Agent(tmp_path) as agent:
        typist = closed(agent)
        assert "Nothing was changed." in typist.type(word, "\n", "changed.\r\n")
        assert "[Y/N]" not in typist.text
        typist.close()
        assert "ERASING" not in agent.log()


@pytest.mark.parametrize("answer", ["n", "", "e"])
def test_without_a_yes_nothing_is_erased(tmp_path: Path, answer: str) -> None:
    with Agent(tmp_path) as agent:
        typist = closed(agent)
        typist.type("ERASE", "[Y/N]: ")
        typist.type(answer, "Nothing was changed.\r\n")
        typist.close()
        assert "ERASING" not in agent.log()


@pytest.mark.parametrize("key", [b"x", b"\x03", b"\r"], ids=["x", "ctrl-c", "enter"])
def test_any_key_of_the_minute_stops_the_erase(tmp_path: Path, key: bytes) -> None:
    with Agent(tmp_path) as agent:
        typist = closed(agent)
        typist.type("ERASE", "[Y/N]: ")
        typist.type("y", "Any key stops it.\r\n")
        wait_for(lambda: "SHELL/4/ERASING: " in agent.log(), WAIT_S, "it is not in the log")
        typist.keys(key)
        typist.wait("Nothing was changed.\r\n")
        typist.close()
        wait_for(lambda: "ERASE_STOPPED" in agent.log(), WAIT_S, "the stop is not in the log")
        assert is_closed(agent)


def hurried(folder: Path) -> Path:
    """A copy of the program whose minute has two seconds."""
    clone = copy_program(folder)
    path = clone / "agent" / "limits.py"
    wanted = f"ERASE_WAIT_S = {limits.ERASE_WAIT_S} "
    text = path.read_text()
    assert text.count(wanted) == 1
    path.write_text(text.replace(wanted, "ERASE_WAIT_S = 2 "))
    return clone


def test_who_erases_the_device_gets_a_new_one_and_nothing_that_was_on_it(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path, clone=hurried(tmp_path)) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), APPLY[1], *SAVE)
        sealed = _sealed(agent)
        (agent.dir / "storage" / "bundle.p12").write_bytes(b"a key of somebody")
        agent.stop()
        loss.write(agent, {"config": {"v": 99}})
        agent.start()
        typist, _said = knock(agent, WORD)
        typist.type("ERASE", "[Y/N]: ")
        said = typist.type("y", ">")
        assert "This device is like a new one." in said
        assert said.endswith("This line lets everybody in (authentication-mode none).\r\n<Huawei>")
        assert "Total Number: 0" in typist.type("display pki rsa local-key-pair public")
        assert "pki realm abc" not in typist.type("display current-configuration")
        typist.close()
        log = agent.log()
        assert log.index("SHELL/4/ERASING") < log.index("SHELL/4/ERASED")
        assert list((agent.dir / "storage").iterdir()) == []
        assert list((agent.dir / "memory").iterdir()) == []
        agent.stop()
        assert loss.stored(agent) == {}
        flash = (agent.dir / "flash.bin").read_bytes()
        assert sealed not in flash
        assert b"r1.example" not in flash
        agent.start()
        assert not is_closed(agent)


def _sealed(agent: Agent) -> bytes:
    """What lies on flash of the private key."""
    agent.stop()
    record = loss.stored(agent)["key/k1/1"]
    assert isinstance(record, dict)
    agent.start()
    found = record["sealed"]
    assert isinstance(found, bytes)
    return found


# -- the device key --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, LabCa]]:
    """The folder of a board with a certificate in use, its agent ended; for copies."""
    folder = tmp_path_factory.mktemp("loss")
    with LabCa(folder) as ca:
        with Agent(folder) as agent:
            pin = f"fingerprint sha256 {ca.fingerprint}"
            agent.must(*procedure(ca.url, pin), APPLY[1], *SAVE)
        yield agent.dir, ca


def copied(served: tuple[Path, LabCa], tmp_path: Path) -> Agent:
    shutil.copytree(served[0], tmp_path / "board", symlinks=True)
    return Agent(tmp_path)


def test_a_device_key_that_is_missing_is_never_made_anew_in_silence(
    served: tuple[Path, LabCa], tmp_path: Path
) -> None:
    agent = copied(served, tmp_path)
    path = agent.dir / "device.key"
    right, before = path.read_bytes(), in_use(agent)
    path.unlink()
    with agent:
        assert "PKI/4/DEVICE_KEY_ERR: the device key is missing" in agent.log()
        assert agent.state() == "issued"
        assert in_use(agent) == before, "what consumers read is served on"
        shown = agent.must("display pki statistics")
        assert "Device Key" in shown
        assert "missing" in shown
        assert "it is missing" in agent.script("diagnose realm abc").text
        assert "The device key cannot be read: it is missing" in error_of(agent.script(*AGAIN))
        made = agent.script("system-view", "pki rsa local-key-pair create k2 modulus 2048")
        assert "`reset pki storage`" in error_of(made)
        assert not path.exists()
        assert in_use(agent) == before
    path.write_bytes(right)
    path.chmod(0o600)
    with agent:
        agent.start()
        assert agent.script(*AGAIN).status == 0
        check_certificate(agent, served[1].dir / "ca.pem")


def test_without_its_key_a_device_starts_anew_when_its_operator_says_so(
    served: tuple[Path, LabCa], tmp_path: Path
) -> None:
    agent = copied(served, tmp_path)
    (agent.dir / "device.key").unlink()
    with agent:
        said = agent.must("reset pki storage", "y")
        assert "Instead of the device key, which is missing, another one will be made." in said
        assert "DEVICE_KEY_NEW" in agent.log()
        key = (agent.dir / "device.key").read_bytes()
        realm = ("system-view", "pki realm abc")
        agent.must(*realm, "undo rsa local-key-pair", "quit", "pki rsa local-key-pair create k1")
        agent.must(*realm, "rsa local-key-pair k1", *SAVE)
        agent.stop()
        agent.start()
        assert (agent.dir / "device.key").read_bytes() == key
        agent.must(*APPLY)
        check_certificate(agent, served[1].dir / "ca.pem")


def test_a_blank_device_gets_its_key(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        assert (agent.dir / "device.key").stat().st_size == 32
        agent.must(*NAMED)
        agent.stop()
        os.unlink(agent.dir / "device.key")
        agent.start()
        assert (agent.dir / "device.key").stat().st_size == 32, "nothing was sealed with the first"
