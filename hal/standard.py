"""The standard streams of a process.

Fault model. An init, or a shell by `>&-`, starts the program with some of them closed: the next
file that is opened gets that number, and a line for a person would go into the flash. Who reads
standard output goes away (`| head`), or the disk behind it is full. Promised: /dev/null takes the
place of a stream that is closed; output that cannot be written is an error with a name.
"""

from __future__ import annotations

import os
import sys

from hal.ports import FilesError

_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}  # in the order of their numbers


def fill() -> None:
    """Opens /dev/null for each stream that is closed; to be called before any file is opened."""
    for number, (name, mode) in enumerate(_MODES.items()):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest number that is free: this one
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def say(text: bytes) -> None:
    """Writes to standard output, at once.

    Raises BrokenPipeError when nobody reads any more, FilesError for all else. What is said behind
    that goes nowhere.
    """
    try:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
    except OSError as error:
        _give_up()
        if isinstance(error, BrokenPipeError):
            raise
        raise FilesError(str(error.strerror), "standard output") from None


def _give_up() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
