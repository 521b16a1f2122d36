"""Configurations as text: what does not apply stands in its block, and what differs is found."""

from agent import limits
from agent.console.language.blocks import (
    as_comment,
    as_stored,
    difference,
    framed,
    is_comment,
    with_unapplied,
)
from agent.pieces import at_once
from agent.settings import Unapplied

KEPT = [
    Unapplied("pki realm abc", "rsa local-key-pair k1", "there is no RSA key pair k1"),
    Unapplied("", "interface Vlanif 1", "Unrecognized command"),
    Unapplied("interface vlanif 1", "ip address dhcp", "its block"),
    Unapplied("", "snmp-agent", "Unrecognized command"),
]
LINES = ["sysname r1", "pki realm ABC", " ca id x", "pki realm default"]


def test_what_does_not_apply_stands_in_its_block() -> None:
    assert list(with_unapplied(LINES, KEPT, as_stored)) == [
        "sysname r1",
        "pki realm ABC",
        " ca id x",
        " rsa local-key-pair k1",
        "pki realm default",
        "interface Vlanif 1",
        " ip address dhcp",
        "snmp-agent",
    ]
    shown = list(with_unapplied(LINES, KEPT, as_comment))
    assert shown[3] == " ! rsa local-key-pair k1 (there is no RSA key pair k1)"
    assert shown[5:7] == [
        "! interface Vlanif 1 (Unrecognized command)",
        " ! ip address dhcp (its block)",
    ]
    assert all(is_comment(line) for line in (*shown[3:4], *shown[5:]))


def test_a_comment_can_be_pasted_whatever_was_kept() -> None:
    long = Unapplied("b", "x" * 600, "y" * 600)
    assert len(" " + as_comment(long)) <= limits.LINE_CHARACTERS


def test_frames() -> None:
    assert list(framed(["a", " b", "c"])) == ["#", "a", " b", "#", "c", "#", "return"]


def _shown(old: list[str], new: list[str]) -> list[str]:
    return [change.sign + change.line for change in at_once(difference(old, new))]


def test_equal_settings_do_not_differ_whatever_stands_between_them() -> None:
    old = list(framed(LINES))
    assert _shown(old, LINES) == []
    assert _shown(old, ["! saved", "pki realm abc", " ! x", " ca id x ", "", *LINES]) == []


def test_what_is_new_stands_beside_what_it_replaces() -> None:
    old, new = ["sysname a", "x", "y", "z"], ["sysname b", "x", "w", "z", "v"]
    assert _shown(old, new) == ["-sysname a", "+sysname b", "-y", "+w", "+v"]
    assert _shown(["a", "b"], ["b", "a"]) == []


def test_a_difference_names_its_block() -> None:
    old = ["sysname r1", "pki realm a", " ca id x", " ca2", "pki realm b", " ca id b"]
    new = ["sysname r1", "pki realm a", " ca2", " ca id y", "pki realm c", " ca id c"]
    assert _shown(old, new) == [
        " pki realm a",
        "- ca id x",
        "+ ca id y",
        "-pki realm b",
        "- ca id b",
        "+pki realm c",
        "+ ca id c",
    ]
