"""What displays show: pure functions from settings and records to lines.

Labels and their order are those of VRP where VRP has them, ours where not. A value that is not
set is `-`. Times are UTC.
"""

import binascii
from collections.abc import Iterable, Iterator, Sequence
from time import gmtime, strftime

from agent import limits
from agent.console.appliance import CaInfo, KeyPair, RealmStatus
from agent.console.parameters import MASK
from agent.errors import AgentError
from agent.settings import Entity, Realm

RULE = "=" * 53
LABEL_COLUMNS = 42


def moment(time_s: int) -> str:
    """`2026-11-23 14:05:00 UTC`; a time that no calendar holds is shown as its seconds."""
    try:
        return strftime("%Y-%m-%d %H:%M:%S UTC", gmtime(time_s))
    except (OverflowError, ValueError, OSError):
        return f"{time_s} s"


def duration(span_s: int) -> str:
    """The two largest units of a time span: `3 d 4 h`, `2 min 5 s`."""
    parts: list[str] = []
    for unit, size_s in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, span_s = divmod(span_s, size_s)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def relative(time_s: int, now_s: int) -> str:
    """A time, and how far it is from now."""
    apart = duration(abs(time_s - now_s))
    return f"{moment(time_s)} ({f'in {apart}' if time_s >= now_s else f'{apart} ago'})"


def pair(label: str, value: object, columns: int = LABEL_COLUMNS) -> str:
    """One `label : value` line; None and "" are `-`."""
    shown = "-" if value is None or value == "" else str(value)
    return f" {label:<{columns}}: {shown}"


def total(count: int) -> str:
    return f" Total Number: {count}"


def error_lines(error: AgentError) -> list[str]:
    """How every error of the device is told: what, why, what to do."""
    what = error.what[:1].upper() + error.what[1:]
    lines = [f"Error: {what}."]
    if error.cause:
        lines.append(f" Cause: {error.cause}.")
    if error.remedy:
        lines.append(f" Next step: {error.remedy}.")
    return lines


# -- realms and entities ---------------------------------------------------------------------------


def realm(record: Realm, ca: CaInfo | None, status: RealmStatus) -> Iterator[str]:
    """All settings of a realm, set or not, then its state."""
    yield ""
    method, digits = record.fingerprint or (None, None)
    source = record.source_address or record.source_interface
    bound = " (bind-device)" if record.bind_device else ""
    for label, value in (
        ("Realm Name", record.name),
        ("CA ID", record.ca_id),
        ("CA Name", ca.pinned.subject if ca else None),
        ("CA Trusted By", ca.trusted_by if ca else None),
        ("Entity Name", record.entity),
        ("Key Type", "RSA"),
        ("Key Name", record.key_pair),
        ("Key-usage", " ".join(record.key_usage)),
        ("Source", f"{source}{bound}" if source else None),
        ("Enrollment URL", record.url),
        ("RA", "Yes" if record.ra else "No"),
        ("Polling Interval (minutes)", record.poll_interval_min),
        ("Polling Times", record.poll_times),
        ("Enrollment-request Message-digest-method", record.digest),
        ("Enrollment-request Encryption-algorithm", record.cipher),
        ("Password", MASK if record.password else None),
        ("CA Fingerprint Algorithm", method),
        ("CA Fingerprint", digits),
        ("Auto-enroll", "Disabled"),
        ("Weak-algorithm", " ".join(record.weak)),
        ("Subject-match", record.subject_match),
        ("Compatibility", " ".join(record.compatibility)),
        ("State", status.state),
        ("State Reason", status.why),
        ("Next Step", status.next_step),
    ):
        yield pair(label, value)


def entity(record: Entity) -> Iterator[str]:
    yield ""
    yield " PKI Entity Information"
    for label, value in (
        ("Entity Name", record.name),
        ("Common name", record.common_name),
        ("Country", record.country),
        ("State", record.state),
        ("Locality", record.locality),
        ("Organization", record.organization),
        ("Organization unit", ",".join(record.organization_unit)),
        ("FQDN", record.fqdn),
        ("IP address", record.ip_address),
        ("Email", record.email),
        ("Serial number", "Yes" if record.serial_number else "No"),
    ):
        yield pair(label, value, columns=20)


def enrollment(name: str, status: RealmStatus, now_s: int) -> Iterator[str]:
    """Where a realm stands, why, what happens next and when, and the last error."""
    yield ""
    error = status.last_error
    when = None if status.last_error_s is None else relative(status.last_error_s, now_s)
    for label, value in (
        ("Realm Name", name),
        ("State", status.state),
        ("Why", status.why),
        ("Next Step", status.next_step),
        ("Next Step At", None if status.next_s is None else relative(status.next_s, now_s)),
        ("Transaction ID", status.transaction),
        ("Attempts", status.attempts),
        ("Polls", status.polls),
        ("Last Error", error.what if error else None),
        ("Last Error At", when),
        ("Last Error Cause", error.cause if error else None),
        ("Last Error Next Step", error.remedy if error else None),
    ):
        yield pair(label, value, columns=22)


# -- certificates and keys -------------------------------------------------------------------------


def certificates(described: Sequence[tuple[str, str]], kind: str) -> Iterator[str]:
    """Text dumps of certificates, each as (realm, text); kind is ca or local."""
    yield total(len(described))
    for name, text in described:
        yield ""
        yield from text.splitlines()
        yield ""
        yield f"Pki realm name: {name}"
        yield f"Certificate file name: {name}_{kind}.cer"
        yield "Certificate peer name: -"


def key_pairs(pairs: Iterable[KeyPair]) -> Iterator[str]:
    held = list(pairs)
    yield total(len(held))
    for one in held:
        yield ""
        yield f" {RULE}"
        yield pair("Time of Key pair created", moment(one.created_s), columns=26)
        yield pair("Key Name", one.name, columns=26)
        yield pair("Key Modulus (bits)", one.bits, columns=26)
        yield pair("Key Exportable", "Yes" if one.exportable else "No", columns=26)
        yield f" {RULE}"
        yield from public_key(one.public_der)


def public_key(spki: bytes) -> Iterator[str]:
    """A public key as PEM (RFC 7468), which a CA's operator can use as it is."""
    yield "-----BEGIN PUBLIC KEY-----"
    encoded = binascii.b2a_base64(spki, newline=False).decode()
    yield from (encoded[start : start + 64] for start in range(0, len(encoded), 64))
    yield "-----END PUBLIC KEY-----"


# -- the device ------------------------------------------------------------------------------------


def version(serial: str) -> Iterator[str]:
    yield f"scep-agent, version {limits.VERSION}"
    yield "SCEP (RFC 8894) enrolment agent"
    yield f"Serial number of the device: {serial or '-'}"
