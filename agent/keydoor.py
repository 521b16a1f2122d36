"""The door between the two children of a job: one keeps its keys, one talks to a CA.

    key child -> talking child   once: CBOR, {ok: {password}} or the map of an error; the private
                                 key that a job places has been written then
    talking   -> key child       a question: verb, name of the key, digest, digest of MGF1, size;
                                 then the digest that is to be signed, or the block
    key child -> talking child   the signature, NONE where this system refuses the digest, or the
                                 content key: exactly as many bytes as the question says

Messages stay whole (SOCK_SEQPACKET), and no length is read from one that the other side chose.
A question that no job asks ends the key child, and with it the job; so does the end of either side.
Nothing that crosses is PEM or a key of `cryptography`: what stands behind the door may be hardware.
"""

from __future__ import annotations

import socket
import struct

from agent.errors import AgentError, fail, from_map
from agent.scep.keys import Keeper, Oaep, RefusedError
from hal import cbor

SIGN, UNWRAP = b"S", b"U"
NONE = b"\0"  # no signature and no content key has one byte
_QUESTION = struct.Struct("<c16s8s8sH")
_MESSAGE_BYTES = 8 * 1024  # a block of RSA-16384 has 2 KiB, an error three texts of 1


def serve(door: socket.socket, keeper: Keeper) -> None:
    """Answers until no question is left, or nobody is there to ask; raises RefusedError."""
    while not keeper.finished:
        question = door.recv(_MESSAGE_BYTES)
        if not question:
            return
        door.sendall(_answered(question, keeper))


def _answered(question: bytes, keeper: Keeper) -> bytes:
    if len(question) < _QUESTION.size:
        raise RefusedError("no question")
    verb, *words, size = _QUESTION.unpack_from(question)
    name, digest, mask = (word.rstrip(b"\0").decode("ascii", "replace") for word in words)
    rest = question[_QUESTION.size :]
    if verb == UNWRAP:
        return keeper.unwrap(name, rest, size, (digest, mask) if digest else None)
    if verb != SIGN:
        raise RefusedError("no question")
    try:
        return keeper.sign(name, digest, rest)
    except AgentError:  # the one that there is: `digest-refused`
        return NONE


class Asked:
    """The other side, for the child that talks. See `agent.scep.keys.Holder`.

    What the key child says first is read when it is needed, so that both work at the same time.
    """

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._said: dict[str, object] | None = None

    def ready(self) -> None:
        self._heard()

    def password(self) -> str | None:
        password = self._heard().get("password")
        return password if isinstance(password, str) else None

    def sign(self, name: str, digest: str, value: bytes) -> bytes:
        self._heard()
        signature = self._ask(SIGN, name, (digest, ""), 0, value)
        if signature == NONE:
            raise fail("digest-refused", digest=digest)
        return signature

    def unwrap(self, name: str, block: bytes, size: int, oaep: Oaep | None) -> bytes:
        self._heard()
        return self._ask(UNWRAP, name, oaep or ("", ""), size, block)

    def _ask(self, verb: bytes, name: str, digests: Oaep, size: int, rest: bytes) -> bytes:
        words = (word.encode() for word in (name, *digests))
        try:
            self._door.sendall(_QUESTION.pack(verb, *words, size) + rest)
        except OSError:
            raise fail("job-died") from None
        return self._read()

    def _read(self) -> bytes:
        try:
            answer = self._door.recv(_MESSAGE_BYTES)
        except OSError:
            answer = b""
        if not answer:
            raise fail("job-died")
        return answer

    def _heard(self) -> dict[str, object]:
        """The first message, once; raises the error that it tells."""
        if self._said is None:
            told = cbor.loads(self._read(), max_bytes=_MESSAGE_BYTES)
            said = told.get("ok") if isinstance(told, dict) else None
            if not isinstance(said, dict):
                raise from_map(told if isinstance(told, dict) else {})
            self._said = said
        return self._said
