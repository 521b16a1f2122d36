"""Random CA sets, honest and not, through all that the product does with one; judged by openssl.

A `World` is a root, the CAs below it, what they were renewed and replaced by, and everybody who
would like to be one of them: strangers with names of their own or with the honest ones, a customer
whose CA is constrained, the holder of a device's certificate or of a CA that has ended, a key that
was made to fit a signature (`dsks`). A mixture is two sets of it that arrive one after the other,
at a realm that pins one of its CAs. After each, `openssl verify` looks at the file that consumers
trust: no leaf of an attacker is OK with any help, and the honest peers are.

python -m tests.rigs.mixtures --count 10000 --seed nightly
"""

import argparse
import functools
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from asn1crypto import x509

from agent.enrolment import pins, vouched
from agent.errors import AgentError
from agent.jobs import answers, maps
from agent.scep import caset, ra, relations, served
from agent.scep.names import DNS
from agent.settings import Realm
from hal.records import CaRecord
from tests.helpers import dsks
from tests.helpers import scep_lab as lab
from tests.scep.test_constraints import base, extension

WORLD_MIXTURES = 20  # of one world
PROGRESS_S = 10.0
NAME = "router.example"
CUSTOMER = extension(permitted=(base(DNS, b"customer.test"),))


class Parts(NamedTuple):
    """What a set goes through in children; a planted fault stands in the place of one."""

    described: Callable[..., list[dict[str, Any]]] = relations.described
    serve: Callable[[dict[str, Any], bytes], served.Served] = served.of


PARTS = Parts()


class Leaf(NamedTuple):
    """A certificate of a peer, and the CA certificate under whose key and name it was issued."""

    label: str
    party: lab.Party
    issuer: lab.Party


class World(NamedTuple):
    """`pins`: what a realm may pin; `ours`: honest CAs by label; `theirs`: all that may be mixed
    in; `peers` and `attackers`: leaves."""

    pins: tuple[str, ...]
    ours: dict[str, lab.Party]
    theirs: dict[str, lab.Party]
    peers: tuple[Leaf, ...]
    attackers: tuple[Leaf, ...]


class Mixture(NamedTuple):
    """What arrives, which CA is pinned, and whether the realm names the root."""

    world: World
    pin: str
    names_root: bool
    sets: tuple[tuple[str, ...], ...]


# -- the world -------------------------------------------------------------------------------------


def world(rng: random.Random) -> World:
    ours = _honest(rng)
    theirs = _dishonest(ours, rng)
    signers = {"root": "root", "issuing": "issuing", "sub": "sub", "root-with-new": "root2"}
    peers = tuple(
        Leaf(f"peer of {name}", _leaf(ours[name], key), ours[name])
        for name, key in signers.items()
        if name != "root-with-new"
    )
    # openssl itself takes MD5 from whom it trusts; that this CA is not served is looked at instead.
    attackers = [
        Leaf(f"leaf of {name}", _leaf(one, one.key), one)
        for name, one in theirs.items()
        if name != "weak"
    ]
    attackers.append(Leaf("leaf of the device", _leaf(_device(ours), "device"), _device(ours)))
    attackers += [
        Leaf(f"leaf by the stranger as {name}", _leaf(one, "stranger"), one)
        for name, one in ours.items()
    ]
    return World(("root", "issuing"), ours, theirs, peers, tuple(attackers))


def _ca(name: str, key: str, issuer: lab.Party | None, **how: Any) -> lab.Party:
    usage = {"usage": {"key_cert_sign", "crl_sign"}} if how.pop("usual", True) else {}
    ids = _ids(how.pop("claims", key), issuer)  # an attacker writes what he wants
    how = {"days": 2000, **usage, **how, "more": [*how.get("more", ()), *ids]}
    return lab.certificate({"common_name": name}, key, issuer, ca=True, **how)


def _leaf(issuer: lab.Party, key: str) -> lab.Party:
    sans = x509.GeneralNames([x509.GeneralName("dns_name", NAME)])
    how = {"sans": sans, "issuer_key": key, "more": _ids("peer", issuer)}
    return lab.certificate({"common_name": NAME}, "peer", issuer, **how)


def _ids(key: str, issuer: lab.Party | None) -> list[tuple[str, bool, bytes]]:
    """Key identifiers of subject and issuer, by which openssl chooses among equal names."""
    own, other = (
        hashlib.sha1(lab.public_der(name)).digest() for name in (key, issuer.key if issuer else key)
    )
    return [
        ("2.5.29.14", False, lab.tlv(4, own)),
        ("2.5.29.35", False, lab.tlv(0x30, lab.tlv(0x80, other))),
    ]


@functools.cache
def fixed_root() -> lab.Party:
    return _ca("Root", "root", None)


@functools.cache
def fixed_issuing() -> lab.Party:
    return _ca("Issuing", "issuing", fixed_root())


def _honest(rng: random.Random) -> dict[str, lab.Party]:
    fixed = rng.random() < 0.5
    some = {"usual": rng.random() < 0.7}
    root = fixed_root() if fixed else _ca("Root", "root", None, **some)
    issuing = fixed_issuing() if fixed else _ca("Issuing", "issuing", root, **_limit(rng, 1))
    sub = _ca("Sub", "sub", issuing, **_limit(rng, 0), **_constraint(rng))
    early = {"start_s": lab.NOW_S - 900 * lab.DAY_S}
    new = _ca("Root", "root2", None)
    return {
        "root": root,
        "issuing": issuing,
        "sub": sub,
        "root-again": _ca("Root", "root", None, days=3000),
        "issuing-again": _ca("Issuing", "issuing", root, days=3000),
        "issuing-by-itself": _ca("Issuing", "issuing", None, issuer_name=None),
        "root-ended": _ca("Root", "root", None, **early, days=800),
        "new": new,
        "root-with-new": _ca("Root", "root2", root),  # NewWithOld, RFC 4210 4.4
        "root-by-new": _ca("Root", "root", new),  # OldWithNew
    }


def _limit(rng: random.Random, path: int) -> dict[str, Any]:
    return {"path": path} if rng.random() < 0.5 else {}


def _constraint(rng: random.Random) -> dict[str, Any]:
    only = extension(permitted=(base(DNS, b"example"),), critical=rng.random() < 0.5)
    return {"more": [only]} if rng.random() < 0.5 else {}


def _dishonest(ours: dict[str, lab.Party], rng: random.Random) -> dict[str, lab.Party]:
    root, issuing = ours["root"], ours["issuing"]
    early = {"start_s": lab.NOW_S - 900 * lab.DAY_S, "days": 800}
    stranger = _ca("Stranger", "stranger", None)
    as_root = _ca("Root", "stranger", None)
    customer = _ca("Customer", "customer", issuing, more=[CUSTOMER])
    bound = _ca("Bound", "bound", root, more=[CUSTOMER])
    short = _ca("Short", "short", issuing, path=0)
    found = {
        "stranger": stranger,
        "as-root": as_root,
        "as-issuing": _ca("Issuing", "stranger", as_root),
        "as-issuing-by-itself": _ca("Issuing", "stranger", None),
        "claims-root": _ca("Stranger", "stranger", root, issuer_key="stranger"),
        "below-stranger": _ca("Customer", "customer", stranger),
        "stranger-ended": _ca("Stranger", "stranger", None, **early),
        "customer": customer,
        "bound": bound,
        "customer-of-bound": _ca("Customer", "customer", bound),
        "below-customer": _ca("Below", "below", customer),
        "ended": _ca("Ended", "ended", root, **early),
        "early": _ca("Early", "early", root, start_s=lab.NOW_S + 90 * lab.DAY_S),
        "no-signer": _ca("No Signer", "no-signer", root, usage={"digital_signature"}),
        "odd": _ca("Odd", "odd", issuing, more=[("1.2.3.4", True, b"\x05\x00")]),
        "too-long": _ca("Too Long", "too-long", short),
        "below-device": _ca("Below", "below", _device(ours)),
        "weak": _ca("Weak", "weak", root, digest="md5"),
    }
    if issuing is fixed_issuing():
        found["fitting"] = fitting()
    # Rivals bear honest names: the key tells who they are, and that key signs nothing honest.
    name = rng.choice(["Root", "Issuing", "Sub"])
    found["rival"] = _ca(name, "rival", None, days=rng.choice([30, 4000]))
    return found


def _device(ours: dict[str, lab.Party]) -> lab.Party:
    """The certificate of an honest device whose owner is not."""
    return lab.certificate({"common_name": "device"}, "device", ours["issuing"])


@functools.cache
def fitting() -> lab.Party:
    """A root with a key that was computed to fit the signature of the issuing CA."""
    cert = fixed_issuing().cert
    key = dsks.fitting_key(cert["tbs_certificate"].dump(), cert.signature)
    lab.GIVEN["fitting"] = key
    return _ca("Root", "fitting", None, claims="root")


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
    crowd = [*world_.ours.values(), *world_.theirs.values(), _device(world_.ours)]
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
        capture_output=True, text=True, timeout=60, check=False,
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
