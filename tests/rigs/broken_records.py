"""Random maps in the place of stored records, through the start and the life of a whole device.

A device with three realms (one at rest with everything that a realm can have, one whose renewal the
CA has not decided, one that nobody touches) gets one record replaced, starts, answers displays and
commands, lets time pass, and starts again. Nothing may be raised; the untouched realm stays in use;
of a record that cannot be read the log says whose it was.

A map is random altogether, or the record with values replaced: by anything, or by absurd ones of
the right type. What the worker's children make of a job is not played: a job that does not fit the
contract ends there, as in life.

python -m tests.rigs.broken_records --count 100000 --seed nightly
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from agent.console.session.session import Session
from agent.device.casets import CaSets
from agent.device.realm_records import read_ca
from agent.pieces import at_once
from hal import record_codec, record_keys, records
from hal.fakes.flash import FakeFlash
from hal.fakes.work import StartedJob
from hal.ports import JobEnd, StoreError
from hal.store import Store
from tests.helpers.device_bench import SHA256, START_S, Bench, Waiter, Worker

PROGRESS_S = 10.0
BLOCKS = (4096, 16)
WHOLE = 0.15  # of the devices live a day; the others start, show the realm, and poll
REALMS = ("good", "used", "waits")
KINDS: dict[str, type] = {
    "ca": records.CaHeldRecord,
    "set": records.CaSetRecord,
    "request": records.RequestRecord,
    "local": records.LocalRecord,
    "next": records.LocalRecord,
    "outcome": records.OutcomeRecord,
    "crl": records.CrlRecord,
    "alarms": records.AlarmsRecord,
    "key": records.KeyRecord,
    "config": records.ConfigRecord,
    "block": records.BlockRecord,
    "console": records.ConsoleRecord,
    "config/saving": records.SavingRecord,
    "lost": records.LostRecord,
    "starts": records.StartsRecord,
    "clock": records.ClockRecord,
    "machine": records.MachineRecord,
}
ROOMS = {"ca": "set", "key": "key", "config/console": "console", "config/realm": "block",
         "config/entity": "block"}  # fmt: skip
NUMBERS = (
    -1, 0, 1, 2, 255, 2**31, 2**53, 2**63, 2**64 - 1, -(2**63), -(2**64), 253_402_300_800,
    -62_167_219_201,
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "\x1b[2J\r\n", "é" * 300, "-1", "None", "%s{}", "\u202e\ufeff", "/../..",
    "a" * 5000, "phase", "sha256 ", '"', "CN=", "key_pair", "realm/good/local", "config",
)  # fmt: skip


# -- the values ------------------------------------------------------------------------------------


def anything(rng: random.Random, depth: int = 3) -> object:
    """A value of any type that a record can hold."""
    kind = rng.randrange(8 if depth else 5)
    if kind < 5:
        return rng.choice((None, True, False, number(rng), text(rng), blob(rng)))
    if kind < 7:
        return {text(rng)[:40]: anything(rng, depth - 1) for _ in range(rng.randrange(5))}
    return [anything(rng, depth - 1) for _ in range(rng.randrange(5))]


def number(rng: random.Random) -> int:
    return rng.choice((*NUMBERS, rng.randrange(-(2**64), 2**64), START_S + rng.randrange(1000)))


def text(rng: random.Random) -> str:
    return rng.choice((*TEXTS, "".join(chr(rng.randrange(0x20, 0x300)) for _ in range(8))))


def blob(rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 32, 2000)))


def absurd(rng: random.Random, value: object) -> object:
    """Another value of the same type; of a container one with some inner values replaced."""
    if isinstance(value, bool) or value is None:
        return rng.choice((True, False, None))
    if isinstance(value, int):
        return number(rng)
    if isinstance(value, str):
        return text(rng)
    if isinstance(value, bytes):
        return blob(rng)
    if isinstance(value, list):
        return rng.choice(([], value * 3, [absurd(rng, one) for one in value], value[:1] * 200))
    assert isinstance(value, dict)
    if rng.random() < 0.2 and "v" not in value:  # a map without a schema: settings, an error
        return {name: value[name] for name in rng.sample(sorted(value), len(value) // 2)}
    return replaced(rng, value, absurd)


def replaced(
    rng: random.Random, value: dict[str, Any], by: Callable[[random.Random, Any], object]
) -> dict[str, object]:
    """A map with one to three of its values replaced; its version is no such value."""
    names = [name for name in value if name != "v"] or list(value)
    if not names:
        return {"x": anything(rng)}
    chosen = rng.sample(names, min(len(names), rng.randrange(1, 4)))
    return {**value, **{name: by(rng, value[name]) for name in chosen}}


def broken(rng: random.Random, value: object) -> object:
    """What stands in the place of a record."""
    way = rng.random()
    if way < 0.2 or not isinstance(value, dict):
        return anything(rng) or {}
    if way < 0.75:
        return replaced(rng, value, absurd)
    if way < 0.9:
        return replaced(rng, value, lambda rng, _value: anything(rng))
    if way < 0.95:
        return {**value, "v": anything(rng)}
    names = rng.sample(sorted(value), rng.randrange(len(value) + 1))
    return {name: value[name] for name in names}


def replaced_in(rng: random.Random, image_: bytes, key: str) -> tuple[object, bytes]:
    """What stands in the place of the record of a key, and the part that has it. What no store
    would hold is drawn again."""
    while True:
        flash = FakeFlash.from_image(image_, BLOCKS[0])
        store = Store.mount(flash)
        value = broken(rng, store.get(key))
        try:
            store.commit({key: value})
        except StoreError:
            continue
        return value, flash.image()


# -- the device ------------------------------------------------------------------------------------


class Children(Worker):
    """A job that does not fit ends without an answer, as its child would."""

    def __call__(self, started: StartedJob) -> JobEnd | None:
        try:
            return super().__call__(started)
        except (AssertionError, KeyError, TypeError, ValueError, AttributeError):
            return JobEnd(None, "died")


class Broken(Bench):
    """A device on a given image, with the children above."""

    def __init__(self, image: bytes) -> None:
        super().__init__(flash=FakeFlash.from_image(image, BLOCKS[0]))

    def _boot(self) -> None:
        self.worker = Children()
        self.worker.answers["poll"] = self.worker.issue
        super()._boot()


def _configuration() -> str:
    realms = "".join(
        f"pki entity {name}\n common-name {name}\n#\npki realm {name}\n entity {name}\n"
        f" rsa local-key-pair k-{name}\n enrollment-url http://192.0.2.9/scep interval 1 times 3\n"
        f" fingerprint sha256 {SHA256}\n#\n"
        for name in REALMS
    )
    return f"#\n{realms}return\n"


def _enrol(bench: Bench, name: str) -> None:
    waiter = Waiter()
    bench.device.applications.enrol(name, None, waiter, waiter.done)
    bench.turn()
    assert waiter.code is None, waiter.results


def image() -> bytes:
    """The part of a device with three realms."""
    bench = Bench(flash=FakeFlash(*BLOCKS))
    for name in REALMS:
        bench.key(f"k-{name}")
    bench.factory = _configuration()
    bench.reboot()
    at_once(bench.device.configuration.save())
    fetched = bench.worker.answers["fetch-ca"]
    bench.worker.answers["fetch-ca"] = {**fetched, "caps": ["AES", "Renewal", "SHA-256"]}
    for name in REALMS:
        _enrol(bench, name)
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    _enrol(bench, "waits")
    bench.store.commit(_furnished(bench.store))
    bench.store.compact()
    return bench.flash.image()


def _furnished(store: Store) -> dict[str, object]:
    """What a realm may have beside: a set of its own, all that a CA record can hold, an error, a
    list, a certificate that waits; and what a device may remember."""
    ca = read_ca(store, CaSets(), store.get("realm/used/ca"))
    own, number = ca.certificates[0], store.health.sequence + 1
    prints = ("aa" * 32, "aa" * 16, "aa" * 20, own, b"message")
    following = records.NextCaRecord(*prints, START_S, [b"via"])
    full = records.CaSetRecord(
        *ca[:4], "operator", [own, own._replace(subject="CN=RA")], ca.caps, f"sha256 {SHA256}",
        ["cc" * 32], [1], True,
    )  # fmt: skip
    error = {"error": "http-busy", "what": "w", "cause": "c", "remedy": "r", "retry": "later"}
    found: dict[str, tuple[object, ...]] = {
        f"ca/{number}": full,
        "realm/used/ca": records.CaHeldRecord(
            number, START_S, following, [records.LinkRecord(*prints, [b"via"])]
        ),
        "realm/used/outcome": records.OutcomeRecord({**error, "after_s": 5}, START_S, 2),
        "realm/used/crl": records.CrlRecord(
            b"list", "CN=CA", START_S, START_S + 99, 3, "http://ca/crl", START_S
        ),
        "realm/used/alarms": records.AlarmsRecord(["CA_EXPIRED", "LOCAL_WILL_EXPIRED"]),
        "config/saving": records.SavingRecord(1 << 40),
        "lost": records.LostRecord(["key/gone"]),
        "starts": records.StartsRecord([b"1234\2"], False),
        "clock": records.ClockRecord(START_S, "machine"),
        "machine": records.MachineRecord("machine", ["key/k-used/1"], START_S),
    }
    changes: dict[str, object] = {key: record_codec.encode(one) for key, one in found.items()}
    return {**changes, "realm/used/next": store.get("realm/used/local")}


def kind_of(key: str) -> str:
    """The kind of the record of a key."""
    room, _, part = key.rpartition("/")
    if key.startswith("realm/"):
        return part
    return next((kind for name, kind in ROOMS.items() if f"{room}/".startswith(f"{name}/")), key)


def keys_of(store: Store) -> list[str]:
    """The keys of what may be broken: nothing of the realm that nobody touches."""
    held = record_codec.decode(records.CaHeldRecord, store.get("realm/good/ca")).set
    return [k for k in store.keys("") if "good" not in k and k != record_keys.ca_set_key(held)]


def is_unread(kind: str, value: object) -> bool:
    """Whether nobody can read that as a record of the kind."""
    whole = kind == "ca" and isinstance(value, dict) and "certificates" in value
    try:
        record_codec.decode(records.CaRecord if whole else KINDS[kind], value)
    except record_codec.RecordError:
        return True
    return False


SHOWN = (
    "display pki realm", "display pki enrollment", "display pki enrollment json",
    "display pki certificate local", "display pki certificate ca", "display pki crl",
    "display pki rsa local-key-pair public", "display pki statistics", "display pki realm json",
    "display saved-configuration", "display current-configuration", "display logbuffer",
)  # fmt: skip
ENROLMENT = ("display pki enrollment", "display pki certificate ca")
TYPED = (
    ("diagnose realm {}",),
    ("system-view", "pki validate-certificate local realm {}"),
    ("system-view", "pki export-certificate ca realm {} pem", "y"),
    ("system-view", "pki get-certificate ca realm {}"),
    ("system-view", "pki get-certificate ca realm {} next"),
    ("system-view", "pki get-certificate local realm {}"),
    ("system-view", "pki get-crl realm {}"),
    ("system-view", "pki abort-request realm {}", "y"),
    ("system-view", "pki enroll-certificate realm {}", "y"),
    ("system-view", "pki delete-certificate ca realm {}", "y"),
    ("system-view", "pki rsa local-key-pair create k-{}", "y"),
    ("save", "y"),
    ("system-view", "undo pki realm {}", "y"),
)


def _type(bench: Bench, *lines: str) -> None:
    session = Session(bench.device, lambda _data: None, bench.loop, level=3, terminal=False)
    for line in lines:
        session.run_line(line, lambda _status: None)
    bench.turn()
    session.close()


def live(bench: Bench, key: str, rng: random.Random) -> None:
    """A day of a device: displays, time, some commands about the realm, a start."""
    for line in SHOWN:
        _type(bench, line)
    for _ in range(2):
        bench.advance(61)
    realm = next((name for name in REALMS if name in key), "used")
    for lines in rng.sample(TYPED, 4):
        _type(bench, *(line.format(realm) for line in lines))
    bench.advance(61)
    bench.reboot()
    _type(bench, *ENROLMENT)


def faults(bench: Broken, key: str, value: object, rng: random.Random) -> list[str]:
    """What is wrong with a device that finds this value there; and what it raised is raised."""
    found = []
    kind = kind_of(key)
    if kind not in ("config", "lost") and bench.device.status("good").state != "issued":
        found.append("the realm that nobody touched is not issued")
    if kind != "config" and bench.memory.current("good", "cert.pem") != b"cert":
        found.append("the realm that nobody touched is not in use")
    if key.startswith("realm/") and is_unread(kind, value):
        whose = key.split("/")[1]
        if f"realm {whose}: " not in bench.logged():
            found.append(f"nobody is told of {whose}")
    if rng.random() < WHOLE:
        live(bench, key, rng)
    else:
        for line in ENROLMENT:
            _type(bench, line)
        bench.advance(61)
    bench.device.close()
    return found


# -- the run ---------------------------------------------------------------------------------------


class Figures(NamedTuple):
    """Of a run: maps by the kind of the record, how many of them nobody could read, seconds."""

    maps: Counter[str]
    unread: int
    seconds: float


def run(
    count: int,
    seed: str,
    tell: Callable[[str], None] | None = None,
    device: type[Broken] = Broken,
) -> Figures:
    """Raises at the first map that a device does not bear, with what makes it again."""
    began = said = time.monotonic()
    image_ = image()
    store = Store.mount(FakeFlash.from_image(image_, BLOCKS[0]))
    keys = keys_of(store)
    maps: Counter[str] = Counter()
    unread = 0
    for at in range(count):
        rng = random.Random(f"{seed} {at}")
        kind = rng.choice(sorted(KINDS))
        key = rng.choice([key for key in keys if kind_of(key) == kind])
        value, part = replaced_in(rng, image_, key)
        try:
            wrong = faults(device(part), key, value, rng)
        except Exception as error:
            raise AssertionError(f"seed {seed}, map {at}: {key}: {value!r:.600}") from error
        assert not wrong, f"seed {seed}, map {at}: {key}: {value!r:.600}: {wrong}"
        maps[kind_of(key)] += 1
        unread += is_unread(kind_of(key), value)
        if tell and time.monotonic() - said > PROGRESS_S:
            said = time.monotonic()
            tell(f"{at + 1} of {count} maps")
    return Figures(maps, unread, time.monotonic() - began)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", default="1")
    wanted = parser.parse_args()
    found = run(wanted.count, wanted.seed, lambda text: print(text, flush=True))
    kinds = " ".join(f"{kind}={count}" for kind, count in sorted(found.maps.items()))
    print(
        f"broken-records: maps={found.maps.total()} {kinds} unread={found.unread} ended=0"
        f" seconds={found.seconds:.0f} seed={wanted.seed}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
