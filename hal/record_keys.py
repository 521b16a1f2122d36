"""The keys under which records lie in the store.

`config`, `config/console/{0,1}`, `config/saving`, `config/{entity,realm}/<name>/{0,1}`,
`key/<name>/<generation>`, `realm/<realm>/{ca,request,local,next,outcome,crl,alarms}`,
`ca/<number>`, `lost`, `starts`, `erase`, `clock`, `machine`; names are case-folded, save those of
key pairs, which VRP compares exactly.
"""

from __future__ import annotations


def config_key() -> str:
    """Key of the saved configuration."""
    return "config"


def console_key(copy: int) -> str:
    """Key of one of the copies of its blocks console and users."""
    return f"config/console/{copy}"


def block_key(block: str, copy: int) -> str:
    """Key of one of the copies of a block, `entity/<name>` or `realm/<name>`."""
    return f"config/{block}/{copy}"


def saving_key() -> str:
    """Key of the mark of a large save that has begun."""
    return "config/saving"


def lost_key() -> str:
    """Key of what is remembered of records that were lost."""
    return "lost"


def starts_key() -> str:
    """Key of what is counted of starts that ended without order."""
    return "starts"


def erase_key() -> str:
    """Key of the mark of an erase that has begun."""
    return "erase"


def clock_key() -> str:
    """Key of the last time that is known."""
    return "clock"


def machine_key() -> str:
    """Key of the machine that the storage belongs to."""
    return "machine"


def ca_set_key(number: int) -> str:
    """Key of a set of CA certificates."""
    return f"ca/{number}"


def key_pair_key(name: str, generation: int) -> str:
    """Key of one generation of a key pair; names of key pairs are case-sensitive (VRP)."""
    return f"key/{name}/{generation}"


def key_pair_of(key: str) -> tuple[str, int]:
    """Name and generation of what `key_pair_key` has made; a name may hold slashes."""
    name, _, generation = key.removeprefix("key/").rpartition("/")
    return name, int(generation) if generation.isdecimal() else 0


def realm_key(realm: str, part: str) -> str:
    """Key of one part (ca, request, local, next, outcome, crl, alarms) of a realm."""
    return f"realm/{realm.casefold()}/{part}"
