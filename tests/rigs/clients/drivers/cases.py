"""What the scripts of this folder share: where the agent is, and how a case is reported.

They run in the environment of requirements/clients.txt, which knows nothing of the agent's sources.
"""

import os
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import version

HOST, PORT, USER, PASSWORD = "127.0.0.1", int(os.environ["PORT"]), "netops", "let-me-in"


def check(holds: object, told: object) -> None:
    """Fails the case with what was told."""
    if not holds:
        raise AssertionError(told)


def run(package: str, *cases: Callable[[], None]) -> None:
    """A line for the version, and one for each case: `passed NAME` or `failed NAME`."""
    print(f"version {package} {version(package)}")
    for case in cases:
        try:
            case()
        except Exception:
            traceback.print_exc(file=sys.stderr)
            print(f"failed {package}: {case.__doc__}")
        else:
            print(f"passed {package}: {case.__doc__}")
