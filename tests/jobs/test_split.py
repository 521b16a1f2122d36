"""A job with keys and a network: what each of its two children is told, and what none is."""

from typing import Any

import pytest

from agent.jobs.contract import ROWS
from agent.jobs.split import split
from hal import cbor

PAIR = {"name": "k1", "generation": 1, "sealed": b"SEALED-1", "spki": b"public 1"}
OLD = {"name": "k0", "generation": 7, "sealed": b"SEALED-0", "spki": b"public 0"}
RENEWAL = {"certificate": b"in use", "key": OLD, "message_type": 17, "with_password": True}
JOB: dict[str, Any] = {
    "realm": "r", "digest": "sha-256", "key": PAIR, "password": "SEALED-W", "renewal": None,
    "signer": {"certificate": b"in use", "key": OLD},
}  # fmt: skip
# (operation, whether a certificate in use signs) -> (field, signatures, unwraps) of each key
ASKED = {
    ("enrol", False): [("key", 3, 1)],
    ("enrol", True): [("key", 1, 0), ("renewal.key", 1, 1)],
    ("poll", False): [("key", 2, 1)],
    ("poll", True): [("renewal.key", 1, 1)],
    ("get-cert", False): [("key", 2, 1)],
    ("get-cert", True): [("renewal.key", 1, 1)],
    ("get-crl", False): [("signer.key", 1, 1)],
    ("activate", False): [("key", 0, 0)],
}
PAIRS = {op for op, row in ROWS.items() if row.asks}


@pytest.mark.parametrize(("op", "renewing"), ASKED)
def test_whoever_keeps_keys_is_told_which_and_how_often(op: str, renewing: bool) -> None:
    job = {**JOB, "op": op, "renewal": RENEWAL if renewing else None}
    kept: Any = split(ROWS[op], job)[1]
    counted = [(one["field"], one["signatures"], one["unwraps"]) for one in kept["keys"]]
    assert counted == ASKED[op, renewing]
    for one in kept["keys"]:
        pair = PAIR if one["field"] == "key" else OLD
        assert pair.items() <= one.items()
    assert kept["digest"] == "sha-256"
    assert kept["password"] == ("SEALED-W" if op == "enrol" else None)
    assert kept["places"] == ("key" if op == "activate" else None)


@pytest.mark.parametrize(("op", "renewing"), ASKED)
def test_whoever_talks_is_told_no_sealed_byte(op: str, renewing: bool) -> None:
    fields = {path.partition(".")[0] for path in ROWS[op].opens.split()}
    job = {"op": op, "realm": "r"} | {name: JOB[name] for name in fields}
    if renewing:
        job["renewal"] = RENEWAL
    talking, _kept = split(ROWS[op], job)
    assert b"SEALED" not in cbor.dumps(talking)
    assert talking["realm"] == "r"
    assert renewing or talking.get("renewal") is None
    if "key" in fields:
        assert talking["key"] == {"spki": b"public 1"}
    if renewing:
        renewal: Any = talking["renewal"]
        assert renewal == {**RENEWAL, "key": {"spki": b"public 0"}}
    assert b"SEALED" in cbor.dumps(job)  # the caller's is as it was


def test_every_job_with_keys_and_a_network_is_split() -> None:
    assert {op for op, _renewing in ASKED} == PAIRS
    placed = {op for op, row in ROWS.items() if row.places}
    assert placed == {"activate"}
    assert {op for op, row in ROWS.items() if row.network and row.opens} == PAIRS - placed
    for op in PAIRS:
        row = ROWS[op]
        asked = {one.split(":")[0] for one in f"{row.asks} {row.asks_renewing}".split()}
        assert asked | set(row.hands_over.split()) == set(row.opens.split())
        assert not row.seals


def test_a_job_without_its_fields_is_left_to_the_child_to_refuse() -> None:
    assert split(ROWS["enrol"], {"op": "enrol"}) == (
        {"op": "enrol"},
        {"keys": [], "digest": None, "password": None, "places": None},
    )
