"""A board with many realms that are due at once: its flash, its clock, and its log as it grows.

All key pairs are one RSA key, sealed under as many names: to make a thousand takes minutes. The
realms stand in the configuration in an order that the seed decides.
"""

import json
import os
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.scep import crypto, vault
from hal import record_codec, record_keys
from hal.flash import FileFlash
from hal.records import KeyRecord
from hal.store import Store
from tests.helpers import fleet
from tests.helpers.board import ROOT
from tests.helpers.labca import LabCa
from tools.bench.rig import Board

PART = 16 * fleet.MIB
BITS = 2048
KEYS_A_COMMIT = 30  # a transaction takes 64 KiB
PERCENT = 70
LINE = re.compile(rb"PKI/\d/(\w+): realm ([^:\s]+)")


def names(count: int, seed: str) -> list[str]:
    """The realms in the order of the configuration."""
    found = [fleet.name(number) for number in range(count)]
    random.Random(seed).shuffle(found)
    return found


class HerdBoard(Board):
    """Not started yet; `realms` hold nothing but a key pair, and are to apply by themselves."""

    def __init__(
        self, folder: Path, ca: LabCa, realms: Sequence[str], clone: Path = ROOT, python: str = ""
    ) -> None:
        super().__init__(folder, clone=clone, python=python or sys.executable)
        device_key = os.urandom(vault.DEVICE_KEY_BYTES)
        (self.dir / "device.key").touch(0o600)
        (self.dir / "device.key").write_bytes(device_key)
        _fill(self.dir / "flash.bin", device_key, ca, realms)
        self._log = self.dir.parent / "agent.log"
        self._read = 0
        self.set_clock(0)

    def set_clock(self, offset_s: int, rate: int = 1) -> None:
        """A source vouches for it, so it may jump."""
        staged = self.dir / "clock.new"
        staged.write_text(json.dumps({"offset_s": offset_s, "rate": rate, "synchronised": True}))
        staged.rename(self.dir / "clock")

    def news(self) -> Iterator[tuple[str, str, int]]:
        """Mnemonic, realm and moment (monotonic) of each line about a realm since the last look."""
        now_ns = time.monotonic_ns()
        with self._log.open("rb") as log:
            log.seek(self._read)
            whole = log.read().rpartition(b"\n")[0]
        for line in whole.split(b"\n") if whole else ():
            if found := LINE.search(line):
                yield found[1].decode(), found[2].decode(), now_ns
        self._read += len(whole) + 1 if whole else 0


def _fill(path: Path, device_key: bytes, ca: LabCa, realms: Sequence[str]) -> None:
    flash = FileFlash(str(path), fleet.BLOCK, PART // fleet.BLOCK)
    try:
        store, pair = Store.mount(flash), crypto.generate(BITS)
        for at in range(0, len(realms), KEYS_A_COMMIT):
            some = realms[at : at + KEYS_A_COMMIT]
            store.commit(dict(_key(device_key, name, pair) for name in some))
        fleet.write(store, _lines(ca, realms))
    finally:
        flash.close()


def _key(device_key: bytes, name: str, pair: crypto.PrivateKey) -> tuple[str, dict[str, object]]:
    sealed, spki = vault.seal_key(device_key, name, 1, pair)
    record = KeyRecord(name, 1, BITS, False, 1, spki, sealed)
    return record_keys.key_pair_key(name, 1), record_codec.encode(record)


def _lines(ca: LabCa, realms: Sequence[str]) -> Iterator[str]:
    """The saved configuration."""
    yield from ("pki entity e1", " common-name fleet.example.com")
    for name in realms:
        yield from (f"pki realm {name}", " entity e1", f" rsa local-key-pair {name}")
        yield from (f" enrollment-url {ca.url}", f" fingerprint sha256 {ca.fingerprint}")
        yield f" auto-enroll {PERCENT}"
