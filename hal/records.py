"""The records of the store, their schemas and their versions. How one is stored and read:
`hal/record_codec.py`."""

from hal.named import NamedTuple

SEALED = "sealed"  # the kind of a key pair


class CertificateRecord(NamedTuple):
    """A certificate and the fields that were read from it when it was accepted."""

    der: bytes
    subject: str
    issuer: str
    serial: str  # hexadecimal
    not_before_s: int
    not_after_s: int


class NextCaRecord(NamedTuple):
    """The CA that will follow, as the pinned one has told (RFC 8894 4.7): a derived pin.

    `message` is the whole signed answer, so that whoever must believe the pin can verify it; `via`
    holds DER of the CAs from the one that signed it up to the pinned one, without that.
    """

    pin: str
    pin_md5: str
    pin_sha1: str
    certificate: CertificateRecord
    message: bytes
    fetched_s: int
    via: list[bytes] = []


class LinkRecord(NamedTuple):
    """A CA that was pinned before, and the message by which it named the one that followed it;
    empty for one that was renewed under its own name and key."""

    pin: str
    pin_md5: str
    pin_sha1: str
    certificate: CertificateRecord
    message: bytes
    via: list[bytes] = []


class CaRecord(NamedTuple):
    """The CA set of a realm. `pin` is the SHA-256 (hexadecimal) of the one certificate trusted.

    certificates: it, what it vouches for, and what the operator does. lineage: how the trust came
    here from the CA that `trusted_by` speaks of, the oldest first; empty when that is the pinned CA
    itself. anchor: what a person typed or confirmed of that CA, `sha256 HEX`. roots: SHA-256 of CAs
    above the pin that the person who confirmed it was shown. ras: which of the certificates are
    those of an RA. ra_proven: a certificate has come through an RA that had the purpose of one.
    """

    pin: str
    pin_md5: str  # the same certificate under the other digests that `fingerprint` may name
    pin_sha1: str
    pin_index: int  # where it stands in `certificates`
    trusted_by: str  # fingerprint, operator, import
    certificates: list[CertificateRecord]
    caps: list[str]
    fetched_s: int
    next: NextCaRecord | None = None
    lineage: list[LinkRecord] = []
    anchor: str = ""
    roots: list[str] = []
    ras: list[int] = []
    ra_proven: bool = False


class CaSetRecord(NamedTuple):
    """What realms of one CA have in common of their CaRecord: in the store it lies once for all."""

    pin: str
    pin_md5: str
    pin_sha1: str
    pin_index: int
    trusted_by: str
    certificates: list[CertificateRecord]
    caps: list[str]
    anchor: str
    roots: list[str]
    ras: list[int]
    ra_proven: bool


class CaHeldRecord(NamedTuple):
    """The rest of the CaRecord of a realm, and the number of the set that it holds: in the store
    the two are in the place of that."""

    set: int
    fetched_s: int
    next: NextCaRecord | None
    lineage: list[LinkRecord]


class RenewalRecord(NamedTuple):
    """How a request is made that an earlier certificate signs (RFC 8894 2.3).

    message_type: 17 (RenewalReq) or 19 (PKCSReq, as CAs older than RenewalReq want it). The signer
    is the certificate with its key pair by name and generation, which may be another pair than the
    one that the request is for. `with_password`: the challenge goes along all the same.
    """

    message_type: int
    certificate: CertificateRecord
    key: str
    generation: int
    with_password: bool


class RequestRecord(NamedTuple):
    """An application under way: all that is needed to build the same bytes again.

    phase: fetching (the CA certificates are on their way), sent, pending, or lost (the attempt
    ended without an answer; the next one asks for it first). `settings` is the snapshot of what
    shapes the request; `password` is sealed. `renewal` None: a PKCSReq that a self-signed
    certificate signs. While fetching it says what may sign; what does is decided by what the CA
    lists, and committed before the request leaves. `caps`: what the CA lists, which nobody signs,
    so that it counts for this application alone. attended: a person has asked for it. by_rule: the
    new certificate waits for its turn all the same.
    """

    phase: str
    transaction: str
    request_time_s: int
    generation: int
    settings: dict[str, object]
    password: str | None
    polls: int
    renewal: RenewalRecord | None = None
    caps: list[str] = []
    attended: bool = True
    by_rule: bool = False


class LocalRecord(NamedTuple):
    """The local certificate in use, or one that waits: its chain, and the key pair it is for.

    ends_as_before: it replaced one that ends at the same time, so the CA is near its own end.
    renew_s: from when on it is due for renewal; None in a realm that does not renew by itself.
    ends_s: the earliest end in its chain; None: of the certificate itself. pin: SHA-256 of the CA
    that was pinned when it came; "" where that is not known. names: a CRC-32 of the names that were
    asked for; 0 where those are not known. granted_s: the life that the CA granted last, if that
    ended too early to be of use. revoked: the reason for which a list names it, "" for none.
    doubted: when it came it was right but for its dates, by a clock that was trusted.
    """

    certificate: CertificateRecord
    chain: list[bytes]
    key: str
    generation: int
    issued_s: int
    ends_as_before: bool = False
    renew_s: int | None = None
    ends_s: int | None = None
    pin: str = ""
    names: int = 0
    granted_s: int = 0
    revoked: str = ""
    doubted: bool = False

    @property
    def end_s(self) -> int:
        """Until when it is of use: no peer accepts it behind the end of a CA of its chain."""
        end_s = self.certificate.not_after_s
        return end_s if self.ends_s is None else min(self.ends_s, end_s)


class CrlRecord(NamedTuple):
    """The revocation list of a realm's CA, with what was read from it when it was accepted.

    source: the URL that it came from, or `scep`; next_update_s None: the list names no end.
    """

    der: bytes
    issuer: str
    this_update_s: int
    next_update_s: int | None
    revoked: int
    source: str
    fetched_s: int


class AlarmsRecord(NamedTuple):
    """The alarms that stand for a realm and have been told, by mnemonic: `LOCAL_WILL_EXPIRED`."""

    standing: list[str]


class OutcomeRecord(NamedTuple):
    """How the last attempt ended: `error` as `agent/errors.py` writes it, or None.

    attempts: their number since the last good one. since_s: the first of the attempts that ended
    with an error of this retry class. requests: those that left since a certificate was stored, but
    for those that the CA has refused by its signature; each of them may have been a certificate.
    anew: the CA has refused a request that the certificate in use signed, so the next one is made
    as by a new device.
    """

    error: dict[str, object] | None
    at_s: int
    attempts: int
    since_s: int = 0
    requests: int = 0
    anew: bool = False


class KeyRecord(NamedTuple):
    """A key pair. kind: what its private half is, today always `sealed`: `sealed` is the private
    key under the device key, bound to name and generation."""

    name: str
    generation: int
    bits: int
    exportable: bool
    created_s: int
    spki: bytes
    sealed: bytes
    kind: str = SEALED


class ConfigRecord(NamedTuple):
    """The saved configuration but for the blocks that have records of their own, as text that can
    be pasted at the console: what stands before these blocks, and `behind` them.

    console: the generation of the ConsoleRecord that belongs to it; 0: from a release that had
    none, so all of the configuration is in `text`. generation: the newest that any record of the
    configuration has had. blocks: the sum of the generations of the BlockRecords, each block
    counted once; as long as it is right, none is missing and none is an older one.
    """

    text: str
    console: int = 0
    behind: str = ""
    generation: int = 0
    blocks: int = 0


class BlockRecord(NamedTuple):
    """The block of one entity or realm in the saved configuration; kept twice.

    The copy of the higher generation counts. place: the order among the blocks of its kind.
    packed: its lines (`agent/device/packing.py`).
    """

    generation: int
    place: int
    packed: bytes


class ConsoleRecord(NamedTuple):
    """The blocks of the saved configuration that say who may log in, as text; kept twice.

    The copy of the higher generation counts.
    """

    generation: int
    text: str


class SavingRecord(NamedTuple):
    """A large save has begun and not ended. since: copies of blocks from this generation on do not
    count, unless both copies of a block are; 0: nothing is saved, and no block counts."""

    since: int


class LostRecord(NamedTuple):
    """The keys of records that rot has taken, `""` for one that nobody can name."""

    keys: list[str]


class StartsRecord(NamedTuple):
    """How often in a row the agent has ended without order at a step of a realm: CRC-32 of the
    step, then the count as one byte (`agent/device/starts.py`). in_order: since then it has ended
    in order."""

    ends: list[bytes]
    in_order: bool


class EraseRecord(NamedTuple):
    """A person has erased the device; as long as this is there, the erase has not ended."""

    at_s: int


class ClockRecord(NamedTuple):
    """The last time that somebody vouched for, and the machine on which that was."""

    wall_s: int
    machine: str


class MachineRecord(NamedTuple):
    """The machine that this storage belongs to (`hal/machine.py`), and the keys of key pairs that
    were made on another one. moved_s: since when they are here; 0: there are none."""

    machine: str
    foreign: list[str]
    moved_s: int


VERSION = {
    CertificateRecord: 1,
    NextCaRecord: 2,
    LinkRecord: 2,
    CaRecord: 3,
    CaSetRecord: 1,
    CaHeldRecord: 1,
    RenewalRecord: 1,
    RequestRecord: 5,
    LocalRecord: 5,
    CrlRecord: 1,
    AlarmsRecord: 1,
    OutcomeRecord: 3,
    KeyRecord: 2,
    ConfigRecord: 3,
    BlockRecord: 1,
    ConsoleRecord: 1,
    SavingRecord: 1,
    LostRecord: 1,
    StartsRecord: 1,
    EraseRecord: 1,
    ClockRecord: 1,
    MachineRecord: 1,
}  # fmt: skip
# Version -> the fields that it brought, with the value that they have in an older record.
ADDED: dict[type, dict[int, dict[str, object]]] = {
    NextCaRecord: {2: {"via": []}},
    LinkRecord: {2: {"via": []}},
    CaRecord: {
        2: {"next": None, "lineage": []},
        3: {"anchor": "", "roots": [], "ras": [], "ra_proven": False},
    },
    RequestRecord: {
        2: {"renewal": None},
        3: {"caps": []},
        4: {"attended": True},
        5: {"by_rule": False},
    },
    LocalRecord: {
        2: {"ends_as_before": False},
        3: {"renew_s": None},
        4: {"ends_s": None, "pin": "", "names": 0, "granted_s": 0, "revoked": ""},
        5: {"doubted": False},
    },
    OutcomeRecord: {2: {"since_s": 0, "requests": 0}, 3: {"anew": False}},
    KeyRecord: {2: {"kind": SEALED}},
    ConfigRecord: {2: {"console": 0}, 3: {"behind": "", "generation": 0, "blocks": 0}},
}

COPIES = (0, 1)  # of the blocks that are kept twice
