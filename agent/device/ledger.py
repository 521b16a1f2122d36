"""The bytes in the store that the reserve for renewals is counted from. Pure.

The reserve asks how large the certificate of each realm is and what it lacks. To look at all keys
of the store for each commit would be a thousand looks for each of a thousand enrolments; so the
ledger is made once of all keys, and is told of each key that changes.
"""

from __future__ import annotations

from collections.abc import Iterable

from hal.record_keys import key_pair_of


class Ledger:
    """`local`: bytes of the record of a certificate with its key, by folded realm. `requests` and
    `cas`: realms that have such a record. `pairs`: bytes of the generations of each key pair."""

    def __init__(self, sizes: Iterable[tuple[str, int]]) -> None:
        self.local: dict[str, int] = {}
        self.requests: set[str] = set()
        self.cas: set[str] = set()
        self.pairs: dict[str, dict[int, int]] = {}
        self.put(sizes)

    def put(self, sizes: Iterable[tuple[str, int]]) -> None:
        """Keys with their bytes as they are now; 0: the key is gone."""
        for key, size in sizes:
            room, _, rest = key.partition("/")
            if room == "realm":
                realm, _, part = rest.partition("/")
                self._put_part(realm, part, size)
            elif room == "key":
                name, generation = key_pair_of(key)
                if size:
                    self.pairs.setdefault(name, {})[generation] = size
                else:
                    self.pairs.get(name, {}).pop(generation, None)

    def _put_part(self, realm: str, part: str, size: int) -> None:
        if part == "local":
            if size:
                self.local[realm] = size
            else:
                self.local.pop(realm, None)
        elif part in ("request", "ca"):
            realms = self.requests if part == "request" else self.cas
            (realms.add if size else realms.discard)(realm)

    @property
    def served(self) -> list[str]:
        """The realms that have a certificate or apply for one, configured or not."""
        return [*self.local, *(realm for realm in self.requests if realm not in self.local)]

    def pair(self, name: str | None) -> int:
        """The bytes of the largest generation of a key pair; 0 where there is none."""
        return max(self.pairs.get(name or "", {}).values(), default=0)
