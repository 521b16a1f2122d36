"""What a child of a fork is spared: functions that libraries want called in each one, a collector.

`threading` counts its threads anew, and there is one; `random` draws another seed, and nobody asks
it for a number. A child copies each page that it writes to, so the two of them would cost every
child some 150 pages, a sixth of what a small job copies. A function of any other library is called.

Chance that counts comes from the kernel, and from libcrypto, which looks for a fork by itself.

The collector of cycles would write to the pages of all objects. It is off before anything is
loaded, since it also looks at them sixty times meanwhile, for a tenth of what loading costs, and
finds next to nothing.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

_SPARED = ("threading", "random")


def spare_children() -> None:
    """To be called before anything else is imported: these two ask when they are loaded."""
    gc.disable()
    register = os.register_at_fork

    def chosen(**calls: Callable[[], object]) -> None:
        if not all(getattr(call, "__module__", "") in _SPARED for call in calls.values()):
            register(**calls)

    setattr(os, "register_at_fork", chosen)  # noqa: B010
