"""Records of the right types that are none all the same."""

from typing import Any

import pytest

from hal.calendar import LAST_S
from hal.record_codec import RecordError, decode, encode, fault
from hal.records import (
    BlockRecord,
    CaRecord,
    CaSetRecord,
    CertificateRecord,
    ConfigRecord,
    KeyRecord,
    LocalRecord,
    OutcomeRecord,
    RenewalRecord,
    RequestRecord,
)

LEAF = CertificateRecord(b"der", "CN=r1", "CN=CA", "2a", 1, 2)
CA = CaRecord("12", "34", "56", 0, "operator", [LEAF], [], 3)
SET = CaSetRecord("12", "34", "56", 0, "operator", [LEAF], [], "", [], [], False)
REQUEST = RequestRecord("sent", "t1", 4, 1, {"key_pair": "k1"}, None, 0)
RENEWAL = RenewalRecord(17, LEAF, "k1", 1, False)
LOCAL = LocalRecord(LEAF, [], "k1", 1, 5)
KEY = KeyRecord("k1", 1, 2048, False, 5, b"spki", b"sealed")

WRONG: list[tuple[Any, str]] = [
    (CA._replace(pin_index=1), "CaRecord.pin_index"),
    (CA._replace(pin_index=-1), "CaRecord.pin_index"),
    (CA._replace(pin_index=2**63), "CaRecord.pin_index"),
    (CA._replace(certificates=[]), "CaRecord.pin_index"),
    (CA._replace(ras=[0, 1]), "CaRecord.ras"),
    (CA._replace(ras=[-1]), "CaRecord.ras"),
    (CA._replace(fetched_s=2**63), "CaRecord.fetched_s"),
    (CA._replace(certificates=[LEAF._replace(not_after_s=LAST_S + 1)]), "not_after_s"),
    (REQUEST._replace(phase="gone"), "RequestRecord.phase"),
    (REQUEST._replace(phase=""), "RequestRecord.phase"),
    (REQUEST._replace(settings={}), "RequestRecord.settings"),
    (REQUEST._replace(settings={"key_pair": 5}), "RequestRecord.settings"),
    (REQUEST._replace(polls=-1), "RequestRecord.polls"),
    (REQUEST._replace(generation=-1), "RequestRecord.generation"),
    (REQUEST._replace(renewal=RENEWAL._replace(message_type=3)), "RenewalRecord.message_type"),
    (REQUEST._replace(renewal=RENEWAL._replace(generation=-1)), "RenewalRecord.generation"),
    (LOCAL._replace(generation=-1), "LocalRecord.generation"),
    (LOCAL._replace(issued_s=-(2**64)), "LocalRecord.issued_s"),
    (KEY._replace(bits=-1), "KeyRecord.bits"),
    (SET._replace(pin_index=1), "CaSetRecord.pin_index"),
    (BlockRecord(1, 2**63, b""), "BlockRecord.place"),
    (OutcomeRecord(None, 6, 2**63), "OutcomeRecord.attempts"),
]


@pytest.mark.parametrize(("record", "what"), WRONG)
def test_such_a_record_is_as_unreadable_as_one_of_wrong_types(record: Any, what: str) -> None:
    with pytest.raises(RecordError, match=what):
        decode(type(record), encode(record))


@pytest.mark.parametrize(
    "record",
    [
        CA,
        CA._replace(certificates=[LEAF, LEAF], pin_index=1, ras=[0]),
        CA._replace(certificates=[LEAF._replace(not_before_s=-631_152_000)]),  # 1950 (RFC 5280)
        CA._replace(certificates=[LEAF._replace(not_after_s=LAST_S)]),  # without an end
        LEAF._replace(subject="\x1b[2J\0", serial=""),
        REQUEST._replace(phase="lost", renewal=RENEWAL),
        LOCAL,
        KEY,
        ConfigRecord("text"),  # of a device on which nobody has saved, and of an older release
        BlockRecord(1, -(2**20), b""),
    ],
)
def test_what_a_ca_or_a_release_may_have_written_passes(record: Any) -> None:
    assert decode(type(record), encode(record)) == record


def test_a_kind_without_rules_of_its_own_has_those_of_its_fields() -> None:
    assert fault("X", {"at_s": 1, "polls": 2, "other": -1, "flag": True}) == ""
    assert fault("X", {"text": "", "at_s": LAST_S + 1}) == "at_s"
