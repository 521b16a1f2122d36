"""The CA of a realm: how it is known, and its certificates by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from agent import limits
from agent.console.commands import lookups, names
from agent.console.commands.operator import Operator
from agent.console.commands.rows import SECRET_LEVEL, Row, restore
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.views import REALM, SYSTEM
from agent.errors import fail
from agent.settings import Realm

FINGERPRINTS = {"md5": "HEX32", "sha1": "HEX40", "sha256": "HEX64"}
ROOT_FINGERPRINTS = {word: key for word, key in FINGERPRINTS.items() if word != "md5"}


def fingerprint(operator: Operator, args: Args) -> None:
    method = args.chosen(FINGERPRINTS)[0]
    lookups.warn_of_digest(operator, args)
    operator.record(REALM).fingerprint = (method, args.text(FINGERPRINTS[method]))


def render_fingerprint(record: Realm) -> Iterator[str]:
    if record.fingerprint:
        yield f"fingerprint {' '.join(record.fingerprint)}"


def root_fingerprint(operator: Operator, args: Args) -> None:
    """One more: a root, and the one that will follow it."""
    record, named = operator.record(REALM), _root_named(args)
    lookups.warn_of_digest(operator, args)
    others = tuple(one for one in record.root_fingerprints if one != named)
    if len(others) >= limits.ROOTS:
        raise fail("roots-full", cap=limits.ROOTS)
    record.root_fingerprints = (*others, named)
    operator.remark(lambda: _tell_of_root(operator, record))


def _tell_of_root(operator: Operator, record: Realm) -> None:
    if operator.device.ca(record.name):
        operator.info(
            "A CA with this fingerprint is served once it is stored: type `pki get-certificate ca"
            f" realm {record.name}`, or `pki import-certificate ca realm {record.name} ...`."
        )


def undo_root_fingerprint(operator: Operator, args: Args) -> None:
    record = operator.record(REALM)
    gone = [_root_named(args)] if args.chosen(ROOT_FINGERPRINTS) else record.root_fingerprints
    kept = (one for one in record.root_fingerprints if one not in gone)
    record.root_fingerprints = tuple(kept)


def _root_named(args: Args) -> tuple[str, str]:
    method = args.chosen(ROOT_FINGERPRINTS)[0]
    return method, args.text(ROOT_FINGERPRINTS[method])


def render_root_fingerprints(record: Realm) -> Iterator[str]:
    for method, digits in record.root_fingerprints:
        yield f"root-fingerprint {method} {digits}"


def get_certificate(operator: Operator, args: Args) -> None:
    record = lookups.realm(operator, args.text("NAME"))
    lookups.refuse_below_secrets(operator.level, "decide which CA is trusted")
    exchange = operator.device.exchange
    begin, what = exchange.get_ca, "The CA certificates"
    if "next" in args:
        begin, what = exchange.get_next_ca, "The certificates of the next CA"
    operator.start(
        f"Getting {what[0].lower()}{what[1:]} of realm {record.name}",
        lambda task: begin(record.name, task, task.done),
        lambda _result: operator.info(f"{what} of realm {record.name} were stored."),
    )


FINGERPRINT = Row(
    "fingerprint { md5 HEX32 | sha1 HEX40 | sha256 HEX64 }",
    (REALM,),
    fingerprint,
    {
        "HEX32": parameters.hexadecimal("MD5 of the CA certificate", 32),
        "HEX40": parameters.hexadecimal("SHA-1 of the CA certificate", 40),
        "HEX64": parameters.hexadecimal("SHA-256 of the CA certificate", 64),
    },
    level=SECRET_LEVEL,
    render=render_fingerprint,
    undo="fingerprint",
    undone=restore(REALM, "fingerprint"),
)
ROOT_FINGERPRINT = Row(
    "root-fingerprint { sha1 HEX40 | sha256 HEX64 }",
    (REALM,),
    root_fingerprint,
    {
        "HEX40": parameters.hexadecimal("SHA-1 of a CA certificate above the pinned one", 40),
        "HEX64": parameters.hexadecimal("SHA-256 of a CA certificate above the pinned one", 64),
    },
    level=SECRET_LEVEL,
    render=render_root_fingerprints,
    undo="root-fingerprint",
    undone=undo_root_fingerprint,
)
GET = Row(
    "pki get-certificate ca realm NAME [ next ]",
    (SYSTEM,),
    get_certificate,
    {"NAME": names.REALM},
)
