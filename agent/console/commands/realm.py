"""Realms: which CA, for which entity, with which key, by which rules."""

from __future__ import annotations

from collections.abc import Iterator

from agent import limits
from agent.appliance import Glance
from agent.console.commands import ca, crl, enrollment, lookups, names
from agent.console.commands.operator import Operator
from agent.console.commands.rows import (
    CONFIGURE_LEVEL,
    SECRET_LEVEL,
    Row,
    display,
    one_of,
    rendered,
    restore,
    setting,
    subset,
)
from agent.console.displays import brief as displays
from agent.console.displays import realms
from agent.console.displays.document import Document, total
from agent.console.language import parameters, urls
from agent.console.language.grammar import Args
from agent.console.language.views import REALM, SYSTEM
from agent.errors import AgentError, fail
from agent.settings import Realm, Settings, fold
from hal.annotations import Any

KEY_USAGE = {
    "ike": "IKE between VPN gateways (extended key usage ipsecIKE)",
    "ssl-client": "TLS client (clientAuth)",
    "ssl-server": "TLS server (serverAuth)",
}
WEAK = {
    "des": "Single DES in the CA's reply, which micromdm and step-ca use by default",
    "md5": "MD5 in a signature of the CA",
    "sha1": "SHA-1 in the signature of an issued certificate",
}
COMPATIBILITY = {
    "ca-id-empty": "Send an empty CA name where no `ca id` is configured (NDES)",
    "http-get": "Send every request as HTTP GET, for CAs that refuse POST although they list it",
    "http-post": "Send requests as HTTP POST, for CAs that take it and do not list it",
    "ra-any-purpose": "Accept an RA whose certificate has no purpose (step-ca, jscep, OpenXPKI)",
    "renew-by-pkcsreq": "Renew as if applying anew, for CAs that list Renewal and refuse it",
    "renew-by-signed-pkcsreq": "Renew by PKCSReq, signed with the certificate in use (Cisco IOS,"
    " Dogtag)",
    "renew-by-renewalreq": "Renew by RenewalReq though the CA does not list Renewal",
    "renew-when-expired": "Renew by the expired certificate first, for CAs that take it (no second"
    " password)",
    "renew-with-password": "Send the password with a RenewalReq too (micromdm, step-ca, UCM)",
    "short-nonce": "Accept a shortened recipientNonce in the CA's reply (Dogtag)",
}
SUBJECT_MATCH = ("strict", "standard", "key-only")
URL_WORDS = "enrollment-url { URL | esc ESCAPED } [ interval MINUTES ] [ times COUNT ]"
RA_FINGERPRINTS = {"sha1": "HEX40", "sha256": "HEX64"}
_entity_as_new = restore(REALM, "entity")
_url_as_new = restore(
    REALM, "url", "url_esc", "poll_interval_min", "poll_times", "ra", "ra_fingerprint"
)


def open_realm(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    operator.device.settings.realms.setdefault(fold(name), Realm(name))
    operator.enter(REALM, fold(name))


def remove_realm(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    record = lookups.removable_realm(operator, name)

    def answered(yes: bool) -> None:
        if yes:
            found = lookups.removable_realm(operator, name)  # other sessions went on meanwhile
            del operator.device.settings.realms[fold(name)]
            operator.device.forget_realm(found.name)

    doubt = lookups.doubt(operator, record)
    if doubt:
        operator.question(
            f"Realm {record.name} {doubt}. All of it will be removed. Continue?", answered
        )
    else:
        answered(True)


def render_realms(settings: Settings) -> Iterator[str]:
    for record in list(settings.realms.values()):  # a page waits while others configure
        yield f"pki realm {record.name}"
        yield from (f" {line}" for line in rendered(SETTINGS, record))


def show_realms(operator: Operator, args: Args) -> None:
    def items() -> Iterator[dict[str, Any]]:
        device = operator.device
        for record in lookups.still_there(operator, found):
            yield realms.realm(record, device.ca(record.name), device.status(record.name))

    found = lookups.named_realms(operator, args)
    operator.show(Document(realms.REALM, items(), [total(len(found))]))


def show_realms_brief(operator: Operator, _args: Args) -> None:
    known = operator.device.settings.realms

    def shown(found: list[Glance]) -> Document:
        there = [(one, known[fold(one.realm)]) for one in found if fold(one.realm) in known]
        return displays.realms(there)

    lookups.survey(operator, shown)


# -- settings --------------------------------------------------------------------------------------


def bind_entity(operator: Operator, args: Args) -> None:
    record = lookups.entity(operator, args.text("NAME"))
    if not record.common_name:
        raise fail("entity-nameless", name=record.name)
    operator.record(REALM).entity = record.name


def unbind_entity(operator: Operator, args: Args) -> None:
    record = operator.record(REALM)
    operator.remark(lambda: _tell_of_request(operator, record))
    _entity_as_new(operator, args)


def _tell_of_request(operator: Operator, record: Realm) -> None:
    if record.entity and operator.device.status(record.name).transaction:
        operator.warn(
            f"Realm {record.name} has a request under way with the name of entity {record.entity}:"
            f" it goes on. `pki abort-request realm {record.name}` gives it up."
        )


def bind_key_pair(operator: Operator, args: Args) -> None:
    """A key pair that is not there is made before the first application, or by it."""
    record, name = operator.record(REALM), args.text("NAME")
    lookups.key_pair(operator, name, is_made=True)
    lookups.refuse_used_key(operator, name, beside=record.name)
    record.key_pair = name
    operator.remark(lambda: lookups.warn_of_key(operator, record))


def source(operator: Operator, args: Args) -> None:
    """An address or interface that is not there yet is kept: DHCP may be late."""
    record = operator.record(REALM)
    address = args.text("ADDRESS") if "ADDRESS" in args else None
    interface = None if address else lookups.interface(operator, args)
    operator.remark(lambda: lookups.warn_of_source(operator, address, interface))
    record.source_address, record.source_interface = address, interface
    record.bind_device = "bind-device" in args


def render_source(record: Realm) -> Iterator[str]:
    if record.source_interface:
        bound = " bind-device" if record.bind_device else ""
        yield f"source interface {record.source_interface}{bound}"
    elif record.source_address:
        yield f"source {record.source_address}"


def enrollment_url(operator: Operator, args: Args) -> None:
    """Entering it again replaces all of it."""
    record = operator.record(REALM)
    lookups.refuse_another_ra(operator, record)
    record.url_esc = "esc" in args
    record.url = args.text("ESCAPED" if record.url_esc else "URL")
    record.poll_interval_min = args.number("MINUTES", limits.POLL_INTERVAL_DEFAULT_MIN)
    record.poll_times = args.number("COUNT", limits.POLL_TIMES_DEFAULT)
    record.ra = "ra" in args
    record.ra_fingerprint = _ra_fingerprint(args)
    if not record.url_esc and r"\x3f" in record.url.lower():
        operator.warn(r"\x3f is kept as it is; for a question mark type `enrollment-url esc ...`.")
    operator.remark(lambda: lookups.tell_of_renewal(operator, record))


def _ra_fingerprint(args: Args) -> tuple[str, tuple[str, ...]] | None:
    for method in args.chosen(RA_FINGERPRINTS):
        pins = args[RA_FINGERPRINTS[method]]
        return method, pins if isinstance(pins, tuple) else (str(pins),)
    return None


def undo_url(operator: Operator, args: Args) -> None:
    lookups.refuse_another_ra(operator, operator.record(REALM))
    _url_as_new(operator, args)


def render_url(record: Realm) -> Iterator[str]:
    if record.url is not None:
        method, pins = record.ra_fingerprint or ("", ())
        front = ["ra", *(["fingerprint", method, *pins] if pins else [])] if record.ra else []
        yield " ".join([url_line(record), *front])


def error_of(error: AgentError, record: Realm) -> AgentError:
    """An error of a realm, its next step ready to be typed."""
    return error.of_realm(record.name, url_line(record))


def url_line(record: Realm) -> str:
    """`enrollment-url` with all that is set but the RA."""
    words = ["enrollment-url", urls.shown(record.url or "...", record.url_esc)]
    if record.poll_interval_min != limits.POLL_INTERVAL_DEFAULT_MIN:
        words += ["interval", str(record.poll_interval_min)]
    if record.poll_times != limits.POLL_TIMES_DEFAULT:
        words += ["times", str(record.poll_times)]
    return " ".join(words)


SETTINGS = (
    setting(REALM, "ca id", "NAME", parameters.CA_ID, "ca_id"),
    setting(REALM, "entity", "NAME", names.ENTITY, "entity")._replace(
        handler=bind_entity, undone=unbind_entity
    ),
    setting(REALM, "rsa local-key-pair", "NAME", names.KEY, "key_pair")._replace(
        handler=bind_key_pair
    ),
    subset(REALM, "key-usage", KEY_USAGE, "key_usage"),
    Row(
        "source { interface { TYPE NUMBER | INTERFACE } [ bind-device ] | ADDRESS }",
        (REALM,),
        source,
        {
            "ADDRESS": parameters.ADDRESS,
            **lookups.INTERFACE,
        },
        render=render_source,
        undo="source",
        undone=restore(REALM, "source_address", "source_interface", "bind_device"),
    ),
    Row(
        f"{URL_WORDS} [ ra [ fingerprint {{ sha1 HEX40 | sha256 HEX64 }} ] ]",
        (REALM,),
        enrollment_url,
        {
            "URL": urls.URL,
            "ESCAPED": urls.ESCAPED_URL,
            "MINUTES": parameters.integer(
                "Minutes between two polls",
                *limits.POLL_INTERVAL_MIN,
                default=limits.POLL_INTERVAL_DEFAULT_MIN,
            ),
            "COUNT": parameters.integer(
                "Number of polls", *limits.POLL_TIMES, default=limits.POLL_TIMES_DEFAULT
            ),
            "HEX40": parameters.fingerprints("SHA-1 of the RA's certificate, or of both", 40),
            "HEX64": parameters.fingerprints("SHA-256 of the RA's certificate, or of both", 64),
        },
        {"fingerprint": "Digest of the RA's certificate, which then needs no purpose"},
        level=SECRET_LEVEL,
        lower=(CONFIGURE_LEVEL, URL_WORDS),
        render=render_url,
        undo="enrollment-url",
        undone=undo_url,
    ),
    enrollment.SIGNATURE,
    enrollment.ENCRYPTION,
    enrollment.PASSWORD,
    ca.FINGERPRINT,
    ca.ROOT_FINGERPRINT,
    subset(REALM, "weak-algorithm", WEAK, "weak")._replace(level=SECRET_LEVEL),
    one_of(REALM, "subject-match", SUBJECT_MATCH, "subject_match")._replace(level=SECRET_LEVEL),
    subset(REALM, "compatibility", COMPATIBILITY, "compatibility")._replace(level=SECRET_LEVEL),
    enrollment.AUTO_ENROLL,
    setting(REALM, "vpn-instance", "NAME", parameters.VPN_INSTANCE, "vpn_instance"),
    setting(REALM, "https ca-file", "FILENAME", names.FILE, "https_ca_file"),
    *crl.SETTINGS,
)
OPEN = Row(
    "pki realm NAME",
    (SYSTEM,),
    open_realm,
    {"NAME": names.REALM},
    render=render_realms,
    undo="pki realm NAME",
    undone=remove_realm,
    opens=REALM,
)
SHOW_BRIEF = display("pki realm brief", show_realms_brief, displays.REALM)
SHOW = display("pki realm [ NAME ]", show_realms, realms.REALM, {"NAME": names.REALM})
