"""The kinds of displays about realms, entities and key pairs: their fields, and items from records.

Labels and their order are those of VRP where VRP has them, ours where not.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent import pem
from agent.appliance import CaInfo, Certificate, KeyPair, RealmStatus
from agent.console.displays.document import (
    FLAG,
    INTEGER,
    LIST,
    TEXT,
    TIME,
    Field,
    Item,
    Kind,
    block,
    pairs,
)
from agent.console.language.passwords import MASK
from agent.console.language.times import Times, duration
from agent.settings import Entity, Realm
from hal.annotations import Any

RULE = f" {'=' * 53}"
BAR_COLUMNS = 38  # with its label and `100 % elapsed` a row of 80


# -- realms ----------------------------------------------------------------------------------------


def _source(item: Item, _times: Times) -> str:
    bound = " (bind-device)" if item["bind_device"] else ""
    return f"{item['source']}{bound}" if item["source"] else "-"


def _digest(item: Item, _times: Times) -> str:
    return str(item["digest"]).upper().replace("-", "")


def _crl_method(item: Item, _times: Times) -> str:
    return "SCEP" if item["crl_scep"] else "HTTP"


def state_text(item: Item, _times: Times) -> str:
    """The engine's first state has a name that says nothing to people."""
    return "not enrolled" if item["state"] == "nothing" else str(item["state"])


def _password(item: Item, _times: Times) -> str:
    return MASK if item["password_set"] else "-"


def _auto_enroll(item: Item, _times: Times) -> str:
    if not item["auto_enroll"]:
        return "Disabled"
    return f"Enabled, at {item['auto_enroll_percent']} % of the validity"


def _next_step(item: Item, times: Times) -> str:
    due = item["next_step_at"]
    return "-" if due is None else times.relative(due)


REALM = Kind(
    "pki realm",
    (
        Field("name", TEXT, "Realm Name"),
        Field("ca_id", TEXT + "?", "CA ID"),
        Field("ca_trusted_by", TEXT + "?", "CA Trusted By"),
        Field("ca_sha256", TEXT + "?", "CA Trusted SHA-256"),
        Field("ca_kind", TEXT + "?", "CA Kind"),
        Field("ca_root", TEXT + "?", "CA Root"),
        Field("entity", TEXT + "?", "Entity Name"),
        Field("key_type", TEXT, "Key Type"),
        Field("key_name", TEXT + "?", "Key Name"),
        Field("key_usage", LIST, "Key-usage"),
        Field("source", TEXT + "?", "Source IP", _source),
        Field("bind_device", FLAG),
        Field("vpn_instance", TEXT + "?", "Vpn-instance"),
        Field("url", TEXT + "?", "Enrollment URL"),
        Field("ra", FLAG, "RA"),
        Field("ra_fingerprint_algorithm", TEXT + "?", "RA Fingerprint Algorithm"),
        Field("ra_fingerprint", LIST, "RA Fingerprint"),
        Field("https_ca_file", TEXT + "?", "Https CA File"),
        Field("polling_interval_min", INTEGER, "Polling Interval (minutes)"),
        Field("polling_times", INTEGER, "Polling Times"),
        Field("digest", TEXT, "Enrollment-request Signature Message-digest-method", _digest),
        Field("cipher", TEXT, "Enrollment-request Encryption-algorithm"),
        Field("password_set", FLAG, "Password", _password),
        Field("fingerprint_algorithm", TEXT + "?", "CA Fingerprint Algorithm"),
        Field("fingerprint", TEXT + "?", "CA Fingerprint"),
        Field("root_fingerprints", LIST, "Root Fingerprints"),
        Field("ca_name", TEXT + "?", "CA Name", is_name=True),
        Field("auto_enroll", FLAG, "Auto-enroll", _auto_enroll),
        Field("auto_enroll_percent", INTEGER + "?"),
        Field("auto_enroll_regenerate", FLAG, "Auto-enroll Regenerate"),
        Field("auto_enroll_key_bits", INTEGER + "?", "Auto-enroll Key Bits"),
        Field("auto_enroll_updated_effective", FLAG, "Auto-enroll Updated-effective"),
        Field("crl_scep", FLAG, "Method for Getting CRL", _crl_method),
        Field("cdp_url", TEXT + "?", "CRL Distribution Point"),
        Field("certificate_check", LIST, "Certificate Revocation Check Method"),
        Field("weak_algorithm", LIST, "Weak-algorithm"),
        Field("subject_match", TEXT, "Subject-match"),
        Field("compatibility", LIST, "Compatibility"),
        Field("certificate_in_use", TEXT + "?", "Certificate In Use"),
        Field("state", TEXT, "State", state_text),
        Field("why", TEXT, "State Reason"),
        Field("next_step", TEXT, "Next Step"),
    ),
    block(),
)


def realm(record: Realm, ca: CaInfo | None, status: RealmStatus) -> dict[str, Any]:
    """All settings of a realm, set or not, then its state."""
    method, digits = record.fingerprint or (None, None)
    ra_method, ra_digits = record.ra_fingerprint or (None, ())
    auto = record.auto_enroll
    return {
        "name": record.name,
        "ca_id": record.ca_id,
        "ca_name": ca.pinned.subject if ca else None,
        "ca_trusted_by": ca.trusted_by if ca else None,
        "ca_sha256": ca.sha256 or None if ca else None,
        "ca_kind": ca.kind if ca else None,
        "ca_root": ca.root if ca else None,
        "entity": record.entity,
        "key_type": "RSA",
        "key_name": record.key_pair,
        "key_usage": list(record.key_usage),
        "source": record.source_address or record.source_interface,
        "bind_device": record.bind_device,
        "vpn_instance": record.vpn_instance,
        "url": record.url,
        "ra": record.ra,
        "ra_fingerprint_algorithm": ra_method,
        "ra_fingerprint": list(ra_digits),
        "https_ca_file": record.https_ca_file,
        "polling_interval_min": record.poll_interval_min,
        "polling_times": record.poll_times,
        "digest": record.digest,
        "cipher": record.cipher or "aes128",
        "password_set": record.password is not None,
        "fingerprint_algorithm": method,
        "fingerprint": digits,
        "root_fingerprints": [" ".join(root) for root in record.root_fingerprints],
        "auto_enroll": auto is not None,
        "auto_enroll_percent": auto.percent if auto else None,
        "auto_enroll_regenerate": auto is not None and auto.regenerate,
        "auto_enroll_key_bits": auto.key_bits if auto else None,
        "auto_enroll_updated_effective": auto is not None and auto.updated_effective,
        "crl_scep": record.crl_scep,
        "cdp_url": "from-ca" if record.cdp_from_ca else record.cdp_url,
        "certificate_check": list(record.certificate_check),
        "weak_algorithm": list(record.weak),
        "subject_match": record.subject_match,
        "compatibility": list(record.compatibility),
        "certificate_in_use": status.in_use,
        "state": status.state,
        "why": _why(status),
        "next_step": status.next_step,
    }


def _why(status: RealmStatus) -> str:
    """With the error after a failure, which `display pki enrollment` shows by itself."""
    failed = status.last_error if status.state == "failed" else None
    return f"{status.why} (last error: {failed.what})" if failed else status.why


# -- entities --------------------------------------------------------------------------------------


def _units(item: Item, _times: Times) -> str:
    return ",".join(item["organization_unit"]) or "-"


def _entity_layout(kind: Kind, item: Item, times: Times) -> Iterator[str]:
    yield ""
    yield " PKI Entity Information"
    yield from pairs(kind, item, times, 20)


ENTITY = Kind(
    "pki entity",
    (
        Field("name", TEXT, "Entity Name"),
        Field("common_name", TEXT + "?", "Common name"),
        Field("country", TEXT + "?", "Country"),
        Field("state", TEXT + "?", "State"),
        Field("locality", TEXT + "?", "Locality"),
        Field("organization", TEXT + "?", "Organization"),
        Field("organization_unit", LIST, "Organization unit", _units),
        Field("fqdn", TEXT + "?", "FQDN"),
        Field("ip_address", TEXT + "?", "IP address"),
        Field("email", TEXT + "?", "Email"),
        Field("serial_number", FLAG, "Serial number"),
    ),
    _entity_layout,
)


def entity(record: Entity) -> dict[str, Any]:
    item = {field.key: getattr(record, field.key) for field in ENTITY.fields}
    return {**item, "organization_unit": list(record.organization_unit)}


# -- enrolments ------------------------------------------------------------------------------------


def _validity(item: Item, times: Times) -> str:
    """A bar of the validity: `*` is now, `|` where the renewal begins, `>` the take-over."""
    begin_s, end_s, gone = item["not_before"], item["not_after"], item["elapsed_percent"]
    if gone is None:
        return "-"
    now = _share(times.now_s, begin_s, end_s, BAR_COLUMNS - 1)
    bar = ["#" if at < now else "-" for at in range(BAR_COLUMNS)]
    for mark, moment_s in (("|", item["renewal_at"]), (">", item["take_over_at"])):
        if moment_s is not None:
            bar[_share(moment_s, begin_s, end_s, BAR_COLUMNS - 1)] = mark
    bar[now] = "*"
    return f"[{''.join(bar)}] {gone} % elapsed"


def _share(time_s: int, begin_s: int, end_s: int, whole: int) -> int:
    """How much of `whole` a time is between two others, from 0 to `whole`."""
    return min(whole, max(0, (time_s - begin_s) * whole // (end_s - begin_s)))


def _moment_of(key: str) -> Any:
    def shown(item: Item, times: Times) -> str:
        return "-" if item[key] is None else times.relative(item[key])

    return shown


def _room(item: Item, _times: Times) -> str:
    return f"{item['store_wanted_bytes']} bytes, {item['store_place']}"


def _outage(item: Item, _times: Times) -> str:
    budget_s = item["outage_budget_s"]
    return "-" if budget_s is None else f"the CA may be away for {duration(budget_s)} from now on"


ENROLLMENT = Kind(
    "pki enrollment",
    (
        Field("realm", TEXT, "Realm Name"),
        Field("state", TEXT, "State", state_text),
        Field("why", TEXT, "Why"),
        Field("next_step", TEXT, "Next Step"),
        Field("next_step_at", TIME + "?", "Next Step At", _next_step),
        Field("wait", TEXT + "?", "Waits For"),
        Field("not_before", TIME + "?"),
        Field("not_after", TIME + "?", "Valid Until", _moment_of("not_after")),
        Field("renewal_at", TIME + "?", "Renewal At", _moment_of("renewal_at")),
        Field("take_over_at", TIME + "?", "Takes Over At", _moment_of("take_over_at")),
        Field("elapsed_percent", INTEGER + "?", "Validity", _validity),
        Field("outage_budget_s", INTEGER + "?", "Outage Budget", _outage),
        Field("next_ca", TEXT + "?", "Next CA", is_name=True),
        Field("next_ca_not_before", TIME + "?", "Next CA From", _moment_of("next_ca_not_before")),
        Field("store_wanted_bytes", INTEGER),
        Field("store_place", TEXT, "Room For Renewal", _room),
        Field("transaction", TEXT + "?", "Transaction ID"),
        Field("attempts", INTEGER, "Attempts"),
        Field("polls", INTEGER, "Polls"),
        Field("last_error", TEXT + "?", "Last Error"),
        Field("last_error_code", TEXT + "?"),
        Field("last_error_at", TIME + "?", "Last Error At", _moment_of("last_error_at")),
        Field("last_error_cause", TEXT + "?", "Last Error Cause"),
        Field("last_error_next_step", TEXT + "?", "Last Error Next Step"),
    ),
    block(22),
)


def enrollment(
    name: str, status: RealmStatus, local: Certificate | None, now_s: int
) -> dict[str, Any]:
    """Where a realm stands, why, what happens next and when, and the last error."""
    error = status.last_error
    dates = (local.not_before_s, local.not_after_s) if local else None
    measured = dates if dates and dates[0] < dates[1] else None  # else it was never valid
    return {
        "realm": name,
        "state": status.state,
        "why": status.why,
        "next_step": status.next_step,
        "next_step_at": status.next_s,
        "not_before": dates[0] if dates else None,
        "not_after": dates[1] if dates else None,
        "wait": status.wait,
        "renewal_at": status.renew_s,
        "take_over_at": status.take_over_s,
        "outage_budget_s": status.outage_s,
        "elapsed_percent": _share(now_s, *measured, 100) if measured else None,
        "next_ca": status.next_ca.subject if status.next_ca else None,
        "next_ca_not_before": status.next_ca.not_before_s if status.next_ca else None,
        "store_wanted_bytes": status.store_wanted,
        "store_place": status.store_place,
        "transaction": status.transaction,
        "attempts": status.attempts,
        "polls": status.polls,
        "last_error": error.what if error else None,
        "last_error_code": error.code if error else None,
        "last_error_at": status.last_error_s,
        "last_error_cause": error.cause if error else None,
        "last_error_next_step": error.remedy if error else None,
    }


# -- key pairs -------------------------------------------------------------------------------------


def _key_layout(kind: Kind, item: Item, times: Times) -> Iterator[str]:
    yield ""
    yield RULE
    yield from pairs(kind, item, times, 26)
    yield RULE
    yield from item["public_key"].splitlines()


KEY_PAIR = Kind(
    "pki rsa local-key-pair",
    (
        Field("created_at", TIME, "Time of Key pair created"),
        Field("name", TEXT, "Key Name"),
        Field("bits", INTEGER, "Key Modulus (bits)"),
        Field("exportable", FLAG, "Key Exportable"),
        Field("realm", TEXT + "?", "Used By Realm"),
        Field("public_key", TEXT),
    ),
    _key_layout,
)


def key_pair(pair: KeyPair, user: str | None) -> dict[str, Any]:
    """`user`: the realm that uses it."""
    return {
        "realm": user,
        "created_at": pair.created_s,
        "name": pair.name,
        "bits": pair.bits,
        "exportable": pair.exportable,
        "public_key": pem.encode("PUBLIC KEY", [pair.public_der]).decode(),
    }
