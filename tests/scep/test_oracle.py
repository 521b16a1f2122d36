"""All errors of decryption are one: one way through the code, one error, asserted on the calls.

Time cannot be asserted; what is done can. The replies are rows of the vectors: signed and addressed
as they should be, and wrong in one thing that only the private key can tell. Watched is every call
within the protocol core, and each call of it into the library; what the reader of DER does with the
octets that came out is left out, since whoever chooses them without the key has no say in it.
"""

import os
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from agent import child
from agent.scep import crypto
from hal import cbor
from tests.helpers import keeping
from tests.vectors import desk
from tests.vectors.row import Row, load
from tests.vectors.server import Vectors

# What only the private key can tell: key transport, length of the content key, padding, content.
SECRET = (
    "envelope-other-key", "key-broken", "key-length", "padding", "inner-garbage",
    "inner-empty", "inner-huge",
)  # fmt: skip
# What everybody sees who has the reply: the same error, though there is less to do.
PUBLIC = (
    "recipient", "recipient-ca", "recipients-none", "envelope-two-of-us", "key-short", "key-huge",
    "block-cut", "text-empty", "iv-short", "inner-trailing", "inner-other",
)  # fmt: skip
ROWS = {row.name: row for row in load() if row.name in (*SECRET, *PUBLIC, "honest")}
# The octets of a reply, and the pieces in which they come, are seen by everybody.
_OF_THE_WIRE = ("ber", "der", "httpanswer", "httpcoding", "transport")
LEFT_OUT = tuple(f"agent/scep/{name}.py" for name in _OF_THE_WIRE)
# What a call of ours into the library is called, in its versions from 38 on.
LIBRARY = ("decrypt", "update", "finalize", "decryptor", "unpadder")


@pytest.fixture(scope="module")
def served() -> Iterator[Vectors]:
    with Vectors(ROWS.values()) as vectors:
        yield vectors


def met(row: Row, served: Vectors) -> tuple[dict[str, Any], list[str]]:
    """The answer of the row's job, and the calls that led to it."""
    calls: list[str] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        path = frame.f_code.co_filename
        ours = "/agent/" in path and not path.endswith(LEFT_OUT)
        if event == "call" and ours:
            calls.append(f"{os.path.basename(path)}:{frame.f_code.co_qualname}")
        elif event == "call" and _called_by_crypto(frame) and frame.f_code.co_name in LIBRARY:
            calls.append(f"library:{frame.f_code.co_name}")
        elif event == "c_call" and path.endswith("agent/scep/crypto.py"):
            calls.append(f"library:{argument.__name__}")

    descriptor = keeping.device_key(desk.DEVICE_KEY)
    job, hands = keeping.parted(desk.job(row, served.url(row)), [descriptor])
    crypto.verify.cache_clear()  # each verifies what it is sent
    sys.setprofile(watch)
    try:
        answer = child.perform(cbor.dumps(job), hands)
    finally:
        sys.setprofile(None)
        os.close(descriptor)
    return answer, calls


def _called_by_crypto(frame: FrameType) -> bool:
    caller = frame.f_back
    return caller is not None and caller.f_code.co_filename.endswith("agent/scep/crypto.py")


@pytest.fixture(scope="module")
def usual(served: Vectors) -> tuple[dict[str, Any], list[str]]:
    """A wrong padding: what all others are held against."""
    met(ROWS["padding"], served)  # once before: nothing is looked up for the first time any more
    return met(ROWS["padding"], served)


@pytest.mark.parametrize("name", SECRET)
def test_the_same_calls_and_the_same_error(
    name: str, served: Vectors, usual: tuple[dict[str, Any], list[str]]
) -> None:
    answer, calls = met(ROWS[name], served)
    assert answer == usual[0]
    assert answer["error"] == "cannot-decrypt"
    assert calls == usual[1]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_same_error_for_what_everybody_sees(
    name: str, served: Vectors, usual: tuple[dict[str, Any], list[str]]
) -> None:
    assert met(ROWS[name], served)[0] == usual[0]


def test_the_private_key_and_the_cipher_are_used_once(
    usual: tuple[dict[str, Any], list[str]], served: Vectors
) -> None:
    """What is watched is there, and a reply that is good goes on from where the others end."""
    calls = usual[1]
    for once in ("cms.py:decrypt", "crypto.py:unwrap", "crypto.py:decrypt_cbc"):
        assert calls.count(once) == 1
    assert calls.index("crypto.py:unwrap") > calls.index("trust.py:accept")
    assert "library:decrypt" in calls
    assert "library:finalize" in calls
    good = met(ROWS["honest"], served)[1]
    at = good.index("crypto.py:decrypt_cbc")
    assert good[: at + 1] == calls[: at + 1]
    assert "trust.py:_ours" in good
    assert "trust.py:_ours" not in calls
