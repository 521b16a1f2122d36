"""The types of parameters: what each takes, what it makes of it, why it refuses."""

import pytest

from agent.console.language import parameters
from agent.console.language.grammar import Parameter

NAME = parameters.name("a name")


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
        (parameters.UNITS, "one, two,three", ("one", "two", "three")),
        (parameters.UNITS, "x" * 31, ("x" * 31,)),
        (parameters.ADDRESS, "192.0.2.1", "192.0.2.1"),
        (parameters.ADDRESS, "2001:DB8:0::1", "2001:db8::1"),
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
        (parameters.UNITS, "one,,two", "each unit"),
        (parameters.UNITS, "x" * 32, "each unit"),
        (parameters.UNITS, ",".join(["x" * 30] * 7), "1 to 191"),
        (parameters.UNITS, "a@b", "letters"),
        (parameters.ADDRESS, "192.0.2.256", "neither"),
        (parameters.ADDRESS, "192.0.2", "neither"),
        (parameters.ADDRESS, "fe80::1%eth0", "neither"),
        (parameters.ADDRESS, "1\x00", "neither"),
        (parameters.SYSNAME, "a>b", "no space"),
        (parameters.CA_ID, "x" * 64, "1 to 63"),
        (parameters.CA_ID, 'a"b', "printable ASCII"),
        (parameters.subject("", 4), "a_b", "letters"),
        (parameters.subject("", 4), "abcde", "1 to 4"),
    ],
)
def test_refused(kind: Parameter, word: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        kind.read(word)


def test_help_says_what_holds_when_a_number_is_left_out() -> None:
    kind = parameters.integer("Number of polls", 1, 100, default=5)
    assert (kind.label, kind.help) == ("INTEGER<1-100>", "Number of polls (default 5)")
    assert parameters.integer("Number of polls", 1, 100).help == "Number of polls"
