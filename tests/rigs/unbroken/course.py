"""One run: realms, weather, a reader, and what came of it."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from tests.helpers.board import ROOT
from tests.rigs.unbroken.reader import Gap, Reader, authorities_of
from tests.rigs.unbroken.site import Site, site
from tests.rigs.unbroken.weather import Outage, Weather

AT_ONCE = {
    "same": "auto-enroll updated-effective",
    "new": "auto-enroll regenerate updated-effective",
}
REALMS = {**AT_ONCE, "waits": "auto-enroll", "new-waits": "auto-enroll regenerate"}
# When (parts of the run) the CA gets a new certificate for its key, names the CA that follows, and
# makes room for it. Between the last two each realm has come to a renewal.
OPERATOR = ((0.2, "renew"), (0.25, "prepare"), (0.75, "rollover"))
TELL_S = 30
NAMED = 5
ISSUED_A_RENEWAL = 3  # the third only where the last tenth was reached


class Figures(NamedTuple):
    """seen: certificates that consumers have had, by realm; most: issued for one of them."""

    seconds: float
    looks: int
    handshakes: int
    gaps: Sequence[Gap]
    outages: Sequence[Outage]
    seen: Mapping[str, int]
    issued: int
    most: int
    cas: int  # certificates that the CA had before the one that it has at the end

    @property
    def unfair(self) -> int:
        return sum(outage.unfair for outage in self.outages)

    @property
    def violations(self) -> int:
        """Looks without a certificate. They say nothing where this machine was too slow."""
        return 0 if self.unfair else len(self.gaps)

    def short(self) -> list[str]:
        found = [f"{gap.realm}: {gap.why}" for gap in self.gaps[:NAMED] if self.violations]
        if self.most > ISSUED_A_RENEWAL:
            found.append(f"{self.most} certificates were issued for one renewal")
        return found

    def excuses(self) -> list[str]:
        """What took too long, and what was seen then."""
        late = (outage for outage in self.outages if outage.unfair)
        found = [f"{one.kind} took {one.took_s:.1f} s of {one.limit_s:.1f}" for one in late]
        return found + [f"{gap.realm}: {gap.why}" for gap in self.gaps[:NAMED] if found]

    def line(self, seed: str) -> str:
        kinds = Counter(outage.kind for outage in self.outages)
        renewals = sum(self.seen.values()) - len(self.seen)
        return (
            f"unbroken: realms={len(self.seen)} renewals={renewals} "
            f"issued={self.issued} most_a_renewal={self.most} former_cas={self.cas} "
            f"looks={self.looks} "
            f"handshakes={self.handshakes} outages={len(self.outages)} "
            f"{' '.join(f'{kind}={kinds[kind]}' for kind in sorted(kinds))} unfair={self.unfair} "
            f"gaps={len(self.gaps)} violations={self.violations} seconds={self.seconds:.0f} "
            f"seed={seed}"
        )


def run(
    folder: Path,
    seconds: float,
    seed: str,
    *,
    rate: int = 1,
    realms: Mapping[str, str] = REALMS,
    storms: bool = True,
    clone: Path = ROOT,
    tell: Callable[[str], None] = lambda _text: None,
) -> Figures:
    """So many real seconds. Needs root. `clone`: of the program that the board runs."""
    with site(folder, rate, clone) as here:
        here.configure(realms)
        begin, memory = time.monotonic(), here.agent.dir / "memory"
        with Reader(memory, tuple(realms), here.now_s, authorities_of(here.ca.dir)) as reader:
            weather = Weather(
                here, random.Random(seed), at_once=all(map(takes_at_once, realms.values()))
            )
            outages = _through(here, weather, begin + seconds, tell, storms=storms)
        issued = _issued(here.ca.issued())
        return Figures(
            time.monotonic() - begin,
            reader.looks,
            reader.handshakes,
            reader.gaps,
            outages,
            {realm: len(serials) for realm, serials in reader.serials.items()},
            sum(map(len, issued.values())),
            max(most(issued[realm], reader.serials[realm]) for realm in realms),
            len(list((here.ca.dir / "former").glob("*.pem"))),
        )


def _through(
    here: Site, weather: Weather, end: float, tell: Callable[[str], None], *, storms: bool
) -> list[Outage]:
    """Weather until the end, and what the operator of the CA does meanwhile."""
    outages: list[Outage] = []
    begin = told = time.monotonic()
    orders = [(begin + (end - begin) * part, word) for part, word in OPERATOR]
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(weather.calm_s(), left))
        if orders and time.monotonic() > orders[0][0]:
            here.command(orders.pop(0)[1])
        if storms and end - time.monotonic() > 0:
            outages.append(weather.strike())
        if time.monotonic() - told > TELL_S:
            told = time.monotonic()
            tell(f"{told - begin:.0f} s of {end - begin:.0f}: {len(outages)} outages")
    return outages


def takes_at_once(auto: str) -> bool:
    return auto.endswith("updated-effective")


def _issued(paths: Sequence[Path]) -> dict[str, list[int]]:
    """Serial numbers by common name, in the order in which the CA has issued them."""
    found: dict[str, list[int]] = {}
    for path in paths:
        leaf = x509.load_pem_x509_certificate(path.read_bytes())
        (name,) = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        found.setdefault(str(name.value), []).append(leaf.serial_number)
    return found


def most(issued: Sequence[int], seen: Sequence[int]) -> int:
    """The most certificates that were issued until consumers had the next one of them."""
    counts, count = [0], 0
    for serial in issued:
        count += 1
        if serial in seen:
            counts.append(count)
            count = 0
    return max(counts)
