"""Random CA sets, honest and not, through all that the product does with one; judged by openssl.

A mixture is two sets of a `World` (`worlds.py`) that arrive one after the other, at a realm that
pins one of its CAs. After each, `openssl verify` looks at the file that consumers trust: no leaf of
an attacker is OK with any help, and the honest peers are.

python -m tests.rigs.mixtures --count 10000 --seed nightly
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.enrolment import pins, vouched
from agent.errors import AgentError
from agent.jobs import answers, maps
from agent.scep import caset, ra, relations, served
from agent.settings import Realm
from hal.records import CaRecord
from tests.helpers import scep_lab as lab
from tests.rigs.worlds import Leaf, World, device_of, world

WORLD_MIXTURES = 20  # of one world
PROGRESS_S = 10.0


class Parts(NamedTuple):
    """What a set goes through in children; a planted fault stands in the place of one."""

    described: Callable[..., list[dict[str, Any]]] = relations.described
    serve: Callable[[dict[str, Any], bytes], served.Served] = served.of


PARTS = Parts()


class Mixture(NamedTuple):
    """What arrives, which CA is pinned, and whether the realm names the root."""

    world: World
    pin: str
    names_root: bool
    sets: tuple[tuple[str, ...], ...]


# -- a mixture, and what the product makes of it ---------------------------------------------------


def mixture(world_: World, rng: random.Random) -> Mixture:
    pin = rng.choice(world_.pins)
    first = {pin, *rng.sample(sorted(world_.ours), rng.randrange(len(world_.ours)))}
    names_root = pin != "root" and rng.random() < 0.6
    if names_root:
        first.add("root")
    sets = [_set(first, world_, rng)]
    again = set(rng.sample(sorted(world_.ours), rng.randrange(len(world_.ours))))
    sets.append(_set(again | ({pin} if rng.random() < 0.7 else set()), world_, rng))
    return Mixture(world_, pin, names_root, tuple(sets))


def _set(ours: set[str], world_: World, rng: random.Random) -> tuple[str, ...]:
    theirs = rng.sample(sorted(world_.theirs), rng.randrange(8))
    chosen = [*sorted(ours), *theirs]
    rng.shuffle(chosen)
    return tuple(chosen)


def taken(mixed: Mixture, parts: Parts = PARTS) -> list[tuple[CaRecord, served.Served]]:
    """What is stored and served after each set; a set that is refused changes nothing."""
    every = {**mixed.world.ours, **mixed.world.theirs}
    roots = (("sha256", every["root"].cert.sha256.hex()),) if mixed.names_root else ()
    typed = ("sha256", every[mixed.pin].cert.sha256.hex())
    realm = Realm("abc")
    realm.fingerprint, realm.root_fingerprints = typed, roots
    known: CaRecord | None = None
    found = []
    for names in mixed.sets:
        held = maps.pinned_der(known)
        sent = caset.readable([every[name].der for name in names])
        stored = [] if held is None or held in {one.der for one in sent} else [held]
        rules = caset.Rules(lab.NOW_S, frozenset())
        told = parts.described([*sent, *caset.readable(stored)], rules, ra.RaRules(), stored)
        set_ = answers.ca_set({"certificates": told})
        arrived = vouched.Arrived(set_, (), lab.NOW_S, roots)
        try:
            choice = pins.choose(realm.fingerprint, known, set_, lab.NOW_S, ())
            assert choice.trusted_by == "fingerprint"
            pinned = vouched.Pinned(choice.certificate, choice.trusted_by, typed)
            known = vouched.record(pinned, arrived, known)
        except AgentError as error:
            if error.code not in ("ca-pin-mismatch", "ca-set-older", "ca-no-ca"):
                raise
        assert known is not None  # the first one holds the pin
        job = {**maps.served_job(realm, known, []), "now_s": lab.NOW_S}
        found.append((known, parts.serve(job, _peer_of(mixed).party.der)))
    return found


def _peer_of(mixed: Mixture) -> Leaf:
    wanted = f"peer of {mixed.pin}"
    return next(leaf for leaf in mixed.world.peers if leaf.label == wanted)


# -- the judge -------------------------------------------------------------------------------------


def faults(mixed: Mixture, folder: Path, parts: Parts = PARTS) -> list[str]:
    """What is wrong with what is stored and served; [] when nothing is."""
    found, before = [], None
    for at, step in enumerate(taken(mixed, parts)):
        if step != before:
            found += [f"set {at}: {text}" for text in _judged(mixed, *step, folder)]
        before = step
    return found


def _judged(mixed: Mixture, ca: CaRecord, now: served.Served, folder: Path) -> list[str]:
    world_, trusted = mixed.world, folder / "ca.pem"
    found = [now.note] if now.note else []
    strangers = {
        name: one.der for name, one in world_.theirs.items() if name not in HONEST_CA_OF_A_CUSTOMER
    }
    kept = {one.der for one in ca.certificates}
    shown = {*now.ca, *now.chain}
    found += [f"{name} is stored" for name, der in strangers.items() if der in kept]
    found += [f"{name} is served" for name, der in strangers.items() if der in shown]
    trusted.write_bytes(b"".join(_pem(der) for der in now.ca))
    crowd = [*world_.ours.values(), *world_.theirs.values(), device_of(world_.ours)]
    random.Random(len(kept)).shuffle(crowd)  # openssl takes the first that seems to fit
    honest = [world_.ours["sub"], world_.ours["issuing"]]
    tops = {world_.ours[name].der for name in TOPS}
    if (mixed.pin == "root" or mixed.names_root) and world_.ours["root"].der not in now.ca:
        found.append("the root is not served")
    for partial in (False, True):
        way = "with" if partial else "without"
        for leaf, good in _verified(trusted, world_.attackers, crowd, folder, partial=partial):
            if good:
                found.append(f"{leaf.label} is OK {way} -partial_chain")
        peers = [leaf for leaf in world_.peers if _below(leaf.issuer, mixed)]
        anchored = partial or world_.ours["root"].der in now.ca
        for leaf, good in _verified(trusted, peers, honest, folder, partial=partial):
            if good != anchored and (anchored or not tops & set(now.ca)):
                found.append(f"{leaf.label} is {'' if good else 'not '}OK {way} -partial_chain")
    return found


# A customer's CA is genuine and may be served: what it may not do is issue outside its constraints.
# Self-signed: openssl may end there, or go on to the issuer of another certificate for that key.
TOPS = ("root", "root-again", "issuing-by-itself")
HONEST_CA_OF_A_CUSTOMER = (
    "customer", "bound", "customer-of-bound", "below-customer", "no-signer", "short",
)  # fmt: skip


def _below(issuer: lab.Party, mixed: Mixture) -> bool:
    """Whether the pin vouches for this CA."""
    ours = mixed.world.ours
    order = ["root", "issuing", "sub"]
    return issuer in [ours[name] for name in order[order.index(mixed.pin) :]]


def _verified(
    trusted: Path, leaves: Sequence[Leaf], sent: Sequence[lab.Party], folder: Path, *, partial: bool
) -> list[tuple[Leaf, bool]]:
    """What openssl says of each leaf, with which its holder has sent these certificates."""
    others = folder / "sent.pem"
    others.write_bytes(b"".join(_pem(one.der) for one in sent))
    files = []
    for leaf in leaves:
        path = folder / f"{leaf.party.cert.serial_number}.pem"
        if not path.exists():
            path.write_bytes(_pem(leaf.party.der))
        files.append(str(path))
    words = ["-partial_chain"] if partial else []
    done = subprocess.run(
        ["openssl", "verify", *words, "-attime", str(lab.NOW_S), "-CAfile", str(trusted),
         "-no-CApath", "-no-CAstore", "-untrusted", str(others), *files],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    good = {line.removesuffix(": OK") for line in done.stdout.splitlines() if line.endswith(": OK")}
    assert good or "error" in done.stderr or not files or not trusted.stat().st_size, done.stderr
    return [(leaf, file in good) for leaf, file in zip(leaves, files, strict=True)]


def _pem(der: bytes) -> bytes:
    return lab.pem.armor("CERTIFICATE", der)


# -- the run ---------------------------------------------------------------------------------------


class Figures(NamedTuple):
    """Of a run: mixtures, certificates that arrived, verdicts asked of openssl, seconds."""

    mixtures: int
    certificates: int
    seconds: float


def run(count: int, seed: str, parts: Parts = PARTS, tell: Any = None) -> Figures:
    """Raises AssertionError with the mixture and its faults at the first one that has some."""
    began = said = time.monotonic()
    certificates = 0
    world_ = None
    with tempfile.TemporaryDirectory() as name:
        for at in range(count):
            rng = random.Random(f"{seed} {at}")
            if world_ is None or at % WORLD_MIXTURES == 0:
                world_ = world(rng)
            mixed = mixture(world_, rng)
            certificates += sum(map(len, mixed.sets))
            wrong = faults(mixed, Path(name), parts)
            assert not wrong, f"seed {seed}, mixture {at}: {mixed[1:]}: {wrong}"
            if tell and time.monotonic() - said > PROGRESS_S:
                said = time.monotonic()
                tell(f"{at + 1} of {count} mixtures")
    return Figures(count, certificates, time.monotonic() - began)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", default="1")
    wanted = parser.parse_args()
    found = run(wanted.count, wanted.seed, tell=lambda text: print(text, flush=True))
    print(
        f"{found.mixtures} mixtures of {found.certificates} certificates, seed {wanted.seed}:"
        f" no attacker's leaf was OK, every honest peer was ({found.seconds:.0f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
