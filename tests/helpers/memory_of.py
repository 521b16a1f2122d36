"""What another process has: its memory, its descriptors, its network. For root, or our own."""

import os
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

CHUNK = 1 << 20


def found_in(pid: int, needles: Iterable[bytes]) -> set[bytes]:
    """The needles that lie somewhere in the readable memory of a process."""
    wanted, found = set(needles), set[bytes]()
    longest = max(map(len, wanted))
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in _maps(pid):
            for at in range(start, end, CHUNK):
                try:  # a needle may lie across two pieces
                    piece = os.pread(memory.fileno(), min(CHUNK + longest, end - at), at)
                except OSError:  # [vvar] and the like
                    break
                found |= {needle for needle in wanted - found if needle in piece}
    return found


def _maps(pid: int) -> list[tuple[int, int]]:
    """The readable pieces that no file lies behind, and those of files that were written to."""
    made = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, modes, *_rest = line.split()
        if modes.startswith("rw"):
            start, end = (int(one, 16) for one in span.split("-"))
            made.append((start, end))
    return made


def secrets_of(key: rsa.RSAPrivateKey) -> tuple[bytes, ...]:
    """Pieces of a private key as DER has them, and as OpenSSL keeps numbers: the low end first."""
    numbers = key.private_numbers()
    words = []
    for number in (numbers.p, numbers.q, numbers.d, numbers.dmp1, numbers.dmq1):
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        words += [octets[8:40], octets[8:40][::-1]]
    return tuple(words)


def descriptors(pid: int) -> dict[int, str]:
    """Descriptor -> where it leads, as /proc has it."""
    folder = f"/proc/{pid}/fd"
    return {int(name): os.readlink(f"{folder}/{name}") for name in os.listdir(folder)}


def internet_sockets(pid: int) -> list[str]:
    """The descriptors of a process that are sockets of TCP or UDP."""
    inodes = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            inodes.add(f"socket:[{line.split()[9]}]")
    return [place for place in descriptors(pid).values() if place in inodes]


def network(pid: int) -> str:
    """The network name space of a process."""
    return os.readlink(f"/proc/{pid}/ns/net")
