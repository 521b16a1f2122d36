"""The contract of the jobs: its rows are whole, and both ends keep to them."""

from typing import Any

import pytest

from agent import child, limits
from agent.device.activation import MEMORY_FILES
from agent.jobs.contract import LISTS, ROWS, TYPES, Operation, fault, fields
from agent.scep.keys import Hands
from hal import cbor


@pytest.mark.parametrize("op", sorted(ROWS))
def test_each_row_is_whole(op: str) -> None:
    row = ROWS[op]
    for shape in (row.takes, row.gives):
        names = [name for name, _kind, _optional in fields(shape)]
        assert len(set(names)) == len(names)
        assert {kind for _name, kind, _optional in fields(shape)} <= {*TYPES, *LISTS}
    taken = {field[0] for field in fields(row.takes)}
    given = {field[0] for field in fields(row.gives)}
    assert {path.partition(".")[0] for path in row.opens.split()} <= taken
    assert {path.partition(".")[0] for path in row.seals.split()} <= given
    assert "op" not in taken


def test_what_has_a_network_has_what_the_runner_adds() -> None:
    for op, row in ROWS.items():
        names = {field[0] for field in fields(row.takes)}
        assert row.network == ({"limits", "nonce", "https_ca"} <= names), op


def test_no_child_that_parses_what_nobody_signed_has_the_device_key() -> None:
    assert not ROWS["fetch-ca"].needs_device_key(None)
    assert not ROWS["import"].needs_device_key("ca")
    assert ROWS["import"].needs_device_key("local")


def test_the_files_of_activate_are_those_of_device_memory() -> None:
    assert ROWS["activate"].files.split() == list(MEMORY_FILES)
    assert len(MEMORY_FILES) < limits.JOB_DESCRIPTORS


GOOD: dict[str, Any] = {"a": "x", "b": 1, "c": [b"y"], "d": {}, "e": True}
SHAPE = "a:text b:int c:blobs d:map? e:bool"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, None),
        ({"d": None}, None),
        ({"more": 1}, None),
        ({"a": None}, "a"),
        ({"a": b"x"}, "a"),
        ({"b": True}, "b"),
        ({"b": "1"}, "b"),
        ({"c": []}, None),
        ({"c": ["y"]}, "c"),
        ({"c": b"y"}, "c"),
        ({"d": []}, "d"),
        ({"e": 1}, "e"),
    ],
)
def test_a_field_of_another_type_is_named(change: dict[str, Any], wrong: str | None) -> None:
    assert fault(SHAPE, {**GOOD, **change}) == wrong


@pytest.mark.parametrize(
    ("job", "code"),
    [
        ({"op": "hash-password", "plain": 7}, "job-request"),
        ({"op": "hash-password"}, "job-request"),
        ({"op": "no-such"}, "job-fault"),
        ({"op": 7}, "job-fault"),
        ([1], "job-fault"),
    ],
)
def test_a_child_refuses_a_job_that_is_not_in_the_contract(job: Any, code: str) -> None:
    assert child.perform(cbor.dumps(job), Hands())["error"] == code


def test_a_row_without_words_takes_anything() -> None:
    assert fault(Operation().takes, {"x": object()}) is None
