"""VRP notation: what matches, what is refused where, what help shows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.console.language import grammar, interfaces, parameters, passwords, urls
from agent.console.language.grammar import Branch, GrammarError, Option, Word, compile_notation

PARAMETERS = {
    "URL": urls.URL,
    "M": parameters.integer("minutes", 1, 1440),
    "N": parameters.integer("times", 1, 100),
    "NAME": parameters.name("a name"),
    "SECRET": passwords.PLAIN,
    "TYPE": interfaces.INTERFACE_TYPE,
    "NUMBER": interfaces.INTERFACE_NUMBER,
    "PORT": interfaces.INTERFACE,
    "HEX": parameters.hexadecimal("digest", 4),
}


class AnyWord(dict[str, str]):
    def __missing__(self, word: str) -> str:
        return f"help of {word}"


def table(*notations: str) -> list[Option[str]]:
    return grammar.openings(
        Branch(notation, compile_notation(notation, PARAMETERS, AnyWord()))
        for notation in notations
    )


def said(notation: str, line: str) -> dict[str, object]:
    return dict(grammar.match(table(notation), line).args)


def refused(options: list[Option[str]], line: str) -> tuple[str, int]:
    with pytest.raises(GrammarError) as caught:
        grammar.match(options, line)
    return caught.value.kind, caught.value.column


URL_ROW = "enrollment-url [ esc ] URL [ interval M ] [ times N ] [ ra ]"
USAGE = "key-usage { ike | ssl-client | ssl-server } *"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("enrollment-url http://x", {"URL": "http://x"}),
        ("ENR HTTP://x", {"URL": "HTTP://x"}),
        ("enr esc http://x ra", {"esc": True, "URL": "http://x", "ra": True}),
        (
            "enr http://x int 1440 t 100 r",
            {"URL": "http://x", "interval": True, "M": 1440, "times": True, "N": 100, "ra": True},
        ),
        ("  enr\t http://x   ti 7  ", {"URL": "http://x", "times": True, "N": 7}),
    ],
)
def test_optional_groups_in_their_order(line: str, expected: dict[str, object]) -> None:
    assert said(URL_ROW, line) == {"enrollment-url": True, **expected}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("key-usage ike", ["ike"]),
        ("key-usage ssl-s ike ssl-c", ["ssl-server", "ike", "ssl-client"]),
        ("key-usage ssl-client ssl-server", ["ssl-client", "ssl-server"]),
    ],
)
def test_subsets_in_any_order(line: str, words: list[str]) -> None:
    assert list(said(USAGE, line)) == ["key-usage", *words]


def test_chosen_gives_the_order_of_the_table() -> None:
    args = grammar.match(table(USAGE), "key-usage ssl-server ike").args
    assert args.chosen(("ike", "ssl-client", "ssl-server")) == ("ike", "ssl-server")


PAIR = ("pki realm NAME", "pki rsa create NAME", "ca id NAME", "display clock", "password SECRET")


@pytest.mark.parametrize(
    ("line", "kind", "column"),
    [
        ("foo", grammar.UNRECOGNIZED, 0),
        ("pki foo", grammar.UNRECOGNIZED, 4),
        ("pki", grammar.INCOMPLETE, 4),
        ("pki realm", grammar.INCOMPLETE, 10),
        ("pki realm  ", grammar.INCOMPLETE, 10),
        ("p", grammar.AMBIGUOUS, 0),
        ("pki r a", grammar.AMBIGUOUS, 4),
        ("pki realm a?b", grammar.WRONG, 10),
        ("pki realm abc def", grammar.TOO_MANY, 14),
        ("display clock now", grammar.TOO_MANY, 14),
        ('"display" clock', grammar.UNRECOGNIZED, 0),
        ("", grammar.INCOMPLETE, 1),
    ],
)
def test_the_five_errors(line: str, kind: str, column: int) -> None:
    assert refused(table(*PAIR), line) == (kind, column)


@pytest.mark.parametrize(
    ("line", "kind", "column"),
    [
        ("key-usage", grammar.INCOMPLETE, 10),
        ("key-usage ssl", grammar.AMBIGUOUS, 10),
        ("key-usage ike ike", grammar.UNRECOGNIZED, 14),
        ("key-usage ike ssl-client ssl-server ike", grammar.TOO_MANY, 36),
    ],
)
def test_errors_of_subsets(line: str, kind: str, column: int) -> None:
    assert refused(table(USAGE), line) == (kind, column)


@pytest.mark.parametrize("line", ["enr http://x interval 0", "enr http://x interval 1441"])
def test_a_range_is_named(line: str) -> None:
    with pytest.raises(GrammarError, match="Wrong parameter found at") as caught:
        grammar.match(table(URL_ROW), line)
    assert (caught.value.column, caught.value.reason) == (22, "the range is 1 to 1440")


def test_groups_out_of_order_are_refused() -> None:
    assert refused(table(URL_ROW), "enr http://x ra times 3") == (grammar.TOO_MANY, 16)
    assert refused(table(URL_ROW), "enr http://x times 3 interval 3")[1] == 21


def test_alternatives_of_different_length() -> None:
    notation = "source interface { TYPE NUMBER | PORT } [ bind ]"
    assert said(notation, "source interface eth0 bind")["PORT"] == "eth0"
    both = said(notation, "source interface GigabitEthernet 0/0/1 bind")
    assert (both["TYPE"], both["NUMBER"]) == ("GigabitEthernet", "0/0/1")
    assert "PORT" not in said(notation, "source interface Loop 1")


def test_a_value_wins_over_a_prefix_and_a_keyword_over_a_value() -> None:
    notation = "display realm [ NAME ] [ json ]"
    assert said(notation, "display realm js") == {"display": True, "realm": True, "NAME": "js"}
    assert said(notation, "display realm json") == {"display": True, "realm": True, "json": True}
    assert said(notation, 'display realm "json" js')["NAME"] == "json"


def test_quotation_marks_hold_spaces() -> None:
    assert [token.text for token in grammar.tokens('a "b c" d"e ""')] == ["a", "b c", 'd"e', ""]
    assert grammar.quote("b c") == '"b c"'
    assert grammar.quote("") == '""'
    assert grammar.quote("b") == "b"
    with pytest.raises(GrammarError) as caught:
        grammar.match(table("ca id NAME"), 'ca id "abc')
    assert "quotation mark" in caught.value.reason


def test_the_rest_of_a_line() -> None:
    assert said("pin HEX", "pin Aa:0 1")["HEX"] == "aa01"
    with pytest.raises(GrammarError, match="Wrong parameter") as caught:
        grammar.match(table("pin HEX"), "pin aa 01 2")
    assert caught.value.column == 4


@pytest.mark.parametrize(
    ("line", "column"),
    [("password topsecret", 9), ("password top secret", 9), ("password %^%#secret", 9)],
)
def test_secrets_are_marked_and_never_told(line: str, column: int) -> None:
    secret, reason = None, ""
    try:
        secret = grammar.match(table(*PAIR), line).secret
    except GrammarError as error:
        secret, reason = error.secret, error.reason
    assert secret == column
    assert "secret" not in reason


@pytest.mark.parametrize("notation", ["a { b | c", "a b }", "a [ b }", "a ]"])
def test_unbalanced_notation(notation: str) -> None:
    with pytest.raises(ValueError, match=r"unbalanced|lacks"):
        compile_notation(notation, {}, AnyWord())


def test_notation_without_type_or_help() -> None:
    with pytest.raises(KeyError):
        compile_notation("a NAME", {}, AnyWord())
    with pytest.raises(KeyError):
        compile_notation("a", {}, {})


ALL = table(URL_ROW, USAGE, *PAIR)
NEARLY = st.lists(
    st.sampled_from(["pki", "realm", "enr", "http://x", "ra", "times", "3", '"', "ike", "?", "|"])
    | st.text(max_size=6),
    max_size=8,
).map(" ".join)


@settings(deadline=None, max_examples=300)
@given(line=NEARLY)
def test_any_line_has_an_answer(line: str) -> None:
    try:
        grammar.match(ALL, line)
    except GrammarError as error:
        assert 0 <= error.column <= len(line) + 1  # noqa: PT017 - a match is an answer too


@settings(deadline=None, max_examples=100)
@given(st.permutations(["ike", "ssl-client", "ssl-server"]), st.integers(1, 3))
def test_every_subset_in_every_order(words: list[str], count: int) -> None:
    line = "key-usage " + " ".join(words[:count])
    assert list(said(USAGE, line))[1:] == words[:count]


def test_steps_of_a_keyword_row() -> None:
    sequence = compile_notation("display clock", {}, AnyWord())
    assert list(grammar.steps(sequence)) == [(Word("display", "help of display"), sequence[1:])]
    assert grammar.may_end(())
