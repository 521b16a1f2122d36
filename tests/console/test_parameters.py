"""The types of parameters: what each takes, what it makes of it, why it refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.console.language import parameters
from agent.console.language.grammar import Parameter

NAME = parameters.name("a name")
SEALED = "%^%#c2VhbGVk%^%#"


@pytest.mark.parametrize(
    ("kind", "word", "value"),
    [
        (NAME, "a", "a"),
        (NAME, "x" * 64, "x" * 64),
        (NAME, "router-1.example_(2)", "router-1.example_(2)"),
        (parameters.integer("", 1, 1440), "1", 1),
        (parameters.integer("", 1, 1440), "1440", 1440),
        (parameters.integer("", 1, 1440), "0007", 7),
        (parameters.MODULUS, "2048", 2048),
        (parameters.MODULUS, "2049", 2048),
        (parameters.MODULUS, "4096", 4096),
        (parameters.hexadecimal("", 4), "aAbB", "aabb"),
        (parameters.hexadecimal("", 4), "AA:bB", "aabb"),
        (parameters.hexadecimal("", 4), "A a b\tB", "aabb"),
        (parameters.COUNTRY, "CN", "CN"),
        (parameters.UNITS, "one, two,three", ("one", "two", "three")),
        (parameters.UNITS, "x" * 31, ("x" * 31,)),
        (parameters.EMAIL, "noc@example.com", "noc@example.com"),
        (parameters.ADDRESS, "192.0.2.1", "192.0.2.1"),
        (parameters.ADDRESS, "2001:DB8:0::1", "2001:db8::1"),
        (parameters.URL, "http://ca", "http://ca"),
        (parameters.URL, "http://[2001:db8::1]:8080/scep", "http://[2001:db8::1]:8080/scep"),
        (parameters.URL, "HTTP://ca.example:65535/a/b.exe", "HTTP://ca.example:65535/a/b.exe"),
        (parameters.URL, "http://ca/" + "x" * 245, "http://ca/" + "x" * 245),
        (parameters.PASSWORD, "p", "p"),
        (parameters.PASSWORD, "x" * 64, "x" * 64),
        (parameters.PASSWORD, "two words", "two words"),
        (parameters.PASSWORD, SEALED, SEALED),
        (parameters.INTERFACE, "eth0", "eth0"),
        (parameters.INTERFACE, "eth0.100", "eth0.100"),
        (parameters.INTERFACE, "GigabitEthernet0/0/1", "GigabitEthernet0/0/1"),
        (parameters.INTERFACE, "br-lan", "br-lan"),
        (parameters.INTERFACE_NUMBER, "0/0/1.100", "0/0/1.100"),
        (parameters.SYSNAME, "R-1", "R-1"),
        (parameters.CA_ID, "my ca", "my ca"),
        (parameters.CA_ID, "x" * 63, "x" * 63),
        (parameters.subject("", 4), "A=b,", "A=b,"),
    ],
)
def test_accepted(kind: Parameter, word: str, value: object) -> None:
    assert kind.read(word) == value


@pytest.mark.parametrize(
    ("kind", "word", "reason"),
    [
        (NAME, "", "1 to 64"),
        (NAME, "x" * 65, "not 65"),
        (NAME, ".hidden", "full stop"),
        *((NAME, f"a{bad}b", "a name has") for bad in " ?/\\\"'~*:<>|\n\u00e9"),
        (parameters.integer("", 1, 1440), "0", "the range is 1 to 1440"),
        (parameters.integer("", 1, 1440), "1441", "the range"),
        (parameters.integer("", 1, 1440), "-1", "decimal digits"),
        (parameters.integer("", 1, 1440), "1_0", "decimal digits"),
        (parameters.integer("", 1, 1440), "\u0663", "decimal digits"),
        (parameters.integer("", 1, 1440), "9" * 5000, "decimal digits"),
        (parameters.MODULUS, "2047", "2048 to 4096"),
        (parameters.MODULUS, "4097", "2048 to 4096"),
        (parameters.hexadecimal("", 4), "aab", "4 hexadecimal digits, not 3"),
        (parameters.hexadecimal("", 4), "aabbc", "not 5"),
        (parameters.hexadecimal("", 4), "aabg", "only hexadecimal"),
        (parameters.COUNTRY, "C", "two letters"),
        (parameters.COUNTRY, "CHN", "two letters"),
        (parameters.UNITS, "one,,two", "each unit"),
        (parameters.UNITS, "x" * 32, "each unit"),
        (parameters.UNITS, ",".join(["x" * 30] * 7), "1 to 191"),
        (parameters.UNITS, "a@b", "letters"),
        (parameters.EMAIL, "noc", "one @"),
        (parameters.EMAIL, "a@b@c", "one @"),
        (parameters.EMAIL, "a,b@c", "letters"),
        (parameters.ADDRESS, "192.0.2.256", "neither"),
        (parameters.ADDRESS, "192.0.2", "neither"),
        (parameters.ADDRESS, "fe80::1%eth0", "neither"),
        (parameters.ADDRESS, "1\x00", "neither"),
        (parameters.CDP, "https://ca", "a URL is"),
        (parameters.URL, "ca.example", "a URL is"),
        (parameters.URL, "http://", "a URL is"),
        (parameters.URL, "http://ca:0/", "a port is"),
        (parameters.URL, "http://ca:65536/", "a port is"),
        (parameters.URL, "http://user@ca/", "a URL is"),
        (parameters.URL, "http://ca/a b", "a URL is"),
        (parameters.URL, "http://ca/\u00e9", "a URL is"),
        (parameters.URL, "http://ca/?x", "esc"),
        (parameters.URL, "http://ca/" + "x" * 246, "1 to 255"),
        (parameters.PASSWORD, "", "1 to 64"),
        (parameters.PASSWORD, "x" * 65, "1 to 64"),
        (parameters.PASSWORD, "\u00e9" * 33, "1 to 64"),
        (parameters.PASSWORD, "a\x07", "printable"),
        (parameters.PASSWORD, "%^%#plain text%^%#", "sealed password"),
        (parameters.PASSWORD, "%^%#" + "A" * 160 + "%^%#", "sealed password"),
        (parameters.PASSWORD, "%^%#open", "does not begin"),
        (parameters.PASSWORD, "******", "how a password is shown"),
        (parameters.PLAIN, SEALED, "does not begin"),
        (parameters.INTERFACE, "0eth", "no name"),
        (parameters.INTERFACE, "eth:0", "no name"),
        (parameters.SYSNAME, "a>b", "no space"),
        (parameters.CA_ID, "x" * 64, "1 to 63"),
        (parameters.CA_ID, 'a"b', "printable ASCII"),
        (parameters.subject("", 4), "a_b", "letters"),
        (parameters.subject("", 4), "abcde", "1 to 4"),
    ],
)
def test_refused(kind: Parameter, word: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        kind.read(word)
    if kind.secret:
        assert len(word) < 2 or word not in str(caught.value).replace("******", "")


def test_help_says_what_holds_when_a_number_is_left_out() -> None:
    kind = parameters.integer("Number of polls", 1, 100, default=5)
    assert (kind.label, kind.help) == ("INTEGER<1-100>", "Number of polls (default 5)")
    assert parameters.integer("Number of polls", 1, 100).help == "Number of polls"


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        (r"http://a\x3fp\\x3f", r"http://a?p\x3f"),
        (r"http://a\x3Fb", "http://a?b"),
        (r"http://a\b", r"http://a\b"),
        ("http://a", "http://a"),
    ],
)
def test_escapes(typed: str, url: str) -> None:
    assert parameters.unescape_url(typed) == url


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(["\\", "\\x3f", "\\\\x3f", "\\x3F", "x3f", "a"]), max_size=8))
def test_escapes_are_replayed(parts: list[str]) -> None:
    url = parameters.unescape_url("http://h/" + "".join(parts))
    if "\\?" not in url:
        assert parameters.unescape_url(parameters.escape_url(url)) == url


KINDS = [kind for kind in vars(parameters).values() if isinstance(kind, Parameter)]


@settings(deadline=None, max_examples=200)
@given(kind=st.sampled_from([*KINDS, NAME, parameters.hexadecimal("", 4)]), word=st.text())
def test_any_text_is_a_value_or_a_reason(kind: Parameter, word: str) -> None:
    try:
        assert kind.read(word) is not None
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either is an answer
