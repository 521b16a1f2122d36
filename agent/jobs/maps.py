"""From settings and records to the maps of the jobs (`agent/jobs/contract.py`). Pure.

An error names the command that is missing. `snapshot` is everything that shapes the bytes of a
request. It is stored with the request, and the jobs of that transaction are built from it alone. So
a retry after a restart, or after a change of the configuration, sends the same PKCS#10. Our own
policy (source, weak algorithms that pass) follows the settings of the moment.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from agent.enrolment.actions import Now
from agent.errors import AgentError, fail
from agent.settings import Entity, Realm
from hal.named import NamedTuple
from hal.records import CaRecord, KeyRecord, LocalRecord, RequestRecord

LinuxName = Callable[[str], str]

# Needed before anything is sent: the attribute of a realm, and the command that sets it.
NEEDED = (
    ("entity", "entity ..."),
    ("key_pair", "rsa local-key-pair ..."),
    ("url", "enrollment-url http://..."),
)


def moment(now: Now) -> dict[str, object]:
    """The fields of a job that say what time it is."""
    return {"now_s": now.wall_s, "clock_trusted": now.trusted}


def lacking(realm: Realm) -> list[str]:
    """The commands of NEEDED that the realm has not got."""
    return [command for attribute, command in NEEDED if getattr(realm, attribute) is None]


def check_complete(realm: Realm, entity: Entity | None) -> Entity:
    """The entity of a complete realm; `realm-incomplete` names every missing command. `entity`: the
    one of that name, None where none is configured."""
    if commands := lacking(realm):
        raise incomplete(realm, *commands)
    if entity is None:
        raise fail("entity-unknown", name=realm.entity)
    if entity.common_name is None:
        raise fail("entity-nameless", name=entity.name)
    return entity


def incomplete(realm: Realm, *commands: str) -> AgentError:
    """`realm-incomplete` for commands of NEEDED."""
    names = ", ".join(c.removesuffix(" ...").removesuffix(" http://...") for c in commands)
    typed = "`, `".join(commands)
    return fail("realm-incomplete", realm=realm.name, missing=names, command=typed)


def snapshot(
    realm: Realm, entity: Entity, addresses: list[str], serial: str | None
) -> dict[str, object]:
    """The settings that shape a request. `addresses`: those of the entity, resolved now; `serial`:
    that of the device."""
    return {
        "key_pair": realm.key_pair,
        "url": realm.url,
        "ca_id": ca_name(realm),
        "ra": realm.ra,
        "digest": realm.digest,
        "key_usage": list(realm.key_usage),
        "entity": {
            "common_name": entity.common_name,
            "country": entity.country,
            "state": entity.state,
            "locality": entity.locality,
            "organization": entity.organization,
            "organization_unit": list(entity.organization_unit),
            "email": entity.email,
            "fqdn": entity.fqdn,
            "ip_addresses": addresses,
            "serial_number": serial,
        },
    }


def ca_name(realm: Realm) -> str | None:
    """The `message` of GetCACaps, GetCACert and GetNextCACert; None: there is none."""
    return realm.ca_id or ("" if "ca-id-empty" in realm.compatibility else None)


def is_address(text: str) -> bool:
    """An IPv4 or IPv6 address, not the name of an interface."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except OSError:
            continue
        return True
    return False


def _policy(realm: Realm, linux_name: LinuxName) -> dict[str, object]:
    """The part of a network job that follows the settings of the moment."""
    interface = realm.source_interface
    methods = [k.removeprefix("http-") for k in realm.compatibility if k.startswith("http-")]
    return {
        "realm": realm.name,
        "source": {
            "address": realm.source_address,
            "interface": linux_name(interface) if interface else None,
            "bind_device": realm.bind_device,
            "vrf": realm.vpn_instance,
        },
        "https_ca_file": realm.https_ca_file,
        "http": methods[0] if methods else None,
        "cipher": realm.cipher,
        "ra_fingerprint": ra_fingerprint(realm),
        "weak": list(realm.weak),
        "subject_match": realm.subject_match,
        "compatibility": list(realm.compatibility),
    }


def pinned_der(ca: CaRecord | None) -> bytes | None:
    """DER of the pinned certificate of a stored CA."""
    return ca.certificates[ca.pin_index].der if ca else None


def fetch_job(
    realm: Realm, place: Mapping[str, object], ca: CaRecord | None, linux_name: LinuxName
) -> dict[str, object]:
    """The map of `fetch-ca`. `place`: url, ca_id and ra. `ca`: the stored CA; the answer tells how
    it is related to the certificates that arrive."""
    fields = {name: place.get(name) for name in ("url", "ca_id", "ra")}
    arrived = {"stored": pinned_der(ca), "anchors": anchors(realm)}
    return {"op": "fetch-ca", **_policy(realm, linux_name), **fields, **arrived}


def diagnose_job(
    realm: Realm, pin: str, ders: list[bytes], caps: list[str], ra_proven: bool
) -> dict[str, object]:
    """The map of `diagnose`: the CA as it would be stored, were this set trusted."""
    roots = [_print(*root) for root in realm.root_fingerprints]
    ca = {"certificates": ders, "pin": pin, "roots": roots, "ra_proven": ra_proven}
    return {
        "op": "diagnose",
        "realm": realm.name,
        "ca": ca,
        "ra": realm.ra,
        "ra_fingerprint": ra_fingerprint(realm),
        "compatibility": list(realm.compatibility),
        "weak": list(realm.weak),
        "caps": caps,
        "cipher": realm.cipher,
        "digest": realm.digest,
    }


def ca_wanted(realm: Realm) -> dict[str, object]:
    """The place of the CA certificates, by the configuration of the moment."""
    if realm.url is None:
        raise incomplete(realm, "enrollment-url http://...")
    return {"url": realm.url, "ca_id": ca_name(realm), "ra": realm.ra}


class Keys(NamedTuple):
    """The key pair that a request is for, and the one that signs it."""

    own: KeyRecord
    signer: KeyRecord


def request_job(
    op: str,
    realm: Realm,
    request: RequestRecord,
    ca: CaRecord,
    keys: Keys,
    linux_name: LinuxName,
) -> dict[str, object]:
    """The map of `enrol` or `poll`: the same request whenever it is built from the same record."""
    return {
        "op": op,
        **_policy(realm, linux_name),
        **_pick(request, "url", "ca_id", "ra", "digest", "key_usage", "entity"),
        **_trusted(realm, ca),
        "caps": request.caps,
        "transaction": request.transaction,
        "request_time_s": request.request_time_s,
        "password": request.password if op == "enrol" and _has_password(request) else None,
        "key": key_map(keys.own),
        "renewal": _renewal(request, keys.signer),
    }


def published_job(realm: Realm, ca: CaRecord, linux_name: LinuxName) -> dict[str, object]:
    """Fields common to all jobs that read data published by a trusted CA."""
    return {
        **_policy(realm, linux_name),
        "url": realm.url,
        "ca_id": ca_name(realm),
        "ra": realm.ra,
        "digest": realm.digest,
        **_trusted(realm, ca),
        "caps": ca.caps,
    }


def download_job(realm: Realm, url: str, linux_name: LinuxName) -> dict[str, object]:
    """The map of `fetch-file`: what stands at a URL, asked for as the CA of the realm is."""
    policy = _policy(realm, linux_name)
    way = {name: policy[name] for name in ("realm", "source", "https_ca_file")}
    return {"op": "fetch-file", **way, "url": url}


def judged_job(realm: Realm, ca: CaRecord) -> dict[str, object]:
    """The fields by which a child judges data that a trusted CA has signed, and sends nothing."""
    return {"realm": realm.name, "weak": list(realm.weak), **_trusted(realm, ca)}


def _has_password(request: RequestRecord) -> bool:
    """Whether the challenge goes along; a child that sends none is not given it."""
    return request.renewal is None or request.renewal.with_password


def _renewal(request: RequestRecord, key: KeyRecord) -> dict[str, object] | None:
    """The renewal that the certificate in use signs; None: the request signs itself."""
    renewal = request.renewal
    if renewal is None:
        return None
    return {
        "message_type": renewal.message_type,
        "certificate": renewal.certificate.der,
        "key": key_map(key),
        "with_password": renewal.with_password,
    }


def _trusted(realm: Realm, ca: CaRecord) -> dict[str, object]:
    """The stored CA, and the fingerprint by which a child verifies that it is the one to trust."""
    fingerprint = _print(*realm.fingerprint) if realm.fingerprint else None
    return {"ca": _ca_map(realm, ca), "fingerprint": fingerprint}


def served_job(realm: Realm, ca: CaRecord | None, chain: list[bytes]) -> dict[str, object]:
    """The fields of a job that writes the CAs that consumers trust.

    `fingerprint` is not among them. The operator may have typed it for the next application; the
    present CA is trusted by the anchor in its record.
    """
    return {
        "ca": _ca_map(realm, ca) if ca else None,
        "chain": chain,
        "weak": list(realm.weak),
    }


def former_ca(realm: Realm, ca: CaRecord | None, local: LocalRecord) -> dict[str, object]:
    """The field of a job that puts a certificate into use whose CA the realm trusts no more: its
    peers are those of that CA, until there is another certificate. Its chain and its pin are all
    that is still known of it. Nothing, where it is of the CA that is stored."""
    if ca is None or local.pin in ("", ca.pin, *(link.pin for link in ca.lineage)):
        return {}
    return {
        "ca": {
            "certificates": local.chain,
            "pin": local.pin,
            "anchor": _print("sha256", local.pin),
            "lineage": [],
            "roots": [_print(*root) for root in realm.root_fingerprints],
            "ra_proven": False,
        }
    }


def _ca_map(realm: Realm, ca: CaRecord) -> dict[str, object]:
    confirmed = [("sha256", digits) for digits in ca.roots]
    algorithm, _, digits = ca.anchor.partition(" ")
    return {
        "certificates": [c.der for c in ca.certificates],
        "pin": ca.pin,
        "anchor": _print(algorithm, digits) if ca.anchor else None,
        "lineage": [
            {"certificate": link.certificate.der, "message": link.message, "via": link.via}
            for link in ca.lineage
        ],
        "roots": [_print(*root) for root in (*realm.root_fingerprints, *confirmed)],
        "ra_proven": ca.ra_proven,
    }


def _print(algorithm: str, digits: str) -> dict[str, object]:
    """A fingerprint that a person vouched for. Each child compares it itself, and takes no earlier
    child's word."""
    return {"algorithm": algorithm, "hex": digits}


def anchors(realm: Realm) -> list[dict[str, object]]:
    """The fingerprints of CA certificates that the operator typed, `fingerprint` first."""
    pin = [realm.fingerprint] if realm.fingerprint else []
    return [_print(*one) for one in (*pin, *realm.root_fingerprints)]


def ra_fingerprint(realm: Realm) -> dict[str, object] | None:
    """The fingerprints of the RA that the operator typed, as jobs take them."""
    if realm.ra_fingerprint is None:
        return None
    algorithm, pins = realm.ra_fingerprint
    return {"algorithm": algorithm, "hex": list(pins)}


def key_map(key: KeyRecord) -> dict[str, object]:
    """A key pair as jobs take it: sealed, with what its seal is bound to."""
    return {
        "name": key.name,
        "generation": key.generation,
        "sealed": key.sealed,
        "spki": key.spki,
    }


def _pick(request: RequestRecord, *names: str) -> dict[str, object]:
    return {name: request.settings.get(name) for name in names}
