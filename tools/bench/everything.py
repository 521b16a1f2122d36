"""A session that uses every command of the console, and the check that it does.

Lines that would end the session or undo what later ones need stand where they do not.
"""

from collections.abc import Iterator, Sequence

from agent.console.commands.table import ROWS
from tests.helpers.board import procedure

REALM = (
    "ca id lab",
    "key-usage ike ssl-client ssl-server",
    "source 127.0.0.1",
    "enrollment-request signature message-digest-method sha-512",
    "enrollment-request encryption-algorithm aes256",
    "weak-algorithm sha1",
    "subject-match strict",
    "compatibility http-post",
    "auto-enroll 80 regenerate",
    "crl scep",
    "cdp-url from-ca",
    "certificate-check crl none",
    "display this",
)
# Of a realm that applies for nothing: with these the application above would look elsewhere.
ASIDE = (
    "vpn-instance blue",
    "https ca-file roots.pem",
)
# Files out and in again, by a realm that has a certificate.
FILES = (
    "pki enroll-certificate realm abc pkcs10",
    "pki validate-certificate local realm abc",
    "pki export-certificate local realm abc pem",
    "pki import-certificate local realm abc",
    "pki export rsa-key-pair k2 pkcs12 k2.p12 password sekret",
    "pki import rsa-key-pair k3 pkcs12 k2.p12 password sekret",
    "display pki cert-req filename abc.req",
)
LEFT_OUT = {
    "clock datetime TIME DATE": "the machine that runs the bench needs its time",
    "pki confirm-device": "nothing is to be confirmed on a device that has replaced no other",
    "reboot": "the process that is measured would end",
}
UNDO_REALM = (
    "undo ca id",
    "undo key-usage",
    "undo source",
    "undo enrollment-request signature message-digest-method",
    "undo enrollment-request encryption-algorithm",
    "undo weak-algorithm",
    "undo subject-match",
    "undo compatibility",
    "undo auto-enroll",
    "undo crl scep",
    "undo cdp-url",
    "undo certificate-check",
    "undo vpn-instance",
    "undo https ca-file",
)
ENTITY = (
    "common-name r9.example",
    "country DE",
    "state Sachsen",
    "locality Dresden",
    "organization Lab",
    "organization-unit a,b",
    "fqdn r9.example",
    "ip-address 192.0.2.9",
    "email r9@example.com",
    "serial-number",
    "display this",
    "undo country",
    "undo state",
    "undo locality",
    "undo organization",
    "undo organization-unit",
    "undo fqdn",
    "undo ip-address",
    "undo email",
    "undo serial-number",
    "undo common-name",
)
DISPLAYS = (
    "display pki realm",
    "display pki realm brief",
    "display pki entity",
    "display pki certificate ca",
    "display pki certificate local",
    "display pki rsa local-key-pair public",
    "display pki enrollment | exclude none",
    "display pki enrollment brief | count",
    "display version",
    "display esn",
    "display device",
    "display startup",
    "display clock",
    "display pki crl",
    "display pki statistics",
    "display interface brief",
    "display history-command",
    "display logbuffer",
    "display users",
    "display current-configuration",
)
ACCESS = (
    "aaa",
    "local-user ann password irreversible-cipher sekret",
    "local-user ann privilege level 3",
    "local-user ann service-type terminal",
    "user-interface console 0",
    "set authentication password cipher sekret",
    "authentication-mode aaa",
    "idle-timeout 5",
    "user privilege level 3",
    "undo authentication-mode",
    "undo set authentication password",
    "undo idle-timeout",
    "undo user privilege level",
    "aaa",
    "undo local-user ann",
    "undo aaa",
    "undo user-interface console 0",
)


APPLICATION = (
    "pki enroll-certificate realm abc",
    "pki get-crl realm abc",
    "pki import-crl realm abc filename abc.crl",
    "pki get-certificate local realm abc",
    "pki abort-request realm abc",
)
CLOSING = (
    "undo pki file-format",
    "undo pki set-certificate expire-prewarning",
    "undo sysname",
    "undo clock timezone",
    "commit",
    "return",
    "dir",
    "more abc_local.pem",
    "delete k2.p12",
    "y",
    "reset pki storage unused",
    "y",
    "undo terminal monitor",
    "mmi-mode enable",
    "undo mmi-mode enable",
    "save",
    "y",
    "display saved-configuration",
    "display saved-configuration unapplied",
    "compare configuration",
    "reset saved-configuration unapplied",
)


def lines(url: str, fingerprint: str) -> list[str]:
    """The session, for a CA with the challenge `sekret`."""
    return [
        *("screen-length 0 temporary", "screen-width 132 temporary"),
        "clock timezone CET add 01:00:00",
        "terminal monitor",
        *procedure(url, f"fingerprint sha256 {fingerprint}", "password cipher sekret", *REALM),
        "sysname R1",
        "pki file-format der",
        "pki set-certificate expire-prewarning 30",
        "diagnose realm abc",
        "pki get-certificate ca realm abc",
        *APPLICATION,
        f"pki http {url.replace('/scep', '/ca.crl')} list.crl",
        "pki rsa local-key-pair create k2 modulus 2048 exportable",
        *FILES,
        *DISPLAYS,
        *ACCESS,
        "pki entity r9",
        *ENTITY,
        "#",
        "undo pki entity r9",
        "pki realm spare",
        "fingerprint md5 " + "12" * 16,
        "root-fingerprint sha1 " + "12" * 20,
        "undo root-fingerprint",
        "password cipher other",
        f"enrollment-url {url}",
        "entity r1",
        *ASIDE,
        "undo fingerprint",
        "undo password",
        "undo enrollment-url",
        "undo entity",
        *UNDO_REALM,
        "rsa local-key-pair k2",
        "undo rsa local-key-pair",
        "quit",
        "undo pki realm spare",
        "pki confirm-device",
        "pki update-certificate realm abc",
        "pki delete-crl realm abc",
        "y",
        "pki delete-certificate local realm abc",
        "y",
        "pki rsa local-key-pair destroy k2",
        "y",
        *CLOSING,
        "quit",
    ]


def unused(typed: Sequence[str]) -> list[str]:
    """The commands, and their `undo`, that none of these lines uses."""
    begun = [line.split() for line in typed]

    def used(form: str) -> bool:
        head = list(_keywords(form))
        return any(words[: len(head)] == head for words in begun)

    forms = [row.notation for row in ROWS if row.notation not in LEFT_OUT]
    forms += [f"undo {row.undo}" for row in ROWS if row.undo]
    return [form for form in forms if not used(form)]


def _keywords(notation: str) -> Iterator[str]:
    """The words of a command in front of its first parameter or choice."""
    for word in notation.split():
        if word != word.lower() or word in "{[":
            return
        yield word
