"""What a row of the catalogue of errors is, and the words for who is at fault and what to do."""

from __future__ import annotations

from hal.named import NamedTuple

NOW, LATER, OPERATOR = "now", "later", "operator"
PEER, LOCAL = "peer", "local"


class Row(NamedTuple):
    """One code of the catalogue; the three texts may hold `{names}` that `fail` fills in."""

    family: str
    retry: str
    what: str
    cause: str
    remedy: str
