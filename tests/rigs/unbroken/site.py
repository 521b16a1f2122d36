"""Where it happens: two name spaces with a link between them, a board, and its CA."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.helpers import alone
from tests.helpers.board import ROOT, SAVE, Agent
from tests.helpers.labca import LabCa, wait_for
from tests.helpers.netns import NetNs
from tools.lab_ca import clock
from tools.lab_ca.__main__ import main as lab_ca

CA_PORT = 8080
BOARD_IP, CA_IP = "192.0.2.1", "192.0.2.2"
VALIDITY_S, BACKDATE_S = 180, 30
LIFE_S = VALIDITY_S + BACKDATE_S
LEAD_S = LIFE_S // 3  # of lives so short (commands.md 2)
TAKE_OVER_S = LIFE_S // 20
LINK = "lab0"


class Site:
    """rate: of the board's clock. The CA and whoever judges have the true time: as fast as the
    board, and without its steps."""

    def __init__(self, folder: Path, rate: int, nets: tuple[NetNs, NetNs], clone: Path) -> None:
        self.rate, (self._here, self._there) = rate, nets
        self.agent = Agent(folder, prefix=self._here.prefix, clone=clone)
        truth = folder / "truth" / "clock"
        truth.parent.mkdir()
        truth.write_text(json.dumps({"offset_s": 0, "rate": 1}))
        truth.with_name("clock.gain").symlink_to(self.agent.dir / "clock.gain")
        self.now_s = clock.of_board(truth)
        self._flags = ("--clock", str(truth))
        self.ca = LabCa(
            folder,
            *self._flags,
            *("--listen", f"{CA_IP}:{CA_PORT}", "--challenge", "sekret"),
            *("--validity", str(VALIDITY_S), "--backdate", str(BACKDATE_S)),
            prefix=self._there.prefix,
        )
        self.offset_s = 0

    def link(self, *, up: bool, far: bool = False) -> None:
        """The board's end, where an address and a route go with it, or the far one."""
        net = self._there if far else self._here
        net.run("ip", "link", "set", LINK, "up" if up else "down")

    def set_clock(self, offset_s: int) -> None:
        """How far the board is from the true time."""
        self.offset_s = offset_s
        self.agent.clock(offset_s, rate=self.rate)

    def command(self, *words: str) -> None:
        """`renew`, `prepare` or `rollover` of the lab CA while it serves."""
        assert lab_ca(["--dir", str(self.ca.dir), *self._flags, *words]) == 0

    def configure(self, realms: Mapping[str, str]) -> None:
        """A realm for each line of `auto-enroll`; all of them get their first certificate."""
        lines = ["system-view"]
        for name, auto in realms.items():
            lines += [f"pki entity {name}", f"common-name {name}", "quit"]
            lines += [f"pki rsa local-key-pair create {name} modulus 2048", f"pki realm {name}"]
            lines += [f"entity {name}", f"rsa local-key-pair {name}", "password cipher sekret"]
            lines += [f"enrollment-url {self.ca.url}", auto]
            lines += [f"fingerprint sha256 {self.ca.fingerprint}", "quit"]
        self.agent.must(*lines, *SAVE)
        self.agent.rate(alone.FAST)  # the half minute of who types; no longer, lives are short
        wait_for(self.ca.log, alone.WITHIN_S, self.agent.log())
        self.set_clock(0)
        bundles = [self.agent.memory("bundle.pem", name) for name in realms]
        for bundle in bundles:
            wait_for(bundle.exists, alone.WITHIN_S, self.agent.log())


@contextmanager
def site(folder: Path, rate: int, clone: Path = ROOT) -> Iterator[Site]:
    """All of it runs, and nothing is configured."""
    with ExitStack() as stack:
        nets = here, there = stack.enter_context(NetNs()), stack.enter_context(NetNs())
        pair = ("type", "veth", "peer", "name", LINK, "netns", there.name)
        here.run("ip", "link", "add", LINK, *pair)
        for net, address in ((here, BOARD_IP), (there, CA_IP)):
            net.run("ip", "address", "add", f"{address}/24", "dev", LINK)
            net.run("ip", "link", "set", LINK, "up")
        found = Site(folder, rate, nets, clone)
        stack.enter_context(found.ca)
        stack.enter_context(found.agent)
        yield found
