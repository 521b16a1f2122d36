"""What this machine is called, and what tells it from one that was made from a copy of its storage.

Numbers that are in the hardware (device tree, DMI), and the one that a system draws at its first
start: an image that is copied as it should be is made without that. None of them is secret here;
a checksum is kept, which is short and tells nobody the number.
"""

from __future__ import annotations

import os
import re
from binascii import crc32

PLACES = (
    "/proc/device-tree/serial-number",
    "/sys/class/dmi/id/product_uuid",  # for root alone
    "/etc/machine-id",
)
_BYTES = 256
# A label of RFC 1123 2.1 with a letter in it, so no part of an address; some hosts use `_` as well.
_LABEL = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}[A-Za-z0-9_])?")


def host_name(node: str) -> str:
    """The first label of a node name of the kernel, at most 64 characters; "" for what nobody would
    call a device: no name at all, `(none)`, `localhost`, an address."""
    label = node.partition(".")[0]
    return label if _LABEL.fullmatch(label) and label.lower() != "localhost" else ""


def identity(serial: str, places: tuple[str, ...] = PLACES) -> str:
    """Eight hexadecimal digits from what can be read, and the serial number of the board file."""
    parts = [serial.encode(), *map(_read, places)]
    return f"{crc32(b'|'.join(parts)):08x}"


def _read(place: str) -> bytes:
    try:
        fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(fd, _BYTES).strip(b"\0\n ")
    except OSError:
        return b""
    finally:
        os.close(fd)
