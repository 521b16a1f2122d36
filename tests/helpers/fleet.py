"""Many realms: a configuration of them, and flash on which it is saved or all are enrolled."""

from collections.abc import Iterable, Iterator

from agent.device import saved as saved_records
from agent.pieces import at_once
from hal import record_codec, record_keys
from hal.fakes.flash import FakeFlash
from hal.record_codec import Record
from hal.records import KeyRecord
from hal.store import Store
from platforms.board import Flash
from tests.helpers.device_bench import Bench

CAS = 4  # that the realms are spread over
KEY_BYTES = 1216  # of a sealed RSA-2048 key pair
BLOCK = Flash().erase_size
MIB = 1024 * 1024


def name(number: int) -> str:
    return f"site-{number:04}"


def text(count: int) -> str:
    """The configuration of so many realms, some 470 bytes each, with a sealed password.

    None of them applies by itself: that would be at work while a start is measured.
    """
    lines = ["sysname fleet", "pki entity e1", " common-name fleet.example.com", " organization x"]
    for number in range(count):
        lines += _realm(number)
    return "".join(f"{line}\n" for line in lines)


def _realm(number: int) -> Iterator[str]:
    """What differs from realm to realm differs here: a name, an interface, a password."""
    noise = f"{number * 2654435761 % 2**32:08x}"
    sealed = (noise[::-1] + noise) * 5
    yield f"pki realm {name(number)}"
    yield f" ca id ca-{number % CAS}"
    yield " entity e1"
    yield " key-usage ike ssl-client"
    yield f" source interface GigabitEthernet0/0/1.{number}"
    yield f" enrollment-url http://ca{number % CAS}.example.com:8080/scep interval 5 times 10"
    yield " enrollment-request signature message-digest-method sha-384"
    yield " enrollment-request encryption-algorithm aes256"
    yield f" password cipher %^%#{sealed}%^%#"
    yield f" fingerprint sha256 {(noise * 8)[:64]}"


def saved(count: int, size: int = 4 * MIB, raw: bool = True) -> Bench:
    """A device on whose flash the configuration of so many realms is saved; not raw: a file."""
    bench = Bench(text(count), FakeFlash(BLOCK, size // BLOCK, raw=raw))
    assert bench.device.settings.unapplied == []
    at_once(bench.device.configuration.save())
    assert (bench.device.configuration.worn(), bench.device.configuration.lost()) == ("", "")
    bench.factory = ""
    return bench


def write(store: Store, lines: Iterable[str]) -> None:
    """A configuration becomes the saved one."""
    parts = at_once(saved_records.parted(lines))
    for changes in at_once(saved_records.changes(store, parts)).all:
        store.commit(changes)


def copied(store: Store, realm: str, count: int) -> dict[str, object]:
    """The records that make realms like an enrolled one, each with a key pair in the store.

    All certificates are those of the one realm, with its key pair: what is in use can be made of
    the copies. Their own key pairs are there for the room that they take.
    """
    parts = [key.rsplit("/", 1)[1] for key in store.keys(f"realm/{realm}/")]
    changes: dict[str, object] = {}
    for number in range(count):
        for part in parts:
            copy = record_keys.realm_key(name(number), part)
            changes[copy] = store.get(record_keys.realm_key(realm, part))
        pair = KeyRecord(name(number), 1, 2048, False, 1, bytes(294), _sealed(number))
        changes[record_keys.key_pair_key(name(number), 1)] = record_codec.encode(pair)
    return changes


def _sealed(number: int) -> bytes:
    return number.to_bytes(4, "big") * (KEY_BYTES // 4)


def decoded(store: Store, kind: type[Record], key: str) -> Record:
    return record_codec.decode(kind, store.get(key))
