"""What a client of the console socket and the agent say to each other beside text."""

from __future__ import annotations

HELLO = "scep-agent/1"
TERMINAL, SCRIPT = "terminal", "script"
# A configuration follows, to be applied or compared, alone or behind the running one.
APPLY, DRY_RUN, MERGE, DRY_MERGE = "apply", "dry-run", "merge", "dry-merge"
HELLO_BYTES = 64
END = b"\0"  # ends a script; before the exit status of one. No text of ours holds a NUL


def hello(kind: str, width: int = 0, height: int = 0) -> bytes:
    """The first line of a client: its kind, and the size of a terminal."""
    return f"{HELLO} {kind} {width} {height}\n".encode()
