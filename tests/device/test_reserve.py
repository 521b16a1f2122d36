"""Room for renewals: the arithmetic, and the constants against the records."""

from typing import Any

import pytest

from agent import limits
from agent.device import reserve
from agent.device.reserve import FREE, KEPT, MISSING, Ledger, Need, Purpose, Room
from agent.enrolment.actions import Stored
from agent.enrolment.drafts import failed
from agent.errors import AgentError, fail
from agent.jobs.maps import snapshot
from agent.limits import LOCAL_BYTES, OUTCOME_BYTES, REQUEST_BYTES
from agent.settings import AutoEnroll, Entity, Realm
from hal import cbor, record_codec
from hal.records import (
    CaRecord,
    CertificateRecord,
    KeyRecord,
    LocalRecord,
    OutcomeRecord,
    RenewalRecord,
    RequestRecord,
)
from tests.helpers.device_bench import START_S, Bench


def realm(auto: AutoEnroll | None = None, key_pair: str | None = "k1") -> Realm:
    found = Realm("abc")
    found.auto_enroll, found.key_pair = auto, key_pair
    return found


# -- the arithmetic --------------------------------------------------------------------------------

SIZES = {"config": 400, "key/k1/1": 1600, "realm/abc/local": 2000, "realm/abc/ca": 1300}
LEDGER = Ledger(SIZES.items())
ONE = REQUEST_BYTES + 2000 + OUTCOME_BYTES + 2000  # of abc


def test_a_renewal_is_a_request_with_its_signer_an_outcome_and_what_it_brings() -> None:
    assert reserve.renewal_bytes(LEDGER, "abc", realm()) == ONE
    assert reserve.renewal_bytes(LEDGER, "abc", None) == ONE
    regenerate = realm(AutoEnroll(regenerate=True))
    assert reserve.renewal_bytes(LEDGER, "abc", regenerate) == ONE + 1600
    larger = realm(AutoEnroll(regenerate=True, key_bits=4096))
    assert reserve.renewal_bytes(LEDGER, "abc", larger) == ONE + reserve.key_pair_bytes(4096)
    first = REQUEST_BYTES + OUTCOME_BYTES + 2 * LOCAL_BYTES
    assert reserve.renewal_bytes(LEDGER, "other", None) == first


def test_four_renewals_of_the_largest_realm_are_kept_and_what_may_wait() -> None:
    realms = {"abc": realm(AutoEnroll(updated_effective=True)), "small": realm()}
    sizes = {**SIZES, "realm/small/local": 900, "realm/small/ca": 100}
    assert reserve.kept(Ledger(sizes.items()), realms).bytes() == 4 * ONE
    assert reserve.kept(Ledger(sizes.items()), realms).bytes(Purpose.REFRESH) == 2 * ONE
    realms["small"] = realm(AutoEnroll(regenerate=True))
    assert reserve.kept(Ledger(sizes.items()), realms).bytes() == 4 * ONE + 900 + 1600
    assert reserve.kept(Ledger(sizes.items()), realms).bytes(Purpose.FAILURE) == ONE + 900 + 1600


def test_a_realm_counts_once_it_applies_and_while_it_is_in_no_configuration() -> None:
    others = {"config": 1, "key/x/local": 9, "realm/a/ca": 9}
    assert reserve.kept(Ledger(others.items()), {}).bytes() == 0
    first = REQUEST_BYTES + OUTCOME_BYTES + 2 * LOCAL_BYTES
    applying = {"realm/a/request": 800}
    assert reserve.kept(Ledger(applying.items()), {}).bytes() == 4 * first + limits.CA_BYTES


def test_what_the_next_application_finds() -> None:
    kept = 4 * ONE
    used = sum(SIZES.values())
    realms = {"abc": realm()}
    for capacity, place in (
        (used + kept, FREE),
        (used + kept - 1, KEPT),
        (used + ONE, KEPT),
        (used + ONE - 1, MISSING),
    ):
        found = reserve.need(Room(capacity, used, kept), LEDGER, realms, "abc")
        assert found == Need(ONE, capacity - used, place)
    first = reserve.renewal_bytes(LEDGER, "new", None)
    for spare, place in ((0, FREE), (-1, MISSING)):
        room = Room(used + kept + first + spare, used, kept)
        assert reserve.need(room, LEDGER, realms, "new").place == place


LEAF = CertificateRecord(b"der", "CN=r1", "CN=CA", "2a", 1, 2)
CA = CaRecord("", "", "", 0, "fingerprint", [LEAF], [], 1)
LOCAL = LocalRecord(LEAF, [], "k1", 1, 1)
REQUEST = RequestRecord("sent", "t", 1, 1, {}, None, 0)
FAILED = OutcomeRecord({"error": "job-died"}, 1, 1)
HELD = Stored(CA, None, LOCAL, None, OutcomeRecord(None, 1, 0))


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (Stored(), Stored(request=REQUEST._replace(phase="fetching")), Purpose.CONFIGURING),
        (Stored(), Stored(ca=CA), Purpose.CONFIGURING),
        (Stored(CA), Stored(CA, None, LOCAL), Purpose.CONFIGURING),
        (Stored(request=REQUEST._replace(phase="fetching")), Stored(CA), Purpose.CONFIGURING),
        (Stored(CA, REQUEST), Stored(CA, None, LOCAL), Purpose.RENEWAL),
        (HELD, HELD._replace(request=REQUEST), Purpose.RENEWAL),
        (HELD, HELD._replace(request=REQUEST, outcome=FAILED), Purpose.FAILURE),
        (HELD._replace(outcome=FAILED), HELD._replace(request=REQUEST, outcome=FAILED),
         Purpose.RENEWAL),
        (HELD, HELD._replace(ca=CA._replace(caps=["AES"])), Purpose.REFRESH),
        (HELD, HELD._replace(local=LOCAL._replace(issued_s=2)), Purpose.REFRESH),
        (HELD._replace(request=REQUEST._replace(phase="lost")),
         HELD._replace(local=LOCAL._replace(issued_s=2)), Purpose.REFRESH),
        (HELD._replace(request=REQUEST), HELD._replace(local=LOCAL._replace(issued_s=2)),
         Purpose.RENEWAL),
    ],
)  # fmt: skip
def test_what_a_commit_is_for(before: Stored, after: Stored, wanted: Purpose) -> None:
    assert reserve.purpose(before, after) is wanted


# -- the constants against the records -------------------------------------------------------------


def test_the_records_of_a_renewal_are_no_longer_than_the_constants_say() -> None:
    """A usual request; the longest takes less than what is kept beside it for one renewal."""
    entity = Entity("r1")
    entity.common_name, entity.country, entity.organization = "router1.example.net", "DE", "Example"
    entity.fqdn, entity.organization_unit = "router1.example.net", ("net", "berlin")
    found = realm()
    found.url, found.key_usage = "http://ca.example.net/certsrv/mscep/mscep.dll", ("ike",)
    assert encoded(request(found, entity, "x" * 130)) <= REQUEST_BYTES
    for name, letters in (("common_name", 64), ("state", 32), ("locality", 32), ("fqdn", 255)):
        setattr(entity, name, "ü" * letters)
    entity.organization, entity.email = "ü" * 32, "x" * 128
    entity.organization_unit = ("ü" * 31,) * 6
    found.url, found.ca_id = "http://" + "x" * 248, "x" * 63
    longest = encoded(request(found, entity, "x" * limits.SEALED_PASSWORD_CHARACTERS))
    spare = 3 * (REQUEST_BYTES + OUTCOME_BYTES)
    assert REQUEST_BYTES < longest <= REQUEST_BYTES + spare


def request(found: Realm, entity: Entity, password: str) -> RequestRecord:
    settings = snapshot(found, entity, ["2001:db8::1"], "SN" * 8)
    signer = CertificateRecord(b"", "", "", "", START_S, START_S)
    way = RenewalRecord(17, signer, "k" * 20, 1, False)
    return RequestRecord("pending", "0" * 32, START_S, 1, settings, password, 5, way)


def encoded(record: Any) -> int:
    return len(cbor.dumps(record_codec.encode(record)))


@pytest.mark.parametrize("letter", ["x", "ü", "日", "\U0001f600"])
def test_what_a_peer_says_takes_no_more_than_an_outcome_has(letter: str) -> None:
    """A CA set full of long names stands in its refusal; the store keeps the beginning of it."""
    error = AgentError("ca-pin-mismatch", letter * 50_000, letter * 401, letter * 399, "operator")
    now = Bench().device.shared.time.now()
    found = failed(None, error, now)
    assert encoded(found) + len("realm/abc/outcome") <= OUTCOME_BYTES
    assert found.error is not None
    assert str(found.error["what"]).endswith(f"{letter} ...")
    short = fail("ca-no-ca")
    assert failed(None, short, now).error == short.as_map()


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_the_size_of_a_key_pair_is_that_of_its_record(bits: int) -> None:
    """PKCS#8 as openssl writes it, and the 28 bytes of its seal."""
    sealed = bytes({2048: 1218, 3072: 1794, 4096: 2375}[bits] + 28)
    pair = KeyRecord("router-1", 1, bits, False, START_S, bytes(bits // 8 + 38), sealed)
    size = encoded(pair) + len("key/router-1/1")
    assert size <= reserve.key_pair_bytes(bits) <= size + 150
