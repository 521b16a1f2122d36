"""What displays show: texts as they stand, and JSON as its table of fields promises."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from agent.appliance import CaInfo, Described, KeyPair, Verdict
from agent.console.commands.table import ROWS
from agent.console.displays import board, certificates, document, realms
from agent.console.displays.document import Document, Kind, json_lines, text_lines
from agent.console.language.times import Times
from agent.console.session.session import Session
from agent.pieces import at_once
from agent.settings import AutoEnroll, Entity, Realm, Unapplied
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import IDLE, START_S, certificate, error, seal
from tests.helpers.device_bench import ready
from tests.helpers.terminal import Script

TIMES = Times(START_S)
TYPES = {
    document.TEXT: str,
    document.INTEGER: int,
    document.FLAG: bool,
    document.LIST: list,
    document.TIME: int,
}


def text(kind: Kind, item: dict[str, Any]) -> list[str]:
    return list(text_lines(Document(kind, [item]), TIMES))


def values(lines: list[str]) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {label.strip(): value.strip() for label, value in pairs}


def test_an_untouched_realm_shows_every_setting() -> None:
    shown = values(text(realms.REALM, realms.realm(Realm("default"), None, IDLE)))
    assert len(shown) == len([field for field in realms.REALM.fields if field.label])
    assert (shown["Realm Name"], shown["CA ID"], shown["Password"]) == ("default", "-", "-")
    assert (shown["Polling Interval (minutes)"], shown["Polling Times"]) == ("1", "5")
    assert (shown["RA"], shown["State"]) == ("No", "not enrolled")
    assert shown["Auto-enroll"] == "Disabled"


def test_a_whole_realm() -> None:
    realm = Realm("abc")
    realm.password, realm.fingerprint = seal("topsecret"), ("sha1", "ab" * 20)
    realm.source_interface, realm.bind_device = "eth0", True
    realm.key_usage, realm.ra = ("ike", "ssl-client"), True
    realm.auto_enroll = AutoEnroll(80, True, 4096, False)
    ca = CaInfo(certificate("CN=lab CA"), "operator", (), sha256="cd" * 32)
    shown = values(text(realms.REALM, realms.realm(realm, ca, IDLE)))
    assert shown["CA Trusted SHA-256"] == "cd" * 32
    assert shown["Enrollment-request Signature Message-digest-method"] == "SHA256"
    assert shown["Method for Getting CRL"] == "HTTP"
    assert shown["Password"] == "******"
    assert shown["Source IP"] == "eth0 (bind-device)"
    assert shown["CA Name"] == "CN=lab CA"
    assert shown["CA Trusted By"] == "operator"
    assert shown["Key-usage"] == "ike ssl-client"
    assert (shown["CA Fingerprint Algorithm"], shown["CA Fingerprint"]) == ("sha1", "ab" * 20)
    assert shown["Auto-enroll"] == "Enabled, at 80 % of the validity"
    assert (shown["Auto-enroll Regenerate"], shown["Auto-enroll Key Bits"]) == ("Yes", "4096")


def test_no_secret_is_in_the_json_of_a_realm() -> None:
    realm = Realm("abc")
    realm.password = seal("topsecret")
    lines = "\n".join(json_lines(Document(realms.REALM, [realms.realm(realm, None, IDLE)])))
    assert json.loads(lines)["items"][0]["password_set"] is True
    assert realm.password not in lines


def test_a_realm_that_failed_says_why() -> None:
    failed = IDLE._replace(state="failed", why="the last attempt failed", last_error=error())
    assert realms.realm(Realm("abc"), None, failed)["why"] == (
        "the last attempt failed (last error: the CA said no)"
    )
    going_on = failed._replace(state="fetching", why="the CA certificates are being fetched")
    assert realms.realm(Realm("abc"), None, going_on)["why"] == going_on.why


def test_an_entity() -> None:
    entity = Entity("e1")
    entity.common_name, entity.organization_unit = "r1", ("noc", "core")
    assert text(realms.ENTITY, realms.entity(entity)) == [
        "",
        " PKI Entity Information",
        " Entity Name         : e1",
        " Common name         : r1",
        " Country             : -",
        " State               : -",
        " Locality            : -",
        " Organization        : -",
        " Organization unit   : noc,core",
        " FQDN                : -",
        " IP address          : -",
        " Email               : -",
        " Serial number       : No",
    ]


def test_an_enrolment() -> None:
    status = IDLE._replace(
        state="failed",
        next_s=START_S + 60,
        last_error=error(),
        last_error_s=START_S - 5,
        attempts=3,
    )
    item = realms.enrollment("abc", status, None, START_S)
    shown = values(text(realms.ENROLLMENT, item))
    assert shown["Next Step At"] == "2026-11-23 14:06:00 UTC (in 1 min)"
    assert shown["Last Error"] == "the CA said no"
    assert shown["Last Error At"].endswith("(5 s ago)")
    assert shown["Last Error Cause"] == "the challenge is wrong"
    assert (shown["Attempts"], shown["Validity"]) == ("3", "-")


@pytest.mark.parametrize(
    ("since_s", "left_s", "renew_s", "turn_s", "bar"),
    [
        (0, 100, None, None, "[*-------------------------------------] 0 % elapsed"),
        (50, 50, 30, 45, "[##################*----------|----->--] 50 % elapsed"),
        (100, 0, 0, 0, "[#####################################*] 100 % elapsed"),
        (400, -300, -310, None, "[#################################|###*] 100 % elapsed"),
        (-50, 150, None, None, "[*-------------------------------------] 0 % elapsed"),
        (10, -10, None, None, "-"),
    ],
)
def test_the_bar_of_the_validity(
    since_s: int, left_s: int, renew_s: int | None, turn_s: int | None, bar: str
) -> None:
    local = certificate(not_after_s=START_S + left_s)._replace(not_before_s=START_S - since_s)
    moments = (None if s is None else START_S + s for s in (renew_s, turn_s))
    status = IDLE._replace(**dict(zip(("renew_s", "take_over_s"), moments, strict=True)))
    lines = text(realms.ENROLLMENT, realms.enrollment("abc", status, local, START_S))
    assert values(lines)["Validity"] == bar
    assert max(map(len, lines)) <= 80


def test_what_a_realm_that_renews_by_itself_waits_for() -> None:
    status = IDLE._replace(
        wait="a pause after 3 failures in a row",
        take_over_s=START_S + 3600,
        outage_s=6 * 86400 + 20 * 3600,
    )
    item = realms.enrollment("abc", status, certificate(), START_S)
    shown = values(text(realms.ENROLLMENT, item))
    assert shown["Waits For"] == "a pause after 3 failures in a row"
    assert shown["Takes Over At"] == "2026-11-23 15:05:00 UTC (in 1 h)"
    assert shown["Outage Budget"] == "the CA may be away for 6 d 20 h from now on"
    by_hand = realms.enrollment("abc", IDLE, certificate(), START_S)
    assert by_hand["outage_budget_s"] is None
    assert values(text(realms.ENROLLMENT, by_hand))["Outage Budget"] == "-"


def test_certificates() -> None:
    place = certificates.Shown("abc", "abc_local.cer")
    found = [Described("Certificate:\n    Version: 3", {"subject": "CN=r1", "is_ca": False})]
    document = certificates.described(certificates.CERTIFICATE, [place], found)
    assert list(text_lines(document, TIMES)) == [
        " Total Number: 1",
        "",
        "Certificate:",
        "    Version: 3",
        "",
        "Pki realm name: abc",
        "Certificate file name: abc_local.cer",
        "Certificate peer name: -",
    ]
    (item,) = json.loads("\n".join(json_lines(document)))["items"]
    assert (item["subject"], item["is_ca"], item["sha1"]) == ("CN=r1", False, None)


def test_the_certificate_of_a_ca_shows_what_fingerprint_takes() -> None:
    place = certificates.Shown("abc", "abc_ca.cer")
    found = [Described("Certificate:", {"is_ca": True, "sha256": "ab" * 32})]
    document = certificates.described(certificates.CERTIFICATE, [place], found)
    lines = list(text_lines(document, TIMES))
    assert lines.index("SHA-256 fingerprint: " + "ab" * 32) < lines.index("Certificate:")


def test_a_validation_is_a_table() -> None:
    rows = [
        Verdict("local", "CN=r1", "Invalid", "it has expired"),
        Verdict("ca", "CN=x" + "y" * 99, "Valid", ""),
    ]
    assert list(text_lines(certificates.validation(rows), TIMES)) == [
        " Certificate  Status     Subject",
        " local        Invalid    CN=r1",
        "   Reason: it has expired.",
        " ca           Valid      CN=xyyyyyyyyyyyyyyyyyyyyy...yyyyyyyyyyyyyyyyyyyyyyyyyy",
    ]


def test_key_pairs() -> None:
    pair = KeyPair("k1", 1, 2048, True, START_S, bytes(60))
    shown = text(realms.KEY_PAIR, realms.key_pair(pair, "abc"))
    assert " Key Modulus (bits)        : 2048" in shown
    assert " Key Exportable            : Yes" in shown
    assert shown[-4:-1] == ["-----BEGIN PUBLIC KEY-----", "A" * 64, "A" * 16]


def test_the_version_is_that_of_the_package() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    expected = tomllib.loads(project)["project"]["version"]
    assert next(text_lines(board.version("SN1", None), TIMES)) == (
        f"scep-agent software, Version {expected} (SCEP RFC 8894)"
    )


# -- JSON ------------------------------------------------------------------------------------------

# How a display is typed, by the words of its notation, where its keywords alone will not do.
LINES = {
    "pki certificate": "display pki certificate local json",
    "pki rsa local-key-pair": "display pki rsa local-key-pair public json",
    "pki cert-req": "display pki cert-req filename abc.req json",
    "pki validate-certificate": "pki validate-certificate local realm abc json",
    "dir": "dir json",
    "more": "more abc.req json",
    "diagnose": "diagnose realm abc json",
}
SHOWING = [row for row in ROWS if row.shows]


def line_of(notation: str, name: str) -> str:
    words = notation.split(" [")[0].split(" {")[0]
    return LINES.get(name, f"{words} json")


def check(kind: Kind, shown: str) -> list[dict[str, Any]]:
    """One object of the kind, whose items have the keys and types of its fields."""
    found = json.loads(shown)
    assert (found["display"], found["version"]) == (kind.name, kind.version)
    assert found.keys() == {"display", "version", "items"}
    for item in found["items"]:
        assert item.keys() == {field.key for field in kind.fields}
        for field in kind.fields:
            value = item[field.key]
            if value is None:
                assert field.type.endswith("?"), field.key
            else:
                assert type(value) is TYPES[field.type.removesuffix("?")], field.key
    return list(found["items"])


@pytest.mark.parametrize("row", SHOWING, ids=lambda row: row.notation)
def test_each_display_is_one_object_of_its_kind(row: Any) -> None:
    device = FakeDevice(eager=True)
    at_once(device.configuration.save())
    device.add_key_pair("k1")
    device.settings.unapplied = [Unapplied("pki realm abc", "entity e9", "there is no entity e9")]
    device.settings.realms["abc"] = Realm("abc")
    device.settings.entities["r1"] = Entity("r1")
    device.locals["abc"] = certificate()
    device.storage.content["abc.req"] = b"request"
    script = Script(device)
    if "user" not in row.views:
        script.run("system-view")
    text, status = script.run(line_of(row.notation, row.shows.name))
    assert status == 0, text
    items = check(row.shows, text)
    assert items or row.shows.name in ("pki crl", "logbuffer")


def test_the_real_device_keeps_the_promise_as_well() -> None:
    bench = ready()
    bench.enrol()
    for row in SHOWING:
        sent = bytearray()
        session = Session(bench.device, sent.extend, bench.loop, level=3, terminal=False)
        statuses: list[int] = []
        line = line_of(row.notation, row.shows.name)
        if row.shows.name in ("pki cert-req",):
            bench.files.content["abc.req"] = b"request"
        lines = [line] if "user" in row.views else ["system-view", line]
        for one in lines:
            sent.clear()
            session.run_line(one, statuses.append)
            bench.turn(50)
        assert statuses[-1] == 0, sent
        check(row.shows, sent.decode())


def test_json_can_be_filtered_and_an_unknown_realm_is_an_error_all_the_same() -> None:
    script = Script(FakeDevice(eager=True))
    text, status = script.run("display pki realm json | include default")
    assert (status, json.loads(text)["name"]) == (0, "default")
    text, status = script.run("display pki realm nosuch json")
    assert status == 1
    assert text.startswith("Error: There is no realm nosuch.")
