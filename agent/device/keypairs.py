"""The RSA key pairs of the device: made in a child, sealed there, kept by the store.

One key pair serves one realm at a time, and what a realm holds of it (a certificate in use, one
that waits, a request under way) counts as much as what is configured. A name has generations. The
newest one serves the next application; an older one stays as long as a realm holds it, so a renewal
with a new key costs nothing when it fails.

Fault model. A record cannot be read: the pair is as good as gone, but it is not made anew in its
place in silence, since a later release, or a mended flash, may read it; `destroy` gives the name
free. A record is lost and a certificate still names it: a pair of the same name is another
generation, so that nobody takes it for the one of the certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.appliance import Done, KeyPair
from agent.device.identity import Identity
from agent.device.realm_records import Held
from agent.device.reserve import key_pair_bytes
from agent.device.shared import Shared
from agent.errors import AgentError, fail
from agent.jobs import answers
from agent.jobs.answers import Answer
from hal import record_codec, record_keys, records
from hal.records import KeyRecord


class KeyPairs:
    """All key pairs of a device. `held` names those that a realm's stored records need."""

    def __init__(
        self, shared: Shared, held: Callable[[str], Iterable[Held]], identity: Identity
    ) -> None:
        self._shared, self._store, self._held = shared, shared.store, held
        self._identity = identity
        self._making: set[str] = set()  # being generated

    def all(self) -> list[KeyPair]:
        """The newest generation of each name."""
        newest = dict(sorted(map(record_keys.key_pair_of, self._store.keys("key/"))))
        found = [self.record(*each) for each in newest.items()]
        return [shown(key) for key in found if key]

    def count(self) -> int:
        """How many names there are; what cannot be read counts, too."""
        return len({name for name, _ in map(record_keys.key_pair_of, self._store.keys("key/"))})

    def record(self, name: str, generation: int | None = None) -> KeyRecord | None:
        """A key pair of the store; None when there is none, or none that can be read.

        generation None: the newest one, which an older one never replaces.
        """
        if generation is None:
            generation = max(self._generations(name), default=0)
        value = self._store.get(record_keys.key_pair_key(name, generation))
        try:
            key = None if value is None else record_codec.decode(KeyRecord, value)
        except record_codec.RecordError as error:
            self._shared.log.report("STORE_ERR", f"key pair {name}: {error}")
            return None
        if key and key.kind != records.SEALED:
            self._shared.log.report("STORE_ERR", f"key pair {name}: its kind is {key.kind}")
            return None
        return key

    def tell_missing(self) -> None:
        """Those that a realm is configured with; one that applies by itself makes its own."""
        for realm in self._shared.settings.realms.values():
            name = realm.key_pair
            if name and not realm.auto_enroll and not self._generations(name):
                error = fail("key-unknown", name=name)
                self._shared.log.report("CONFIG_ERR", f"realm {realm.name}: {error.what}")

    def unreadable(self, name: str) -> bool:
        """Whether there is a record that is none for us."""
        return self.record(name) is None and bool(self._generations(name))

    def _generations(self, name: str) -> list[int]:
        found = map(record_keys.key_pair_of, self._store.keys(f"key/{name}/"))
        return [generation for other, generation in found if other == name]

    def next_generation(self, name: str) -> int:
        """Of a pair that is about to be made; AgentError in the place of one that is unreadable."""
        if self.unreadable(name):
            raise fail("key-unreadable", name=name)
        named = self._generations(name)
        for key in self._store.keys("realm/"):
            value = self._store.get(key) if key.endswith(_CERTIFICATES) else None
            if isinstance(value, dict) and value.get("key") == name:
                generation = value.get("generation")
                named += [generation] if record_codec.is_generation(generation) else []
        return 1 + max(named, default=0)

    def user(self, name: str) -> str | None:
        """The realm that is configured with a key pair, or holds a certificate for it."""
        for key, settings in self._shared.settings.realms.items():
            if name in (settings.key_pair, *(held.name for held in self._held(key))):
                return settings.name
        return None

    def create(
        self,
        name: str,
        bits: int,
        exportable: bool,
        done: Done[KeyPair],
        realm: str | None = None,
    ) -> int:
        """Generates in a child, seals there, stores; `done` with the KeyPair.

        `realm`: it is for this one, which goes on with the generation that it holds.
        """
        if name in self._making:
            raise fail("key-making", name=name)
        generation = self.next_generation(name)
        if self.record(name) is None:
            self._shared.commits.expect(key_pair_bytes(bits))
        self._making.add(name)

        def end(result: KeyPair | AgentError) -> None:
            self._making.discard(name)
            done(result)

        job: dict[str, object] = {"op": "generate-key", "name": name, "generation": generation}
        return self._shared.task(
            {**job, "bits": bits},
            lambda answer: self.keep(name, generation, exportable, answer, "RSA_CREATE_OK", realm),
            end,
        )

    def keep(
        self,
        name: str,
        generation: int,
        exportable: bool,
        answer: Answer,
        mnemonic: str,
        realm: str | None = None,
    ) -> KeyPair:
        """Stores a key pair that a child has made or read: {sealed, spki, bits}."""
        user = self.user(name)
        if user not in (None, realm) and self.record(name):  # taken meanwhile
            raise fail("key-used", name=name, realm=user)
        key = KeyRecord(
            name=name,
            generation=generation,
            bits=answers.field(answer, "bits", int),
            exportable=exportable,
            created_s=self._shared.time.wall_s(),
            spki=answers.field(answer, "spki", bytes),
            sealed=answers.field(answer, "sealed", bytes),
        )
        stored = {record_keys.key_pair_key(name, generation): record_codec.encode(key)}
        self._shared.commit({**self._unneeded(name), **stored, **self._identity.first()})
        self._identity.look()
        self._shared.log.report(mnemonic, f"key pair {name}, {key.bits} bits")
        return shown(key)

    def _unneeded(self, name: str) -> dict[str, object]:
        """Changes for a commit: the generations that no realm holds are gone."""
        realms = self._shared.settings.realms
        held = {pair for realm in realms for pair in self._held(realm)}
        gone = (n for n in self._generations(name) if Held(name, n) not in held)
        return dict.fromkeys(record_keys.key_pair_key(name, generation) for generation in gone)

    def tidy(self, name: str) -> None:
        """Older generations that no realm holds any more go; if flash refuses, another time. Behind
        each start it is asked for, too: power may have failed between a certificate and this."""
        gone = self._unneeded(name) if len(self._generations(name)) > 1 else {}
        gone.pop(record_keys.key_pair_key(name, max(self._generations(name), default=0)), None)
        try:
            if gone:
                self._shared.commit(gone)
                self._identity.look()
                self._shared.log.report("RSA_DESTROY", f"key pair {name}: the one before")
        except AgentError:
            return  # it is in the log

    def destroy(self, name: str) -> None:
        generations = self._generations(name)
        if not generations:
            raise fail("key-unknown", name=name)
        user = self.user(name)
        if user is not None:
            raise fail("key-used", name=name, realm=user)
        self._shared.commit(dict.fromkeys(record_keys.key_pair_key(name, n) for n in generations))
        self._identity.look()
        self._shared.log.report("RSA_DESTROY", f"key pair {name}")


_CERTIFICATES = ("/local", "/next")  # the parts of a realm that name a generation


def shown(key: KeyRecord) -> KeyPair:
    """A key pair without its private half."""
    return KeyPair(key.name, key.generation, key.bits, key.exportable, key.created_s, key.spki)
