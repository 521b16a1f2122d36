"""GetCACaps, GetCACert and GetNextCACert of a liar."""

from collections.abc import Callable

from asn1crypto import x509

from tools.lab_ca import algorithms, answer, authority
from tools.lab_ca.algorithms import Identity
from tools.lab_ca.answer import CAPS
from tools.lab_ca.caset import CaSet
from tools.lab_ca.hooks import Hooks, on
from tools.lab_ca.hostile import liars
from tools.lab_ca.quirks.caset import Change, following, now

HUGE_BYTES = 1_000_000
MANY = 300
CROWD = 14

Certificates = tuple[x509.Certificate, ...]


def _set(change: Callable[[CaSet], Certificates]) -> Change:
    """Other certificates, in a degenerate SignedData."""

    def apply(found: CaSet) -> CaSet:
        return found._replace(certificates=change(found), degenerate=True, kind=answer.CA_SET)

    return now(apply)


def _impostor(found: CaSet) -> Identity:
    return liars.impostor(found.authority.ca.certificate)


def _crowd(found: CaSet) -> Certificates:
    """As many strangers' CAs as fit beside the real one."""
    crowd = (
        authority.self_signed(authority.name(f"Stranger {n}"), liars.key(), (0, 2_000_000_000))
        for n in range(CROWD)
    )
    return (*(one.certificate for one in crowd), *found.certificates)


def _older(found: CaSet) -> Certificates:
    """The CA that this one has followed, if there is one."""
    formers = found.authority.formers()
    return (formers[-1].certificate,) if formers else found.certificates


def _next_of(choose: Callable[[CaSet], Identity]) -> Change:
    """A next set that somebody else signed."""
    return following(lambda found: found._replace(signer=choose(found)))


def _stranger(_found: CaSet) -> Identity:
    return authority.self_signed(authority.name("Some Other CA"), liars.key(), (0, 2_000_000_000))


def _next_itself(found: CaSet) -> Identity:
    return Identity(found.certificates[0], found.authority.next_key())


def _caps(body: bytes, says: str) -> Hooks:
    return Hooks(says, answer=on(CAPS, lambda found: found._replace(body=body)))


CA_SETS: dict[str, Hooks] = {
    "caps-downgrade": Hooks(
        "only DES and MD5 are listed (RFC 8894 7.5)", words=lambda _words: ("DES", "MD5")
    ),
    "caps-nothing": Hooks(
        "SCEPStandard, AES and SHA-2 are kept from the list (RFC 8894 7.5)",
        words=lambda _words: ("POSTPKIOperation", "SHA-1", "DES3"),
    ),
    "caps-huge": _caps(b"A" * HUGE_BYTES, f"a capability of {HUGE_BYTES} octets"),
    "caps-lines": _caps(b"AES\n" * (HUGE_BYTES // 4), f"{HUGE_BYTES // 4} lines of capabilities"),
    "caps-binary": _caps(bytes(range(256)), "the capabilities hold every octet there is"),
    "ca-impostor": Hooks(
        "GetCACert tells a CA of the same name with another key",
        ca_set=now(lambda found: found._replace(certificates=(_impostor(found).certificate,))),
    ),
    "ca-appended": Hooks(
        "GetCACert tells a stranger's CA beside the real one",
        ca_set=_set(lambda found: (*found.certificates, _stranger(found).certificate)),
    ),
    "ca-prepended": Hooks(
        "GetCACert tells a CA of the same name with another key before the real one",
        ca_set=_set(lambda found: (_impostor(found).certificate, *found.certificates)),
    ),
    "ca-impostor-appended": Hooks(
        "GetCACert tells a CA of the same name with another key behind the real one",
        ca_set=_set(lambda found: (*found.certificates, _impostor(found).certificate)),
    ),
    "ca-crowd": Hooks(
        f"GetCACert tells {CROWD} strangers' CAs before the real one", ca_set=_set(_crowd)
    ),
    "ca-older": Hooks(
        "after a change of its key GetCACert tells the CA of before alone, as an old set did",
        ca_set=_set(_older),
    ),
    "ca-device": Hooks(
        "GetCACert tells another device's certificate first, as if it were the RA's",
        ca_set=_set(
            lambda found: (liars.device(found.authority).certificate, *found.certificates)
        ),
    ),
    "ca-device-alone": Hooks(
        "GetCACert tells another device's certificate in the place of the RA's, for no purpose",
        ca_set=_set(
            lambda found: (
                liars.device(found.authority).certificate,
                found.authority.ca.certificate,
            )
        ),
    ),
    "ca-none": Hooks("GetCACert tells an empty set", ca_set=_set(lambda _found: ())),
    "ca-many": Hooks(
        f"GetCACert tells the CA {MANY} times", ca_set=_set(lambda found: found.certificates * MANY)
    ),
    "ca-garbage": Hooks(
        "GetCACert tells nothing but octets 00",
        ca_set=now(lambda found: found._replace(edit=lambda der: bytes(len(der)))),
    ),
    "ca-cut": Hooks(
        "GetCACert's certificate lacks its end",
        ca_set=now(lambda found: found._replace(edit=lambda der: der[:-1])),
    ),
    "next-stranger": Hooks("the next CA is signed by a stranger", ca_set=_next_of(_stranger)),
    "next-impostor": Hooks(
        "the next CA is signed by the CA's name with another key", ca_set=_next_of(_impostor)
    ),
    "next-itself": Hooks("the next CA is signed by itself", ca_set=_next_of(_next_itself)),
    "next-device": Hooks(
        "the next CA is signed by another device of the same CA",
        ca_set=_next_of(lambda found: liars.device(found.authority)),
    ),
    "next-below": Hooks(
        "the next CA is signed by another CA below this one, which the message brings",
        ca_set=_next_of(lambda found: liars.below(found.authority)),
    ),
    "next-broken": Hooks(
        "the signature around the next CA is broken",
        ca_set=following(lambda found: found._replace(edit=algorithms.spoilt)),
    ),
    "next-none": Hooks(
        "the set of next CAs is signed and empty",
        ca_set=following(lambda found: found._replace(certificates=())),
    ),
    "next-device-as-ca": Hooks(
        "the next CA is another device's certificate, signed by the CA of today",
        ca_set=following(
            lambda found: found._replace(
                certificates=(liars.device(found.authority).certificate,)
            )
        ),
    ),
}  # fmt: skip
