"""What the command line takes, as its tables say it, and how that is explained."""

import pytest

from agent import usage
from agent.__main__ import COMMANDS
from agent.command_line import Command, Option, UsageError, read

FILE = Option("FILE", "", "A file.")


def nothing(_options: object) -> int:
    """Does nothing.

    More.
    """
    return 0


COMMAND = Command(
    nothing,
    lambda: (
        Option("--far", "", "Far away."),
        Option("--name", "N", "A name."),
        Option("-c", "L", "x"),
    ),
    (FILE,),
)


def test_options_and_operands() -> None:
    assert read(COMMAND, ["--name", "a", "f", "-c", "1", "--far", "-c2"]) == {
        "FILE": ["f"],
        "--name": ["a"],
        "-c": ["1", "2"],
        "--far": [""],
    }


@pytest.mark.parametrize(
    ("words", "what", "unknown"),
    [
        ([], "FILE is missing", ""),
        (["a", "b"], "`b` is not understood", ""),
        (["a", "--name"], "option --name requires argument", "--name"),
        (["a", "--fra"], "option --fra not recognized", "--fra"),
        (["a", "--far=1"], "option --far must not have an argument", "--far"),
    ],
)
def test_what_is_wrong(words: list[str], what: str, unknown: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(COMMAND, words)
    assert (str(caught.value), caught.value.unknown) == (what, unknown)


def test_what_was_meant() -> None:
    assert usage.meant("--fra", ["--far", "--name"]) == " (did you mean --far?)"
    assert usage.meant("zzz", ["--far", "--name"]) == ""


def test_an_explanation() -> None:
    assert usage.explained("p", "c", COMMAND).splitlines() == [
        "usage: p c [--far] [--name N] [-c L] FILE",
        "",
        "Does nothing.",
        "",
        "  FILE                    A file.",
        "  --far                   Far away.",
        "  --name N                A name.",
        "  -c L                    x",
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_it_fits_a_terminal(name: str) -> None:
    lines = usage.explained("scep-agent", name, COMMANDS[name]).splitlines()
    lines += usage.overview("scep-agent", COMMANDS).splitlines()
    assert max(map(len, lines)) < 80
