"""Room for renewals: the arithmetic, and that nobody who fills the store shuts a renewal out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import limits
from agent.device import reserve
from agent.device.reserve import FREE, KEPT, MISSING, Need, Purpose
from agent.enrolment.actions import Stored
from agent.enrolment.drafts import outcome
from agent.errors import AgentError, fail
from agent.jobs.maps import snapshot
from agent.limits import LOCAL_BYTES, OUTCOME_BYTES, REQUEST_BYTES
from agent.settings import AutoEnroll, Entity, Realm
from hal import cbor, records
from hal.fakes.flash import FakeFlash
from hal.flash import FileFlash
from hal.ports import Flash
from hal.records import (
    CaRecord,
    CertificateRecord,
    KeyRecord,
    LocalRecord,
    OutcomeRecord,
    RenewalRecord,
    RequestRecord,
)
from tests.helpers.device_bench import (
    CONFIGURATION,
    RELATIONS,
    SHA256,
    START_S,
    Bench,
    Waiter,
    ready,
    refuse,
)

KIB = 1024


def realm(auto: AutoEnroll | None = None, key_pair: str | None = "k1") -> Realm:
    found = Realm("abc")
    found.auto_enroll, found.key_pair = auto, key_pair
    return found


# -- the arithmetic --------------------------------------------------------------------------------

SIZES = {"config": 400, "key/k1": 1600, "realm/abc/local": 2000, "realm/abc/ca": 1300}
ONE = REQUEST_BYTES + 2000 + OUTCOME_BYTES + 2000  # of abc


def test_a_renewal_is_a_request_with_its_signer_an_outcome_and_what_it_brings() -> None:
    assert reserve.renewal_bytes(SIZES, "abc", realm()) == ONE
    assert reserve.renewal_bytes(SIZES, "abc", None) == ONE
    regenerate = realm(AutoEnroll(regenerate=True))
    assert reserve.renewal_bytes(SIZES, "abc", regenerate) == ONE + 1600
    larger = realm(AutoEnroll(regenerate=True, key_bits=4096))
    assert reserve.renewal_bytes(SIZES, "abc", larger) == ONE + reserve.key_pair_bytes(4096)
    first = REQUEST_BYTES + OUTCOME_BYTES + 2 * LOCAL_BYTES
    assert reserve.renewal_bytes(SIZES, "other", None) == first


def test_four_renewals_of_the_largest_realm_are_kept_and_what_may_wait() -> None:
    realms = {"abc": realm(AutoEnroll(updated_effective=True)), "small": realm()}
    sizes = {**SIZES, "realm/small/local": 900, "realm/small/ca": 100}
    assert reserve.kept_bytes(sizes, realms) == 4 * ONE
    assert reserve.kept_bytes(sizes, realms, Purpose.REFRESH) == 2 * ONE
    realms["small"] = realm(AutoEnroll(regenerate=True))
    assert reserve.kept_bytes(sizes, realms) == 4 * ONE + 900 + 1600
    assert reserve.kept_bytes(sizes, realms, Purpose.FAILURE) == ONE + 900 + 1600


def test_a_realm_counts_once_it_applies_and_while_it_is_in_no_configuration() -> None:
    assert reserve.kept_bytes({"config": 1, "key/x/local": 9, "realm/a/ca": 9}, {}) == 0
    first = REQUEST_BYTES + OUTCOME_BYTES + 2 * LOCAL_BYTES
    applying = {"realm/a/request": 800}
    assert reserve.kept_bytes(applying, {}) == 4 * first + limits.CA_BYTES


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
        found = reserve.need(SIZES, capacity, realms, "abc")
        assert found == Need(ONE, capacity - used, place)
    first = reserve.renewal_bytes(SIZES, "new", None)
    assert reserve.need(SIZES, used + kept + first, realms, "new").place == FREE
    assert reserve.need(SIZES, used + kept + first - 1, realms, "new").place == MISSING


LEAF = CertificateRecord(b"der", "CN=r1", "CN=CA", "2a", 1, 2)
CA = CaRecord("", "", "", 0, "fingerprint", [LEAF], [], 1)
LOCAL = LocalRecord(LEAF, [], "k1", 1, 1)
REQUEST = RequestRecord("sent", "t", 1, 1, {}, None, 0)
FAILED = OutcomeRecord({"error": "job-died"}, 1, 1)
HELD = Stored(CA, None, LOCAL, OutcomeRecord(None, 1, 0))


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
    return len(cbor.dumps(records.encode(record)))


@pytest.mark.parametrize("letter", ["x", "ü", "日", "\U0001f600"])
def test_what_a_peer_says_takes_no_more_than_an_outcome_has(letter: str) -> None:
    """A CA set full of long names stands in its refusal; the store keeps the beginning of it."""
    error = AgentError("ca-pin-mismatch", letter * 50_000, letter * 401, letter * 399, "operator")
    now = Bench().device.shared.now()
    found = outcome(now, 1, error)
    assert encoded(found) + len("realm/abc/outcome") <= OUTCOME_BYTES
    assert found.error is not None
    assert str(found.error["what"]).endswith(f"{letter} ...")
    short = fail("ca-no-ca")
    assert outcome(now, 1, short).error == short.as_map()


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_the_size_of_a_key_pair_is_that_of_its_record(bits: int) -> None:
    """PKCS#8 as openssl writes it, and the 28 bytes of its seal."""
    sealed = bytes({2048: 1218, 3072: 1794, 4096: 2375}[bits] + 28)
    pair = KeyRecord("router-1", 1, bits, False, START_S, bytes(bits // 8 + 38), sealed)
    size = encoded(pair) + len("key/router-1")
    assert size <= reserve.key_pair_bytes(bits) <= size + 150


# -- a device, people and peers --------------------------------------------------------------------

NAMES = [f"r{number}" for number in range(6)]
# name -> (a part, its room in bytes): every geometry that a part has here.
GEOMETRIES: dict[str, Callable[[Path], Flash]] = {
    "nor 128K": lambda _dir: FakeFlash(4096, 32),
    "nor 256K": lambda _dir: FakeFlash(4096, 64),
    "nor 256K by 256": lambda _dir: FakeFlash(65536, 4, 256),
    "small blocks by 16": lambda _dir: FakeFlash(512, 300, 16),
    "four segments": lambda _dir: FakeFlash(8192, 64),
    "file 1M": lambda folder: FileFlash(str(folder / "flash.bin"), 4096, 256),
}


class Site:
    """A device with some realms, a CA that is honest or not, and people who fill its store."""

    def __init__(self, flash: Flash) -> None:
        self.bench = Bench(flash=flash)  # type: ignore[arg-type]
        self.device = self.bench.device
        self.bytes = dict.fromkeys(NAMES, 900)  # of a realm's certificate
        self.refused: list[str] = []
        self.honest()

    def honest(self) -> None:
        worker = self.bench.worker
        worker.answers.update({"enrol": self.issue, "poll": self.issue, "fetch-ca": ca_set(0)})

    def issue(self, job: Any) -> Any:
        answer = self.bench.worker.issue(job)
        der = f"{job['realm']} {job['transaction']}".encode()
        answer["certificate"]["der"] = der.ljust(self.bytes[job["realm"]], b"x")
        answer["chain"] = [bytes(800)]
        return answer

    def tell(self, result: object) -> None:
        if isinstance(result, AgentError):
            self.refused.append(result.code)

    def do(self, what: Callable[..., object], *arguments: object) -> None:
        try:
            what(*arguments)
            self.bench.turn(6)
        except AgentError as error:
            self.refused.append(error.code)

    # -- what people do ----------------------------------------------------------------------------

    def key(self, name: str, size: int) -> None:
        answer = {"sealed": bytes(1000 + size // 16), "spki": bytes(294), "bits": 2048}
        self.bench.worker.answers["generate-key"] = answer
        self.do(self.device.create_key_pair, name, 2048, False, self.tell)

    def realm(self, name: str) -> None:
        self.key(f"key-{name}", 0)
        entity = self.device.settings.entities.setdefault(name, Entity(name))
        entity.common_name = entity.common_name or f"{name}.example"
        found = self.device.settings.realms.setdefault(name, Realm(name))
        found.entity, found.key_pair, found.url = name, f"key-{name}", "http://192.0.2.9/scep"
        found.fingerprint = ("sha256", SHA256)
        self.device.changed()

    def long_names(self, name: str) -> None:
        entity = self.device.settings.entities.get(name)
        if entity:
            entity.common_name, entity.fqdn = "ü" * 64, "x" * 255
            entity.organization_unit = ("ü" * 31,) * 6

    def automatic(self, name: str, size: int) -> None:
        found = self.device.settings.realms.get(name)
        if found:
            found.auto_enroll = AutoEnroll(
                regenerate=bool(size % 2), updated_effective=size % 3 > 0
            )

    def save(self, size: int) -> None:
        self.device.settings.sysname = "x" * (size % 200)
        self.do(self.device.configuration.save)

    def forget(self, name: str) -> None:
        if self.device.settings.realms.pop(name, None):
            self.do(self.device.forget_realm, name)

    def apply(self, name: str) -> Waiter | None:
        if name not in self.device.settings.realms:
            return None
        waiter = Waiter()
        self.do(self.device.enrol, name, None, waiter, waiter.done)
        self.bench.turn(6)
        for result in waiter.results:
            self.tell(result)
        return waiter

    # -- what peers do -----------------------------------------------------------------------------

    def bring(self, kind: str, name: str, size: int) -> None:
        """An application, a CA set or a list, with so much in it as its caps allow."""
        device, waiter, worker = self.device, Waiter(), self.bench.worker
        if name not in device.settings.realms:
            return
        if kind == "list":
            answer = {**worker.answers["fetch-crl"](None), "crl": bytes(size)}
            worker.answers["fetch-crl"] = lambda _job: answer
            self.do(device.revocation.fetch, name, waiter, self.tell)
            worker.answers["fetch-crl"] = lambda _job: {**answer, "crl": b""}
        elif kind == "set":
            worker.answers["fetch-ca"] = ca_set(min(size, 31 * KIB))
            self.do(device.exchange.get_ca, name, waiter, self.tell)
        else:
            worker.answers.update(HOSTILE[kind](size))
            self.apply(name)
        self.honest()

    # -- afterwards --------------------------------------------------------------------------------

    def served(self) -> list[str]:
        realms = [name for name in NAMES if name in self.device.settings.realms]
        return [n for n in realms if self.device.realms.runner(n).engine.stored.local]

    def renew_all(self) -> int:
        """Four renewals of each realm, one after the other: every one succeeds."""
        renewed = 0
        for name in self.served():
            for _time in range(4):
                waiter = self.apply(name)
                assert waiter is not None
                room = self.device.shared.commits.room()
                assert waiter.code is None, (name, waiter.results, room)
                assert self.device.status(name).state == "issued"
                renewed += 1
        return renewed


def ca_set(more: int) -> Any:
    """The CA, and as many bytes of strangers beside it."""
    ca = {
        "der": bytes(841), "subject": "CN=CA", "issuer": "CN=CA", "serial": "01",
        "not_before_s": START_S, "not_after_s": START_S + 3650 * 86400, "is_ca": True,
        "md5": "5a" * 16, "sha1": "5a" * 20, "sha256": SHA256, "key_usage": [],
        **RELATIONS, "below": list(range(1, 16)) if more else [],
    }  # fmt: skip
    other = {
        **ca,
        "below": [],
        "sha256": "ee" * 32,
        "sha1": "ee" * 20,
        "md5": "ee" * 16,
        "is_ca": False,
    }
    many = [{**other, "der": bytes([1 + n]) * (more // 15)} for n in range(15 if more else 0)]
    return {"caps": ["AES", "Renewal"], "certificates": [ca, *many], "notes": []}


def loud(size: int) -> AgentError:
    return AgentError("ca-badRequest", "w" * size, "c" * size, "r" * size, "operator")


HOSTILE: dict[str, Callable[[int], dict[str, Any]]] = {
    "inflated": lambda size: {"fetch-ca": ca_set(min(size, 31 * KIB))},
    "lying": lambda size: {**HOSTILE["inflated"](size), **HOSTILE["swallowed"](size)},
    "swallowed": lambda _size: {
        "enrol": refuse("connection-refused", host="192.0.2.9", what="no"),
        "poll": refuse("connection-refused", host="192.0.2.9", what="no"),
    },
    "refused": lambda size: {"enrol": loud(size), "poll": loud(size)},
    "no such CA": lambda size: {"fetch-ca": loud(size)},
    "honest": lambda _size: {},
}

SIZE = st.integers(1, 46 * KIB)
STEPS = st.one_of(
    st.tuples(st.just("key"), st.sampled_from([f"k{n}" for n in range(400)]), SIZE),
    st.tuples(st.just("realm"), st.sampled_from(NAMES)),
    st.tuples(st.just("long_names"), st.sampled_from(NAMES)),
    st.tuples(st.just("automatic"), st.sampled_from(NAMES), SIZE),
    st.tuples(st.just("save"), SIZE),
    st.tuples(st.just("forget"), st.sampled_from(NAMES)),
    st.tuples(
        st.just("bring"), st.sampled_from(["list", "set", *HOSTILE]), st.sampled_from(NAMES), SIZE
    ),
)


def fill_up(site: Site) -> None:
    """Keys, one after the other and smaller and smaller, until none is taken."""
    number = 0
    for size in (46 * KIB, 16 * KIB, 1):
        site.refused.clear()
        while not site.refused:
            number += 1
            assert number < 500, "the store takes everything"
            site.key(f"spare{number}", size)
        assert site.refused == ["store-reserved"]
    for size in (1000, 200, 40, 8):
        site.refused.clear()
        for number in range(500):
            site.do(site.device.shared.commit, {f"fill/{size}/{number}": bytes(size)})
            if site.refused:
                break
        assert site.refused == ["store-reserved"]


@pytest.mark.slow
@pytest.mark.parametrize("geometry", GEOMETRIES)
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=10, max_size=60), first=st.integers(1, 6))
def test_whoever_fills_the_store_shuts_no_renewal_out(
    geometry: str, tmp_path: Path, steps: list[tuple[Any, ...]], first: int
) -> None:
    with site_on(geometry, tmp_path) as site:
        for name in NAMES[:first]:
            site.realm(name)
            site.apply(name)
        for verb, *arguments in steps:
            getattr(site, verb)(*arguments)
        if not site.served():
            return
        fill_up(site)
        site.renew_all()
        site.honest()
        for name in NAMES:  # and the CA's enemy does not get further where people stopped
            site.bring("inflated", name, 31 * KIB)
            site.bring("no such CA", name, 50 * KIB)
        site.renew_all()


@contextmanager
def site_on(geometry: str, folder: Path) -> Iterator[Site]:
    (folder / "flash.bin").unlink(missing_ok=True)
    flash = GEOMETRIES[geometry](folder)
    site = Site(flash)
    try:
        yield site
    finally:
        site.device.close()
        site.bench._unplug()
        flash.close()


# -- the attacks, one by one -----------------------------------------------------------------------


def test_spare_key_pairs_stop_before_renewals_do(tmp_path: Path) -> None:
    """150 key pairs filled the part, and the next renewal ended in `full`."""
    with site_on("nor 256K", tmp_path) as site:
        site.realm("r0")
        site.apply("r0")
        fill_up(site)
        room = site.device.shared.commits.room()
        assert room.left >= room.kept > 0
        assert site.device.status("r0").store_place == FREE
        assert site.renew_all() == 4


def test_seven_realms_whose_ca_lies_leave_room_for_renewals(tmp_path: Path) -> None:
    """Each stored a set of up to 16 certificates and 32 KiB that nobody has signed."""
    with site_on("four segments", tmp_path) as site:
        site.realm("r0")
        site.apply("r0")
        for number, size in enumerate((*[31 * KIB] * 7, 8 * KIB, 4 * KIB, 2 * KIB, KIB, 0)):
            site.realm(f"lie{number}")
            site.bring("lying", f"lie{number}", size)
        assert "store-reserved" in site.refused
        assert site.renew_all() == 4


def test_a_stranger_who_answers_renewals_cannot_use_up_what_is_kept_for_them(
    tmp_path: Path,
) -> None:
    """On the path of six realms that renew: large CA sets, long pages, swallowed replies."""
    with site_on("nor 256K", tmp_path) as site:
        for name in NAMES:
            site.realm(name)
            site.apply(name)
        fill_up(site)
        for size in (31 * KIB, 8 * KIB, 4 * KIB, KIB, 200):
            for name in NAMES:
                site.bring("inflated", name, size)
        assert "store-reserved" in site.refused
        for kind in ("no such CA", "refused", "swallowed"):
            for name in NAMES:
                site.bring(kind, name, 50 * KIB)
        assert site.renew_all() == 4 * len(NAMES)


def test_a_store_that_is_full_can_be_emptied_and_used_again(tmp_path: Path) -> None:
    with site_on("nor 128K", tmp_path) as site:
        site.realm("r0")
        site.apply("r0")
        site.save(1)
        fill_up(site)
        site.refused.clear()
        site.save(190)
        assert site.refused == ["store-reserved"]
        for number in range(1, 4):
            site.do(site.device.destroy_key_pair, f"spare{number}")
        site.refused.clear()
        site.save(199)
        site.realm("r1")
        site.apply("r1")
        assert site.refused == []


def test_a_first_application_is_refused_before_anything_leaves(tmp_path: Path) -> None:
    with site_on("nor 128K", tmp_path) as site:
        for name in ("r0", "r1"):
            site.realm(name)
        site.apply("r0")
        fill_up(site)
        site.bench.worker.jobs.clear()
        waiter = site.apply("r1")
        assert waiter is not None
        assert waiter.code == "store-reserved"
        assert "enrol" not in site.bench.worker.ops()
        assert site.device.status("r1").store_place == MISSING
        assert site.device.realms.runner("r1").engine.stored == Stored()


def test_a_refused_key_pair_is_refused_before_it_is_made(tmp_path: Path) -> None:
    with site_on("nor 128K", tmp_path) as site:
        site.realm("r0")
        site.apply("r0")
        fill_up(site)
        site.bench.worker.jobs.clear()
        with pytest.raises(AgentError, match="are kept for renewals"):
            site.device.create_key_pair("more", 4096, False, site.tell)
        assert site.bench.worker.jobs == []
        site.key("spare1", 1)  # one that is there already may be made anew
        assert site.refused[-1:] == ["store-reserved"]


def test_who_waits_reads_why_the_ca_was_not_reached_though_it_was_not_stored() -> None:
    bench = ready()
    bench.enrol()
    room = bench.device.shared.commits.room()
    for number in range(2):
        bench.store.commit({f"fill/{number}": bytes(40_000)})
    bench.store.commit({"fill/3": bytes(bench.device.shared.commits.room().left - 2 * KIB)})
    bench.worker.answers["enrol"] = refuse("connection-refused", host="192.0.2.9", what="refused")
    assert bench.enrol().code == "connection-refused"
    assert "are kept for renewals" in bench.logged()
    assert room.kept > 0


# -- what is told ----------------------------------------------------------------------------------


def test_the_displays_tell_it_before_it_happens() -> None:
    bench = ready()
    bench.enrol()
    found = bench.device.system.statistics()
    room = bench.device.shared.commits.room()
    assert found["store_reserve_bytes"] == room.kept > 0
    assert found["store_free_bytes"] == room.free > 0
    assert not found["store_reserve_reached"]
    assert bench.device.status("abc").store_place == FREE
    for number, (more, place) in enumerate(((room.free + 1, KEPT), (room.kept - KIB, MISSING))):
        value = bytes(min(more, 60_000) - 20)
        bench.store.commit({f"fill/{number}": value})
        rest = more - len(value)
        while rest > 100:
            value = bytes(min(rest, 60_000) - 20)
            bench.store.commit({f"fill/{number}/{rest}": value})
            rest -= len(value)
        bench.store.commit({f"fill/{number}/end": bytes(20)})
        assert bench.device.system.statistics()["store_reserve_reached"]
        assert bench.device.system.statistics()["store_free_bytes"] == 0
        assert bench.device.status("abc").store_place == place
    status = bench.device.status("abc")
    assert status.why.startswith("the certificate is in use, but the store has no room")
    assert "`undo pki realm NAME`" in status.next_step
    waiter = Waiter()
    bench.device.diagnose("abc", waiter.done)
    bench.turn()
    (rows,) = waiter.results
    assert isinstance(rows, list)
    (row,) = [row for row in rows if row.check == "store"]
    assert (row.result, "no room for the next application" in row.detail) == ("failed", True)


def test_the_reserve_is_that_of_the_running_configuration() -> None:
    bench = ready()
    bench.enrol()
    before = bench.device.shared.commits.room().kept
    bench.device.settings.realms["abc"].auto_enroll = AutoEnroll()
    assert bench.device.shared.commits.room().kept > before
    assert CONFIGURATION.count("auto-enroll") == 0
