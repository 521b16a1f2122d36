"""A name server on loopback that knows a few names of type A (RFC 1035 4.1), as a thread."""

import random
import socket
import struct
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

A, NAME_ERROR, ANSWER = 1, 3, 0x8180
DATAGRAM_BYTES = 512


class NameServer:
    """`with NameServer({"ca.example": "127.0.0.1"}) as server:` has an `address` of its own, port
    53, where nothing but a resolver looks. Names that it does not know do not exist."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.address = ""
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        while not self.address:
            address = "127.{}.{}.{}".format(*(random.randint(1, 254) for _ in range(3)))
            try:
                self._sock.bind((address, 53))
            except OSError:
                continue  # another test has it
            self.address = address
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sock.sendto(b"", (self.address, 53))
        self._thread.join(10)
        self._sock.close()

    def _serve(self) -> None:
        while True:
            query, peer = self._sock.recvfrom(DATAGRAM_BYTES)
            if not query:  # ourselves: the end
                return
            self._sock.sendto(self._answer(query), peer)

    def _answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode())
            at += 1 + length
        name, (kind,) = ".".join(labels), struct.unpack_from(">H", query, at + 1)
        self.asked.append(name)
        question, address = query[12 : at + 5], self._names.get(name)
        records = b""
        if address and kind == A:
            records = struct.pack(">HHHIH", 0xC00C, A, 1, 0, 4) + socket.inet_aton(address)
        code = ANSWER if address else ANSWER | NAME_ERROR
        head = query[:2] + struct.pack(">HHHHH", code, 1, bool(records), 0, 0)
        return head + question + records
