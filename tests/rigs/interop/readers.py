"""The encodings in which strangers hand DER over, and every reader of the product that takes them.

A reader gives back DER of what it has found, so that a cell of encoding and reader has a right
value. `docs/interop.md` shows the table; `tests/scep/test_encodings.py` tries each cell.
"""

import base64
import functools
from collections.abc import Callable
from typing import NamedTuple

from agent.scep import (
    ca_query,
    container,
    crl_check,
    inspection,
    path,
    succession,
    tls,
    trust,
    validation,
)
from tests.helpers import scep_lab as lab
from tests.helpers.scep_files import text_of
from tests.scep import test_crl_check as lists
from tests.scep import test_trust as replies

BOM = "\ufeff".encode()
COMMENT = "# Wurzel der Prüfstelle – nicht löschen\n".encode()
PKCS7 = "PKCS7"


def _ends(end: bytes) -> Callable[[bytes, str], bytes]:
    return lambda der, label: text_of(der, label).replace(b"\n", end)


def _utf16(codec: str, mark: bytes) -> Callable[[bytes, str], bytes]:
    return lambda der, label: mark + text_of(der, label).decode().encode(codec)


def _headed(der: bytes, label: str) -> bytes:
    return text_of(der, label).replace(b"-----\n", b"-----\nComment: of another tool\n\n", 1)


ENCODINGS: dict[str, Callable[[bytes, str], bytes]] = {
    "DER": lambda der, label: der,
    "white space around DER": lambda der, label: b"\r\n \t" + der + b"\r\n\n ",
    "PEM": text_of,
    "PEM with CRLF": _ends(b"\r\n"),
    "PEM with CR": _ends(b"\r"),
    "PEM without its last line end": lambda der, label: text_of(der, label).rstrip(),
    "PEM with text around it": lambda der, label: (
        b"subject=CN = x\n0 s:x\n" + text_of(der, label) + b"the end -----\n"
    ),
    "PEM behind a byte order mark": lambda der, label: BOM + text_of(der, label),
    "PEM with comments that are not ASCII": lambda der, label: (
        COMMENT + text_of(der, label) + COMMENT
    ),
    "PEM with blanks at the ends of lines": _ends(b" \t\n"),
    "PEM, indented": _ends(b"\n    "),
    "PEM in one line": lambda der, label: text_of(der, label).replace(b"\n", b" "),
    "PEM with a header": _headed,
    "PEM under another label": lambda der, label: text_of(der, "DATA OF A TOOL"),
    "PEM in UTF-16, little end first": _utf16("utf-16-le", b"\xff\xfe"),
    "PEM in UTF-16, big end first": _utf16("utf-16-be", b"\xfe\xff"),
    "PEM in UTF-16 without a mark": _utf16("utf-16-le", b""),
    "base64": lambda der, label: base64.encodebytes(der),
    "base64 in one line, without padding": lambda der, label: base64.b64encode(der).rstrip(b"="),
    "base64 in UTF-16": lambda der, label: (
        b"\xff\xfe" + base64.encodebytes(der).decode().encode("utf-16-le")
    ),
    "base64 of PEM": lambda der, label: base64.encodebytes(text_of(der, label)),
}


class Reader(NamedTuple):
    """A reader: the DER that it is given, its label in PEM, and what it finds."""

    der: Callable[[], bytes]
    label: str
    read: Callable[[bytes], bytes]


@functools.cache
def root() -> bytes:
    return lab.root().der


@functools.cache
def degenerate() -> bytes:
    return lab.degenerate([root()])


@functools.cache
def reply() -> bytes:
    return replies.success()


@functools.cache
def crl() -> bytes:
    return lists.made((5, "keyCompromise"))


@functools.cache
def next_ca() -> bytes:
    return lab.signed(degenerate(), {}, lab.root())


def named(data: bytes) -> bytes:
    """The next CA, as GetNextCACert has it."""
    rules = path.Rules(lab.NOW_S, frozenset())
    succession.members(succession.RollOver(root(), data), rules, [])
    return next_ca()


def ca_set(data: bytes) -> bytes:
    (found,) = ca_query.ca_certificates(data)
    return found


def accepted(data: bytes) -> bytes:
    trust.accept(data, replies.expected())
    return reply()


def imported(data: bytes) -> bytes:
    (found,) = container.read(data, None, keys=True).certificates
    return found.der


def trusted(data: bytes) -> bytes:
    (found,) = tls.context(data, "web.pem", check_dates=False).get_ca_certs(binary_form=True)
    return found


def shown(data: bytes) -> bytes:
    found = inspection.run({"kind": "certificate", "ders": [data]})
    items = found["items"]
    assert isinstance(items, list)
    assert items[0]["sha256"] == lab.root().cert.sha256.hex()
    return root()


def validated(data: bytes) -> bytes:
    job = {"kind": "local", "certificate": data, "chain": [], "ca": None, "weak": [], **lab.JUDGED}
    rows = validation.run({**job, "revocation": None})["rows"]
    assert isinstance(rows, list)
    assert rows[0]["subject"] == "C=DE, CN=Lab Root"
    return root()


READERS: dict[str, Reader] = {
    "GetCACert": Reader(root, "CERTIFICATE", ca_set),
    "GetCACert, PKCS#7": Reader(degenerate, PKCS7, ca_set),
    "reply": Reader(reply, PKCS7, accepted),
    "revocation list": Reader(crl, "X509 CRL", crl_check.der_of),
    "GetNextCACert": Reader(next_ca, PKCS7, named),
    "import": Reader(root, "CERTIFICATE", imported),
    "import, PKCS#7": Reader(degenerate, PKCS7, imported),
    "`https ca-file`": Reader(root, "CERTIFICATE", trusted),
    "display": Reader(root, "CERTIFICATE", shown),
    "validate": Reader(root, "CERTIFICATE", validated),
}


def finds(encoding: str, reader: str) -> bool:
    """Whether a reader gives the right value for an encoding."""
    row = READERS[reader]
    wanted = root() if row.der is degenerate else row.der()
    return row.read(ENCODINGS[encoding](row.der(), row.label)) == wanted
