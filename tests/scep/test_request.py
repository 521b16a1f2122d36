"""PKCS#10: what we write and what openssl writes is read; damage is a BerError."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep import ber, messages, names, oids, request
from agent.scep.certificate import Signature
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab
from tests.scep.test_operations import ENTITY


def made(
    password: str | None = "sekret", usage: tuple[str, ...] = ("ike",), **entity: Any
) -> bytes:
    shape = messages.Request("", 0, "sha-256", {**ENTITY, **entity}, usage, password)
    return messages.certification_request(shape, lab.own("dev"))


def test_a_request_of_ours() -> None:
    found = request.read(made())
    assert found.version == 1
    assert names.shown(found.subject) == "O=Lab, CN=dev1"
    assert found.spki == lab.public_der("dev")
    assert list(found.attributes) == [oids.CHALLENGE_PASSWORD]
    wanted = [oids.KEY_USAGE, oids.EXTENDED_KEY_USAGE, oids.SUBJECT_ALT_NAME]
    assert list(found.extensions) == wanted
    assert found.signature == Signature(oids.RSA_SIGNATURES["sha-256"], "rsa", "sha-256")


def test_a_request_without_attributes() -> None:
    words = ("req", "-new", "-key", "/dev/stdin", "-subj", "/CN=x", "-outform", "der")
    for data in (made(None, (), fqdn=None), files.openssl(*words, data=files.key_pem("dev"))):
        found = request.read(data)
        assert (found.attributes, found.extensions) == ({}, {})


@pytest.mark.parametrize("data", [b"", b"junk", lab.root().der, b"\x30\x00"])
def test_what_is_no_request(data: bytes) -> None:
    with pytest.raises(ber.BerError):
        request.read(data)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.data())
def test_damage_is_a_der_error_or_a_request(data: st.DataObject) -> None:
    whole = bytearray(made())
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    try:
        found = request.read(bytes(whole))
    except ValueError:
        return
    assert found.spki
