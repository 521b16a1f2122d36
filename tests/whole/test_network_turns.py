"""Many realms that want the network at once: a few children work, the others have their turns."""

import socket
from functools import partial
from pathlib import Path

import pytest

from agent import limits
from tests.helpers.board import Agent
from tests.helpers.labca import InBackground, LabCa, wait_for
from tools.bench import proc

REALMS = 6  # a script waits for each, and one user has room for one session more
WAIT_S = 60
WAITING = "Jobs Waiting For The Network"


def children(agent: Agent) -> int:
    """The job children at this moment."""
    return sum(len(proc.children(worker)) for worker in proc.children(agent.pid))


def waiting(agent: Agent) -> int:
    text = agent.must("display pki statistics")
    (line,) = [line for line in text.splitlines() if WAITING in line]
    return int(line.split(":")[1])


def configure(agent: Agent, url: str, *lines: str) -> None:
    agent.must("system-view", "pki entity r1", "common-name r1.example")
    for number in range(REALMS):
        key = f"rsa local-key-pair k{number}"
        agent.must("system-view", f"pki {key.replace(' k', ' create k')} modulus 2048")
        agent.must(
            *("system-view", f"pki realm r{number}", "entity r1", key),
            *(f"enrollment-url {url}", *lines),
        )


def applied(agent: Agent, number: int) -> bool:
    """Applies for a realm and waits; whether it was issued before the agent went away."""
    try:
        said = agent.script("system-view", f"pki enroll-certificate realm r{number}")
    except (AssertionError, OSError):
        return False
    return said.status == 0


def test_a_server_that_says_nothing_holds_up_four_children_and_no_more(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tarpit, Agent(tmp_path) as agent:
        url = f"http://127.0.0.1:{tarpit.getsockname()[1]}/scep"
        configure(agent, url)
        applying = [InBackground(partial(applied, agent, number)) for number in range(REALMS)]
        left = REALMS - limits.NETWORK_JOBS
        wait_for(lambda: waiting(agent) == left, WAIT_S, "nobody waits")
        # A child that made a key pair may still be ending.
        wait_for(lambda: children(agent) == limits.NETWORK_JOBS, WAIT_S, "as many children as jobs")
        agent.must("system-view", "pki realm r0", "password cipher sekret")  # it computes, at once
        agent.must("system-view", "pki abort-request realm r0")
        wait_for(lambda: waiting(agent) == left - 1, WAIT_S, "the next has no turn")
        agent.stop()
        assert not any(one.result() for one in applying)
        assert "Traceback" not in agent.log(), "the worker ends in peace with work in its hands"


@pytest.mark.slow
def test_all_have_their_turn(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        configure(agent, ca.url, f"fingerprint sha256 {ca.fingerprint}")
        applying = [InBackground(partial(applied, agent, number)) for number in range(REALMS)]
        assert all(one.result() for one in applying)
        assert waiting(agent) == 0
