"""A consumer of the certificates in device memory that never rests."""

import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

LOOK_S = 0.1
LOOKS_A_HANDSHAKE = 10
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: the dates are compared with the board's time
NAMED = 10


class Gap(NamedTuple):
    """A look that found no certificate that is good: of which realm, when (monotonic), why."""

    realm: str
    at_ns: int
    why: str


class Reader:
    """`with Reader(...)` looks until it is left. memory: the folder of device memory; now_s: the
    true time; authorities: PEM of the CAs that a consumer trusts."""

    def __init__(
        self,
        memory: Path,
        realms: Sequence[str],
        now_s: Callable[[], int],
        authorities: Callable[[], str],
    ) -> None:
        self._memory, self._realms = memory, realms
        self._now_s, self._authorities = now_s, authorities
        self.gaps: list[Gap] = []
        self.serials: dict[str, list[int]] = {realm: [] for realm in realms}
        self.looks = self.handshakes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_how: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _read(self) -> None:
        begin_ns, turn = time.monotonic_ns(), 0
        while not self._stop.is_set():
            for realm in self._realms:
                why = self._look(realm, handshake=turn % LOOKS_A_HANDSHAKE == 0)
                if why:
                    self.gaps.append(Gap(realm, time.monotonic_ns(), why))
            turn += 1
            late_s = (time.monotonic_ns() - begin_ns) / 1e9 - turn * LOOK_S
            self._stop.wait(max(0.0, -late_s))

    def _look(self, realm: str, *, handshake: bool) -> str:
        """Why there is nothing good; "" when there is."""
        try:
            bundle = (self._memory / realm / "bundle.pem").resolve(strict=True)
            before_s = self._now_s()
            leaf = x509.load_pem_x509_certificates(bundle.read_bytes())[0]
            why = out_of_date(leaf, before_s, self._now_s())
            if handshake and not why:
                shake_hands(bundle, self._authorities())
                self.handshakes += 1
        except (OSError, ValueError) as error:
            why = f"{type(error).__name__}: {error}"
        else:
            if leaf.serial_number not in self.serials[realm]:
                self.serials[realm].append(leaf.serial_number)
        self.looks += 1
        return why


def out_of_date(leaf: x509.Certificate, before_s: int, after_s: int) -> str:
    """Whether it was out of date all the time between two readings of a clock."""
    begin_s = int(leaf.not_valid_before_utc.timestamp())
    end_s = int(leaf.not_valid_after_utc.timestamp())
    if before_s >= end_s:
        return f"it ended {before_s - end_s} s ago"
    return f"it begins in {begin_s - after_s} s" if after_s < begin_s else ""


def shake_hands(bundle: Path, authorities: str) -> None:
    """TLS with the certificate, the key and the chain of a file. Raises OSError (ssl.SSLError)."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(bundle)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    client.load_verify_locations(cadata=authorities)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server),
    ]
    open_ends = list(ends)
    while open_ends:
        for end in tuple(open_ends):
            try:
                end.do_handshake()
                open_ends.remove(end)
            except ssl.SSLWantReadError:
                pass


def authorities_of(folder: Path) -> Callable[[], str]:
    """PEM of a lab CA, of those that it followed, and of the next one: it may be that by now."""

    def found() -> str:
        paths = [folder / "ca-next.pem", folder / "ca.pem", *(folder / "former").glob("*.pem")]
        return "".join(map(_text, paths))

    return found


def _text(path: Path) -> str:
    """Of a file that may be renamed while it is looked at."""
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""
