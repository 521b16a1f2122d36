"""A random network with two ends, drawn from a seed: the device that the agent runs on, and the CA.

Interface k (from 1) of the device is `e<k>`, a cable to `p<k>` of the CA. Addresses tell where they
belong: 10.<k>.<subnet>.1 and 2001:db8:<k>::1 are on `e<k>`, 192.0.2.1 on the loopback of the
device, 198.51.100.x and 2001:db8:fffe::x are CA addresses behind some route.
"""

import random
from typing import NamedTuple

from hal.ports import Source

CA_4 = ("198.51.100.1", "198.51.100.2")
CA_6 = ("2001:db8:fffe::1", "2001:db8:fffe::2")
NOBODY = ("203.0.113.7", "2001:db8:dead::7", "10.99.0.7")  # addresses that no end has
LOOPBACK = ("127.0.0.1", "::1")  # every device has them
NAME = "ca.test"
STATES = (*("up",) * 8, "down", "no-carrier")
MISHAPS = ("down", "removed", "flushed", "no-carrier")


class Nic(NamedTuple):
    """An interface of the device; `addresses` in the order in which they are added."""

    name: str
    addresses: tuple[str, ...]
    state: str = "up"

    @property
    def number(self) -> int:
        return int(self.name[1:])

    def primary(self, family: int) -> str | None:
        return next((a for a in self.addresses if family_of(a) == family), None)


class Try(NamedTuple):
    """One job: from where, to which host, and what happens to which interface while it waits."""

    source: Source
    host: str
    mishap: str | None = None
    struck: str | None = None


class Topology(NamedTuple):
    """`code` replays it; `names` are the addresses of NAME; `routes` are lines for `ip`."""

    code: str
    nics: tuple[Nic, ...]
    names: tuple[str, ...]
    routes: tuple[str, ...]
    tries: tuple[Try, ...]

    def nic(self, name: str | None) -> Nic | None:
        return next((nic for nic in self.nics if nic.name == name), None)

    def owner(self, address: str | None) -> Nic | None:
        return next((nic for nic in self.nics if address in nic.addresses), None)

    def targets(self, host: str) -> tuple[str, ...]:
        return self.names if host == NAME else (host,)


def family_of(address: str) -> int:
    return 6 if ":" in address else 4


def draw(seed: str, number: int) -> Topology:
    """The topology of that number in the run of that seed."""
    code = f"{seed}:{number}"
    rng = random.Random(code)
    nics = [_nic(rng, k) for k in range(1, rng.randint(1, 4) + 1)]
    loopback = tuple(a for a in ("192.0.2.1", "2001:db8:ffff::1") if rng.random() < 0.5)
    nics.append(Nic("lo", (*loopback, *LOOPBACK)))
    pool = [*CA_4, *CA_6, *NOBODY, *(peer_of(a) for nic in nics[:-1] for a in nic.addresses)]
    names = tuple(rng.sample(pool, rng.randint(1, min(5, len(pool)))))
    tries = tuple(_try(rng, nics, pool) for _ in range(4))
    return Topology(code, tuple(nics), names, tuple(_routes(rng, nics)), tries)


def _nic(rng: random.Random, k: int) -> Nic:
    four = [f"10.{k}.{subnet}.1" for subnet in range(rng.choice((0, 1, 1, 1, 2, 2)))]
    if four and rng.random() < 0.3:
        four.append(f"10.{k}.0.2")  # a second one of the same subnet
    six = [f"2001:db8:{k}::1"] if rng.random() < 0.6 else []
    return Nic(f"e{k}", (*four, *six), rng.choice(STATES))


def peer_of(address: str) -> str:
    """The CA's own address on the cable of an address of ours."""
    start, dot, _last = address.rpartition("." if "." in address else ":")
    return f"{start}{dot}{'254' if dot == '.' else 'fe'}"


def _routes(rng: random.Random, nics: list[Nic]) -> list[str]:
    """Ways to the CA's addresses: not always one, sometimes several, with misleading sources."""
    able = [nic for nic in nics if nic.state == "up" and nic.name != "lo"]
    lines = []
    for target in (*CA_4, *CA_6):
        family = family_of(target)
        ways = [nic for nic in able if nic.primary(family)]
        for metric, nic in enumerate(
            rng.sample(ways, rng.randint(min(rng.randint(0, 3), len(ways)), len(ways))), 10
        ):
            line = f"route add {target} via {peer_of(str(nic.primary(family)))} dev {nic.name}"
            others = [a for n in able for a in n.addresses if family_of(a) == family]
            hint = f" src {rng.choice(others)}" if rng.random() < 0.3 else ""
            lines.append(f"{line} metric {metric}{hint}")
    return lines


def _try(rng: random.Random, nics: list[Nic], pool: list[str]) -> Try:
    source = _source(rng, nics)
    host = rng.choice((NAME, rng.choice(pool), *rng.choice((CA_4, CA_6))))
    if rng.random() > 0.25:
        return Try(source, host)
    cables = [nic.name for nic in nics if nic.name != "lo"]
    bound = source.interface if source.interface in cables else None
    struck = bound if bound and rng.random() < 0.7 else rng.choice(cables)
    return Try(source, host, rng.choice(MISHAPS), struck)


def _source(rng: random.Random, nics: list[Nic]) -> Source:
    addresses = [a for nic in nics for a in nic.addresses if a not in LOOPBACK]
    address = rng.choice(("192.0.2.99", *addresses, *addresses, *addresses))
    interface = rng.choice([nic.name for nic in nics] * 5 + ["e9"])
    vrf = rng.choice([nic.name for nic in nics if nic.name != "lo"])
    return rng.choice(
        (
            Source(),
            Source(address),
            Source(address, vrf=vrf),
            Source(address, bind_device=True),
            Source(interface=interface),
            Source(interface=interface, bind_device=True),
            Source(interface=interface, vrf=vrf),
            Source(vrf=vrf),
        )
    )


# -- what is right ---------------------------------------------------------------------------------


class Rule(NamedTuple):
    """What each segment must be like: None where the source asks for nothing."""

    addresses: frozenset[str] | None
    device: str | None
    closed: bool  # nothing may leave at all


def rule(topology: Topology, attempt: Try) -> Rule:
    """Judged from the drawing alone, without any code of the agent."""
    source = attempt.source
    nic = topology.nic(source.interface) or topology.owner(source.address)
    device = None
    if source.bind_device:
        device = nic.name if nic else None
    elif source.vrf:
        device = source.vrf
    allowed: frozenset[str] | None = None
    if source.address:
        allowed = frozenset((source.address,))
    elif source.interface:
        found = nic.addresses if nic else ()
        first = [nic.primary(family) for family in (4, 6)] if nic else []
        allowed = frozenset(found if attempt.mishap else [a for a in first if a])
    return Rule(allowed, device, _closed(topology, attempt, nic, allowed))


def _closed(
    topology: Topology, attempt: Try, nic: Nic | None, allowed: frozenset[str] | None
) -> bool:
    source = attempt.source
    if source.interface or source.address:
        if nic is None or (source.interface and nic.state != "up"):
            return True
        families = {family_of(a) for a in topology.targets(attempt.host)}
        if not families & {family_of(a) for a in allowed or ()}:
            return True
        if source.bind_device:
            return False
    bound = topology.nic(source.vrf)
    return bound is not None and bound.state != "up"
