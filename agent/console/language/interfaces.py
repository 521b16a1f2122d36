"""Names of interfaces: as VRP writes them, as Linux does, and which of them the board calls alike.

VRP names an interface by type and number, in any case, the type cut short, with a blank between the
two or without. One spelling is kept: the type in full, no blank. The numbers of ports have slashes,
which no name of Linux has, so `Gi0/0/1` can be nothing else. `Tunnel0` may be a name of Linux as
well: it is one unless the board file says otherwise, and no type of that kind is cut short freely.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent import limits
from agent.console.language.grammar import Parameter
from agent.console.language.parameters import check_length, text

# Types of VRP, each with what is short for it; a beginning of PORTS is so without being here.
PORTS = {
    "GigabitEthernet": ("ge",),
    "XGigabitEthernet": ("xge",),
    **{f"{speed}GE": () for speed in (10, 25, 40, 100)},
    "Ethernet": (),
    "Serial": (),
    "Cellular": (),
}
OTHERS = {
    "LoopBack": ("lo", "loop"),
    "Vlanif": (),
    "Eth-Trunk": (),
    "Tunnel": (),
    "Dialer": (),
    "Virtual-Template": (),
    "Bridge-if": (),
}
_LINUX = "lo"  # a name of Linux, and short for a type
_PARTS = re.compile(r"((?:10|25|40|100)?[A-Za-z][A-Za-z\-]*) *([0-9][0-9/.]*)")
_INTERFACE = re.compile(r"(?:10|25|40|100)?[A-Za-z][A-Za-z0-9_.\-]*([0-9]+(/[0-9]+)*(\.[0-9]+)?)?")
_TYPE = re.compile(r"(?:10|25|40|100)?[A-Za-z][A-Za-z\-]*")
_NUMBER = re.compile(r"[0-9]+(/[0-9]+)*(\.[0-9]+)?")


def _named(word: str, types: Mapping[str, tuple[str, ...]]) -> str | None:
    """The type that a word names, in full or in short."""
    word = word.casefold()
    named = [full for full, shorts in types.items() if word in (full.casefold(), *shorts)]
    return named[0] if named else None


def _port(word: str) -> str | None:
    """The type of a port; also by its beginning, if that is of no other one."""
    begun = [full for full in PORTS if full.casefold().startswith(word.casefold())]
    return _named(word, PORTS) or (begun[0] if len(begun) == 1 else None)


def spelled(name: str) -> str:
    """The spelling of VRP; a name that is none of VRP is left as it is, without blanks."""
    found = _PARTS.fullmatch(name)
    if found:
        kind, number = found.groups()
        full = _port(kind) if "/" in number else _named(kind, OTHERS)
        return f"{full or kind}{number}"
    return name.replace(" ", "")


class InterfaceNames:
    """What the board calls its interfaces. `table`: router names to Linux names."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._known = {spelled(n).casefold(): (spelled(n), table[n]) for n in table}

    def kept(self, typed: str) -> str:
        """The one spelling of a name that was typed."""
        name = spelled(typed)
        known = self._known.get(name.casefold())
        if known:
            return known[0]
        return name if "/" in name else typed.replace(" ", "")

    def linux(self, name: str) -> str:
        """The Linux name of an interface; of one that the board does not know the name itself."""
        known = self._known.get(spelled(name).casefold())
        return known[1] if known else self.kept(name)

    def router(self, linux: str) -> list[str]:
        """The router names of an interface of Linux."""
        return [router for router, behind in self._known.values() if behind == linux]


def _interface(
    help_text: str, accept: re.Pattern[str], reason: str, example: str, high: int
) -> Parameter:
    return text(help_text, 1, high, accept, reason)._replace(example=example)


_PART = limits.INTERFACE_PART_CHARACTERS
_ANY = _interface(
    "Name of an interface",
    _INTERFACE,
    "it is no name of an interface",
    "eth0",
    limits.INTERFACE_CHARACTERS,
)


def _read_interface(word: str) -> str:
    if word != _LINUX and (_named(word, PORTS) or _named(word, OTHERS)):
        raise ValueError("a number belongs behind the type of an interface")
    check_length(spelled(word), 1, limits.INTERFACE_CHARACTERS)  # as it will be read again
    return str(_ANY.read(word))


INTERFACE = _ANY._replace(read=_read_interface)
INTERFACE_TYPE = _interface(
    "Type of an interface", _TYPE, "it is no type of an interface", "GigabitEthernet", _PART
)._replace(low=None, high=None)  # no range that a line would show: a longer word is a whole name
INTERFACE_NUMBER = _interface(
    "Number of an interface", _NUMBER, "it is no interface number", "0/0/1", _PART
)._replace(label="NUMBER[/NUMBER]")
