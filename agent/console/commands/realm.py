"""Commands of the realm view: which CA, for which entity, with which key, by which rules."""

from collections.abc import Iterator

from agent import limits
from agent.console.commands import lookups, protection, upkeep
from agent.console.commands.operator import Operator
from agent.console.commands.rows import (
    CONFIGURE_LEVEL,
    SECRET_LEVEL,
    Row,
    one_of,
    restore,
    setting,
    subset,
)
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.views import REALM
from agent.errors import AgentError, fail
from agent.settings import Realm

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
    "renew-with-password": "Send the password with a RenewalReq too (micromdm, step-ca, UCM)",
    "short-nonce": "Accept a shortened recipientNonce in the CA's reply (Dogtag)",
}
DIGESTS = ("md5", "sha1", "sha-256", "sha-384", "sha-512")
CIPHERS = ("aes128", "aes256", "3des")
SUBJECT_MATCH = ("strict", "standard", "key-only")
FINGERPRINTS = {"md5": "HEX32", "sha1": "HEX40", "sha256": "HEX64"}
ROOT_FINGERPRINTS = {word: key for word, key in FINGERPRINTS.items() if word != "md5"}
URL_WORDS = "enrollment-url [ esc ] URL [ interval MINUTES ] [ times COUNT ]"
RA_FINGERPRINTS = {"sha1": "HEX40", "sha256": "HEX64"}
_url_as_new = restore(
    REALM, "url", "url_esc", "poll_interval_min", "poll_times", "ra", "ra_fingerprint"
)
BROKEN_DIGESTS = ("md5", "sha1")
TO_SET = "password cipher"


def bind_entity(operator: Operator, args: Args) -> None:
    record = lookups.entity(operator, args.text("NAME"))
    if not record.common_name:
        raise fail("entity-nameless", name=record.name)
    operator.record(REALM).entity = record.name


def bind_key_pair(operator: Operator, args: Args) -> None:
    name = lookups.key_pair(operator, args.text("NAME"))
    lookups.refuse_used_key(operator, name, beside=operator.record(REALM).name)
    operator.record(REALM).key_pair = name


def source(operator: Operator, args: Args) -> None:
    """An address or interface that is not there yet is kept: DHCP may be late."""
    record = operator.record(REALM)
    address = args.text("ADDRESS") if "ADDRESS" in args else None
    interface = None if address else lookups.interface(args)
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
    url, escaped = args.text("URL"), "esc" in args
    record.url, record.url_esc = parameters.unescape_url(url) if escaped else url, escaped
    record.poll_interval_min = args.number("MINUTES", limits.POLL_INTERVAL_DEFAULT_MIN)
    record.poll_times = args.number("COUNT", limits.POLL_TIMES_DEFAULT)
    record.ra = "ra" in args
    record.ra_fingerprint = _ra_fingerprint(args)
    if not escaped and r"\x3f" in url.lower():
        operator.warn(r"\x3f is kept as it is; for a question mark type `enrollment-url esc ...`.")


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
    words = ["enrollment-url", parameters.shown_url(record.url or "...", record.url_esc)]
    if record.poll_interval_min != limits.POLL_INTERVAL_DEFAULT_MIN:
        words += ["interval", str(record.poll_interval_min)]
    if record.poll_times != limits.POLL_TIMES_DEFAULT:
        words += ["times", str(record.poll_times)]
    return " ".join(words)


def warn_of_digest(operator: Operator, args: Args) -> None:
    for digest in args.chosen(BROKEN_DIGESTS):
        operator.warn(f"{digest} is broken: use it only if the CA can do nothing better.")


def password(operator: Operator, args: Args) -> None:
    def use(text: str) -> None:
        _take_password(operator, text)

    protection.take(operator, args, parameters.PASSWORD, use)


def _take_password(operator: Operator, text: str) -> None:
    """Seals a password in plain; a sealed one is only taken if this device can open it."""
    device = operator.device
    operator.record(REALM)  # before the work: it may have gone while the password was typed
    former = operator.former()
    before = former.password if former else None

    def keep(sealed: object) -> None:
        operator.record(REALM).password = str(sealed)

    if not parameters.is_sealed(text):
        operator.protect(
            "Sealing the password",
            lambda done: device.seal_password(text, before, done),
            keep,
            protection.refused(TO_SET),
        )
    elif text == before:
        keep(text)
    else:
        operator.protect(
            "Checking the sealed password",
            lambda done: device.check_sealed_password(text, done),
            lambda _result: keep(text),
            lambda: keep(text),
        )


def render_password(record: Realm) -> Iterator[str]:
    if record.password:
        yield f"password cipher {record.password}"


def fingerprint(operator: Operator, args: Args) -> None:
    method = args.chosen(FINGERPRINTS)[0]
    warn_of_digest(operator, args)
    operator.record(REALM).fingerprint = (method, args.text(FINGERPRINTS[method]))


def root_fingerprint(operator: Operator, args: Args) -> None:
    """One more: a root, and the one that will follow it."""
    record, named = operator.record(REALM), _root_named(args)
    warn_of_digest(operator, args)
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
    if not set(gone) <= set(record.root_fingerprints):
        raise fail("root-unknown")
    kept = (one for one in record.root_fingerprints if one not in gone)
    record.root_fingerprints = tuple(kept)


def _root_named(args: Args) -> tuple[str, str]:
    method = args.chosen(ROOT_FINGERPRINTS)[0]
    return method, args.text(ROOT_FINGERPRINTS[method])


def render_root_fingerprints(record: Realm) -> Iterator[str]:
    for method, digits in record.root_fingerprints:
        yield f"root-fingerprint {method} {digits}"


def render_fingerprint(record: Realm) -> Iterator[str]:
    if record.fingerprint:
        yield f"fingerprint {' '.join(record.fingerprint)}"


ROWS = (
    setting(REALM, "ca id", "NAME", parameters.CA_ID, "ca_id"),
    setting(REALM, "entity", "NAME", parameters.name("Name of an entity"), "entity")._replace(
        handler=bind_entity
    ),
    setting(
        REALM, "rsa local-key-pair", "NAME", parameters.name("Name of an RSA key pair"), "key_pair"
    )._replace(handler=bind_key_pair),
    subset(REALM, "key-usage", KEY_USAGE, "key_usage"),
    Row(
        "source { interface { TYPE NUMBER | INTERFACE } [ bind-device ] | ADDRESS }",
        (REALM,),
        source,
        {
            "ADDRESS": parameters.ADDRESS,
            "TYPE": parameters.INTERFACE_TYPE,
            "NUMBER": parameters.INTERFACE_NUMBER,
            "INTERFACE": parameters.INTERFACE,
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
            "URL": parameters.URL,
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
    one_of(
        REALM,
        "enrollment-request signature message-digest-method",
        DIGESTS,
        "digest",
        when_set=warn_of_digest,
    ),
    one_of(REALM, "enrollment-request encryption-algorithm", CIPHERS, "cipher"),
    Row(
        "password cipher [ PASSWORD ]",
        (REALM,),
        password,
        {"PASSWORD": parameters.PASSWORD},
        level=SECRET_LEVEL,
        render=render_password,
        undo="password",
        undone=restore(REALM, "password"),
    ),
    Row(
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
    ),
    Row(
        "root-fingerprint { sha1 HEX40 | sha256 HEX64 }",
        (REALM,),
        root_fingerprint,
        {
            "HEX40": parameters.hexadecimal("SHA-1 of a CA certificate above the pinned one", 40),
            "HEX64": parameters.hexadecimal("SHA-256 of a CA certificate above the pinned one", 64),
        },
        level=SECRET_LEVEL,
        render=render_root_fingerprints,
        undo="root-fingerprint [ sha1 HEX40 | sha256 HEX64 ]",
        undone=undo_root_fingerprint,
    ),
    subset(REALM, "weak-algorithm", WEAK, "weak")._replace(level=SECRET_LEVEL),
    one_of(REALM, "subject-match", SUBJECT_MATCH, "subject_match")._replace(level=SECRET_LEVEL),
    subset(REALM, "compatibility", COMPATIBILITY, "compatibility")._replace(level=SECRET_LEVEL),
    *upkeep.ROWS,
)
