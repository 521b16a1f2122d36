"""Names resolve in a confined child as on the system: by files, by a server, and by a `resolv.conf`
that is replaced while the worker lingers. Each agent has an /etc of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.board import Agent, procedure
from tests.helpers.confined import DEBIAN_PYTHON, OTHER_USER, copy_for
from tests.helpers.dns_server import NameServer
from tests.helpers.labca import LabCa
from tests.helpers.taken_over import children
from tests.whole.test_enrol_places import needs_debian, needs_root

pytestmark = [needs_root, needs_debian]
NAME = "ca.scep.example"
OF_THE_SYSTEM = ("passwd", "group", "ld.so.cache", "host.conf", "gai.conf")
INSIDE = 'mount --bind "$0" /etc && exec "$@"'
FETCH = "pki get-certificate ca realm abc"


class Place(NamedTuple):
    """An agent that was not started yet, and its /etc."""

    agent: Agent
    etc: Path


@pytest.fixture(params=[None, OTHER_USER], ids=["root", "not-root"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clone, etc = copy_for(folder), folder / "etc"
        etc.mkdir()
        for file in OF_THE_SYSTEM:
            if Path("/etc", file).exists():
                shutil.copy(f"/etc/{file}", etc)
        (etc / "nsswitch.conf").write_text("hosts: files dns\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n")
        prefix = ["unshare", "-m", "sh", "-c", INSIDE, str(etc)]
        if request.param:
            prefix += ["setpriv", f"--reuid={request.param}", f"--regid={request.param}"]
            prefix += ["--clear-groups"]
        agent = Agent(folder, python=DEBIAN_PYTHON, clone=clone, prefix=prefix)
        os.chown(agent.dir, request.param or 0, request.param or 0)
        yield Place(agent, etc)


def configure(agent: Agent, ca: LabCa) -> None:
    url = ca.url.replace("127.0.0.1", NAME)
    agent.must(*procedure(url, f"fingerprint sha256 {ca.fingerprint}"))


def name_server(etc: Path, address: str) -> None:
    """As a DHCP client does it: another file takes the place of the old one."""
    new = etc / "resolv.conf.new"
    new.write_text(f"nameserver {address}\noptions timeout:1 attempts:1\n")
    new.rename(etc / "resolv.conf")


def test_by_files(place: Place, tmp_path: Path) -> None:
    (place.etc / "hosts").write_text(f"127.0.0.1 localhost {NAME}\n")
    with LabCa(tmp_path) as ca, place.agent as agent:
        configure(agent, ca)
        agent.must("system-view", FETCH)


@pytest.mark.parametrize(
    "services", ["files dns", "files mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns"]
)
def test_by_a_server(place: Place, tmp_path: Path, services: str) -> None:
    (place.etc / "nsswitch.conf").write_text(f"hosts: {services}\n")
    with LabCa(tmp_path) as ca, NameServer({NAME: "127.0.0.1"}) as server, place.agent as agent:
        name_server(place.etc, server.address)
        configure(agent, ca)
        agent.must("system-view", FETCH)
        assert NAME in server.asked


def test_a_resolv_conf_that_is_replaced_while_the_worker_lingers(
    place: Place, tmp_path: Path
) -> None:
    """By another file, by a link out of /etc (systemd-resolved), and by what that becomes."""
    run = place.etc.parent / "run"
    run.mkdir()
    with (
        LabCa(tmp_path) as ca,
        NameServer({}) as ignorant,
        NameServer({NAME: "127.0.0.1"}) as server,
        place.agent as agent,
    ):
        name_server(place.etc, ignorant.address)
        configure(agent, ca)
        assert agent.script("system-view", FETCH).status == 1
        before = workers()
        name_server(place.etc, server.address)
        agent.must("system-view", FETCH)
        name_server(run, ignorant.address)
        (place.etc / "resolv.conf").unlink()
        (place.etc / "resolv.conf").symlink_to(run / "resolv.conf")
        assert agent.script("system-view", FETCH).status == 1
        name_server(run, server.address)
        agent.must("system-view", FETCH)
        (place.etc / "resolv.conf").unlink()  # then it asks this host, where nobody answers
        assert agent.script("system-view", FETCH).status == 1
        assert before == workers() != []


def workers() -> list[int]:
    """Of the agents that this process has started."""
    return [worker for agent in children(os.getpid()) for worker in children(agent)]
