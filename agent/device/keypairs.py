"""The RSA key pairs of the device: made in a child, sealed there, kept by the store.

One key pair serves one realm at a time, and what a realm holds of it (a certificate in use, a
request under way) counts as much as what is configured.

Fault model. A record cannot be read: the pair is as good as gone, but it is not made anew in its
place in silence, since a later release, or a mended flash, may read it; `destroy` gives the name
free. A record is lost and a certificate still names it: a pair of the same name is another
generation, so that nobody takes it for the one of the certificate.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.appliance import Done, KeyPair
from agent.device.reserve import key_pair_bytes
from agent.device.shared import Shared
from agent.errors import AgentError, fail
from agent.jobs import answers
from agent.jobs.answers import Answer
from hal import records
from hal.records import KeyRecord


class KeyPairs:
    """All key pairs of a device. `held` names those that a realm's stored records need."""

    def __init__(self, shared: Shared, held: Callable[[str], list[object]]) -> None:
        self._shared, self._store, self._held = shared, shared.store, held
        self._making: set[str] = set()  # being generated

    def all(self) -> list[KeyPair]:
        key_records = [self.record(key.removeprefix("key/")) for key in self._store.keys("key/")]
        return [shown(key) for key in key_records if key]

    def record(self, name: str) -> KeyRecord | None:
        """A key pair of the store; None when there is none, or none that can be read."""
        value = self._store.get(records.key_pair_key(name))
        try:
            return None if value is None else records.decode(KeyRecord, value)
        except records.RecordError as error:
            self._shared.log.report("STORE_ERR", f"key pair {name}: {error}")
            return None

    def unreadable(self, name: str) -> bool:
        """Whether there is a record that is none for us."""
        return self.record(name) is None and records.key_pair_key(name) in self._store.keys("key/")

    def next_generation(self, name: str) -> int:
        """Of a pair that is about to be made; AgentError in the place of one that is unreadable."""
        before = self.record(name)
        if before is None and self.unreadable(name):
            raise fail("key-unreadable", name=name)
        named = [before.generation] if before else []
        for key in self._store.keys("realm/"):
            value = self._store.get(key) if key.endswith("/local") else None
            if isinstance(value, dict) and value.get("key") == name:
                generation = value.get("generation")
                named += [generation] if isinstance(generation, int) else []
        return 1 + max(named, default=0)

    def user(self, name: str) -> str | None:
        """The realm that is configured with a key pair, or holds a certificate for it."""
        for key, settings in self._shared.settings.realms.items():
            if name in (settings.key_pair, *self._held(key)):
                return settings.name
        return None

    def create(self, name: str, bits: int, exportable: bool, done: Done[KeyPair]) -> int:
        """Generates in a child, seals there, stores; `done` with the KeyPair."""
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
            lambda answer: self.keep(name, generation, exportable, answer, "RSA_CREATE_OK"),
            end,
        )

    def keep(
        self, name: str, generation: int, exportable: bool, answer: Answer, mnemonic: str
    ) -> KeyPair:
        """Stores a key pair that a child has made or read: {sealed, spki, bits}."""
        user = self.user(name)
        if user is not None and self.record(name):  # taken while the new one was being made
            raise fail("key-used", name=name, realm=user)
        key = KeyRecord(
            name=name,
            generation=generation,
            bits=answers.field(answer, "bits", int),
            exportable=exportable,
            created_s=self._shared.wall_s(),
            spki=answers.field(answer, "spki", bytes),
            sealed=answers.field(answer, "sealed", bytes),
        )
        self._shared.commit({records.key_pair_key(name): records.encode(key)})
        self._shared.log.report(mnemonic, f"key pair {name}, {key.bits} bits")
        return shown(key)

    def destroy(self, name: str) -> None:
        if records.key_pair_key(name) not in self._store.keys("key/"):
            raise fail("key-unknown", name=name)
        user = self.user(name)
        if user is not None:
            raise fail("key-used", name=name, realm=user)
        self._shared.commit({records.key_pair_key(name): None})
        self._shared.log.report("RSA_DESTROY", f"key pair {name}")


def shown(key: KeyRecord) -> KeyPair:
    """A key pair without its private half."""
    return KeyPair(key.name, key.generation, key.bits, key.exportable, key.created_s, key.spki)
