"""What displays show, as whole texts."""

import tomllib
from pathlib import Path

import pytest

from agent.console import display
from agent.console.appliance import CaInfo, KeyPair
from agent.settings import Entity, Realm
from tests.appliance import IDLE, START_S, certificate, error, seal


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (START_S, "2026-11-23 14:05:00 UTC"),
        (0, "1970-01-01 00:00:00 UTC"),
        (253402300799, "9999-12-31 23:59:59 UTC"),
        (10**30, f"{10**30} s"),
    ],
)
def test_moments(time_s: int, text: str) -> None:
    assert display.moment(time_s) == text


@pytest.mark.parametrize(
    ("span_s", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (86400 * 3 + 7200 + 60, "3 d 2 h"),
    ],
)
def test_durations(span_s: int, text: str) -> None:
    assert display.duration(span_s) == text


def test_relative_times() -> None:
    assert display.relative(START_S + 90, START_S) == "2026-11-23 14:06:30 UTC (in 1 min 30 s)"
    assert display.relative(START_S - 90, START_S) == "2026-11-23 14:03:30 UTC (1 min 30 s ago)"


def test_an_error_is_what_why_and_what_next() -> None:
    assert display.error_lines(error()) == [
        "Error: The CA said no.",
        " Cause: the challenge is wrong.",
        " Next step: ask the operator.",
    ]


def values(lines: list[str]) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {label.strip(): value.strip() for label, value in pairs}


def test_an_untouched_realm_shows_every_setting() -> None:
    shown = values(list(display.realm(Realm("default"), None, IDLE)))
    assert len(shown) == 25
    assert (shown["Realm Name"], shown["CA ID"], shown["Password"]) == ("default", "-", "-")
    assert (shown["Polling Interval (minutes)"], shown["Polling Times"]) == ("1", "5")
    assert (shown["RA"], shown["State"]) == ("No", "nothing")


def test_a_whole_realm() -> None:
    realm = Realm("abc")
    realm.password, realm.fingerprint = seal("topsecret"), ("sha1", "ab" * 20)
    realm.source_interface, realm.bind_device = "eth0", True
    realm.key_usage, realm.ra = ("ike", "ssl-client"), True
    ca = CaInfo(certificate("CN=lab CA"), "fingerprint", ())
    shown = values(list(display.realm(realm, ca, IDLE)))
    assert shown["Password"] == "******"
    assert shown["Source"] == "eth0 (bind-device)"
    assert shown["CA Name"] == "CN=lab CA"
    assert shown["CA Trusted By"] == "fingerprint"
    assert shown["Key-usage"] == "ike ssl-client"
    assert (shown["CA Fingerprint Algorithm"], shown["CA Fingerprint"]) == ("sha1", "ab" * 20)


def test_an_entity() -> None:
    entity = Entity("e1")
    entity.common_name, entity.organization_unit = "r1", ("noc", "core")
    assert list(display.entity(entity)) == [
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
    shown = values(list(display.enrollment("abc", status, START_S)))
    assert shown["Next Step At"] == "2026-11-23 14:06:00 UTC (in 1 min)"
    assert shown["Last Error"] == "the CA said no"
    assert shown["Last Error At"].endswith("(5 s ago)")
    assert shown["Last Error Cause"] == "the challenge is wrong"
    assert shown["Attempts"] == "3"


def test_certificates() -> None:
    shown = list(display.certificates([("abc", "Certificate:\n    Version: 3")], "local"))
    assert shown == [
        " Total Number: 1",
        "",
        "Certificate:",
        "    Version: 3",
        "",
        "Pki realm name: abc",
        "Certificate file name: abc_local.cer",
        "Certificate peer name: -",
    ]


def test_key_pairs() -> None:
    pair = KeyPair("k1", 1, 2048, True, START_S, bytes(60))
    shown = list(display.key_pairs([pair]))
    assert shown[0] == " Total Number: 1"
    assert " Key Modulus (bits)        : 2048" in shown
    assert " Key Exportable            : Yes" in shown
    assert shown[-4:-1] == ["-----BEGIN PUBLIC KEY-----", "A" * 64, "A" * 16]


def test_the_version_is_that_of_the_package() -> None:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    expected = tomllib.loads(text)["project"]["version"]
    assert next(display.version("SN1")) == f"scep-agent, version {expected}"
