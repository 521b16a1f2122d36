"""What a certificate is for: domain names, mail addresses, IP addresses, countries."""

import pytest

from agent.console.language import hosts
from tests.helpers.appliance import FakeDevice
from tests.helpers.terminal import Script


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        *((name, name) for name in (
            "r1.example.com", "r1", "R1.Example.COM", "1.example", "3com.example", "a-b.c-d.e",
            "xn--bcher-kva.example", "x" * 63 + ".example", ".".join(["x" * 62] * 4),
        )),
        ("r1.example.com.", "r1.example.com"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("stra\u00dfe.example", "xn--strae-oqa.example"),
        ("\u4f8b\u3048.jp", "xn--r8jz45g.jp"),
        ("\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444", "xn--e1afmkfd.xn--p1ai"),
        ("m\u00fcnchen-1.de.", "xn--mnchen-1-65a.de"),
    ],
)  # fmt: skip
def test_domain_names(typed: str, held: str) -> None:
    assert hosts.domain(typed) == held
    assert hosts.domain(held) == held
    assert hosts.FQDN.read(typed) == typed


@pytest.mark.parametrize("typed", ["m\u00fcnchen-1.de", "b\u00fccher.example"])
def test_a_labels_are_those_of_the_standard_library_where_the_two_rules_agree(typed: str) -> None:
    assert hosts.domain(typed) == typed.encode("idna").decode()


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"),
        (".", "empty"),
        ("a..b", "empty"),
        (".a", "empty"),
        ("a..", "empty"),
        *((name, "letters, digits and hyphens") for name in (
            "-bad-", "a.-b", "a-.b", "a b", "a_b", "*.example", "a@b", "a,b", "r1\u2024example",
            "\u2603.example", "\u0301a.example", "a\u200db.example", "(a)", "a'b",
        )),
        ("-\u00fc.example", "no hyphen first or last"),
        ("\u00fc-.example", "no hyphen first or last"),
        ("ab--\u00fc.example", "third and fourth"),
        ("\ufb01x.example", "stands for others"),
        ("http://a/", "URL"),
        ("a:80", "URL"),
        ("2001:db8::1", "URL"),
        ("192.0.2.1", "ip-address"),
        ("x" * 64, "at most 63"),
        ("\u00fc" * 60, "at most 63"),
        (".".join(["x" * 62] * 4) + ".xx", "at most 253"),
    ],
)  # fmt: skip
def test_what_is_no_domain_name(typed: str, reason: str) -> None:
    for read in (hosts.domain, hosts.FQDN.read):
        with pytest.raises(ValueError, match=reason):
            read(typed)


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("noc@example.com", "noc@example.com"),
        ("a.b+c=d'e/f@example.com", "a.b+c=d'e/f@example.com"),
        ("a@b", "a@b"),
        ("noc@b\u00fccher.example.", "noc@xn--bcher-kva.example"),
    ],
)
def test_mail_addresses(typed: str, held: str) -> None:
    assert hosts.mail(typed) == held
    assert hosts.EMAIL.read(typed) == typed


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("noc", "3 to 128|one @"),
        ("nobody", "one @"),
        ("@example.com", "one @"),
        ("noc@", "one @"),
        ("a@b@c", "a mailbox is"),
        ("a b@c", "a mailbox is"),
        (".a@c", "a mailbox is"),
        ("a..b@c", "a mailbox is"),
        ("a,b@c", "a mailbox is"),
        ("m\u00fcller@c", "a mailbox is"),
        ("noc@-bad-", "letters, digits and hyphens"),
        ("noc@a..b", "empty"),
        ("noc@[192.0.2.1]", "letters, digits and hyphens"),
        ("noc@192.0.2.1", "ip-address"),
        ("a@" + "x" * 127, "3 to 128"),
    ],
)
def test_what_is_no_mail_address(typed: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        hosts.EMAIL.read(typed)


@pytest.mark.parametrize(
    "typed", ["192.0.2.1", "127.0.0.1", "10.0.0.255", "2001:DB8:0::1", "fe80::1"]
)
def test_addresses_of_one_device(typed: str) -> None:
    assert hosts.UNICAST.read(typed) == typed.lower().replace(":0::", "::")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        *((typed, "no single device") for typed in (
            "0.0.0.0", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "::", "ff02::1",
        )),
        *((typed, "neither") for typed in ("192.0.2", "192.0.2.256", "fe80::1%eth0", "r1")),
    ],
)  # fmt: skip
def test_addresses_of_none(typed: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        hosts.UNICAST.read(typed)


@pytest.mark.parametrize("typed", ["DE", "de", "De"])
def test_countries(typed: str) -> None:
    assert hosts.country(typed) == "DE"


@pytest.mark.parametrize("typed", ["", "D", "DEU", "D1", "\u00c4A", "D "])
def test_what_is_no_country(typed: str) -> None:
    with pytest.raises(ValueError, match="ISO 3166"):
        hosts.COUNTRY.read(typed)


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("fqdn r1.example.com.", "fqdn r1.example.com"),
        ("fqdn b\u00fccher.example", "fqdn xn--bcher-kva.example"),
        ("email noc@b\u00fccher.example", "email noc@xn--bcher-kva.example"),
        ("country de", "country DE"),
        ("fqdn r1.example.com", "fqdn r1.example.com"),
    ],
)
def test_at_the_console_what_changes_is_told(typed: str, held: str) -> None:
    device = FakeDevice()
    script = Script(device)
    script.run("system-view", "pki entity e1")
    told = "" if typed == held else f"Info: The certificate will hold: {held}.\n"
    assert script.run(typed) == (told, 0)
    assert f" {held}\n" in script.run("display this")[0]
