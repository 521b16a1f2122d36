"""What the CA remembers: a JSON file for each transaction, and the log of every HTTP operation.

The server and the commands `approve` and `deny` are different processes, so whoever decides about
a transaction holds the lock of the folder from reading until writing. Files are named after the
percent-escaped transactionID: escaping is injective and leaves no path separator, so a hostile
transactionID can neither leave the folder nor pass for another one.
"""

import fcntl
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tools.lab_ca import folder

PENDING, APPROVED, DENIED, ISSUED = "pending", "approved", "denied", "issued"
ALL = "all"


class Record(NamedTuple):
    """A transaction. Digests are SHA-256 in hexadecimal, over DER."""

    id: str
    state: str
    message_type: str
    subject: str
    spki_sha256: str
    signer_sha256: str
    signer_spki_sha256: str
    csr: str  # the PKCS#10, hexadecimal
    requests: int = 0
    polls: int = 0
    serial: str | None = None  # of the certificate that was issued


class Ledger:
    """The transactions of a state folder."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "requests"
        self._folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Shuts out the other threads and processes that use this folder."""
        with open(self._folder / ".lock", "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def get(self, transaction_id: str) -> Record | None:
        path = self._path(transaction_id)
        return _read(path) if path.exists() else None

    def put(self, record: Record) -> None:
        folder.write(self._path(record.id), json.dumps(record._asdict(), indent=1) + "\n")

    def records(self) -> list[Record]:
        """All transactions, in order of their names."""
        return [_read(path) for path in sorted(self._folder.glob("*.json"))]

    def decide(self, transaction_id: str, state: str) -> list[str]:
        """Approves or denies one pending transaction or all; the ids that it was done for."""
        with self.lock():
            wanted = [
                record
                for record in self.records()
                if record.state == PENDING and transaction_id in (ALL, record.id)
            ]
            for record in wanted:
                self.put(record._replace(state=state))
        return [record.id for record in wanted]

    def _path(self, transaction_id: str) -> Path:
        return self._folder / f"{quote(transaction_id, safe='')}.json"


class Log:
    """log.jsonl: a line is whole and flushed before the reply that it tells of is sent."""

    def __init__(self, home: Path) -> None:
        self._path, self._lock = home / "log.jsonl", threading.Lock()

    def write(self, entry: dict[str, object]) -> None:
        line = json.dumps({"time_ms": time.time_ns() // 1_000_000, **entry}) + "\n"
        with self._lock, open(self._path, "a", encoding="utf-8") as file:
            file.write(line)


def _read(path: Path) -> Record:
    return Record(**json.loads(path.read_text(encoding="utf-8")))
