"""The identity of a machine: the same at each start, another one on other hardware."""

import os
from pathlib import Path

import pytest

from hal.machine import host_name, identity


def test_it_is_the_same_until_one_of_its_numbers_is_another(tmp_path: Path) -> None:
    places = tuple(str(tmp_path / name) for name in ("tree", "dmi", "id"))
    Path(places[0]).write_bytes(b"0042\0")
    Path(places[2]).write_bytes(b"abc\n")
    found = [identity("SN1", places), identity("SN2", places)]
    assert found[0] == identity("SN1", places)
    Path(places[1]).write_bytes(b"uuid\n")
    found.append(identity("SN1", places))
    Path(places[2]).write_bytes(b"abd\n")
    found.append(identity("SN1", places))
    assert len(set(found)) == 4
    assert all(len(one) == 8 and int(one, 16) >= 0 for one in found)


def test_what_cannot_be_read_counts_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    places = tuple(str(tmp_path / name) for name in ("folder", "pipe", "absent"))
    assert identity("", places) == identity("", ("/nowhere",) * 3)


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("gate-7", "gate-7"),
        ("Gate_7.example.net", "Gate_7"),
        ("4f3e2d1c0b9a", "4f3e2d1c0b9a"),
        ("x" * 64, "x" * 64),
        ("x", "x"),
    ],
)
def test_the_host_name_is_the_first_label(node: str, name: str) -> None:
    assert host_name(node) == name


@pytest.mark.parametrize(
    "node",
    [
        *(
            "",
            "(none)",
            "localhost",
            "LocalHost.localdomain",
            ".example",
            "192.0.2.7",
            "2001:db8::7",
        ),
        *("gate 7", "gate\n7", "-gate", "gate-", "<gate>", "gate]", "k\u00f6ln", "x" * 65, "7"),
    ],
)
def test_what_is_no_name_for_a_device(node: str) -> None:
    assert host_name(node) == ""
