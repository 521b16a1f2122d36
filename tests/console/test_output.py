"""What a session writes."""

import pytest

from agent.console.language.grammar import WRONG, GrammarError
from agent.console.terminal.output import Output, printable
from tests.helpers.appliance_values import error


def output(terminal: bool) -> tuple[Output, bytearray]:
    sent = bytearray()
    return Output(sent.extend, terminal=terminal, width=10), sent


@pytest.mark.parametrize(("terminal", "end"), [(True, b"\r\n"), (False, b"\n")])
def test_kinds_of_lines(terminal: bool, end: bytes) -> None:
    out, sent = output(terminal)
    out.info("a")
    out.warn("b")
    assert (out.status, bytes(sent)) == (0, b"")
    out.flush()
    assert sent == b"Info: a" + end + b"Warning: b" + end
    out.error(error())
    assert out.status == 1


def test_the_command_of_a_next_step_is_copied_whole() -> None:
    sent = bytearray()
    out = Output(sent.extend, terminal=True, width=30)
    command = "`pki import-certificate local realm abc pem filename x`"
    out.message(f" Next step: put the file there and type {command} at once, in the system view.")
    out.flush()
    assert sent.decode().split("\r\n")[:-1] == [
        " Next step: put the file there",
        "     and type",
        f"     {command}",
        "     at once, in the system",
        "     view.",
    ]
    sent.clear()
    out.message(f"Info: somebody says {command}.")
    out.flush()
    assert max(map(len, sent.decode().split("\r\n"))) <= 30, "a word of others is no command"


def test_progress_wraps_and_ends_before_the_next_line() -> None:
    out, sent = output(terminal=True)
    for _ in range(12):
        out.progress(".")
    out.line("x")
    out.flush()
    assert sent == b".........\r\n...\r\nx\r\n"
    quiet, nothing = output(terminal=False)
    quiet.progress(".")
    quiet.flush()
    assert nothing == b""


def test_the_caret_and_the_cause() -> None:
    out, sent = output(terminal=False)
    out.parser_error(GrammarError(WRONG, 4, "it is red"), 3)
    out.flush()
    assert sent.decode().splitlines() == [
        "       ^",
        "Error: Wrong parameter found at '^' position.",
        " Cause: it is red.",
    ]
    assert out.status == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe", "Größe"),
        ("a\tb", "a       b"),
        ("\x1b[2J\x9b", "\\x1b[2J\\x9b"),
        ("\u202e", "\\u202e"),
    ],
)
def test_what_cannot_be_seen_is_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_is_no_text_is_sent_all_the_same() -> None:
    out, sent = output(terminal=True)
    out.write("\udc80")
    out.flush()
    assert sent == b"?"
