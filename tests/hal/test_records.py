"""Schemas of the store: what was encoded comes back, and nothing else is taken for a record."""

from typing import Any

import pytest

from hal import record_keys, records
from hal.record_codec import RecordError, decode, encode
from hal.records import (
    AlarmsRecord,
    BlockRecord,
    CaHeldRecord,
    CaRecord,
    CaSetRecord,
    CertificateRecord,
    ClockRecord,
    ConfigRecord,
    ConsoleRecord,
    CrlRecord,
    EraseRecord,
    KeyRecord,
    LinkRecord,
    LocalRecord,
    LostRecord,
    MachineRecord,
    NextCaRecord,
    OutcomeRecord,
    RenewalRecord,
    RequestRecord,
    SavingRecord,
)

LEAF = CertificateRecord(b"der", "CN=r1", "CN=CA", "2a", 1, 2)
SETTINGS: dict[str, object] = {"key_pair": "k1", "url": "http://ca"}
EXAMPLES: list[Any] = [
    LEAF,
    CaRecord("ab", "cd", "ef", 0, "fingerprint", [LEAF, LEAF], ["AES"], 3),
    CaRecord(
        "ab", "cd", "ef", 0, "fingerprint", [LEAF], ["AES"], 3,
        NextCaRecord("12", "34", "56", LEAF, b"message", 4),
        [LinkRecord("78", "9a", "bc", LEAF, b"earlier")],
    ),
    CaSetRecord("ab", "cd", "ef", 0, "operator", [LEAF], ["AES"], "sha256 ab", ["12"], [0], True),
    CaHeldRecord(7, 3, NextCaRecord("12", "34", "56", LEAF, b"message", 4), []),
    RequestRecord("sent", "t1", 4, 1, SETTINGS, None, 0),
    RequestRecord("sent", "t1", 4, 1, SETTINGS, "%^%#x%^%#", 0),
    RequestRecord("sent", "t1", 4, 1, SETTINGS, None, 0, RenewalRecord(17, LEAF, "k1", 1, False)),
    LocalRecord(LEAF, [b"ca"], "k1", 1, 5),
    LocalRecord(LEAF, [b"ca"], "k1", 1, 5, True),
    LocalRecord(LEAF, [b"ca"], "k1", 1, 5, doubted=True),
    CrlRecord(b"der", "CN=CA", 1, None, 2, "scep", 3),
    CrlRecord(b"der", "CN=CA", 1, 9, 2, "http://ca/crl", 3),
    AlarmsRecord(["LOCAL_EXPIRED"]),
    OutcomeRecord({"error": "job-died"}, 6, 1),
    OutcomeRecord(None, 6, 1),
    KeyRecord("k1", 1, 2048, False, 7, b"spki", b"sealed"),
    KeyRecord("k1", 1, 2048, False, 7, b"spki", b"handle", "pkcs11"),
    ConfigRecord("sysname r1\n", 3),
    ConfigRecord("sysname r1\n", 3, "behind\n", 4, 5),
    BlockRecord(4, 1 << 20, b"packed"),
    ConsoleRecord(3, "aaa\n"),
    SavingRecord(5),
    LostRecord(["config", "realm/abc/ca"]),
    EraseRecord(8),
    ClockRecord(9, "1a2b3c4d"),
    MachineRecord("1a2b3c4d", ["key/k1/1"], 9),
]  # fmt: skip


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda r: type(r).__name__)
def test_round_trip_through_plain_values(record: Any) -> None:
    stored = encode(record)
    assert stored["v"] == records.VERSION[type(record)]
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
    stored = encode(LocalRecord(LEAF, [b"ca"], "k1", 1, 5))
    for bad in ({**stored, "generation": True}, {**stored, "chain": [b"ca", "ca"]}):
        with pytest.raises(RecordError):
            decode(LocalRecord, bad)


def test_keys_fold_the_names_of_realms_only() -> None:
    assert record_keys.realm_key("ABC", "ca") == "realm/abc/ca"
    assert record_keys.key_pair_key("Key1", 2) == "key/Key1/2"
    assert record_keys.key_pair_of("key/a/b/12") == ("a/b", 12)
    assert record_keys.key_pair_of("key/a/b") == ("a", 0)  # none of ours
    assert record_keys.config_key() == "config"
    assert record_keys.console_key(1) == "config/console/1"


# As the release before wrote them: nothing that is in flash may be lost by an upgrade.
OLDER: list[tuple[Any, dict[str, Any]]] = [
    (
        RequestRecord("sent", "t1", 4, 1, SETTINGS, None, 2),
        {
            "v": 1, "phase": "sent", "transaction": "t1", "request_time_s": 4, "generation": 1,
            "settings": SETTINGS, "password": None, "polls": 2,
        },
    ),
    (
        CaRecord("ab", "cd", "ef", 0, "operator", [LEAF], ["AES"], 3),
        {
            "v": 1, "pin": "ab", "pin_md5": "cd", "pin_sha1": "ef", "pin_index": 0,
            "trusted_by": "operator", "certificates": [encode(LEAF)], "caps": ["AES"],
            "fetched_s": 3,
        },
    ),
    (ConfigRecord("sysname r1\n"), {"v": 1, "text": "sysname r1\n"}),
    (
        LocalRecord(LEAF, [b"ca"], "k1", 1, 5),
        {
            "v": 1, "certificate": encode(LEAF), "chain": [b"ca"], "key": "k1", "generation": 1,
            "issued_s": 5,
        },
    ),
    (
        LocalRecord(LEAF, [b"ca"], "k1", 1, 5, renew_s=6, pin="ab", names=7, revoked="superseded"),
        {
            "v": 4, "certificate": encode(LEAF), "chain": [b"ca"], "key": "k1", "generation": 1,
            "issued_s": 5, "ends_as_before": False, "renew_s": 6, "ends_s": None, "pin": "ab",
            "names": 7, "granted_s": 0, "revoked": "superseded",
        },
    ),
    (OutcomeRecord(None, 6, 1), {"v": 1, "error": None, "at_s": 6, "attempts": 1}),
    (
        KeyRecord("k1", 1, 2048, False, 7, b"spki", b"sealed"),
        {
            "v": 1, "name": "k1", "generation": 1, "bits": 2048, "exportable": False,
            "created_s": 7, "spki": b"spki", "sealed": b"sealed",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("record", "stored"), OLDER, ids=lambda v: type(v).__name__)
def test_an_older_record_is_read_and_written_anew(record: Any, stored: dict[str, Any]) -> None:
    assert decode(type(record), stored) == record
    assert encode(record)["v"] == records.VERSION[type(record)]
    for bad in ({**stored, "v": 0}, {**stored, "v": 99}, {**stored, "v": True}):
        with pytest.raises(RecordError):
            decode(type(record), bad)
    with pytest.raises(RecordError):  # a field that came later does not belong to the old version
        decode(type(record), {**encode(record), "v": 1})


def test_every_newer_version_says_what_the_older_ones_lack() -> None:
    for kind, version in records.VERSION.items():
        added = records.ADDED.get(kind, {})
        assert sorted(added) == list(range(2, version + 1))
        for fields in added.values():
            assert fields.keys() <= kind.__annotations__.keys()
