"""Commands of the realm view about keeping a certificate good: renewal, revocation lists, the way
to the CA beyond `source`."""

from collections.abc import Iterator

from agent import limits
from agent.console.commands.operator import Operator
from agent.console.commands.rows import Row, restore, setting
from agent.console.language import parameters
from agent.console.language.grammar import Args
from agent.console.language.views import REALM
from agent.settings import AutoEnroll, Realm

CHECKS = ("crl", "none")


def auto_enroll(operator: Operator, args: Args) -> None:
    """Entering it again replaces all of it."""
    bits = args.number("BITS", 0)
    operator.record(REALM).auto_enroll = AutoEnroll(
        args.number("PERCENT", limits.RENEWAL_PERCENT_DEFAULT),
        "regenerate" in args,
        bits or None,
        "updated-effective" in args,
    )
    operator.warn("This release does not renew by itself; the setting is kept.")


def render_auto_enroll(record: Realm) -> Iterator[str]:
    found = record.auto_enroll
    if found is None:
        return
    words = ["auto-enroll"]
    if found.percent != limits.RENEWAL_PERCENT_DEFAULT:
        words.append(str(found.percent))
    if found.regenerate:
        words.append("regenerate")
    if found.key_bits:
        words.append(str(found.key_bits))
    if found.updated_effective:
        words.append("updated-effective")
    yield " ".join(words)


def crl_scep(operator: Operator, _args: Args) -> None:
    operator.record(REALM).crl_scep = True


def render_crl_scep(record: Realm) -> Iterator[str]:
    if record.crl_scep:
        yield "crl scep"


def cdp_url(operator: Operator, args: Args) -> None:
    record = operator.record(REALM)
    record.cdp_from_ca, record.cdp_esc = "from-ca" in args, "esc" in args
    record.cdp_url = None
    if "CDP" in args:
        url = args.text("CDP")
        record.cdp_url = parameters.unescape_url(url) if record.cdp_esc else url


def render_cdp_url(record: Realm) -> Iterator[str]:
    if record.cdp_from_ca:
        yield "cdp-url from-ca"
    elif record.cdp_url:
        yield f"cdp-url {parameters.shown_url(record.cdp_url, record.cdp_esc)}"


def certificate_check(operator: Operator, args: Args) -> None:
    operator.record(REALM).certificate_check = args.chosen(CHECKS)


def render_certificate_check(record: Realm) -> Iterator[str]:
    if record.certificate_check:
        yield f"certificate-check {' '.join(record.certificate_check)}"


ROWS = (
    Row(
        "auto-enroll [ PERCENT ] [ regenerate [ BITS ] ] [ updated-effective ]",
        (REALM,),
        auto_enroll,
        {
            "PERCENT": parameters.integer(
                "Renew when so much of the validity has elapsed",
                *limits.RENEWAL_PERCENT,
                default=limits.RENEWAL_PERCENT_DEFAULT,
            ),
            "BITS": parameters.MODULUS,
        },
        render=render_auto_enroll,
        undo="auto-enroll",
        undone=restore(REALM, "auto_enroll"),
    ),
    setting(REALM, "vpn-instance", "NAME", parameters.VPN_INSTANCE, "vpn_instance"),
    setting(REALM, "https ca-file", "FILENAME", parameters.FILE, "https_ca_file"),
    Row(
        "crl scep",
        (REALM,),
        crl_scep,
        render=render_crl_scep,
        undo="crl scep",
        undone=restore(REALM, "crl_scep"),
    ),
    Row(
        "cdp-url { [ esc ] CDP | from-ca }",
        (REALM,),
        cdp_url,
        {"CDP": parameters.CDP},
        render=render_cdp_url,
        undo="cdp-url",
        undone=restore(REALM, "cdp_url", "cdp_esc", "cdp_from_ca"),
    ),
    Row(
        "certificate-check { crl [ none ] | none }",
        (REALM,),
        certificate_check,
        words={
            "crl": "By the revocation list of the CA",
            "none": "Accept without a check (behind crl: when there is no list)",
        },
        render=render_certificate_check,
        undo="certificate-check",
        undone=restore(REALM, "certificate_check"),
    ),
)
