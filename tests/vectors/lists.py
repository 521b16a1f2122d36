"""Revocation lists: by HTTP and by SCEP, of a CA that lies or somebody in its place."""

from collections.abc import Callable, Iterator
from typing import Any

from asn1crypto import core, crl

from tests.vectors import desk, trees
from tests.vectors.bench import Bench
from tests.vectors.published import published
from tests.vectors.row import Row
from tests.vectors.trees import FAULTS, Place
from tools.lab_ca import algorithms, authority, ber
from tools.lab_ca import crl as lists_of
from tools.lab_ca.algorithms import Identity
from tools.lab_ca.authority import DAY_S
from tools.lab_ca.hooks import Hooks

LIST = ""  # a list has a place of its own, no operation


def rows(bench: Bench) -> Iterator[Row]:
    honest = lists_of.current(bench.authority).dump()
    yield published("fetch-crl", LIST, "crl-honest", "ok", "nothing is wrong", honest)
    for name, (outcome, says, make) in LISTS.items():
        yield published("fetch-crl", LIST, name, outcome, says, make(bench, honest))
    older = {"before_s": desk.NOW_S + 3600}
    says = "an older one than the stored one"
    yield published("fetch-crl", LIST, "crl-older", "crl-outdated", says, honest, **older)
    yield from _elements(bench, honest)
    for name, (outcome, says, hook) in BY_SCEP.items():
        data = bench.reply(hook, "get-crl")
        yield published("get-crl", "PKIOperation", name, outcome, says, data)


def _elements(bench: Bench, honest: bytes) -> Iterator[Row]:
    for element, place in LIST_PLACES.items():
        for fault, (says, _change) in FAULTS.items():
            outcome = LIST_OTHER.get(f"{element}-{fault}", "crl-malformed")
            data = trees.broken(place, fault)(honest)
            if place[:1] == (0,):
                data = _signed_again(bench, data)
            words, name = (
                f"{element.replace('-', ' ')} of the list {says}",
                f"crl-{element}-{fault}",
            )
            yield published("fetch-crl", LIST, name, outcome, words, data)


def _signed_again(bench: Bench, der: bytes) -> bytes:
    body = trees.found(der, (0,))
    signature = algorithms.sign(bench.authority.ca.key, body, "sha256")
    return ber.tlv(0x30, body + trees.found(der, (1,)) + ber.tlv(3, b"\0" + signature))


def _list(bench: Bench, **changes: Any) -> bytes:
    """The honest list with other fields."""
    key = changes.pop("key", bench.authority.ca.key)
    digest = changes.pop("digest", "sha256")
    listed = lists_of.current(bench.authority)["tbs_cert_list"]
    fields = {name: listed[name] for name in listed if listed[name].native is not None}
    fields = {**fields, "signature": {"algorithm": f"{digest}_rsa"}, **changes}
    made = crl.TbsCertList({k: v for k, v in fields.items() if v is not None})
    signed = {
        "tbs_cert_list": made,
        "signature_algorithm": {"algorithm": f"{digest}_rsa"},
        "signature": algorithms.sign(key, made.dump(), digest),
    }
    der: bytes = crl.CertificateList(signed).dump()
    return der


def _with(oid: str, value: bytes) -> Callable[[Bench, bytes], bytes]:
    """A critical extension more."""
    body = core.ObjectIdentifier(oid).dump() + b"\x01\x01\xff" + ber.tlv(4, value)
    extension = crl.TBSCertListExtension.load(ber.tlv(0x30, body))
    return lambda bench, _honest: _list(bench, crl_extensions=[extension])


def _at(begin_s: int, end_s: int) -> Callable[[Bench, bytes], bytes]:
    begin, end = (algorithms.asn1_time(desk.NOW_S + at) for at in (begin_s, end_s))
    return lambda bench, _honest: _list(bench, this_update=begin, next_update=end)


def _many(count: int) -> Callable[[Bench, bytes], bytes]:
    at = algorithms.asn1_time(desk.NOW_S - 60)
    rows = [{"user_certificate": 1 + n, "revocation_date": at} for n in range(count)]
    return lambda bench, _honest: _list(bench, revoked_certificates=rows)


LISTS: dict[str, tuple[str, str, Callable[[Bench, bytes], bytes]]] = {
    "crl-key": ("crl-signature", "signed with another key",
                lambda b, _h: _list(b, key=desk.key("liar"))),
    "crl-md5": ("crl-signature", "signed with MD5", lambda b, _h: _list(b, digest="md5")),
    "crl-issuer-other": ("crl-issuer", "of another CA",
                         lambda b, _h: _list(b, issuer=authority.name("Some Other CA"))),
    "crl-spoilt": ("crl-signature", "its signature is broken",
                   lambda _b, honest: algorithms.spoilt(honest)),
    "crl-ended": ("crl-outdated", "the next one was due a second ago", _at(-DAY_S, -1)),
    "crl-ended-now": ("crl-outdated", "the next one is due now", _at(-DAY_S, 0)),
    "crl-future": ("crl-outdated", "it begins in two days", _at(2 * DAY_S, 3 * DAY_S)),
    "crl-delta": ("crl-malformed", "a delta", _with("2.5.29.27", b"\x02\x01\x01")),
    "crl-scope-ca": ("crl-malformed", "it speaks of CA certificates alone",
                     _with("2.5.29.28", bytes.fromhex("30038201ff"))),
    "crl-scope-reasons": ("crl-malformed", "it speaks of some reasons alone",
                          _with("2.5.29.28", bytes.fromhex("300483020640"))),
    "crl-critical": ("crl-malformed", "a critical extension that nobody knows",
                     _with("1.3.6.1.4.1.99999.1", b"\x05\x00")),
    "crl-crowd": ("crl-malformed", "more certificates than any device looks through", _many(2001)),
    "crl-large": ("crl-too-large", "49 kB", lambda _b, _h: ber.tlv(0x30, bytes(49_200))),
    "crl-huge": ("crl-unreachable", "a megabyte", lambda _b, _h: bytes(1_000_000)),
    "crl-cut": ("crl-malformed", "the end is missing", lambda _b, honest: honest[:-1]),
    "crl-trailing": ("crl-malformed", "octets follow", lambda _b, honest: honest + b"\x05\x00"),
    "crl-certificate": ("crl-malformed", "a certificate",
                        lambda b, _h: b.authority.ca.certificate.dump()),
    "crl-html": ("crl-malformed", "a page for people", lambda _b, _h: b"<html>no</html>"),
    "crl-nesting": ("crl-malformed", "SEQUENCEs in one another without end",
                    lambda _b, _h: b"\x30\x80" * 20_000),
}  # fmt: skip
LIST_PLACES: dict[str, Place] = {
    "certificate-list": (),
    "body": (0,),
    "version": (0, 0),
    "inner-algorithm": (0, 1),
    "issuer": (0, 2),
    "this-update": (0, 3),
    "next-update": (0, 4),
    "extensions": (0, 5, 0),
    "outer-algorithm": (1,),
    "signature": (2,),
}
LIST_OTHER: dict[str, str] = {
    "certificate-list-absent": "crl-unreachable",
    "version-absent": "ok",
    "issuer-empty": "crl-issuer",
    "this-update-absent": "crl-outdated",  # that of the next one stands in its place
    "next-update-absent": "ok",
    "extensions-empty": "ok",
}
BY_SCEP: dict[str, tuple[str, str, Hooks]] = {
    "getcrl-honest": ("ok", "nothing is wrong", Hooks("")),
    "getcrl-none": ("crl-malformed", "no list in the reply", Hooks(
        "", reply=lambda r: r._replace(crls=()))),
    "getcrl-two": ("crl-malformed", "two lists", Hooks(
        "", reply=lambda r: r._replace(crls=r.crls * 2))),
    "getcrl-certificate": ("crl-malformed", "a certificate instead of a list", Hooks(
        "", reply=lambda r: r._replace(crls=(), issued=(r.authority.ca.certificate,)))),
    "getcrl-pending": ("certrep-status", "PENDING", Hooks(
        "", reply=lambda r: r._replace(status="PENDING", recipient=None, crls=()))),
    "getcrl-transaction": ("certrep-transaction", "another transactionID", Hooks(
        "", reply=lambda r: r._replace(transaction_id="0" * 32))),
    "getcrl-nonce": ("certrep-nonce", "another nonce", Hooks(
        "", reply=lambda r: r._replace(recipient_nonce=bytes(16)))),
    "getcrl-signer": ("certrep-signature", "signed with another key", Hooks(
        "", reply=lambda r: r._replace(signer=Identity(r.signer.certificate, desk.key("liar"))))),
}  # fmt: skip
