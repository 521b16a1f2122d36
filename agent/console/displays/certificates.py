"""The kinds of displays about certificates, requests and revocation lists.

What is in them is read in the worker (`agent/scep/describe.py`): the text, and the fields for JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent.appliance import Check, Described, Verdict
from agent.console.displays.document import (
    FLAG,
    LIST,
    TEXT,
    TIME,
    Document,
    Field,
    Item,
    Kind,
    header,
    total,
)
from agent.console.language.times import Times
from agent.visible import row as one_row
from hal.annotations import Any
from hal.named import NamedTuple


class Shown(NamedTuple):
    """What stands where: the realm (or "" for a file), and the name of the file in storage."""

    realm: str
    file: str


Layout = Callable[[Kind, Item, Times], Iterable[str]]


def _layout(*closing: tuple[str, str]) -> Layout:
    """The text of the worker, then lines `label: value`. The digest of a CA's certificate, which
    its operator tells and `fingerprint` takes, comes before what the certificate says of itself."""

    def layout(_kind: Kind, item: Item, _times: Times) -> Iterator[str]:
        yield ""
        if item.get("is_ca"):
            yield f"SHA-256 fingerprint: {item['sha256']}"
        yield from item["text"].splitlines()
        yield ""
        for label, key in closing:
            yield f"{label}: {item.get(key) or '-'}"

    return layout


_PLACE = (Field("realm", TEXT + "?"), Field("file", TEXT + "?"), Field("text", TEXT))
_NAMES = (
    Field("subject", TEXT + "?"),
    Field("key", TEXT + "?"),
    Field("signature", TEXT + "?"),
    Field("subject_alternative_names", LIST),
    Field("key_usage", LIST),
    Field("extended_key_usage", LIST),
)
_CERTIFICATE_PLACE = (
    ("Pki realm name", "realm"),
    ("Certificate file name", "file"),
    ("Certificate peer name", "peer"),  # VRP has the line; there are no peers here
)
_PRINTS = (Field("sha1", TEXT + "?"), Field("sha256", TEXT + "?"), Field("error", TEXT + "?"))


CERTIFICATE = Kind(
    "pki certificate",
    (
        *_PLACE,
        Field("issuer", TEXT + "?"),
        Field("serial", TEXT + "?"),
        Field("not_before", TIME + "?"),
        Field("not_after", TIME + "?"),
        *_NAMES,
        Field("is_ca", FLAG + "?"),
        *_PRINTS,
    ),
    _layout(*_CERTIFICATE_PLACE),
)
REQUEST = Kind(
    "pki cert-req",
    (*_PLACE, *_NAMES, *_PRINTS),
    _layout(("Request file name", "file")),
)
CRL = Kind(
    "pki crl",
    (
        *_PLACE,
        Field("issuer", TEXT + "?"),
        Field("this_update", TIME + "?"),
        Field("next_update", TIME + "?"),
        *_PRINTS,
    ),
    _layout(("Pki realm name", "realm"), ("CRL file name", "file")),
)

OF = {CERTIFICATE.name: "certificate", REQUEST.name: "request", CRL.name: "crl"}  # for the worker


def described(kind: Kind, places: Iterable[Shown], found: Iterable[Described]) -> Document:
    """What the worker read, each with the place where it stands."""
    items = [_item(kind, place, one) for place, one in zip(places, found, strict=False)]
    return Document(kind, items, [total(len(items))])


def _item(kind: Kind, place: Shown, one: Described) -> dict[str, Any]:
    own = {"realm": place.realm or None, "file": place.file or None, "text": one.text}
    empty: dict[str, Any] = {field.key: [] if field.type == LIST else None for field in kind.fields}
    read = {key: value for key, value in one.fields.items() if key in empty}
    return {**empty, **read, **own}


def _check_layout(_kind: Kind, item: Item, _times: Times) -> Iterator[str]:
    yield f" {item['check']:<14} {item['result']:<8} {item['detail']}"
    if item["next_step"]:
        yield f"   Next step: {item['next_step']}."


DIAGNOSIS = Kind(
    "diagnose",
    (
        Field("check", TEXT),
        Field("result", TEXT),
        Field("detail", TEXT),
        Field("next_step", TEXT + "?"),
    ),
    _check_layout,
)


def diagnosis(checks: Iterable[Check]) -> Document:
    return Document(DIAGNOSIS, [one._asdict() for one in checks])


def _verdict_layout(_kind: Kind, item: Item, _times: Times) -> Iterator[str]:
    """The name stands last in its row, where it cannot look like the status."""
    yield one_row(f" {item['certificate']:<12} {item['status']:<10} ", item["subject"])
    if item["reason"]:
        yield f"   Reason: {item['reason']}."


VALIDATION = Kind(
    "pki validate-certificate",
    (
        Field("certificate", TEXT, "Certificate"),
        Field("status", TEXT, "Status"),
        Field("subject", TEXT, "Subject"),
        Field("reason", TEXT + "?"),
    ),
    _verdict_layout,
)


def validation(verdicts: Iterable[Verdict]) -> Document:
    items = [one._asdict() for one in verdicts]
    return Document(VALIDATION, items, [header(VALIDATION, 12, 10)])
