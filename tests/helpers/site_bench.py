"""A device on fakes, people who fill its store, and peers who help them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.pieces import at_once
from agent.settings import AutoEnroll, Entity, Realm
from hal.fakes.flash import FakeFlash
from hal.flash import FileFlash
from hal.ports import Flash
from tests.helpers.device_bench import RELATIONS, SHA256, START_S, Bench, Waiter, refuse

KIB = 1024
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
        self.do(lambda: at_once(self.device.configuration.save()))

    def forget(self, name: str) -> None:
        if self.device.settings.realms.pop(name, None):
            self.do(self.device.forget_realm, name)

    def apply(self, name: str) -> Waiter | None:
        if name not in self.device.settings.realms:
            return None
        waiter = Waiter()
        self.do(self.device.applications.enrol, name, None, waiter, waiter.done)
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
