"""A fault for `tests/rigs/broken_records.py` to find: a start that believes what it reads."""

from typing import Any

from tests.rigs.broken_records import Broken


class Believing(Broken):
    """Looks up the pin of each CA set, which has the right types, so what can be wrong?"""

    def _boot(self) -> None:
        super()._boot()
        for key in self.store.keys("ca/"):
            value: Any = self.store.get(key)
            if isinstance(value, dict) and value.get("certificates"):
                value["certificates"][value["pin_index"]]
