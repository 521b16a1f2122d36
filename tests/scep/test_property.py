"""Whole jobs against damaged answers: only our two families of errors come out, or the truth.

The readers have their own such tests (`test_scep_*`); here everything is in place: HTTP, readers,
trust, and the border of the job child, where an exception of anybody else would be `job-fault`.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import CATALOGUE, from_map
from hal import cbor
from tests.helpers import keeping
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.scep.test_operations import MiniCa, device_key, job_for

SETTINGS = settings(derandomize=True, deadline=None, max_examples=80)
QUICK = {"connect_s": 2, "receive_s": 1, "exchange_s": 2}
REPLIES = {
    "issued": MiniCa(),
    "pending": MiniCa(status="3"),
    "refused": MiniCa(status="2", fail_info="2"),
}

Damage = Callable[[bytes], bytes]


def outcome(job: dict[str, Any], answer: Damage) -> dict[str, Any]:
    """What a child would answer to the agent; it fits through the channel between them."""
    descriptor = device_key()
    try:
        with web.serving(answer) as server:
            found = keeping.perform({**job, "url": server.url(), "limits": QUICK}, [descriptor])
    finally:
        os.close(descriptor)
    assert cbor.loads(cbor.dumps(found), max_bytes=1 << 20) == found
    return found


def check(found: dict[str, Any]) -> None:
    """An error of the catalogue that is told in three printable lines, and no fault of ours."""
    code = found["error"]
    assert code in CATALOGUE
    assert code != "job-fault", found["what"]
    error = from_map(found)
    for text in (error.what, error.cause, error.remedy):
        assert text.isprintable()
        assert 0 < len(text) < 1024


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    """One bit turned, the end cut off, or some bytes replaced, somewhere in a whole answer."""
    where = draw(st.floats(0, 1, exclude_max=True))
    bit, cut = draw(st.integers(0, 7)), draw(st.integers(0, 9)) == 0
    noise = draw(st.binary(max_size=3))

    def damage(answer: bytes) -> bytes:
        at = int(where * len(answer))
        if cut:
            return answer[:at]
        if noise:
            return answer[:at] + noise + answer[at + len(noise) :]
        return answer[:at] + bytes([answer[at] ^ 1 << bit]) + answer[at + 1 :]

    return damage


@pytest.mark.slow
@SETTINGS
@given(st.sampled_from(sorted(REPLIES)), damages())
def test_a_damaged_reply_is_an_error_or_what_the_ca_said(kind: str, damage: Damage) -> None:
    job = job_for("")
    ca = MiniCa(**REPLIES[kind].how)
    found = outcome(job, lambda request: damage(ca(request)))
    if "ok" not in found:
        check(found)
        return
    assert found["ok"]["status"] == kind  # the damage was in what nobody signs or needs
    if kind == "issued":
        assert found["ok"]["certificate"]["subject"] == "O=Lab, CN=dev1"


@SETTINGS
@given(damages())
def test_a_damaged_ca_set_is_an_error_or_certificates(damage: Damage) -> None:
    """Nothing protects it: the pin judges it later. But it is read, or it is an error."""
    answer = web.ok(lab.degenerate([lab.root().der, lab.sub().der]))
    found = outcome({**job_for(""), "op": "fetch-ca"}, lambda _: damage(answer))
    if "ok" not in found:
        check(found)
        return
    for record in found["ok"]["certificates"]:
        assert record["subject"].isprintable()


@pytest.mark.slow
@SETTINGS
@given(st.binary(max_size=300), st.sampled_from(["enrol", "poll", "fetch-ca"]))
def test_a_random_body_is_an_error(body: bytes, op: str) -> None:
    check(outcome({**job_for(""), "op": op}, lambda _: web.ok(body)))
