"""Schemas of the store: what was encoded comes back, and nothing else is taken for a record."""

from typing import Any

import pytest

from hal import records
from hal.records import (
    CaRecord,
    CertificateRecord,
    ConfigRecord,
    KeyRecord,
    LocalRecord,
    OutcomeRecord,
    RecordError,
    RequestRecord,
    decode,
    encode,
)

LEAF = CertificateRecord(b"der", "CN=r1", "CN=CA", "2a", 1, 2)
EXAMPLES: list[Any] = [
    LEAF,
    CaRecord("ab", "cd", "ef", 0, "fingerprint", [LEAF, LEAF], ["AES"], 3),
    RequestRecord("sent", "t1", 4, 1, {"url": "http://ca"}, None, 0),
    RequestRecord("sent", "t1", 4, 1, {}, "%^%#x%^%#", 0),
    LocalRecord(LEAF, [b"ca"], "k1", 1, 5),
    OutcomeRecord({"error": "job-died"}, 6, 1),
    OutcomeRecord(None, 6, 1),
    KeyRecord("k1", 1, 2048, False, 7, b"spki", b"sealed"),
    ConfigRecord("sysname r1\n"),
]


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda r: type(r).__name__)
def test_round_trip_through_plain_values(record: Any) -> None:
    stored = encode(record)
    assert stored["v"] == 1
    assert decode(type(record), stored) == record
    assert not any(hasattr(v, "_fields") for v in stored.values())


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda r: type(r).__name__)
def test_every_field_is_needed_and_typed(record: Any) -> None:
    stored = encode(record)
    for name in stored:
        short = {key: value for key, value in stored.items() if key != name}
        for bad in (short, {**stored, name: 1.5}, {**stored, name: object()}):
            with pytest.raises(RecordError):
                decode(type(record), bad)
    with pytest.raises(RecordError):
        decode(type(record), {**stored, "extra": 1})
    with pytest.raises(RecordError):
        decode(type(record), [*stored.items()])


def test_a_bool_is_not_a_number_and_lists_are_looked_into() -> None:
    stored = encode(EXAMPLES[4])
    for bad in ({**stored, "generation": True}, {**stored, "chain": [b"ca", "ca"]}):
        with pytest.raises(RecordError):
            decode(LocalRecord, bad)


def test_keys_fold_the_names_of_realms_only() -> None:
    assert records.realm_key("ABC", "ca") == "realm/abc/ca"
    assert records.key_pair_key("Key1") == "key/Key1"
    assert records.config_key() == "config"
