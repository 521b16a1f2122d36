"""The agent as a process where others may write: it refuses to start, and loses nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.hal.test_folders_of_others import (
    START_S,
    STRANGER,
    exchange,
    needs_root,
    snapshot,
)
from tests.hal.test_folders_of_others import victim as victim  # a fixture
from tests.helpers.board import Agent


def plant(state: Path, victim: Path) -> None:
    """What an attacker prepares in a folder of his: links under the names that the agent uses."""
    (state / "storage").symlink_to(victim)
    (state / "memory").mkdir()
    (state / "memory" / "abc").symlink_to(victim)
    (state / "serial").symlink_to(victim / "1")
    for path in (state, *state.rglob("*")):
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    os.link(victim / "flash.bin", state / "flash.bin.new")


def refused(agent: Agent, state: Path) -> str:
    """What the agent says, which must not start there: one line, with the next step."""
    words = agent.command("run", "--board", "sim", "--state", str(state))
    done = subprocess.run(words, capture_output=True, text=True, timeout=START_S)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "nothing in it was touched. Next step: name a folder of your own with --state" in line
    return line


@needs_root
@pytest.mark.parametrize("planted", [True, False], ids=["with links", "empty"])
def test_root_starts_the_agent_in_a_folder_of_another_user(
    tmp_path: Path, victim: Path, planted: bool
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, STRANGER, STRANGER)
    if planted:
        plant(state, victim)
    before = (snapshot(state), snapshot(victim))
    assert f"{state} belongs to user {STRANGER}" in refused(Agent(tmp_path), state)
    assert (snapshot(state), snapshot(victim)) == before


@needs_root
def test_root_starts_the_agent_below_a_folder_of_another_user(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "state").mkdir(parents=True)
    os.chown(home, STRANGER, STRANGER)
    assert f"{home} belongs to user {STRANGER}" in refused(Agent(tmp_path), home / "state")
    assert "belongs to user" in refused(Agent(tmp_path), home / "new")
    assert (os.listdir(home), os.listdir(home / "state")) == (["state"], [])


@pytest.mark.parametrize("bits", [0o777, 0o1777, 0o775], ids=oct)
def test_the_agent_is_started_where_others_may_write(tmp_path: Path, bits: int) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(bits)
    assert f"{state} is writable for others (mode {bits:04o})" in refused(Agent(tmp_path), state)
    assert os.listdir(state) == []


def test_the_agent_is_started_on_a_link(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "state").symlink_to(victim)
    before = snapshot(victim)
    assert "state is a link" in refused(Agent(tmp_path), tmp_path / "state")
    assert snapshot(victim) == before


@pytest.mark.parametrize("name", ["storage", "memory"])
def test_a_folder_of_the_board_is_a_link(tmp_path: Path, victim: Path, name: str) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / name).symlink_to(victim)
    before = snapshot(victim)
    assert f"{name} is a link" in refused(Agent(tmp_path), tmp_path / "state")
    assert snapshot(victim) == before


def test_a_running_agent_loses_its_storage_to_a_link(tmp_path: Path, victim: Path) -> None:
    """The console goes on, says what is wrong, and nothing is written through the link."""
    with Agent(tmp_path) as agent:
        exchange(agent.dir / "storage", victim)
        before = snapshot(victim)
        agent.must("system-view", "pki rsa local-key-pair create k1 modulus 2048")
        said = agent.script(
            "system-view", "pki export rsa-key-pair k1 pem k1.pem password Sekret-123"
        )
        assert said.status == 1
        assert "is a link" in said.text
        assert snapshot(victim) == before
