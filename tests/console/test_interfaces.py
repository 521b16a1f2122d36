"""Names of interfaces: one spelling, VRP's short types, names of Linux left alone."""

import pytest

from agent.console.language import interfaces
from agent.console.language.interfaces import InterfaceNames, spelled
from tests.helpers.terminal import realm_script

GIGABIT = "GigabitEthernet0/0/1"
BOARD = InterfaceNames({"gigabitethernet 0/0/1": "eth1", "Lo0": "dummy0", "Vlanif10": "br-lan.10"})


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        *((typed, GIGABIT) for typed in (
            GIGABIT, "GigabitEthernet 0/0/1", "gigabitethernet0/0/1", "GIGABITETHERNET 0/0/1",
            "Gi0/0/1", "gi 0/0/1", "GE0/0/1", "ge 0/0/1", "g0/0/1", "Gig 0/0/1",
        )),
        ("gi0/0/1.100", "GigabitEthernet0/0/1.100"),
        ("XGE1/0/1", "XGigabitEthernet1/0/1"),
        ("x 1/0/1", "XGigabitEthernet1/0/1"),
        ("Eth0/0/0", "Ethernet0/0/0"),
        ("e0/0/0", "Ethernet0/0/0"),
        ("10ge1/0/1", "10GE1/0/1"),
        ("100GE 1/0/1", "100GE1/0/1"),
        ("Ser1/0/0", "Serial1/0/0"),
        ("Loop0", "LoopBack0"),
        ("lo 0", "LoopBack0"),
        ("vlanif 10", "Vlanif10"),
        ("Eth-Trunk1", "Eth-Trunk1"),
        ("Tun0/0/1", "Tun0/0/1"),
        ("eth0", "eth0"),
        ("vlan10", "vlan10"),
        ("br-lan", "br-lan"),
        ("wlan0.5", "wlan0.5"),
    ],
)  # fmt: skip
def test_the_spelling_of_vrp(typed: str, full: str) -> None:
    assert spelled(typed) == full
    assert spelled(full) == full


@pytest.mark.parametrize(
    ("typed", "kept", "linux"),
    [
        *((typed, GIGABIT, "eth1") for typed in (GIGABIT, "gi 0/0/1", "GE0/0/1", "GIG 0/0/1")),
        ("Gi0/0/2", "GigabitEthernet0/0/2", "GigabitEthernet0/0/2"),
        ("LoopBack0", "LoopBack0", "dummy0"),
        ("lo0", "LoopBack0", "dummy0"),
        ("vlanif 10", "Vlanif10", "br-lan.10"),
        ("vlanif 11", "vlanif11", "vlanif11"),
        *((name, name, name) for name in ("eth0", "lo", "tunnel0", "tun0", "vlan10", "br-lan",
                                          "eth0.100", "wg0", "ge0", "e1")),
        ("eth 0", "eth0", "eth0"),
    ],
)  # fmt: skip
def test_what_is_kept_and_what_linux_is_asked_for(typed: str, kept: str, linux: str) -> None:
    assert BOARD.kept(typed) == kept
    assert BOARD.kept(kept) == kept
    assert BOARD.linux(kept) == BOARD.linux(typed) == linux


def test_router_names_of_an_interface_of_linux() -> None:
    names = InterfaceNames({"Gi0/0/1": "eth1", "WAN": "eth1", "LoopBack0": "lo"})
    assert [names.router(one) for one in ("eth1", "lo", "eth2")] == [
        [GIGABIT, "WAN"],
        ["LoopBack0"],
        [],
    ]
    assert names.linux("wan") == "eth1"


@pytest.mark.parametrize("word", ["eth0", "eth0.100", GIGABIT, "br-lan", "lo", "10GE1/0/1", "wan"])
def test_names_that_the_parser_takes(word: str) -> None:
    assert interfaces.INTERFACE.read(word) == word


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        *((word, "a number belongs") for word in (
            "GigabitEthernet", "gigabitethernet", "GE", "ge", "Ethernet", "LoopBack", "Lo",
            "Vlanif", "Eth-Trunk", "40GE",
        )),
        *((word, "no name") for word in ("0eth", "eth:0", "eth 0", "1")),
    ],
)  # fmt: skip
def test_names_that_it_refuses(word: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        interfaces.INTERFACE.read(word)


def test_what_is_taken_in_two_words_or_cut_short_is_taken_again_as_it_is_shown() -> None:
    kind, number = "x" * 20, "0/" * 9 + "10"
    assert interfaces.INTERFACE_TYPE.read(kind) + interfaces.INTERFACE_NUMBER.read(number)
    assert interfaces.INTERFACE.read(spelled(f"{kind} {number}"))
    assert interfaces.INTERFACE.read(f"gi{'0/' * 12}1") == f"gi{'0/' * 12}1"
    with pytest.raises(ValueError, match="1 to 40 characters are possible, not 42"):
        interfaces.INTERFACE.read(f"gi{'0/' * 13}1")


@pytest.mark.parametrize("words", ["source interface", "pki entity e1"])
def test_a_type_without_a_number_is_an_incomplete_command(words: str) -> None:
    _device, script, _realm = realm_script()
    line = words
    if words.startswith("pki"):
        script.run(words)
        line = "ip-address"
    for kind in ("GigabitEthernet", "GE", "LoopBack"):
        text, status = script.run(f"{line} {kind}")
        assert "Error: Incomplete command found" in text
        assert status == 1


@pytest.mark.parametrize(
    "typed", ["GigabitEthernet 0/0/1", GIGABIT, "gi0/0/1", "GE 0/0/1", "gigabitethernet0/0/1"]
)
def test_one_spelling_in_the_configuration(typed: str) -> None:
    _device, script, realm = realm_script()
    text, status = script.run(f"source interface {typed} bind-device")
    assert status == 0
    assert "has no address now" in text, "the board knows it: eth1"
    assert realm.source_interface == GIGABIT
    assert f" source interface {GIGABIT} bind-device\n" in script.run("display this")[0]
