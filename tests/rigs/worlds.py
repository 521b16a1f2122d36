"""A world of CAs, honest and not, of which mixtures are made.

A `World` is a root, the CAs below it, what they were renewed and replaced by, and everybody who
would like to be one of them: strangers with names of their own or with the honest ones, a customer
whose CA is constrained, the holder of a device's certificate or of a CA that has ended, a key that
was made to fit a signature (`dsks`).
"""

import functools
import hashlib
import random
from typing import Any, NamedTuple

from asn1crypto import x509

from agent.scep.names import DNS
from tests.helpers import dsks
from tests.helpers import scep_lab as lab
from tests.scep.test_constraints import base, extension

NAME = "router.example"
CUSTOMER = extension(permitted=(base(DNS, b"customer.test"),))


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
    attackers.append(Leaf("leaf of the device", _leaf(device_of(ours), "device"), device_of(ours)))
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
        "below-device": _ca("Below", "below", device_of(ours)),
        "weak": _ca("Weak", "weak", root, digest="md5"),
    }
    if issuing is fixed_issuing():
        found["fitting"] = fitting()
    # Rivals bear honest names: the key tells who they are, and that key signs nothing honest.
    name = rng.choice(["Root", "Issuing", "Sub"])
    found["rival"] = _ca(name, "rival", None, days=rng.choice([30, 4000]))
    return found


def device_of(ours: dict[str, lab.Party]) -> lab.Party:
    """The certificate of an honest device whose owner is not."""
    return lab.certificate({"common_name": "device"}, "device", ours["issuing"])


@functools.cache
def fitting() -> lab.Party:
    """A root with a key that was computed to fit the signature of the issuing CA."""
    cert = fixed_issuing().cert
    key = dsks.fitting_key(cert["tbs_certificate"].dump(), cert.signature)
    lab.GIVEN["fitting"] = key
    return _ca("Root", "fitting", None, claims="root")
