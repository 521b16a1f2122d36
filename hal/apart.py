"""Work that a child does, so that what it needs for that does not stay in this process."""

from __future__ import annotations

import os
from collections.abc import Callable

from hal.files import write_all

_CHUNK_BYTES = 64 * 1024


def apart(work: Callable[[], bytes]) -> bytes:
    """What `work` gives, which a child of this process does. Waits for it; empty when it fails.

    Raises OSError where there is no room for a child or for a pipe.
    """
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        raise
    if child == 0:
        try:
            write_all(writer, work())
        finally:
            os._exit(0)  # nothing of this process is tidied up twice
    os.close(writer)
    try:
        return b"".join(iter(lambda: os.read(reader, _CHUNK_BYTES), b""))
    finally:
        os.close(reader)
        os.waitpid(child, 0)
