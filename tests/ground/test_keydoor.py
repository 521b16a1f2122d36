"""The door between whoever keeps keys and whoever talks: its questions, over a real socket."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent import keydoor
from agent.errors import AgentError, fail
from agent.scep import crypto
from agent.scep.keys import RefusedError
from hal import cbor
from tests.helpers import scep_lab as lab
from tests.scep.test_keys import DIGEST, VALUE, keeper, pair, wrapped

HELLO = cbor.dumps({"ok": {"password": "sekret"}})


class Served:
    """Somebody who keeps keys, in a thread; `ended`: what ended it, None where no question was left
    or nobody asked."""

    def __init__(self, said: bytes = HELLO, **how: Any) -> None:
        inside, self.outside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ended: Exception | None = None
        kept = keeper(pair(**how))

        def serve() -> None:
            with inside:
                inside.sendall(said)
                try:
                    keydoor.serve(inside, kept)
                except RefusedError as error:
                    self.ended = error

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        self.asked = keydoor.Asked(self.outside)

    def end(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self.outside.close()
        self.end()


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    made: list[Served] = []

    def start(*said: bytes, **how: Any) -> Served:
        made.append(Served(*said, **how))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_both_ends_understand_each_other(serve: Serve) -> None:
    served = serve(signs=2)
    assert served.asked.password() == "sekret"
    for _question in range(2):
        signature = served.asked.sign("key", DIGEST, VALUE)
        assert crypto.verify(lab.public_der("dev"), "rsa", DIGEST, signature, b"data")
    assert served.asked.unwrap("key", wrapped(b"k" * 16), 16, None) == b"k" * 16
    served.end()  # no question is left
    assert served.ended is None


def test_oaep_goes_through_the_door(serve: Serve) -> None:
    served = serve()
    assert len(served.asked.unwrap("key", bytes(256), 32, ("sha-256", "sha1"))) == 32


def test_an_error_is_heard_when_something_is_wanted(serve: Serve) -> None:
    said = cbor.dumps(fail("sealed-unreadable", what="key pair k1").as_map())
    with pytest.raises(AgentError) as caught:
        serve(said).asked.sign("key", DIGEST, VALUE)
    assert (caught.value.code, "key pair k1" in caught.value.what) == ("sealed-unreadable", True)


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(AgentError) as caught:
        ask()
    return caught.value.code


def test_one_question_too_many_ends_it(serve: Serve) -> None:
    served = serve(signs=1)
    served.asked.sign("key", DIGEST, VALUE)
    assert code_of(lambda: served.asked.sign("key", DIGEST, VALUE)) == "job-died"
    served.end()
    assert isinstance(served.ended, RefusedError)
    assert code_of(lambda: served.asked.unwrap("key", bytes(256), 16, None)) == "job-died"


QUESTION = keydoor._QUESTION.pack(keydoor.SIGN, b"key", DIGEST.encode(), b"", 0)


@pytest.mark.parametrize(
    "message",
    [
        b"S",
        QUESTION,  # without a digest
        QUESTION + VALUE[1:],
        QUESTION + VALUE + b"\0",
        b"X" + QUESTION[1:] + VALUE,
        QUESTION.replace(b"sha-256", b"sha1\0\0\0") + VALUE[:20],
        QUESTION.replace(b"key", b"\xff\xff\xff") + VALUE,
        b"U" + QUESTION[1:-2] + b"\x10\0" + bytes(256),  # a digest, and none for MGF1
        bytes(100_000),
    ],
)
def test_what_is_no_question_of_a_job_ends_it(serve: Serve, message: bytes) -> None:
    served = serve()
    assert served.asked.password() == "sekret"
    served.outside.sendall(message)
    assert served.outside.recv(100) == b""
    served.end()
    assert isinstance(served.ended, RefusedError)


def test_nobody_who_asks_ends_it_in_peace(serve: Serve) -> None:
    served = serve()
    assert served.asked.password() == "sekret"
    served.close()
    assert served.ended is None


def test_a_digest_that_the_system_refuses_is_an_error_of_its_own() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        for message in (HELLO, keydoor.NONE):
            theirs.sendall(message)
        asked = keydoor.Asked(ours)
        assert code_of(lambda: asked.sign("key", "md5", bytes(16))) == "digest-refused"
