"""Runs the agent's job `fetch-ca` in drawn networks and judges each segment that leaves.

The last line is `netns: topologies=... violations=0 ...`; the status is 0 only when nothing was
wrong and something was tried. A violation prints the code of its topology: `--only CODE` replays
it. `--plant` puts a fault into the link, which the rig must find.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from socket import socket

from agent.errors import AgentError
from agent.scep import operations
from agent.scep.keys import Hands
from hal.link import LinuxLink
from hal.ports import Source
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.rigs.binding.network import Network, Segment
from tests.rigs.binding.topology import NAME, Rule, Topology, Try, draw, rule

LIMITS = {"connect_s": 1, "receive_s": 1, "exchange_s": 2}


class NoSource(LinuxLink):
    """Planted: connects from wherever the kernel likes."""

    def connect(self, host: str, port: int, source: Source, timeout_s: int) -> socket:
        return super().connect(host, port, Source(), timeout_s)


class NoDevice(LinuxLink):
    """Planted: keeps the address and forgets the device."""

    def connect(self, host: str, port: int, source: Source, timeout_s: int) -> socket:
        loose = source._replace(bind_device=False, vrf=None)
        return super().connect(host, port, loose, timeout_s)


class SecondChoice(LinuxLink):
    """Planted: another source when the right one does not work."""

    def connect(self, host: str, port: int, source: Source, timeout_s: int) -> socket:
        try:
            return super().connect(host, port, source, timeout_s)
        except Exception:
            return super().connect(host, port, Source(), timeout_s)


PLANTS = {"": LinuxLink, "source": NoSource, "device": NoDevice, "second": SecondChoice}


class Rig:
    """One run: its link and its counts."""

    def __init__(self, link: LinuxLink, hosts: Path) -> None:
        self._link, self._hosts = link, hosts
        self.counts: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()

    def run(self, topology: Topology) -> None:
        names = "".join(f"{address} {NAME}\n" for address in topology.names)
        self._hosts.write_text(f"127.0.0.1 localhost\n{names}")
        rules: dict[int, tuple[Try, Rule]] = {}
        with Network(topology) as net:
            for attempt in topology.tries:
                port = net.listen(attempt, _answer)
                rules[port] = (attempt, rule(topology, attempt))
                self.outcomes[self._job(attempt, port)] += 1
                self._judge(topology, net.segments(), rules)
                if attempt.mishap:
                    break  # the drawing is no longer true
            self.counts["connections"] += net.connections
        self.counts["topologies"] += 1

    def _job(self, attempt: Try, port: int) -> str:
        host = f"[{attempt.host}]" if ":" in attempt.host else attempt.host
        job = {
            "op": "fetch-ca", "url": f"http://{host}:{port}/scep", "ca_id": None, "ra": False,
            "source": attempt.source._asdict(), "limits": LIMITS, "clock_trusted": True,
        }  # fmt: skip
        try:
            operations.OPS["fetch-ca"](job, Hands(), self._link)
        except AgentError as error:
            return error.code
        return "answered"

    def _judge(
        self, topology: Topology, segments: list[Segment], rules: dict[int, tuple[Try, Rule]]
    ) -> None:
        for segment in segments:
            if segment.port not in rules:
                continue  # an answer of the device to somebody else
            attempt, right = rules[segment.port]
            self.counts["segments"] += 1
            self.counts["orphans"] += segment.orphan
            wrong = []
            if right.closed:
                wrong.append("nothing may leave")
            if right.addresses is not None and segment.source not in right.addresses:
                wrong.append(f"not from {sorted(right.addresses)}")
            elsewhere = right.device is not None and segment.device != right.device
            if elsewhere and not segment.orphan:
                wrong.append(f"not by {right.device}")
            if wrong:
                self.counts["violations"] += 1
                print(f"{topology.code}: {segment}: {'; '.join(wrong)}\n  {attempt}", flush=True)


def _answer(request: bytes) -> bytes:
    return web.ok(b"AES" if b"GetCACaps" in request else lab.root().der)


def _private_hosts(folder: str) -> Path:
    """A host table of our own, in a mount name space that the rig alone sees."""
    hosts = Path(folder) / "hosts"
    hosts.write_text("")
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True, timeout=120)
    return hosts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rigs.binding")
    parser.add_argument("--topologies", type=int, default=200)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", help="SEED:NUMBER of one topology")
    parser.add_argument("--plant", choices=PLANTS, default="")
    given = parser.parse_args()
    if not os.environ.get("SCEP_BINDING_RIG"):
        os.environ["SCEP_BINDING_RIG"] = "1"
        own = [sys.executable, "-m", "tests.rigs.binding", *sys.argv[1:]]
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", *own])
    began = time.monotonic()
    seed, numbers = given.seed, range(given.topologies)
    if given.only:
        seed, _, number = given.only.rpartition(":")
        numbers = range(int(number), int(number) + 1)
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(PLANTS[given.plant](), _private_hosts(folder))
        for number in numbers:
            rig.run(draw(seed, number))
        subprocess.run(["umount", "/etc/hosts"], check=True, timeout=120)
    counts, seconds = rig.counts, round(time.monotonic() - began)
    print("outcomes:", *(f"{code}={n}" for code, n in rig.outcomes.most_common()))
    names = ("topologies", "connections", "segments", "orphans", "violations")
    print("netns:", *(f"{name}={counts[name]}" for name in names), f"seconds={seconds} seed={seed}")
    return 0 if counts["violations"] == 0 and counts["connections"] else 1


if __name__ == "__main__":
    sys.exit(main())
