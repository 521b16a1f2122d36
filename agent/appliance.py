"""What the console asks of the device: the only way from a command to engines, store and jobs.

`agent/device/device.py` is the one implementation. Whatever takes longer than a moment is a task:
the call returns at once with a handle, `done` is called later from the event loop with the result
or with an `AgentError`; the session holds its own line until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from agent.errors import AgentError
from agent.pieces import Pieces
from agent.settings import Settings
from hal.annotations import TypeVar
from hal.named import NamedTuple
from hal.ports import Interface
from hal.protocol import Protocol


class KeyPair(NamedTuple):
    """A key pair as the store holds it; the private half stays sealed."""

    name: str
    generation: int
    bits: int
    exportable: bool
    created_s: int
    public_der: bytes  # SubjectPublicKeyInfo


class Certificate(NamedTuple):
    """A stored certificate with the fields that were read out of it when it was accepted."""

    der: bytes
    subject: str
    issuer: str
    serial: str  # hexadecimal
    not_before_s: int
    not_after_s: int


class CaInfo(NamedTuple):
    """The CA set of a realm: the pinned CA, how it came to be trusted, all certificates, the CA
    that the pinned one has named as its next, what kind of CA the pin is, and whether consumers
    find the root that most of them need."""

    pinned: Certificate
    trusted_by: str  # fingerprint, operator, import
    certificates: tuple[Certificate, ...]
    next: Certificate | None = None
    kind: str = ""
    root: str | None = None  # None: the pinned CA is one
    sha256: str = ""  # of the pinned CA, lower-case hexadecimal


class Fingerprints(NamedTuple):
    """What the operator compares of one CA; lower-case hexadecimal."""

    sha1: str
    sha256: str
    subject: str


class CaQuestion(NamedTuple):
    """What the operator is asked before a CA is trusted: it, and the CAs that stand above it up to
    a self-signed one. Who says yes vouches for all of them.

    `before`: the SHA-256 of another CA that the realm has trusted until now; "": nobody knows any
    more which one it was.
    """

    chain: tuple[Fingerprints, ...]
    before: str | None = None


class RealmStatus(NamedTuple):
    """Where a realm stands: for `display pki realm` and `display pki enrollment`."""

    state: str  # of agent/enrolment/states.py: "nothing", "CA trusted", "sent", "issued", ...
    why: str  # one sentence
    next_step: str  # one sentence; "-" when nothing will happen by itself
    next_s: int | None  # wall time of the next step
    transaction: str | None  # transactionID
    attempts: int
    polls: int
    last_error: AgentError | None
    last_error_s: int | None
    renew_s: int | None = None  # wall time from which the certificate is due for renewal
    take_over_s: int | None = None  # when the one that waits takes its place
    wait: str | None = None  # what the next step waits for
    in_use: str | None = None  # the certificate in use beside the settings; None: there is none
    next_ca: Certificate | None = None  # that the pinned CA has named
    outage_s: int | None = None  # so long the CA may be away before the certificate ends
    store_wanted: int = 0  # bytes that the next application takes of the store
    store_place: str = "free"  # they are: free, kept for renewals, missing


class Glance(NamedTuple):
    """A realm in a line. `rank`: how much it needs somebody, 0 most."""

    rank: int
    realm: str
    state: str  # as in RealmStatus
    not_after_s: int | None  # of the certificate in use
    next_s: int | None
    last_error: AgentError | None


class Described(NamedTuple):
    """A certificate, a request or a CRL: its text, and its fields for JSON."""

    text: str
    fields: Mapping[str, object]


class Verdict(NamedTuple):
    """What a validation says of one certificate of a chain."""

    certificate: str
    subject: str
    status: str  # Valid, Invalid, Self-sign
    reason: str | None


class Check(NamedTuple):
    """One step of a diagnosis: result is ok, warning or failed; what to do when it is not ok."""

    check: str
    result: str
    detail: str
    next_step: str | None


class FileEntry(NamedTuple):
    """A file of device storage."""

    name: str
    size: int
    modified_at: int


class ClockState(NamedTuple):
    """Where the time comes from (rtc, ntp, operator; system: nobody says); may it be believed?

    says_s: Unix time as the clock has it; counts_s: the one that counts, which is another where the
    clock is not trusted.
    """

    source: str
    trusted: bool
    why: str
    says_s: int
    counts_s: int


class Children(NamedTuple):
    """What confines job children on this system, and what is missing with its reason."""

    held: tuple[str, ...]
    missing: tuple[str, ...]


class FromFile(NamedTuple):
    """What is imported: a file of device storage, its format (None: see what it is)."""

    file: str
    format: str | None = None  # pem, der, pkcs12
    password: str | None = None


class LogLine(Protocol):
    """A line of the log."""

    @property
    def at_s(self) -> int: ...  # wall time
    @property
    def level(self) -> int: ...  # 4: warning, 5: notice
    @property
    def text(self) -> str: ...  # PKI/5/GET_LOCAL_CERT_OK: realm abc: ...


class Progress(Protocol):
    """What a task tells the session that waits for it. All are called from the event loop."""

    def note(self, text: str) -> None: ...  # a line of `Info:`
    def confirm_ca(self, asked: CaQuestion, answer: Callable[[bool], None]) -> None: ...
    def confirm(self, question: str, answer: Callable[[bool], None]) -> None: ...  # Y or N


T = TypeVar("T")
Done = Callable[[T | AgentError], None]  # called once, with the result or with an error


class Storage(Protocol):
    """Device storage: one folder of small files."""

    def entries(self) -> list[FileEntry]: ...
    def read(self, name: str) -> bytes: ...
    def exists(self, name: str) -> bool: ...
    def remove(self, name: str) -> None: ...
    def write(self, name: str, data: bytes) -> None: ...


class Exchange(Protocol):
    """Certificates and keys that come in and go out otherwise than by an application.

    kind is ca or local, format pem, der or pkcs12.
    """

    def get_ca(self, realm: str, progress: Progress, done: Done[None]) -> int: ...
    def get_next_ca(self, realm: str, progress: Progress, done: Done[None]) -> int: ...

    def get_local(
        self, realm: str, serial: str | None, progress: Progress, done: Done[bool]
    ) -> int:
        """A certificate that the CA has issued, by its serial number (hexadecimal), or that of the
        one in use. Result: whether it was in use already."""

    def import_ca(
        self, realm: str, what: FromFile, progress: Progress, done: Done[None]
    ) -> int: ...
    def import_local(
        self, realm: str, what: FromFile, progress: Progress, done: Done[None]
    ) -> int: ...
    def import_key(
        self, name: str, what: FromFile, exportable: bool, done: Done[KeyPair]
    ) -> int: ...
    def export(self, realm: str, kind: str, what: FromFile, done: Done[None]) -> int: ...
    def export_key(self, name: str, what: FromFile, done: Done[None]) -> int: ...
    # Writes the PKCS#10, with the challenge of `password cipher` in it or without.
    def request(self, realm: str, file: str, with_password: bool, done: Done[None]) -> int: ...

    def validate(
        self, realm: str, kind: str, done: Done[list[Verdict]], file: str | None = None
    ) -> int:
        """What is stored; or by the realm's CA the certificate in a file of device storage."""

    def delete(self, realm: str, kind: str) -> None: ...
    # What stands at a URL becomes a new file; it is fetched as the realm reaches its CA.
    def download(self, realm: str, url: str, file: str, done: Done[None]) -> int: ...


class Applications(Protocol):
    """Applications of realms for their certificates."""

    def enrol(self, realm: str, plain: str | None, progress: Progress, done: Done[None]) -> int: ...
    def update(self, realm: str, progress: Progress, done: Done[None]) -> int: ...  # as by itself
    def abort(self, realm: str) -> bool: ...  # False: there was none
    def is_outdated(self, realm: str) -> bool: ...  # one is under way, by other settings than now


class Revocation(Protocol):
    """The revocation lists of the CAs."""

    def fetch(self, realm: str, progress: Progress, done: Done[None]) -> int: ...
    def import_from(self, realm: str, file: str, progress: Progress, done: Done[None]) -> int: ...
    def current(self, realm: str) -> bytes | None: ...  # DER of the stored one
    def delete(self, realm: str) -> None: ...


class System(Protocol):
    """The device as a machine."""

    def clock(self) -> ClockState: ...
    def set_clock(self, wall_s: int) -> None: ...  # clock, RTC and trust
    def children(self) -> Children | None: ...  # None: no child has told yet
    def statistics(self) -> dict[str, object]: ...  # the fields of `display pki statistics`
    def compact(self, done: Done[None]) -> int: ...  # no replaced secret stays on flash
    def wipe(self) -> None: ...  # key pairs, certificates, requests; the configuration stays
    def erase(self, done: Done[None]) -> int: ...  # all of it; then the device is like a new one

    @property
    def recovery(self) -> bool: ...  # whether a line that lets nobody in may offer `erase`
    @property
    def key_missing(self) -> bool: ...  # there are sealed records, and the device key is gone
    def reboot(self) -> None: ...
    @property
    def moved(self) -> bool: ...  # this storage was made on another device, and nobody confirmed it
    def confirm_device(self) -> None: ...  # this one has replaced it


class Configuration(Protocol):
    """The configuration as text, running and saved. Lines that do not apply stand in both."""

    def running(self) -> Iterator[str]: ...  # lines as they are asked for, as `save` writes them
    def saved(self) -> Pieces[list[str] | None]: ...  # what can be read; None: none is saved
    def lost(self) -> str: ...  # what cannot be read of the saved one; "" when nothing is missing
    def worn(self) -> str: ...  # what of it has one copy of two left; "" when nothing has
    def closed(self) -> str: ...  # why serial lines let nobody in; "": as the settings say
    def unsaved(self) -> bool: ...
    def edits(self) -> int: ...  # another number when the running one has changed

    # AgentError: nothing has changed. What is displayed meanwhile is what was there before.

    def save(self) -> Pieces[None]: ...  # the running configuration becomes the saved one
    def reset(self) -> Pieces[None]: ...  # none is saved any more

    def replace(self, settings: Settings, edits: int) -> Pieces[None]:
        """Saved, then running: both or neither. `edits`: of the configuration that it replaces;
        AgentError `apply-raced` when somebody has changed that."""


class Unusable(Protocol):
    """The storage of a device that cannot be used: nothing of it is touched before `renew`."""

    reason: str  # as part of a sentence

    def renew(self, everything: bool, done: Done[None]) -> int:
        """Erases the part, or with `everything` memory and files too; then `done`, and the agent
        starts as that of a new device."""


class Seat(NamedTuple):
    """A session, as others see it."""

    line: str  # CON 0, SOCK 1
    place: str  # the tty; terminal or script on the socket
    user: str  # "" when nobody asked
    level: int
    since_s: int
    idle_s: Callable[[], int]  # since something was typed


class Access(Protocol):
    """Login passwords, which are only made and compared in jobs; and who is logged in."""

    seats: list[Seat]

    def hash_password(self, plain: str, before: str | None, done: Done[str]) -> int:
        """Result: a salted hash; `before` itself when it is one of the same password."""

    def check_password(self, plain: str, stored: str, done: Done[bool]) -> int: ...


class Appliance(Protocol):
    """The device. Methods that do not take `done` act at once and raise `AgentError`."""

    settings: Settings

    @property
    def unusable(self) -> Unusable | None: ...  # None: the storage is as it should be
    @property
    def storage(self) -> Storage: ...
    @property
    def applications(self) -> Applications: ...
    @property
    def exchange(self) -> Exchange: ...
    @property
    def revocation(self) -> Revocation: ...
    @property
    def system(self) -> System: ...
    @property
    def configuration(self) -> Configuration: ...
    @property
    def access(self) -> Access: ...

    def wall_s(self) -> int: ...
    def clock_trusted(self) -> bool: ...  # whether the wall clock is good enough for dates
    def outside_ns(self) -> int: ...
    def board_serial(self) -> str: ...
    def interfaces(self) -> list[Interface]: ...

    # By the board file: gi 0/0/1 -> GigabitEthernet0/0/1; that -> eth1; eth1 -> all that name it
    def interface_name(self, typed: str) -> str: ...
    def linux_name(self, interface: str) -> str: ...
    def router_names(self, linux: str) -> list[str]: ...

    def changed(self) -> None: ...  # after every configuration command

    def in_pieces(self, work: Pieces[T], done: Done[T]) -> int:
        """Work as a task; between two pieces of it everybody else has a turn."""

    def key_pairs(self) -> list[KeyPair]: ...
    def key_pair_user(self, name: str) -> str | None: ...  # the realm that uses it
    def key_pairs_held(self) -> dict[str, list[str]]: ...  # folded realms whose records need them
    def key_pair_unreadable(self, name: str) -> bool: ...  # there is a record, for nobody to read
    def create_key_pair(
        self, name: str, bits: int, exportable: bool, done: Done[KeyPair]
    ) -> int: ...
    def destroy_key_pair(self, name: str) -> None: ...

    # result: %^%#...%^%#; it is `before` when that is the same password, sealed
    def seal_password(self, plain: str, before: str | None, done: Done[str]) -> int: ...
    def check_sealed_password(self, sealed: str, done: Done[None]) -> int: ...

    def forget_realm(self, realm: str) -> None: ...  # after `undo pki realm`: stored records too
    def diagnose(self, realm: str, done: Done[list[Check]]) -> int: ...
    def status(self, realm: str) -> RealmStatus: ...
    def survey(self, done: Done[list[Glance]]) -> int: ...  # every realm, the worst first
    def ca(self, realm: str) -> CaInfo | None: ...
    def local(self, realm: str) -> Certificate | None: ...
    def waiting(self, realm: str) -> Certificate | None: ...  # that takes the place of that one
    # kind is certificate, request or crl; what is in PEM is taken too
    def describe(self, kind: str, found: list[bytes], done: Done[list[Described]]) -> int: ...

    def log_lines(self) -> Sequence[LogLine]: ...  # of late, the newest last
    def listen(self, heard: Callable[[LogLine], None]) -> Callable[[], None]: ...  # result: no more

    def detach(self, task: int) -> None: ...  # the session went away; the work goes on
